#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: run.sh FOLDER NAME SECONDS
# Runs libFuzzer's FOLDER/fuzz_NAME. What it finds is added to
# FOLDER/corpus/NAME, crashes to FOLDER; seeds and dictionary are the tree's.
set -eu
folder=$1 name=$2 seconds=$3
here=tests/fuzz

mkdir -p "$folder/corpus/$name"
set -- -max_total_time="$seconds" -timeout=10 -print_final_stats=1 \
	-artifact_prefix="$folder/$name-"
[ -e "$here/$name.dict" ] && set -- "$@" -dict="$here/$name.dict"
echo "fuzz_$name, $seconds s"
exec "$folder/fuzz_$name" "$@" "$folder/corpus/$name" "$here/seeds/$name"
