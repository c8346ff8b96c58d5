#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# One test: the program and all test programs build with clang, without a
# warning. In a folder of its own, so that it is done anew only where needed.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}/clang
name="clang builds everything without a warning"

echo 1..1
if ! command -v clang >/dev/null; then
	echo "ok 1 - $name # SKIP clang is not installed"
	exit 0
fi
# This make is on its own, whatever make has started the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
if said=$(make BUILD="$build" CC=clang CFLAGS="-O1" WERROR=1 programs 2>&1); then
	echo "ok 1 - $name"
else
	echo "not ok 1 - $name"
	echo "$said" | grep -v '^  ' | sed 's/^/# /'
	exit 1
fi
