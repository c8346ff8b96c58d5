#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the README shows is what one sees: each command in it that has its output behind it."""

import os
import re
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fromguard import PROGRAM, ROOT  # noqa: E402
from processes import Nest  # noqa: E402
from tap import Suite, equal, that  # noqa: E402

suite = Suite()

with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
    TEXT = readme.read()


def transcripts():
    """Each `$ command` of an indented block, with the lines that follow it."""
    found = {}
    lines = []
    for line in TEXT.splitlines():
        if line.startswith("    $ "):
            lines = found.setdefault(line[6:], [])
        elif line.startswith("    ") or not line:
            lines.append(line[4:])
        else:
            lines = []
    return {command: "\n".join(said).strip("\n") for command, said in found.items()}


TRANSCRIPTS = transcripts()


@suite.case("the README has the commands for who is lost")
def complete(_):
    for command in ("explain", "who", "rehearse"):
        that(any(f"fromguard {command} " in shown for shown in TRANSCRIPTS), command)


@suite.case("{command}", command=TRANSCRIPTS)
def shown(_, command):
    program = re.sub(r"^build/fromguard\b", PROGRAM, command)
    that(program != command, "it does not run build/fromguard")
    done = subprocess.run(["sh", "-c", program], cwd=ROOT, env={**os.environ, "TZ": "UTC"},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    said = "\n".join(line.rstrip() for line in done.stdout.splitlines()).strip("\n")
    equal(said, TRANSCRIPTS[command], "output")


@suite.case("what it names in the tree is there")
def paths(_):
    for path in re.findall(r"`((?:src|include|tests|conf|man|systemd|docker)/[\w./-]+)`", TEXT):
        that(os.path.exists(os.path.join(ROOT, path)), path)


if __name__ == "__main__":
    sys.exit(suite.run(Nest))
