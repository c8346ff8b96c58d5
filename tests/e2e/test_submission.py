#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Verdicts at ports 587 and 465 of a real Postfix: a CDB and a PCRE map, the native reply."""

import re
import sys

import mailhost
import stage as stages
import tap
from daemon import Daemon, compile_map
from mailhost import FLAVOURS
from stage import OTHER, USER

SENDERS = """\
# What the administrator writes; compiled to senders.cdb.
user@example.com   sales@example.com
other@example.com  alias@example.com
"""
RULES = "/^(.*)@example\\.net$/ ${1}@example.com\n"

# The native table: an address is somebody else's there, too.
NATIVE_TABLE = """\
user@example.com   user@example.com
other@example.com  other@example.com
alias@example.com  other@example.com
"""

RECIPIENTS = ("one@elsewhere.test", "two@elsewhere.test", "three@elsewhere.test")

suite = tap.Suite()


def furnish(stage):
    """Sets up one guarded and one native entrance, and a daemon with a CDB and a PCRE map."""
    text = stage.nest.write("senders.cf", SENDERS)
    rules = stage.nest.write("rules.pcre", RULES)
    native = stage.nest.write("native-senders", NATIVE_TABLE)
    database = stage.nest.path("senders.cdb")
    compile_map(database, f"text:{text}")
    stage.daemon = stage.add(Daemon(stage.nest, "fromguard", {
        "maps": f"cdb:{database}, pcre:{rules}"}))
    stage.open_host(
        {"guarded": stages.guarded(f"unix:{stage.daemon.socket}"), "native": stages.NATIVE},
        {"smtpd_sender_login_maps": f"texthash:{native}"})


@suite.case("{flavour}: the own address is accepted", flavour=FLAVOURS)
def own_address(stage, flavour):
    stage.expect_accepted("guarded", flavour, USER)


@suite.case("{flavour}: the own address in upper case is accepted", flavour=FLAVOURS)
def upper_case(stage, flavour):
    stage.expect_accepted("guarded", flavour, "USER@Example.COM")


@suite.case("{flavour}: an alias from a compiled map is accepted", flavour=FLAVOURS)
def compiled_alias(stage, flavour):
    stage.expect_accepted("guarded", flavour, "sales@example.com")


@suite.case("{flavour}: an address that a rule's capture gives is accepted", flavour=FLAVOURS)
def captured(stage, flavour):
    stage.expect_accepted("guarded", flavour, "user@example.net")


@suite.case("{flavour}: what the capture gives to somebody else is refused", flavour=FLAVOURS)
def captured_for_another(stage, flavour):
    stage.expect_not_owned("guarded", flavour, "other@example.net")


@suite.case("{flavour}: the alias's owner may use it", flavour=FLAVOURS)
def owner_of_alias(stage, flavour):
    stage.expect_accepted("guarded", flavour, "alias@example.com", login=OTHER)


@suite.case("{flavour}: somebody else's address gets the native refusal, byte for byte",
            flavour=FLAVOURS)
def refusal_is_native(stage, flavour):
    native = stage.send("native", flavour, "alias@example.com").verdict()
    tap.equal(native, "553 5.7.1 <alias@example.com>: Sender address rejected: "
                      "not owned by user user@example.com", "the native refusal")
    ours = stage.send("guarded", flavour, "alias@example.com").verdict()
    tap.equal(ours, native, "refusal by fromguard")


@suite.case("{flavour}: the daemon is asked nothing about a wrong password", flavour=FLAVOURS)
def wrong_password(stage, flavour):
    mark = stage.daemon.log.mark()
    # swaks goes on without a login, so that Postfix has a sender to ask about.
    sent = stage.send("guarded", flavour, "sales@example.com", password="guess",
                      options=["--auth-optional", "PLAIN"])
    tap.equal(sent.replies("AUTH")[0][:10], "535 5.7.8 ", "reply to AUTH")
    tap.equal(sent.verdict()[:10], "554 5.7.1 ", "reply to RCPT TO without a login")
    # A question that was asked would be in the log before this one.
    stage.expect_accepted("guarded", flavour, USER)
    stage.daemon.wait_for_allow(USER, USER, mark)
    about = stage.daemon.log.matching(re.compile("sales@example"), mark)
    tap.equal(about, [], "log lines about the unknown client's sender")


@suite.case("{flavour}: three recipients get one verdict, and the log one line", flavour=FLAVOURS)
def one_line_for_a_mail(stage, flavour):
    for _ in range(2):
        mark = stage.daemon.log.mark()
        sent = stage.expect_not_owned("guarded", flavour, "alias@example.com",
                                      recipients=RECIPIENTS)
        tap.equal(len(sent.replies("RCPT TO")), len(RECIPIENTS), "number of recipients")
        stage.daemon.wait_for_reject(USER, "alias@example.com", mark)
        # The next answer is logged after all that belongs to this mail.
        stage.expect_accepted("guarded", flavour, USER)
        stage.daemon.wait_for_allow(USER, USER, mark)
        lines = stage.daemon.rejects(USER, "alias@example.com", mark)
        tap.equal(len(lines), 1, f"number of reject lines: {lines}")
        tap.that(re.search(r" reason=not-owned client=127\.0\.0\.1 .*\binstance=[0-9a-f.]+( |$)",
                           lines[0]), f"reject line: {lines[0]}")


@suite.case("{flavour}: an accepted mail goes to all three recipients", flavour=FLAVOURS)
def three_recipients(stage, flavour):
    sent = stage.expect_accepted("guarded", flavour, "sales@example.com", recipients=RECIPIENTS)
    tap.equal([reply[:4] for reply in sent.replies("RCPT TO")], ["250 "] * 3, "replies to RCPT TO")


@suite.case("exactly the mail that was answered 250 is delivered")
def nothing_lost(stage):
    stage.expect_nothing_lost()


@suite.case("the daemon ends with status 0")
def clean_end(stage):
    stage.expect_clean_end()


if __name__ == "__main__":
    sys.exit(suite.run(lambda: stages.open_stage(furnish), mailhost.missing()))
