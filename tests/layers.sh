#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: layers.sh [TREE]
# Holds the tree to its own rules, in TAP: who includes whom, which room knows
# which library, how long functions and files may be, what is never called.
set -u
cd "${1:-$(dirname "$0")/..}" || exit 1

sources=$(find src include -name '*.[ch]' | sort)
tests=$(find tests -name '*.[ch]' | sort)
number=0
failed=0

# Report one rule; standard input has a line for each place that breaks it.
rule() {
	number=$((number + 1))
	broken=$(cat)
	if [ -z "$broken" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		echo "$broken" | sed 's/^/# /'
		failed=1
	fi
}

# Print the places that include a header that matches $1 and whose file does
# not match $2.
included_outside() {
	grep -nE "#include <($1)>" $sources | grep -vE "^($2)"
}

# Print the places where one of the words is called.
calls() {
	grep -nE "(^|[^A-Za-z0-9_])($1)[[:space:]]*\(" $sources
}

echo 1..10

awk '
BEGIN {
	split("base wire maps policy server cmd", names)
	for (i in names)
		rank[names[i]] = i
}
FNR == 1 { split(FILENAME, part, "/"); room = part[2] }
/^#include "[^\/"]*\// {
	split($2, to, /["\/]/)
	if (!(to[2] in rank) || rank[to[2]] > rank[room])
		print FILENAME ":" FNR ": " $0
}' $sources | rule "includes point down"

awk '
/^#include "/ {
	split($2, name, "\"")
	folder = FILENAME
	sub(/[^\/]*$/, "", folder)
	public = "include/" name[2]
	private = folder name[2]
	found = (getline line < public) >= 0 ||
	    (name[2] !~ /\// && (getline line < private) >= 0)
	close(public); close(private)
	if (!found || name[2] ~ /\.\./)
		print FILENAME ":" FNR ": " $0
}' $sources | rule "a room's private headers are its own"

included_outside 'event2?[./].*' '(src|include)/server/' |
	rule "only the server knows libevent"
included_outside 'cdb\.h|pcre2\.h' 'src/maps/' |
	rule "only maps know cdb.h and pcre2.h"
included_outside 'idn2\.h|uni(case|norm)\.h' 'src/base/address\.c' |
	rule "only base/address.c knows libidn2, case folding and NFC"
included_outside 'unistr\.h' 'src/base/' |
	rule "only base knows unistr.h"

# clang-format puts the braces of functions, and nothing else, on lines alone.
awk '
/^\{$/ { start = FNR }
/^\}$/ && FNR - start - 1 > 100 {
	print FILENAME ":" start ": " FNR - start - 1 " lines"
}' $sources | rule "no function is longer than 100 lines"

wc -l $sources | awk '$2 != "total" && $1 > 450 { print $2 ": " $1 " lines" }' |
	rule "no file is longer than 450 lines"

calls 'strcpy|strcat|v?sprintf|atoi|atol|strtok|gets' |
	rule "no call without a bound"

for file in $sources $tests; do
	head -n 1 "$file" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' ||
		echo "$file"
done | rule "every file names its licence"

exit "$failed"
