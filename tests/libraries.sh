#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: libraries.sh CC
# Are the compiler and the libraries there? Names those that are not; exit 1.
set -u
cc=${*:-cc} # may have options: "ccache gcc"
missing=

has_header() {
	printf '#include <stddef.h>\n#include <stdint.h>\n#include <%s>\n' "$1" |
		$cc -E -x c - >/dev/null 2>&1
}

command -v ${cc%% *} >/dev/null || missing=" $cc"
command -v pkg-config >/dev/null || missing="$missing pkg-config"
if [ -z "$missing" ]; then
	for module in libevent_core libevent_extra libpcre2-8 libidn2; do
		pkg-config --exists "$module" || missing="$missing $module"
	done
	has_header cdb.h || missing="$missing tinycdb(cdb.h)"
	has_header unistr.h || missing="$missing libunistring(unistr.h)"
fi
[ -z "$missing" ] && exit 0
echo "fromguard needs, and this machine lacks:$missing" >&2
echo "On Debian and Ubuntu, \"make deps\" installs them by package name." >&2
exit 1
