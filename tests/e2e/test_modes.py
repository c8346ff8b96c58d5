#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Settings that change a verdict: warn mode, sub-addresses; the null sender; loopback TCP."""

import re
import sys

import mailhost
import stage as stages
import tap
from daemon import Daemon
from mailhost import FLAVOURS, free_ports
from stage import USER

MAP = "other@example.com alias@example.com\n"

WARNING = (r"postfix/{entrance}-{flavour}/smtpd\[\d+\]: NOQUEUE: warn: RCPT from \S+: "
           r"fromguard: would reject: not owned by user user@example\.com; "
           r"from=<alias@example\.com> to=<somebody@elsewhere\.test> ")

suite = tap.Suite()


def furnish(stage):
    """Sets up a daemon that only warns, and one that knows sub-addresses and listens on TCP."""
    text = stage.nest.write("senders.cf", MAP)
    native = stage.nest.write("native-senders", "")
    port = free_ports(1)[0]
    stage.warner = stage.add(Daemon(stage.nest, "warner", {
        "maps": f"text:{text}", "mode": "warn"}))
    stage.add(Daemon(stage.nest, "tagger", {
        "maps": f"text:{text}", "recipient_delimiter": "+",
        "listen": f"inet:127.0.0.1:{port}"}))
    stage.open_host(
        {"warned": stages.guarded(f"unix:{stage.warner.socket}"),
         "tagged": stages.guarded(f"inet:127.0.0.1:{port}"),
         "native": stages.NATIVE},
        {"smtpd_sender_login_maps": f"texthash:{native}"})


@suite.case("{flavour}: mode = warn lets a mail pass and Postfix logs the warning",
            flavour=FLAVOURS)
def warn(stage, flavour):
    mark = stage.host.log.mark()
    stage.expect_accepted("warned", flavour, "alias@example.com")
    stage.host.log.wait_for(re.compile(WARNING.format(entrance="warned", flavour=flavour)), mark)


@suite.case("{flavour}: mode = warn warns of nothing that is owned", flavour=FLAVOURS)
def no_warning(stage, flavour):
    mark = stage.host.log.mark()
    sent = stage.expect_accepted("warned", flavour, USER)
    stage.host.log.wait_for(re.compile(f"{sent.queue_id()}: removed$"), mark)
    tap.equal(stage.host.log.matching(re.compile("would reject"), mark), [], "warnings")


@suite.case("{flavour}: a sub-address of the own address is accepted", flavour=FLAVOURS)
def sub_address(stage, flavour):
    stage.expect_accepted("tagged", flavour, "user+tag@example.com")


@suite.case("{flavour}: a sub-address of somebody else's address is refused", flavour=FLAVOURS)
def sub_address_of_another(stage, flavour):
    stage.expect_not_owned("tagged", flavour, "other+tag@example.com")


@suite.case("{flavour}: the null sender is accepted, as by the native check", flavour=FLAVOURS)
def null_sender(stage, flavour):
    stage.expect_accepted("native", flavour, "")
    stage.expect_accepted("tagged", flavour, "")


@suite.case("exactly the mail that was answered 250 is delivered")
def nothing_lost(stage):
    stage.expect_nothing_lost()


@suite.case("the daemons end with status 0")
def clean_end(stage):
    stage.expect_clean_end()


if __name__ == "__main__":
    sys.exit(suite.run(lambda: stages.open_stage(furnish), mailhost.missing()))
