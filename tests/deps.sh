#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: deps.sh [GOAL...]
# Installs, by package name, what building needs; with check among the goals
# what the tests need too, with lint the analysers. Debian and Ubuntu; as root,
# else with sudo. No mail service is started or enabled, none is replaced.
set -eu

build="gcc make pkg-config libc6-dev libevent-dev libpcre2-dev libcdb-dev
	libidn2-dev libunistring-dev"
tests="check clang python3 tinycdb swaks openssl libnet-ssleay-perl
	libio-socket-ssl-perl gzip xz-utils mandoc groff procps systemd libseccomp2
	dpkg-dev binutils lintian valgrind python3-yaml shellcheck
	python3-prometheus-client zsh fish"
directories="postgresql slapd ldap-utils"
mail="postfix postfix-pcre postfix-cdb dovecot-core"
lint="clang-tidy cppcheck clang-format gcovr valgrind shellcheck mandoc"

say() {
	echo "deps: $*"
}

# Print those of the packages that are not installed.
missing() {
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
			grep -q 'ok installed$' || echo "$package"
	done
}

# Print the mail server other than Postfix that is installed, if any.
other_mta() {
	dpkg-query -W -f '${Package} ${Status} ${Provides}\n' 2>/dev/null |
		awk '/ok installed/ && /mail-transport-agent/ && $1 != "postfix" {
			print $1
			exit
		}'
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Services that a package brings are started by its scripts unless this file
# says no (invoke-rc.d, "policy-rc.d"). Ours is gone when this script ends.
policy=/usr/sbin/policy-rc.d
forbid_starting() {
	[ -e "$policy" ] && return 0
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
	as_root chmod 755 "$policy"
	trap 'as_root rm -f "$policy"' EXIT
	trap 'exit 1' HUP INT TERM
}

install_packages() {
	forbid_starting
	say "installing" "$@"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null ||
		say "apt-get update failed; trying with the lists that are here"
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -qy --no-install-recommends "$@" >"$log" 2>&1 || {
		cat "$log" >&2
		say "apt-get could not install them" >&2
		exit 1
	}
}

# What the packages have just brought is not to start with the machine.
leave_disabled() {
	command -v systemctl >/dev/null || return 0
	for unit in "$@"; do
		as_root systemctl disable "$unit" >/dev/null 2>&1 ||
			say "$unit could not be kept from starting at boot"
	done
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	say "this is no Debian or Ubuntu: nothing was installed. Needed are a C11" \
		"compiler, make, pkg-config, libevent 2.1, PCRE2 (8 bit), tinycdb," \
		"libidn2 and libunistring, with their headers; for the tests check," \
		"clang, python3, tinycdb, Postfix 3.7, Dovecot 2.3, swaks, openssl"
	exit 0
fi

wanted=$build
fresh=
for goal in "$@"; do
	case $goal in
	check | check-san | coverage | bench | stress | differential)
		wanted="$wanted $tests"
		other=$(other_mta)
		if [ -n "$other" ]; then
			say "$other is the mail server here and stays it: Postfix is" \
				"not installed, the end-to-end tests will be skipped"
		else
			wanted="$wanted $mail"
			fresh=$(missing postfix dovecot-core)
		fi
		wanted="$wanted $directories"
		fresh="$fresh $(missing postgresql slapd)"
		# A policy server to be compared with.
		if [ "$goal" = bench ]; then
			wanted="$wanted postfwd"
			fresh="$fresh $(missing postfwd)"
		fi
		;;
	docker-check) wanted="$wanted python3 buildah mmdebstrap" ;;
	lint) wanted="$wanted $lint" ;;
	fuzz) wanted="$wanted clang" ;;
	fuzz-afl) wanted="$wanted clang afl++" ;;
	deb) wanted="$wanted dpkg-dev binutils" ;;
	esac
done

lacking=$(missing $wanted)
if [ -z "$lacking" ]; then
	say "everything is here"
	exit 0
fi
if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
	say "as root, or with sudo, run: apt-get install" $lacking >&2
	exit 1
fi
log=$(mktemp)
install_packages $lacking
rm -f "$log"
for package in $fresh; do
	case $package in
	postfix) leave_disabled postfix ;;
	dovecot-core) leave_disabled dovecot ;;
	postfwd) leave_disabled postfwd ;;
	postgresql) leave_disabled postgresql ;;
	slapd) leave_disabled slapd ;;
	esac
done
say "done"
