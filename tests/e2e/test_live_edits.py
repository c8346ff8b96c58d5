#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A configuration volume of docker-mailserver, edited while mail flows.

The edits are what `setup` and people do: `>>`, `sed -i`, a file deleted, one
moved into place. Each is in force within three seconds, nothing is started
again, and somebody else, who sends all the time, never notices.
"""

import os
import subprocess
import sys
import threading
import time

import client
import mailhost
import stage as stages
import tap
from daemon import Daemon
from mailhost import FLAVOURS, USERS
from stage import NOT_OWNED, OTHER, USER
from volume import shipped_settings

HASH = "{SHA512-CRYPT}$6$salt$hash"
IN_FORCE = 3.0  # seconds that a change may take

FILES = {
    "postfix-accounts.cf": f"{USER}|{HASH}\n{OTHER}|{HASH}\n",
    "postfix-virtual.cf": f"alias@example.com {USER}\n@caught.example.net {USER}\n",
    "postfix-regexp.cf": f"/^machine-[0-9]+@example\\.com$/ {USER}\n",
    "postfix-aliases.cf": f"root: {USER}\n",
    "sender-login-map.cf": f"{USER} newsletter@lists.example.net\n",
}

# What is done, in this order, with which command, and what changes for whom:
# (login, sender, may it be used afterwards).
EDITS = [
    ("an alias is added", f"echo 'new@example.com {USER}' >>postfix-virtual.cf",
     (USER, "new@example.com", True)),
    ("an alias gets another destination",
     f"sed -i '/^new@example.com /s/$/,{OTHER}/' postfix-virtual.cf",
     (OTHER, "new@example.com", True)),
    ("a destination is taken from an alias",
     f"sed -i '/^new@example.com /s/{USER},//' postfix-virtual.cf",
     (USER, "new@example.com", False)),
    ("an alias is deleted", "sed -i '/^new@example.com /d' postfix-virtual.cf",
     (OTHER, "new@example.com", False)),
    ("an account is added where a catch-all was",
     f"echo 'guest@caught.example.net|{HASH}' >>postfix-accounts.cf",
     (USER, "guest@caught.example.net", False)),
    ("an account is deleted", "sed -i '/^guest@caught.example.net|/d' postfix-accounts.cf",
     (USER, "guest@caught.example.net", True)),
    ("a rule is added", f"echo '/^shop-.*@example\\.com$/ {USER}' >>postfix-regexp.cf",
     (USER, "shop-7@example.com", True)),
    ("a rule that is none is added", "echo '/(shop/ x' >>postfix-regexp.cf; "
     f"echo '/^later@example\\.com$/ {USER}' >>postfix-regexp.cf",
     (USER, "later@example.com", True)),
    ("the rules are deleted", "mv postfix-regexp.cf ../kept",
     (USER, "machine-7@example.com", False)),
    ("the rules are put back", "cp ../kept new && mv new postfix-regexp.cf",
     (USER, "machine-7@example.com", True)),
    ("a name is deleted from the aliases", "sed -i '/^root:/d' postfix-aliases.cf",
     (USER, "root@mail.example.com", False)),
    ("a sender is denied", f"echo '{USER} !alias@example.com' >>sender-login-map.cf",
     (USER, "alias@example.com", False)),
    ("the denial is taken back", "sed -i '$d' sender-login-map.cf",
     (USER, "alias@example.com", True)),
    ("the sender's map is deleted", "rm sender-login-map.cf",
     (USER, "newsletter@lists.example.net", False)),
    ("the file of send-only rules appears",
     f"echo '/^noreply@example\\.com$/ {USER}' >postfix-regexp-send-only.cf",
     (USER, "noreply@example.com", True)),
]

suite = tap.Suite()


class Bystander(threading.Thread):
    """Somebody else: sends by turns what is allowed and what is not, until told to end."""

    def __init__(self, stage):
        super().__init__(daemon=True)
        self._stage = stage
        self._over = threading.Event()
        self.sent = 0
        self.wrong = []

    def run(self):
        while not self._over.is_set():
            flavour = FLAVOURS[self.sent % 2]
            for sender, wanted in ((OTHER, "250 2.1.5 Ok"),
                                   (USER, NOT_OWNED.format(sender=USER, login=OTHER))):
                said = client.send(self._stage.host.port("guarded", flavour), flavour, OTHER,
                                   USERS[OTHER], sender)
                self.sent += 1
                if said.queue_id():
                    self._stage.queued.add(said.queue_id())
                if said.verdict() != wanted:
                    self.wrong.append(f"{sender}: {said.text}")

    def end(self):
        """Lets it finish its last mail."""
        self._over.set()
        self.join()


def furnish(stage):
    """Sets up the volume, the daemon with the shipped configuration, and the bystander."""
    os.mkdir(stage.nest.path("volume"), 0o755)
    for name, content in FILES.items():
        stage.nest.write(f"volume/{name}", content)
    daemon = stage.add(
        Daemon(stage.nest, "fromguard", shipped_settings(stage.nest.path("volume", ""))))
    stage.open_host({"guarded": stages.guarded(f"unix:{daemon.socket}")})
    stage.slowest = 0.0
    stage.bystander = Bystander(stage)
    stage.bystander.start()


def may(stage, login, sender):
    """Asks the mail host, with a mail."""
    verdict = stage.send("guarded", "submission", sender, login=login).verdict()
    tap.that(verdict.startswith("250 ") or verdict == NOT_OWNED.format(sender=sender, login=login),
             f"{sender} was answered {verdict}")
    return verdict.startswith("250 ")


@suite.case("{edit}", edit=[what for what, _, _ in EDITS])
def edited(stage, edit):
    command, (login, sender, wanted) = next(rest for what, *rest in EDITS if what == edit)
    tap.equal(may(stage, login, sender), not wanted, f"{login} may use {sender} before")
    start = time.monotonic()
    subprocess.run(["sh", "-ec", command], cwd=stage.nest.path("volume"), check=True)
    while may(stage, login, sender) != wanted:
        tap.that(time.monotonic() < start + 5 * IN_FORCE, "it never came into force")
    took = time.monotonic() - start
    stage.slowest = max(stage.slowest, took)
    tap.that(took <= IN_FORCE, f"in force after {took:.2f} s")


@suite.case("nobody else noticed any of it")
def bystander(stage):
    stage.bystander.end()
    print(f"# figure: {len(EDITS)} edits while mail flowed: the slowest in force after "
          f"{stage.slowest:.2f} s; {stage.bystander.sent} mails of somebody else, "
          f"{len(stage.bystander.wrong)} of them answered wrongly")
    tap.that(stage.bystander.sent > len(EDITS), "the other has hardly sent anything")
    tap.equal(stage.bystander.wrong, [], "wrong answers")


@suite.case("exactly the mail that was answered 250 is delivered")
def nothing_lost(stage):
    stage.expect_nothing_lost()


@suite.case("the daemon ends with status 0")
def clean_end(stage):
    stage.expect_clean_end()


if __name__ == "__main__":
    sys.exit(suite.run(lambda: stages.open_stage(furnish), mailhost.missing()))
