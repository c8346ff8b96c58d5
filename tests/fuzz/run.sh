#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: run.sh FOLDER NAME SECONDS
# Runs libFuzzer's FOLDER/fuzz_NAME and prints a line: executions, edges covered,
# inputs kept, and executions of all runs so far. What it finds is added to
# FOLDER/corpus/NAME, crashes to FOLDER; seeds and dictionary are the tree's.
# Exit status 1 where something was found.
set -eu
folder=$1 name=$2 seconds=$3
here=tests/fuzz
log=$folder/$name.log
sum=$folder/$name.executions

mkdir -p "$folder/corpus/$name"
set -- -max_total_time="$seconds" -timeout=10 -print_final_stats=1 \
	-artifact_prefix="$folder/$name-"
dictionary=$(sh $here/dictionary.sh "$name")
[ -n "$dictionary" ] && set -- "$@" -dict="$dictionary"

status=0
"$folder/fuzz_$name" "$@" "$folder/corpus/$name" "$here/seeds/$name" \
	>"$log" 2>&1 || status=1
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
before=$(cat "$sum" 2>/dev/null || echo 0)
echo $((before + ${runs:-0})) >"$sum"
printf '%-10s %10s executions %6s edges %6s inputs %12s executions so far\n' \
	"$name" "${runs:-?}" "$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)" \
	"$(find "$folder/corpus/$name" -type f | wc -l)" "$(cat "$sum")"
if [ "$status" != 0 ]; then
	echo "fuzz_$name found something, see $log:"
	grep -a -m 1 -A 12 'ERROR\|SUMMARY\|Test unit written' "$log" || tail -20 "$log"
fi
exit "$status"
