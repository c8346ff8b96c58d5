#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: valgrind.sh
# Runs the unit tests, the fuzz targets on their seeds and the servers of the
# golden cases under valgrind's memcheck, one TAP line each: no byte read that
# was not written, none outside of its block, no block lost.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
memcheck="valgrind -q --error-exitcode=99 --leak-check=full
	--errors-for-leak-kinds=definite --show-leak-kinds=definite"
number=0
failed=0

# report NAME COMMAND...: the command ends with status 0 under memcheck.
report() {
	name=$1
	shift
	number=$((number + 1))
	if said=$("$@" 2>&1); then
		echo "ok $number - $name"
		return
	fi
	failed=1
	echo "not ok $number - $name"
	echo "$said" | tail -n 200 | sed 's/^/# /'
}

if ! command -v valgrind >/dev/null; then
	echo "1..0 # SKIP valgrind is not installed"
	exit 0
fi
unit=$(ls tests/unit/test_*.c)
fuzz=$(ls tests/fuzz/fuzz_*.c)
echo "1..$(($(echo "$unit" "$fuzz" | wc -w) + 1))"
for source in $unit; do
	name=$(basename "$source" .c)
	# shellcheck disable=SC2086 # its options are words
	report "unit $name" env CK_TIMEOUT_MULTIPLIER=20 \
		CK_EXCLUDE_TAGS=bare $memcheck "$build/tests/$name"
done
for source in $fuzz; do
	name=$(basename "$source" .c)
	name=${name#fuzz_}
	# shellcheck disable=SC2086
	report "fuzz $name" $memcheck "$build/tests/replay_$name" \
		"tests/fuzz/seeds/$name/"*
done
report "golden" env WRAPPER="$(echo "$memcheck" | tr -s '\n\t' '  ')" \
	python3 tests/golden/run.py
exit "$failed"
