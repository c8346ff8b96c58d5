#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The log tells of a stolen account, and fail2ban's filter finds its client and nobody else."""

import os
import re
import shutil
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fromguard import ROOT, Server  # noqa: E402  (found on the path above)
from processes import Nest, find_program  # noqa: E402
from tap import Skip, Suite, equal, that  # noqa: E402

suite = Suite()

THIEF, CLUMSY = "192.0.2.66", "192.0.2.7"
SENDERS = 10  # of suspects.h


class Stage(Nest):
    """A server, a thief, and somebody who mistypes."""

    def __enter__(self):
        super().__enter__()
        self.server = Server(self, "guard", {"maps": f"text:{self.write('senders', '')}"}).start()
        with self.server.client() as client:
            for i in range(40):
                self.refuse(client, "clumsy@example.com", f"typo{i % 3}@example.com", CLUMSY, i)
            for i in range(SENDERS - 1):
                self.refuse(client, "thief@example.com", f"boss{i}@example.com", THIEF, i)
            self.quiet = self.server.log.mark()
            for i in range(SENDERS - 1, 40):
                self.refuse(client, "thief@example.com", f"boss{i}@example.com", THIEF, i)
            for i in range(SENDERS):
                self.refuse(client, f'"\\ client={CLUMSY}', f"boss{i}@example.com", "2001:db8::66",
                            i)
        return self

    @staticmethod
    def refuse(client, login, sender, address, i):
        """Has a mail to three recipients refused."""
        for _ in range(3):
            action = client.ask(login, sender, client_address=address,
                                instance=f"{login.encode().hex()}.{i}")
            that(action.startswith("553 "), action)

    def diagnostics(self):
        """The end of the log."""
        return "\n".join(self.server.log.lines()[-15:])


@suite.case("a login that was refused ten different senders is told of, once")
def told(stage):
    lines = stage.server.wait_for("suspicious")
    equal(lines[0], f"suspicious login=thief@example.com senders={SENDERS} seconds=600 "
                    f"client={THIEF}", "line")
    equal(len(lines), 2, f"lines {lines}")
    equal(stage.server.events("suspicious", stage.quiet), lines, "lines behind the tenth sender")


def configuration(stage):
    """A copy of fail2ban's folder with our filter, and our jail alone."""
    if not find_program("fail2ban-client") or not os.path.isdir("/etc/fail2ban/filter.d"):
        raise Skip("fail2ban is not installed")
    folder = stage.path("fail2ban")
    if not os.path.isdir(folder):
        shutil.copytree("/etc/fail2ban", folder)
        shutil.rmtree(os.path.join(folder, "jail.d"))
        shutil.copytree(os.path.join(ROOT, "conf", "fail2ban"), folder, dirs_exist_ok=True)
    return folder


@suite.case("the filter matches those lines and no other, behind {head}", head=(
    "Nov 24 09:00:01 mx fromguard[4711]:", "2026-11-24T09:00:01.123456+01:00 mx fromguard[4711]:"))
def matched(stage, head):
    folder = configuration(stage)
    lines = stage.server.log.lines()
    equal(len([line for line in lines if line.startswith("reject ")]), 80 + SENDERS, "rejects")
    log = stage.write("fail.log", "".join(f"{head} {line}\n" for line in lines))
    done = subprocess.run(
        ["fail2ban-regex", "-o", "ip", log, f"{folder}/filter.d/fromguard.conf"],
        capture_output=True, text=True, timeout=60, check=False)
    equal(sorted(done.stdout.split()), sorted([THIEF, "2001:db8::66"]), f"hosts ({done.stderr})")


@suite.case("the jail is one that fail2ban takes")
def jail(stage):
    done = subprocess.run(["fail2ban-client", "-c", configuration(stage), "-d"],
                          capture_output=True, text=True, timeout=60, check=False)
    equal(done.returncode, 0, f"status ({done.stdout[-500:]}{done.stderr[-500:]})")
    that(re.search(r"'add', 'fromguard', 'systemd'", done.stdout), done.stdout[:500])
    that("suspicious login=" in done.stdout, "the filter is not in it")


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
