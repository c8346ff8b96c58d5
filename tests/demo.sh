#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Starts fromguard on the sample configuration, asks it three questions over
# its socket, shows what goes into Postfix, and serves until Ctrl-C.
set -u
cd "$(dirname "$0")/.." || exit 1
fromguard=${FROMGUARD:-build/fromguard}
fromguard=${fromguard#"$PWD"/}
config=conf/sample/fromguard.conf
socket=build/policy.sock

mkdir -p build
"$fromguard" serve -c "$config" &
server=$!
trap 'kill "$server" 2>/dev/null' INT TERM

tries=100
until "$fromguard" ask -s "$socket" '' check@localhost >/dev/null 2>&1; do
	tries=$((tries - 1))
	if [ "$tries" = 0 ] || ! kill -0 "$server" 2>/dev/null; then
		echo "fromguard did not start" >&2
		kill "$server" 2>/dev/null
		wait "$server"
		exit 1
	fi
	sleep 0.1
done

ask() {
	echo
	echo "\$ fromguard ask -s $socket $1 $2"
	"$fromguard" ask -s "$socket" "$1" "$2"
}
ask user@example.com alias@example.com
ask user@example.com boss@example.com
ask ann.lee@example.com ann.lee-shop@example.com

cat <<END

It listens on unix:$socket and inet:127.0.0.1:10040. In Postfix, for the
services on which people log in (submission and submissions in master.cf):

  smtpd_sender_restrictions =
    check_policy_service { inet:127.0.0.1:10040, timeout=5s, try_limit=2,
      retry_delay=1s,
      default_action=reject_authenticated_sender_login_mismatch }

Put it first: nothing that permits may stand in front of it. default_action is
what Postfix does while fromguard is down; here its own check, which needs
smtpd_sender_login_maps. Other terminal, same folder: why is something refused?

  $fromguard explain -c $config user@example.com boss@example.com

Serving; Ctrl-C ends it.
END
wait "$server"
# An interrupted wait returns at once: the server is still draining.
wait "$server" 2>/dev/null
exit 0
