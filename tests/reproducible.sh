#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# One test: two builds of the same sources, in folders of different names, at
# different times, under different umasks, time zones and languages, with files
# of different ages, make the same program, byte for byte.
set -u
cd "$(dirname "$0")/.." || exit 1
name="two builds in different places and times make the same bytes"
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# build FOLDER UMASK AGE: copies the sources there and makes the program.
build() (
	umask "$2"
	mkdir -p "$scratch/$1" && cp -R Makefile src include "$scratch/$1" &&
		mkdir "$scratch/$1/tests" && cp tests/libraries.sh "$scratch/$1/tests" &&
		cd "$scratch/$1" && find . -exec touch -d "$3" {} + &&
		# On its own, whatever make has started the tests.
		env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES -u BUILD \
			HOME="$scratch/$1" make CFLAGS="-O2 -g"
)

echo 1..1
if said=$(TZ=UTC LC_ALL=C build a 022 "2 days ago" 2>&1 &&
	sleep 1 &&
	TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 \
		build "another folder/with a longer name" 077 now 2>&1) &&
	said=$(cmp "$scratch/a/build/fromguard" \
		"$scratch/another folder/with a longer name/build/fromguard" 2>&1); then
	echo "# figure: the program twice: sha256 $(sha256sum \
		<"$scratch/a/build/fromguard" | cut -c 1-16)... in both folders"
	echo "ok 1 - $name"
else
	echo "not ok 1 - $name"
	echo "$said" | sed 's/^/# /'
	exit 1
fi
