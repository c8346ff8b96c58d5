# SPDX-License-Identifier: BSD-2-Clause
"""The mail user: sends one mail with swaks and keeps every line of the dialogue."""

import os
import re
import subprocess

from processes import find_program

HELO = "client.example.com"
RECIPIENT = "somebody@elsewhere.test"


class Transcript:
    """One SMTP dialogue: what was said, and what the server replied to which command."""

    def __init__(self, text):
        self.text = text
        self.exchanges = []  # (command, [reply line, ...]); the greeting's command is ""
        command, reply = "", []
        for line in text.splitlines():
            # "<-" and "->" in clear text, "<~" and "~>" in TLS, a star marks an error.
            said = re.match(r"(<[-~]\*?|<\*\*)\s{1,2}(.*)|\s?([-~]>)\s(.*)", line)
            if not said:
                continue
            if said[1]:
                reply.append(said[2])
            else:
                self.exchanges.append((command, reply))
                command, reply = said[4], []
        self.exchanges.append((command, reply))

    def replies(self, verb):
        """Every reply to the commands that begin with `verb`, as one string each."""
        return ["\n".join(reply) for command, reply in self.exchanges
                if command.upper().startswith(verb)]

    def verdict(self):
        """The reply that says whether the sender may be used.

        Postfix gives it at RCPT TO, as long as smtpd_delay_reject is on, unless
        MAIL FROM was already refused. Empty where the dialogue did not get so far.
        """
        refused = [reply for reply in self.replies("MAIL FROM") if not reply.startswith("250")]
        return (refused + self.replies("RCPT TO") + [""])[0]

    def queue_id(self):
        """The queue id under which the mail was accepted, or None."""
        queued = re.search(r"^<[-~]\s+250 2\.0\.0 Ok: queued as (\w+)", self.text, re.MULTILINE)
        return queued[1] if queued else None


def send(port, flavour, login, password, sender, recipients=(RECIPIENT,), options=()):
    """Sends a mail through 127.0.0.1:`port` and returns the Transcript."""
    tls = "--tls-on-connect" if flavour == "submissions" else "--tls"
    command = [find_program("swaks"), "--config", "--server", "127.0.0.1", "--port", str(port),
               tls, "--timeout", "20", "--helo", HELO, "--auth", "PLAIN",
               "--auth-user", login, "--auth-password", password,
               "--from", sender or "<>", "--to", ",".join(recipients),
               "--header-From", "Somebody <somebody@example.com>", *options]
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("SWAKS_OPT_")}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=environment, timeout=60, check=False)
    return Transcript(done.stdout.decode("utf-8", "replace"))
