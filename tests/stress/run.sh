#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: run.sh
# The stress tests with the numbers that are promised; what is measured goes to
# $BUILD/stress.txt as well, under a description of the machine. A number that
# is set already stays: make stress RELOADS=10.
set -u
cd "$(dirname "$0")/../.." || exit 1

: "${RELOADS:=1000}" "${RESTARTS:=100}" "${MAIL_RESTARTS:=100}" "${KILLS:=1000}"
: "${IDLE:=10000}" "${SLOW:=1000}" "${HOSTILE:=1000}" "${ROUNDS:=5}" "${ROUND_SECONDS:=2}"
: "${NOISE_US:=2000}"
: "${REQUESTS:=10000000}" "${LIMITS:=100}"
: "${TRUNCATIONS:=10000}" "${COLLIDING:=100000}"
: "${SUITES:=unit golden fuzz tests/integration/test_server.py}"
export RELOADS RESTARTS MAIL_RESTARTS KILLS IDLE SLOW HOSTILE ROUNDS \
	ROUND_SECONDS NOISE_US REQUESTS LIMITS TRUNCATIONS COLLIDING SUITES

results=$BUILD/stress.txt

describe() {
	sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | sort | uniq -c
	awk '/^MemTotal/ { printf "%d MB of memory\n", $2 / 1024 }' /proc/meminfo
	uname -srm
	sed -n 's/^PRETTY_NAME=//p' /etc/os-release
	echo "load average $(cut -d ' ' -f 1-3 /proc/loadavg); $(date -u '+%F %T')"
	"$FROMGUARD" version | head -n 1
	git rev-parse --short HEAD 2>/dev/null
	echo
}

run() {
	tests/run tests/stress/test_*.py tests/integration/test_limits.py \
		tests/integration/test_compile.py
	echo $? >"$results.status"
}

{ describe; run; } | tee "$results"
status=$(cat "$results.status")
rm -f "$results.status"
echo "(in $results)"
exit "$status"
