#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The maps of docker-mailserver's users: an alias list beside the identity rule."""

import sys

import mailhost
import stage as stages
import tap
from daemon import Daemon
from mailhost import FLAVOURS
from processes import wait_until
from stage import USER

ALIASES = "user@example.com alias@example.com,other@example.com\n"
IDENTITY = "/^(.*)$/ ${1}\n"

# One quoted local part, which Postfix cuts into three owners.
SMUGGLED = '"x,user@example.com,y"@bank.test'
SMUGGLED_REFUSAL = ("553 5.7.1 <x,user@example.com,y@bank.test>: Sender address rejected: "
                    "not owned by user user@example.com")

suite = tap.Suite()


def furnish(stage):
    """Sets up one daemon, and one native entrance with the login maps of SPOOF_PROTECTION=1."""
    stage.aliases = stage.nest.write("sender-login-map.cf", ALIASES)
    identity = stage.nest.write("sender_login_maps.pcre", IDENTITY)
    virtual = stage.nest.write("virtual", "")
    daemon = stage.add(Daemon(stage.nest, "fromguard", {
        "maps": f"text:{stage.aliases}, pcre:{identity}"}))
    stage.open_host(
        {"guarded": stages.guarded(f"unix:{daemon.socket}"), "native": stages.NATIVE},
        {"smtpd_sender_login_maps": f"unionmap:{{texthash:{virtual}, pcre:{identity}}}"})


@suite.case("{flavour}: the native check refuses the alias", flavour=FLAVOURS)
def native_refuses(stage, flavour):
    stage.expect_not_owned("native", flavour, "alias@example.com")


@suite.case("{flavour}: fromguard accepts the alias", flavour=FLAVOURS)
def alias(stage, flavour):
    stage.expect_accepted("guarded", flavour, "alias@example.com")


@suite.case("{flavour}: the second address of the line is accepted", flavour=FLAVOURS)
def second_address(stage, flavour):
    stage.expect_accepted("guarded", flavour, "other@example.com")


@suite.case("{flavour}: the own address is accepted", flavour=FLAVOURS)
def own_address(stage, flavour):
    stage.expect_accepted("guarded", flavour, USER)


@suite.case("{flavour}: an address on no list is refused", flavour=FLAVOURS)
def nobodys(stage, flavour):
    stage.expect_not_owned("guarded", flavour, "nobody@example.com")


@suite.case("{flavour}: the native check accepts a sender with the login between commas",
            flavour=FLAVOURS)
def native_is_fooled(stage, flavour):
    stage.expect_accepted("native", flavour, SMUGGLED)


@suite.case("{flavour}: fromguard refuses a sender with the login between commas",
            flavour=FLAVOURS)
def not_fooled(stage, flavour):
    tap.equal(stage.send("guarded", flavour, SMUGGLED).verdict(), SMUGGLED_REFUSAL, "verdict")


@suite.case("a line added to the map counts without a restart")
def edited_map(stage):
    stage.expect_not_owned("guarded", "submission", "later@example.com")
    with open(stage.aliases, "a", encoding="utf-8") as aliases:
        aliases.write("user@example.com later@example.com\n")
    wait_until(lambda: stage.send("guarded", "submission", "later@example.com").queue_id(),
               "the new line to count")
    stage.expect_accepted("guarded", "submission", "alias@example.com")


@suite.case("exactly the mail that was answered 250 is delivered")
def nothing_lost(stage):
    stage.expect_nothing_lost()


@suite.case("the daemon ends with status 0")
def clean_end(stage):
    stage.expect_clean_end()


if __name__ == "__main__":
    sys.exit(suite.run(lambda: stages.open_stage(furnish), mailhost.missing()))
