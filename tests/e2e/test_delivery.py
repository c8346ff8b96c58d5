#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What docker-mailserver refuses today although the mail to it arrives.

The configuration volume is what `setup` writes and people edit; fromguard runs
with conf/docker-mailserver.conf as it is shipped, the native entrances with
the login maps of SPOOF_PROTECTION=1.
"""

import os
import sys

import mailhost
import stage as stages
import tap
from daemon import Daemon
from mailhost import FLAVOURS
from stage import OTHER, USER
from volume import shipped_settings

HASH = "{SHA512-CRYPT}$6$salt$hash"

ACCOUNTS = f"{USER}|{HASH}\n{OTHER}|{HASH}|userdb_quota_rule=*:storage=1G\n"

# Aliases of aliases, a rule in the middle, a catch-all, an alias domain.
VIRTUAL = f"""\
alias@example.com {USER}
second@example.com alias@example.com
third@example.com second@example.com
robot@example.com machine-1@example.com
others@example.com {OTHER}
@caught.example.net {USER}
@aliased.example.net @example.com
"""
# One key twice, and no newline at the end.
TWICE = f"double@example.com {USER}\nDouble@example.com {OTHER}\nlast@example.com {USER}"
REGEXP = f"/^machine-[0-9]+@example\\.com$/ {USER}\n"
# Written on Windows.
SEND_ONLY = f"# may send, gets no mail\r\n/^noreply-.*@example\\.com$/ {USER}\r\n"
ALIASES = f"root: {USER}\r\nwebmaster: root\r\npager: |/usr/bin/page, {USER}\r\n"
SENDERS = f"{USER}\tnewsletter@lists.example.net, @campaign.example.net\n"

# What it is: who may, with which sender.
OWNED = {
    "a sub-address of the own address": (USER, "user+shop@example.com"),
    "a sub-address of an alias": (USER, "alias+shop@example.com"),
    "a catch-all's address": (USER, "anything@caught.example.net"),
    "a sub-address of a catch-all's": (USER, "anything+shop@caught.example.net"),
    "the own name in an alias domain": (USER, "user@aliased.example.net"),
    "an alias in an alias domain": (USER, "alias@aliased.example.net"),
    "an alias of an alias": (USER, "second@example.com"),
    "an alias of an alias of an alias": (USER, "third@example.com"),
    "an alias that leads to a rule": (USER, "robot@example.com"),
    "a sub-address of what a rule gives": (USER, "machine-7+shop@example.com"),
    "a name of postfix-aliases.cf": (USER, "root@mail.example.com"),
    "an alias of a name there": (USER, "webmaster@mail.example.com"),
    "a name beside a command there": (USER, "pager@mail.example.com"),
    "an address of the send-only file": (USER, "noreply-shop@example.com"),
    "an address of the sender's map": (USER, "newsletter@lists.example.net"),
    "a domain of the sender's map": (USER, "june@campaign.example.net"),
}
# What works today, and goes on to.
ALREADY = {
    "the own address": (USER, USER),
    "an alias": (USER, "alias@example.com"),
    "what a rule gives": (USER, "machine-7@example.com"),
}
# What is in the files with a key twice and without an end.
ODD = {
    "a key that is given twice, by its first owner": (USER, "double@example.com"),
    "a key that is given twice, by its second owner": (OTHER, "double@example.com"),
    "the last line, which has no end": (USER, "last@example.com"),
}
# What is somebody else's, or nobody's.
FOREIGN = {
    **{what: (OTHER, sender) for what, (_, sender) in OWNED.items()},
    "somebody's account": (USER, OTHER),
    "somebody's account with an extension": (USER, "other+shop@example.com"),
    "somebody's account in an alias domain": (USER, "other@aliased.example.net"),
    "somebody's alias": (USER, "others@example.com"),
    "an address on no list": (USER, "nobody@example.com"),
    "a sub-domain of a catch-all's": (USER, "x@sub.caught.example.net"),
    "a name of postfix-aliases.cf at another domain": (USER, "root@example.com"),
}

suite = tap.Suite()


def fill_volume(nest):
    """Writes the configuration volume and returns its folder."""
    os.mkdir(nest.path("volume"), 0o755)
    for name, content in {
            "postfix-accounts.cf": ACCOUNTS, "postfix-virtual.cf": VIRTUAL + TWICE,
            "postfix-regexp.cf": REGEXP, "postfix-regexp-send-only.cf": SEND_ONLY,
            "postfix-aliases.cf": ALIASES, "sender-login-map.cf": SENDERS}.items():
        nest.write(f"volume/{name}", "")
        with open(nest.path("volume", name), "w", encoding="utf-8", newline="") as file:
            file.write(content)
    return nest.path("volume", "")


def native_maps(nest, name, virtual):
    """The login maps of SPOOF_PROTECTION=1, with the volume's files but for another virtual."""
    identity = nest.write(f"{name}.pcre", "/^(.*)$/ ${1}\n")
    aliases = nest.write(f"{name}-aliases", f"root {USER}\nwebmaster root\n")
    return (f"unionmap:{{texthash:{nest.write(f'{name}-virtual', virtual)}, texthash:{aliases}, "
            f"pcre:{identity}, pcre:{nest.path('volume', 'postfix-regexp.cf')}}}")


def furnish(stage):
    """Sets up the daemon, and the native check without and with a key given twice."""
    volume = fill_volume(stage.nest)
    daemon = stage.add(Daemon(stage.nest, "fromguard", shipped_settings(volume)))
    stage.open_host({
        "guarded": stages.guarded(f"unix:{daemon.socket}"),
        "native": {**stages.NATIVE,
                   "smtpd_sender_login_maps": native_maps(stage.nest, "native", VIRTUAL)},
        "broken": {**stages.NATIVE,
                   "smtpd_sender_login_maps": native_maps(stage.nest, "broken", VIRTUAL + TWICE)},
    })


@suite.case("the native check accepts {what}", what=ALREADY)
def native_accepts(stage, what):
    login, sender = ALREADY[what]
    stage.expect_accepted("native", "submission", sender, login=login)


@suite.case("the native check refuses {what}", what=OWNED)
def native_refuses(stage, what):
    login, sender = OWNED[what]
    stage.expect_not_owned("native", "submission", sender, login=login)


@suite.case("one key given twice, and the native check refuses {what}", what=ALREADY)
def native_breaks(stage, what):
    login, sender = ALREADY[what]
    tap.equal(stage.send("broken", "submission", sender, login=login).verdict()[:4], "451 ",
              "verdict")


for flavour in FLAVOURS:
    @suite.case(f"{flavour}: fromguard accepts {{what}}", what={**ALREADY, **OWNED, **ODD})
    def accepted(stage, what, flavour=flavour):
        login, sender = {**ALREADY, **OWNED, **ODD}[what]
        stage.expect_accepted("guarded", flavour, sender, login=login)


@suite.case("fromguard refuses {what}", what=FOREIGN)
def refused(stage, what):
    login, sender = FOREIGN[what]
    stage.expect_not_owned("guarded", "submission", sender, login=login)


@suite.case("exactly the mail that was answered 250 is delivered")
def nothing_lost(stage):
    stage.expect_nothing_lost()


@suite.case("the daemon ends with status 0")
def clean_end(stage):
    stage.expect_clean_end()


if __name__ == "__main__":
    sys.exit(suite.run(lambda: stages.open_stage(furnish), mailhost.missing()))
