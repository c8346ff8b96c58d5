#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`fromguard rehearse` on the log of a real Postfix: it finds exactly the pairs that were sent.

Some hundred mails go out through both ports, to one recipient or three, by two
logins as many senders. A few are refused by Postfix's own check, some are warned
about by fromguard, some wait for a server that is not there and are tried again.
"""

import collections
import json
import os
import random
import re
import shutil
import smtplib
import ssl
import subprocess
import sys

import mailhost
import stage as stages
import tap
from daemon import Daemon, program
from mailhost import FLAVOURS, USERS
from processes import wait_until
from stage import OTHER, USER

MAIL_COUNT = 240
NOWHERE = "somebody@nowhere.test"  # its server never answers
RECIPIENTS = ("somebody@elsewhere.test", "another@elsewhere.test", "third@elsewhere.test")

# Who may use what: the answers that rehearse has to find are written here by hand.
MAP = f"{USER} alias@example.com, @lists.example.com\n"
ALLOWED = {(USER, USER), (USER, "alias@example.com"), (USER, "a@lists.example.com"),
           (USER, "b@lists.example.com"), (OTHER, OTHER), (USER, ""), (OTHER, "")}
REFUSED = {(USER, OTHER), (USER, "boss@example.com"), (USER, "quo ted@example.com"),
           (OTHER, "alias@example.com"), (OTHER, "a@lists.example.com"),
           (OTHER, "x@sub.lists.example.com")}
# What Postfix's own check lets each send, at the entrance where it answers.
NATIVE_MAP = f"alias@example.com {USER}\n"
NATIVE_REFUSED = [(USER, "boss@example.com", 3), (OTHER, "alias@example.com", 1),
                  (USER, "never-else@example.com", 2)]

suite = tap.Suite()


def furnish(stage):
    """Sets up a fromguard that only warns, and Postfix with an entrance of each kind."""
    text = stage.nest.write("senders.cf", MAP)
    native = stage.nest.write("native-senders", NATIVE_MAP)
    stage.conf = stage.nest.write("rehearse.conf", f"maps = text:{text}\n")
    stage.sent = collections.Counter()
    stage.warned = collections.Counter()
    warner = stage.add(Daemon(stage.nest, "warner", {"maps": f"text:{text}", "mode": "warn"}))
    transport = stage.nest.write("transport", "nowhere.test retry:4.4.1 it is down\n")
    stage.open_host(
        {"open": {}, "warned": stages.guarded(f"unix:{warner.socket}"),
         "native": stages.NATIVE},
        {"smtpd_sender_login_maps": f"texthash:{native}",
         "transport_maps": f"texthash:{transport}",
         "queue_run_delay": "1s", "minimal_backoff_time": "1s", "maximal_backoff_time": "1s"})
    send_all(stage)


class Session:
    """A mail program that stays logged in."""

    def __init__(self, stage, entrance, flavour, login):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        port = stage.host.port(entrance, flavour)
        if flavour == "submissions":
            self.smtp = smtplib.SMTP_SSL("127.0.0.1", port, "client.example.com", timeout=20,
                                         context=context)
        else:
            self.smtp = smtplib.SMTP("127.0.0.1", port, "client.example.com", timeout=20)
            self.smtp.starttls(context=context)
        self.smtp.login(login, USERS[login])

    def send(self, sender, recipients):
        """Sends a mail; returns the replies to each RCPT TO."""
        code, text = self.smtp.docmd(f"MAIL FROM:<{quoted(sender)}>")
        assert code == 250, text
        replies = [self.smtp.docmd(f"RCPT TO:<{recipient}>") for recipient in recipients]
        if any(code == 250 for code, _ in replies):
            code, text = self.smtp.data(b"Subject: rehearsal\r\n\r\nnothing\r\n")
            assert code == 250, text
        else:
            self.smtp.rset()
        return replies


def quoted(sender):
    """The sender as SMTP spells it."""
    local, at, domain = sender.rpartition("@")
    return f'"{local}"@{domain}' if " " in local else local + at + domain


def send_all(stage):
    """Sends everything, and keeps how often each pair was sent and warned about."""
    dice = random.Random(7)
    pairs = sorted(ALLOWED | REFUSED)
    sessions = {(entrance, flavour, login): Session(stage, entrance, flavour, login)
                for entrance in ("open", "warned") for flavour in FLAVOURS for login in USERS}
    for i in range(MAIL_COUNT):
        login, sender = pairs[i % len(pairs)]
        entrance = ("open", "warned")[i // len(pairs) % 2]
        recipients = [NOWHERE] if i % 40 == 39 else RECIPIENTS[:dice.choice((1, 1, 3))]
        replies = sessions[entrance, dice.choice(FLAVOURS), login].send(sender, recipients)
        assert {code for code, _ in replies} == {250}, replies
        stage.sent[login, sender] += 1
        if entrance == "warned" and (login, sender) in REFUSED:
            stage.warned[login, sender] += len(recipients)
    for login, sender, count in NATIVE_REFUSED:
        replies = Session(stage, "native", "submission", login).send(sender, RECIPIENTS[:count])
        assert {code for code, _ in replies} == {553}, replies
    for session in sessions.values():
        session.smtp.quit()


def wait_for_log(stage):
    """Waits until all has been delivered, and what can not be was tried again."""
    waiting = MAIL_COUNT // 40
    wait_until(lambda: len(stage.host.accepted()) >= MAIL_COUNT - waiting, "delivery")
    deferred = re.compile(r"(\w+): to=<somebody@nowhere\.test>.* status=deferred")
    wait_until(lambda: len(stage.host.log.matching(deferred)) >= 2 * waiting, "a second try")


def rehearse(stage, *arguments, **options):
    """Runs rehearse as JSON; returns its report."""
    done = subprocess.run([program(), "rehearse", "--json", "--all", "-c", stage.conf, *arguments],
                          capture_output=True, timeout=60, check=False, **options)
    tap.equal((done.returncode, done.stderr), (1, b""), "status and complaints")
    return json.loads(done.stdout)


def expect_everything(stage, report):
    """Fails unless the report has every pair, as often as it was sent, with its verdict."""
    refused = collections.Counter({(login, sender): count
                                   for login, sender, count in NATIVE_REFUSED})
    wanted = {pair: (stage.sent[pair], refused[pair], stage.warned[pair],
                     "allow" if pair in ALLOWED else "reject")
              for pair in ALLOWED | REFUSED | set(refused)}
    found = {(row["login"], row["sender"]):
             (row["mails"], row["refused"], row["warned"], row["verdict"])
             for row in report["report"]}
    tap.equal(found, wanted, "pairs: mails, refused, warned, verdict")
    tap.equal({row["client"] for row in report["report"]}, {"127.0.0.1"}, "clients")
    counts = {name: report[name] for name in
              ("mails", "refused", "warned", "unjoined", "pairs", "would_reject")}
    tap.equal(counts, {"mails": MAIL_COUNT, "refused": 6, "warned": sum(stage.warned.values()),
                       "unjoined": 0, "pairs": len(wanted), "would_reject": len(REFUSED) + 1},
              "counts")


@suite.case("exactly the pairs that were sent are found, with their verdicts")
def pairs(stage):
    wait_for_log(stage)
    report = rehearse(stage, stage.host.log.path)
    expect_everything(stage, report)
    print(f"# figure: {report['mails']} mails through a real Postfix, {report['pairs']} pairs, "
          f"{report['would_reject']} of them would be refused: all found, no other")


@suite.case("the same from standard input, packed by gzip, and cut in two")
def other_ways(stage):
    log = stage.nest.path("copy.log")
    shutil.copy(stage.host.log.path, log)
    with open(log, "rb") as file:
        expect_everything(stage, rehearse(stage, "-", stdin=file))
    with open(log, "rb") as file:
        lines = file.read().splitlines(keepends=True)
    middle = len(lines) // 2
    for name, part in (("copy.log.1", lines[:middle]), ("copy.log", lines[middle:])):
        with open(stage.nest.path(name), "wb") as file:
            file.writelines(part)
    subprocess.run(["gzip", stage.nest.path("copy.log.1")], check=True)
    os.utime(stage.nest.path("copy.log.1.gz"), (0, 0))
    expect_everything(stage, rehearse(stage, log, stage.nest.path("copy.log.1.gz")))


@suite.case("what it says to add, added to the map, leaves nobody to be refused")
def cured(stage):
    report = rehearse(stage, stage.host.log.path)
    added = stage.nest.write("added.cf", "".join(
        row["add"] + "\n" for row in report["report"] if row["add"]))
    maps = f"maps=text:{stage.nest.path('senders.cf')},text:{added}"
    done = subprocess.run([program(), "rehearse", "-o", maps, stage.host.log.path],
                          capture_output=True, text=True, timeout=60, check=False)
    tap.equal((done.returncode, done.stderr), (0, ""), "status and complaints")


@suite.case("fromguard has logged each mail that was warned about once")
def logged(stage):
    mails = stage.daemons[0].log.matching(re.compile(r"\bwould-reject login="))
    wanted = sum(stage.warned.values())
    tap.that(0 < len(mails) <= wanted, f"{len(mails)} lines for {wanted} recipients")
    instances = [re.search(r" instance=(\S+)", line)[1] for line in mails]
    tap.equal(len(set(instances)), len(instances), "lines, each of a mail of its own")


@suite.case("the daemon ends with status 0")
def clean_end(stage):
    stage.expect_clean_end()


if __name__ == "__main__":
    sys.exit(suite.run(lambda: stages.open_stage(furnish), mailhost.missing()))
