#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: afl.sh FOLDER NAME SECONDS
# As run.sh, with AFL++ in the place of libFuzzer: runs FOLDER/fuzz_NAME on the
# tree's seeds and prints a line. What it finds stays in FOLDER/afl/NAME. Exit
# status 1 where something was found.
set -eu
folder=$1 name=$2 seconds=$3
here=tests/fuzz
out=$folder/afl/$name
stats=$out/default/fuzzer_stats
log=$folder/$name.afl.log

mkdir -p "$folder/afl"
dictionary=$(sh $here/dictionary.sh "$name")
set -- -V "$seconds" -t 10000 -m none -i "$here/seeds/$name" -o "$out"
[ -n "$dictionary" ] && set -- "$@" -x "$dictionary"

# It goes on where there was a run before. Of this system it needs no more than
# to run: not the processor's governor, not the way in which it keeps core files.
AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
	AFL_NO_AFFINITY=1 AFL_AUTORESUME=1 \
	afl-fuzz "$@" -- "$folder/fuzz_$name" >"$log" 2>&1 || {
	tail -20 "$log"
	exit 1
}

# Print what a statistic says.
stat() {
	sed -n "s/^$1 *: *//p" "$stats"
}
printf '%-10s %10s executions %6s edges %6s inputs %4s crashes %4s hangs\n' \
	"$name" "$(stat execs_done)" "$(stat edges_found)" "$(stat corpus_count)" \
	"$(stat saved_crashes)" "$(stat saved_hangs)"
if [ "$(stat saved_crashes)" != 0 ] || [ "$(stat saved_hangs)" != 0 ]; then
	echo "fuzz_$name found something, see $out"
	exit 1
fi
