#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""JSON has the keys that the manual names, and colour is for terminals that want it."""

import json
import os
import pty
import re
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fromguard  # noqa: E402  (found on the path above)
from fromguard import PROGRAM, ROOT, Server  # noqa: E402
from processes import Nest  # noqa: E402
from tap import Suite, equal, that  # noqa: E402

suite = Suite()

USER, ALIAS = "user@example.com", "alias@example.com"

LOG = """\
2026-11-20T09:00:01Z mx postfix/smtpd[1]: 4A1: client=pc[192.0.2.7], sasl_method=PLAIN, \
sasl_username=user@example.com
2026-11-20T09:00:01Z mx postfix/qmgr[2]: 4A1: from=<boss@example.com>, size=500, nrcpt=1
"""

# Each command, and the keys of its object and of the objects in its list.
SHAPES = {
    "explain": (["login", "origin", "reason", "reply", "sender", "tried", "verdict"],
                ["origin", "result", "text"]),
    "who": (["logins", "sender"], ["kind", "origin", "pattern", "reason"]),
    "what": (["login", "senders"], ["kind", "origin", "pattern", "reason"]),
    "lint": (["errors", "findings", "warnings"], ["file", "line", "severity", "text"]),
    "rehearse": (["complete", "lines", "mails", "pairs", "refused", "report", "unjoined",
                  "warned", "would_reject"],
                 ["add", "client", "first", "last", "login", "mails", "origin", "reason",
                  "refused", "sender", "verdict", "warned"]),
    "ask": (["login", "reply", "sender", "verdict"], None),
    "config": (None, ["default", "help", "name", "range", "reloadable", "source", "value"]),
}


class Stage(Nest):
    """A map with something to warn of, a log, and a server."""

    def __enter__(self):
        super().__enter__()
        # The same grant twice is a warning.
        maps = f"text:{self.write('senders', f'{USER} {ALIAS}, {ALIAS}' + chr(10))}"
        self.server = Server(self, "guard", {"maps": maps}).start()
        log = self.write("mail.log", LOG)
        self.arguments = {"explain": [USER, ALIAS], "who": [ALIAS], "what": [USER], "lint": [],
                          "rehearse": [log], "ask": [USER, ALIAS], "config": []}
        return self

    def command(self, name, *options):
        """The command line of a command."""
        return [name, "-c", self.server.config, *options, *self.arguments[name]]

    def diagnostics(self):
        """There is nothing to show but what the case says."""
        return ""

    def on_terminal(self, name, *options, **variables):
        """What a command prints on a terminal."""
        master, slave = pty.openpty()
        environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        process = subprocess.Popen([PROGRAM, *self.command(name, *options)], stdout=slave,
                                   stdin=subprocess.DEVNULL, stderr=slave,
                                   env={**environment, "TERM": "xterm", **variables})
        os.close(slave)
        said = b""
        try:
            while data := os.read(master, 65536):
                said += data
        except OSError:  # the other end is closed
            pass
        os.close(master)
        process.wait(60)
        return said.decode().replace("\r\n", "\n")


def documented(name):
    """The words that the manual sets apart for a command's JSON."""
    with open(os.path.join(ROOT, "man", "fromguard.8"), encoding="utf-8") as file:
        section = file.read().split(".Sh JSON")[1].split(".Sh ")[0]
    item = re.search(rf"^\.It Cm [\w ,]*\b{name}\b[\w ,]*\n(.*?)(?=^\.It|^\.El)", section,
                     re.MULTILINE | re.DOTALL)
    that(item, f"{name} has no item in section JSON")
    return set(re.findall(r"\w+", " ".join(re.findall(r"^\.Cm (.*)$", item[1], re.MULTILINE))))


@suite.case("{command} --json has exactly the keys that the manual names", command=SHAPES)
def shape(stage, command):
    done = fromguard.run(*stage.command(command, "--json"))
    that(done.returncode in (0, 1), done.stderr)
    found = json.loads(done.stdout)
    keys, row_keys = SHAPES[command]
    rows = found
    if keys:
        equal(sorted(found), keys, "keys")
        rows = next((value for value in found.values() if isinstance(value, list)), None)
    if row_keys:
        that(rows, "the list is empty")
        for row in rows:
            equal(sorted(row), row_keys, "keys of the list")
    missing = {*(keys or []), *(row_keys or [])} - documented(command)
    equal(sorted(missing), [], "keys that the manual does not name")


@suite.case("{command} is coloured on a terminal alone, and not with NO_COLOR",
            command=("explain", "who", "lint", "rehearse", "ask"))
def colour(stage, command):
    that("\x1b[" in stage.on_terminal(command), "no colour on a terminal")
    plain = fromguard.run(*stage.command(command))
    that("\x1b" not in plain.stdout + plain.stderr, "colour on a pipe")
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        that("\x1b" not in stage.on_terminal(command, **variables), f"colour with {variables}")
    that("\x1b" not in stage.on_terminal(command, "--json"), "colour in JSON")


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
