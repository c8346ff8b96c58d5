#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: lint.sh
# Runs every analyser over the tree, one TAP line each; what one finds follows.
# An analyser that is not installed is skipped by name.
set -u
cd "$(dirname "$0")/.." || exit 1
# Any string is good enough for a version here.
defines="-D_GNU_SOURCE -DPCRE2_CODE_UNIT_WIDTH=8 -DFROMGUARD_VERSION=__FILE__"
flags="-std=c11 -Iinclude $defines"
sources=$(find src -name '*.c' | sort)
jobs=$(nproc 2>/dev/null || echo 1)
number=0
failed=0

# look NAME PROGRAM COMMAND...: the command finds nothing where it prints nothing.
look() {
	name=$1 program=$2
	shift 2
	number=$((number + 1))
	if ! command -v "$program" >/dev/null; then
		echo "ok $number - $name # SKIP $program is not installed"
		return
	fi
	if said=$("$@" 2>&1) && [ -z "$said" ]; then
		echo "ok $number - $name"
		return
	fi
	failed=1
	echo "not ok $number - $name"
	echo "$said" | sed 's/^/# /'
}


analyzer() {
	# shellcheck disable=SC2086 # flags are words
	echo "$sources" | xargs -P "$jobs" -n 1 gcc $flags -O1 -fanalyzer -Wall \
		-Wextra -c -o /dev/null
}

tidy() {
	# What it counts goes to standard error, what it finds does not.
	# shellcheck disable=SC2086
	echo "$sources" | xargs -P "$jobs" -n 4 sh -c \
		'flags=$1; shift; clang-tidy --quiet "$@" -- $flags 2>/dev/null' \
		sh "$flags"
}

# It reads no header of the system unless told to; lists are macros from there.
check() {
	queue=$(echo '#include <sys/queue.h>' | gcc -E - |
		sed -n 's/^# 1 "\(.*queue.h\)".*/\1/p')
	# shellcheck disable=SC2086
	cppcheck --quiet --std=c11 --enable=warning,performance,portability \
		--inline-suppr --suppress=missingIncludeSystem --error-exitcode=1 \
		"--include=$queue" \
		-j "$jobs" -Iinclude $defines src
}

shells() {
	find tests docker conf \( -name '*.sh' -o -name fromguard-refresh \) -exec shellcheck -s sh -S warning {} +
}

manuals() {
	mandoc -T lint -W warning man/*.[1-8]
}

echo 1..5
look "gcc -fanalyzer finds nothing" gcc analyzer
look "clang-tidy finds nothing" clang-tidy tidy
look "cppcheck finds nothing" cppcheck check
look "shellcheck finds nothing" shellcheck shells
look "mandoc finds nothing in the manuals" mandoc manuals
exit "$failed"
