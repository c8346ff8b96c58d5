#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: coverage.sh FOLDER NAME...
# Replays the seeds of targets with FOLDER's replay programs and prints what
# each runs of the sources that it is for. Exit status 1 where that is less than
# three lines of four.
set -eu
folder=$1
shift

sources_of() {
	case $1 in
	address) echo src/base/address.c ;;
	lines) echo src/base/lines.c ;;
	request) echo src/wire/request.c src/wire/reply.c src/policy/answer.c ;;
	maillog) echo src/wire/maillog.c src/wire/maillog_time.c ;;
	text) echo src/maps/text.c src/maps/token.c ;;
	virtual | aliases | accounts | owners) echo "src/maps/$1.c" ;;
	cdb) echo src/maps/cdb_read.c src/maps/cdb_prove.c ;;
	rules) echo src/maps/rules_*.c ;;
	settings) echo src/policy/settings_*.c ;;
	decide) echo src/policy/decide.c src/policy/sides.c \
		src/policy/chain.c src/policy/links*.c ;;
	esac
}

# Replay one target and print its line.
cover() {
	program=$folder/tests/replay_$1
	profile=$folder/$1
	sources=$(sources_of "$1")
	[ -n "$sources" ] || { echo "$1: what is it for?" >&2; exit 1; }
	LLVM_PROFILE_FILE=$profile.raw "$program" "tests/fuzz/seeds/$1"/* >/dev/null
	llvm-profdata merge -o "$profile.profile" "$profile.raw"
	# shellcheck disable=SC2086 # sources are words
	llvm-cov report "$program" -instr-profile="$profile.profile" $sources |
		awk -v name="$1" -v sources="$sources" '/^TOTAL/ {
			printf "%-9s %3d of %3d functions %4d of %4d lines %7s  %s\n",
				name, $5 - $6, $5, $8 - $9, $8, $10, sources
			exit ($8 - $9) * 4 < $8 * 3
		}'
}

status=0
for name; do
	cover "$name" || status=1
done
exit $status
