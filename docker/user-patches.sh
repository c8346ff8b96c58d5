#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# fromguard inside of docker-mailserver's own container, where a second one is
# not wanted. Into the configuration folder (docker-data/dms/config) go this
# file, postfix-main.cf, and two more out of the image:
#
#   docker create --name fromguard fromguard
#   docker cp fromguard:/usr/sbin/fromguard docker-data/dms/config/
#   docker cp fromguard:/etc/fromguard/docker-mailserver.conf \
#     docker-data/dms/config/fromguard.conf
#   docker rm fromguard
#
# The program is static and runs in any release. docker-mailserver executes this
# at each start, when all is configured and before Postfix is started.
set -eu
here=$(dirname "$0")

# Linked, so that edits come into force, and commands find it:
#   docker exec mailserver fromguard explain user@example.com alias@example.com
install -m 755 "$here/fromguard" /usr/local/bin/fromguard
mkdir -p /etc/fromguard
ln -sf "$here/fromguard.conf" /etc/fromguard/fromguard.conf

# A user of its own, and a folder that Postfix alone can enter.
id fromguard >/dev/null 2>&1 ||
	useradd --system --no-create-home --shell /usr/sbin/nologin fromguard
install -d -o fromguard -g postfix -m 750 /run/fromguard

cat >/etc/supervisor/conf.d/fromguard.conf <<END
[program:fromguard]
command=/usr/local/bin/fromguard serve
user=fromguard
startsecs=0
autostart=true
autorestart=true
stdout_logfile=/var/log/supervisor/%(program_name)s.log
stderr_logfile=/var/log/supervisor/%(program_name)s.log
END
supervisorctl update

# Postfix is started next. Where this fails, its own check answers instead.
tries=50
until fromguard ask --health >/dev/null 2>&1; do
	tries=$((tries - 1))
	if [ "$tries" = 0 ]; then
		echo "fromguard does not answer yet; it says why in" \
			"/var/log/supervisor/fromguard.log" >&2
		break
	fi
	sleep 0.1
done
