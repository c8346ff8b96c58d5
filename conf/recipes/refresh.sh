#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: refresh.sh OUT.cdb TYPE=COMMAND...
#
# Fills a compiled map from a directory. Each COMMAND is run by sh and prints a
# map of TYPE (text, owners, virtual, aliases or accounts); all of them together
# become OUT.cdb, which a fromguard with maps = cdb:OUT.cdb reads by itself.
#
# A command that fails, or that prints no entry at all, ends this with status 1
# and changes nothing: the last good map stays in force, however long the
# directory is down. A command that may well print nothing is written TYPE?=.
# Mail never waits for the directory.
#
# FROMGUARD is the program, LOCAL_DOMAINS what the server's local_domains is.
set -eu

say() {
	echo "refresh: $*" >&2
}

[ $# -ge 2 ] || {
	say "usage: refresh.sh OUT.cdb TYPE=COMMAND..."
	exit 64
}
out=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

number=0
for source in "$@"; do
	type=${source%%=*}
	command=${source#*=}
	number=$((number + 1))
	map=$work/$number
	# Not a pipe into the compiler: that would take what a command printed
	# before it failed for all there is.
	sh -c "$command" >"$map" || {
		say "failed: $command"
		say "$out stays as it is"
		exit 1
	}
	if [ "${type%\?}" = "$type" ] && ! grep -qv '^[[:space:]]*\(#\|$\)' "$map"; then
		say "nothing came of: $command"
		say "$out stays as it is"
		exit 1
	fi
	# What a recipe says of rows that it left out.
	sed -n 's/^# left out: /refresh: left out: /p' "$map" >&2
	set -- "$@" "${type%\?}:$map"
	shift
done
status=0
"${FROMGUARD:-fromguard}" compile ${LOCAL_DOMAINS:+--set} \
	${LOCAL_DOMAINS:+"local_domains=$LOCAL_DOMAINS"} -o "$out" "$@" ||
	status=$?
exit "$status"
