#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What an LDAP directory says of who may send as what, for fromguard-refresh, in
# the terms of docker-mailserver's LDAP mode:
#
#   LDAP_SERVER_HOST=ldaps://ldap.example.com LDAP_SEARCH_BASE=ou=users,dc=example,dc=com \
#   LDAP_BIND_DN=cn=reader,dc=example,dc=com LDAP_PASSWORD_FILE=/etc/fromguard/ldap-password \
#     fromguard-refresh /var/lib/fromguard-maps/directory.cdb ldap-docker-mailserver.sh
#
# Without LDAP_BIND_DN it asks as nobody. The password is all of its file: no
# newline at the end. People log in as LDAP_LOGIN (uid; uniqueIdentifier is the
# other use) or as their mail. They get mail to mail, mailAlias and, as members
# of a group, to mailGroupMember; so they may send as these. mailAlias
# @example.com is a catch-all, for the login by mail alone. The directory has to
# keep people from writing these attributes of their own entry.
set -eu
: "${LDAP_SERVER_HOST:?is not set}" "${LDAP_SEARCH_BASE:?is not set}"
login=${LDAP_LOGIN:-uid}
filter=${LDAP_FILTER:-(&(objectClass=PostfixBookMailAccount)(mailEnabled=TRUE))}
case $LDAP_SERVER_HOST in
*://*) ;;
*) LDAP_SERVER_HOST=ldap://$LDAP_SERVER_HOST ;;
esac

set -- -x -LLL -o ldif_wrap=no -o nettimeout=10 -l 50 -E pr=500/noprompt \
	-H "$LDAP_SERVER_HOST" -b "$LDAP_SEARCH_BASE"
[ "${LDAP_START_TLS:-no}" = no ] || set -- "$@" -ZZ
[ -z "${LDAP_BIND_DN:-}" ] ||
	set -- "$@" -D "$LDAP_BIND_DN" -y "${LDAP_PASSWORD_FILE:?is not set}"

# Whole before it is used; a limit of the server, too, is a failure.
entries=$(ldapsearch "$@" "$filter" "$login" mail mailAlias mailGroupMember)

# A value that LDIF writes in base64, since it is none of plain ASCII, keeps its
# colon and is left out by fromguard-refresh.
printf '%s\n\n' "$entries" | awk -v login="$login" '
function forget() { l = m = o = 0 }
function rows(kind, left, n, right, k,  i, j) {
	for (i = 1; i <= n; i++)
		for (j = 1; j <= k; j++)
			# As a grant, a catch-all would be the whole domain.
			if (left[i] != right[j] && (kind == "alias" || left[i] !~ /^@/))
				print kind "\t" left[i] "\t" right[j]
}
function flush(  i) {
	for (i = 1; i <= l; i++)
		print "account\t" logins[i]
	for (i = 1; i <= m; i++)
		print "account\t" mails[i]
	rows("owner", mails, m, logins, l)
	rows("owner", mails, m, mails, m)
	rows("alias", others, o, mails, m)
	rows("owner", others, o, logins, l)
	forget()
}
BEGIN { forget() }
/^$/ { flush(); next }
{
	colon = index($0, ":")
	name = tolower(substr($0, 1, colon - 1))
	value = substr($0, colon + 1)
	sub(/^ /, "", value)
}
name == tolower(login) { logins[++l] = value }
name == "mail" { mails[++m] = value }
name == "mailalias" || name == "mailgroupmember" { others[++o] = value }'
echo end
