# SPDX-License-Identifier: BSD-2-Clause
"""Restarts without a kept socket, while mail goes through a real Postfix with the documented line.

The native table that Postfix falls back to refuses nobody, so that its answers
show. MAIL_RESTARTS is how many.
"""

import collections
import random
import smtplib
import ssl
import sys
import threading
import time

import rig
from rig import OWN, FOREIGN, LOGIN, figure

import mailhost  # noqa: E402  (found on the path that rig has made)
import stage as stages
import tap
from client import RECIPIENT
from daemon import Daemon

suite = tap.Suite()

RESTARTS = rig.knob("MAIL_RESTARTS", 3)
CLIENTS = 6
SESSION = 10   # mails before a client connects again
BETWEEN = 1.3  # seconds between two restarts, at least: Postfix asks again after one
FLAVOUR = "submissions"


def furnish(stage):
    """Sets up a daemon, a table to fall back to, and Postfix."""
    text = stage.nest.write("senders", f"{LOGIN} {OWN}\n")
    native = stage.nest.write("native", f"{OWN} {LOGIN}\n{FOREIGN} {LOGIN}\n")
    stage.daemon = stage.add(Daemon(stage.nest, "fromguard", {"maps": f"text:{text}"}))
    stage.open_host({"guarded": stages.guarded(f"unix:{stage.daemon.socket}")},
                    {"smtpd_sender_login_maps": f"texthash:{native}",
                     "enable_long_queue_ids": "yes"})  # short ones come again


class Client(threading.Thread):
    """A mail program that sends all the time, one mail in five with a sender of somebody else."""

    def __init__(self, port, number):
        super().__init__()
        self.port = port
        self.chance = random.Random(number)
        self.stopping = False
        self.accepted = 0
        self.answers = collections.Counter()  # (sender, code)
        self.slowest = 0.0
        self.trouble = None

    def run(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            while not self.stopping:
                with smtplib.SMTP_SSL("127.0.0.1", self.port, timeout=30, context=context) as smtp:
                    smtp.login(LOGIN, mailhost.USERS[LOGIN])
                    for _ in range(SESSION):
                        self.send(smtp)
        except (OSError, smtplib.SMTPException) as trouble:
            self.trouble = trouble

    def send(self, smtp):
        """Sends one mail and notes what is said about its sender."""
        sender = FOREIGN if self.chance.random() < 0.2 else OWN
        smtp.mail(sender)
        began = time.monotonic()
        code, _ = smtp.rcpt(RECIPIENT)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.answers[sender, code] += 1
        if code == 250:
            self.accepted += smtp.data("Subject: test\r\n\r\ntext\r\n")[0] == 250
        else:
            smtp.rset()


@suite.case(f"{RESTARTS} restarts, socket not kept: no client sees a 451, or a wrong answer")
def restarts(stage):
    clients = [Client(stage.host.port("guarded", FLAVOUR), number) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for number in range(RESTARTS):
            time.sleep(BETWEEN + clients[0].chance.uniform(0, 0.2))
            tap.equal(stage.daemon.stop(), 0, f"exit status {number}")
            stage.daemon.start()
    finally:
        for client in clients:
            client.stopping = True
        for client in clients:
            client.join()
    answers = sum((client.answers for client in clients), collections.Counter())
    figure(f"{RESTARTS} restarts, socket not kept, {CLIENTS} clients of Postfix: "
           f"{sum(answers.values())} mails, {count(answers, lambda code: 400 <= code < 500)} "
           f"answered 4xx, {answers[FOREIGN, 250]} by the table to fall back to, "
           f"the longest wait {max(client.slowest for client in clients):.2f} s")
    tap.equal([client.trouble for client in clients], [None] * CLIENTS, "trouble of clients")
    tap.equal(set(answers), {(OWN, 250), (FOREIGN, 553)}, f"senders and answers: {answers}")
    stage.sent = sum(client.accepted for client in clients)


def count(answers, wanted):
    """How many answers have a code that is wanted."""
    return sum(number for (_, code), number in answers.items() if wanted(code))


@suite.case("exactly the mail that was answered 250 is delivered")
def nothing_lost(stage):
    stages.wait_until(lambda: len(stage.host.accepted()) == stage.sent, "delivery")


if __name__ == "__main__":
    sys.exit(suite.run(lambda: stages.open_stage(furnish), mailhost.missing()))
