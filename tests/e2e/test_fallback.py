#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The daemon gone and back: meanwhile the native table answers, and no mail is lost.

The two disagree on purpose, so that every answer shows whose it is.
"""

import sys

import mailhost
import stage as stages
import tap
from daemon import Daemon
from mailhost import FLAVOURS
from stage import USER

ONLY_OURS = "ours@example.com"
ONLY_NATIVE = "native@example.com"

MAP = f"{USER} {ONLY_OURS}\n"
NATIVE_TABLE = f"""\
{USER} {USER}
{ONLY_NATIVE} {USER}
"""

suite = tap.Suite()


def furnish(stage):
    """Sets up a daemon and a native table that each allow what the other refuses."""
    text = stage.nest.write("senders.cf", MAP)
    native = stage.nest.write("native-senders", NATIVE_TABLE)
    stage.daemon = stage.add(Daemon(stage.nest, "fromguard", {"maps": f"text:{text}"}))
    stage.open_host({"guarded": stages.guarded(f"unix:{stage.daemon.socket}")},
                    {"smtpd_sender_login_maps": f"texthash:{native}"})


def expect_answers_of_daemon(stage, flavour):
    stage.expect_accepted("guarded", flavour, USER)
    stage.expect_accepted("guarded", flavour, ONLY_OURS)
    stage.expect_not_owned("guarded", flavour, ONLY_NATIVE)


def expect_native_answers(stage, flavour):
    stage.expect_accepted("guarded", flavour, USER)
    stage.expect_accepted("guarded", flavour, ONLY_NATIVE)
    stage.expect_not_owned("guarded", flavour, ONLY_OURS)


@suite.case("{flavour}: the daemon answers", flavour=FLAVOURS)
def daemon_answers(stage, flavour):
    expect_answers_of_daemon(stage, flavour)


@suite.case("the daemon ends with status 0 while Postfix is connected to it")
def daemon_ends(stage):
    stage.expect_clean_end()


@suite.case("{flavour}: the native table answers while the daemon is away", flavour=FLAVOURS)
def fallback(stage, flavour):
    expect_native_answers(stage, flavour)


@suite.case("the daemon starts again")
def daemon_starts(stage):
    stage.daemon.start()


@suite.case("{flavour}: the daemon answers again", flavour=FLAVOURS)
def daemon_is_back(stage, flavour):
    expect_answers_of_daemon(stage, flavour)


@suite.case("{flavour}: a restart between two mails changes no answer", flavour=FLAVOURS)
def restarted(stage, flavour):
    stage.expect_clean_end()
    stage.daemon.start()
    expect_answers_of_daemon(stage, flavour)


@suite.case("exactly the mail that was answered 250 is delivered")
def nothing_lost(stage):
    stage.expect_nothing_lost()


if __name__ == "__main__":
    sys.exit(suite.run(lambda: stages.open_stage(furnish), mailhost.missing()))
