#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: ldap-senders.sh LOGIN-ATTRIBUTE ADDRESS-ATTRIBUTE... -- LDAPSEARCH-OPTION...
#
# Prints a text: map from a directory: for each entry its login and the addresses
# that it may use. For docker-mailserver's LDAP mode, where people log in by uid:
#
#   ldap-senders.sh uniqueIdentifier mail mailAlias -- -x -H ldap://ldap.example.com \
#     -b ou=people,dc=example,dc=com '(&(objectClass=PostfixBookMailAccount)(mailEnabled=TRUE))'
#
# Fails where ldapsearch does (a limit on the answer's size included), so that
# half an answer is never taken for all. Values that a map file would have to
# quote, or that are not ASCII, are left out, so that no value can become two.
set -eu

login=$1
shift
addresses=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	addresses="$addresses $1"
	shift
done
[ $# -gt 0 ] && shift

work=$(mktemp)
trap 'rm -f "$work"' EXIT
trap 'exit 1' HUP INT TERM
# shellcheck disable=SC2086 # attributes are words
ldapsearch -LLL -o ldif-wrap=no "$@" "$login" $addresses >"$work"

awk -v login="$login" -v addresses="$addresses" '
	function is_plain(text) {
		return text ~ /^[A-Za-z0-9._+=\/&$~^{}?`\047-]+(@[A-Za-z0-9.-]+)?$/
	}
	function finish() {
		if (who != "" && senders != "")
			print who, senders
		who = senders = ""
	}
	BEGIN {
		count = split(tolower(addresses), names, " ")
		for (i = 1; i <= count; i++)
			wanted[names[i]] = 1
		login = tolower(login)
	}
	/^$/ { finish(); next }
	{
		colon = index($0, ":")
		name = tolower(substr($0, 1, colon - 1))
		if (name != login && !(name in wanted))
			next
		# A second colon: base64, since there are odd bytes in it.
		value = substr($0, colon + 1)
		sub(/^ +/, "", value)
		if (!is_plain(value)) {
			left_out++
			next
		}
		if (name == login)
			who = value
		if (name in wanted)
			senders = senders == "" ? value : senders ", " value
	}
	END {
		finish()
		if (left_out > 0)
			print "# left out: " left_out " values"
	}' "$work"
