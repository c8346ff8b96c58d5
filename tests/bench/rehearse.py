#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: rehearse.py [BYTES]

Measures `fromguard rehearse` on a mail log of so many bytes (a gigabyte) against
`grep -c sasl_username` on the same: time, and the most memory that it had in use.
"""

import json
import os
import sys
import tempfile
import time

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.append(os.path.join(TESTS, "lib"))

import mail_log  # noqa: E402  (found on the path above)
from fromguard import PROGRAM  # noqa: E402

PAIRS = 20000
TURNS = 3


def peak(pid):
    """The most memory that a process has had in use until now, in MiB. (What wait4() tells
    includes that of the Python that started it.)"""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0  # it is at its end


def run(command, output):
    """Runs a command to its end; returns its seconds of CPU and of the clock, and its peak
    memory in MiB."""
    memory = 0
    began = time.monotonic()
    pid = os.posix_spawnp(command[0], command, dict(os.environ, LC_ALL="C"), file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)])
    while not (ended := os.wait4(pid, os.WNOHANG))[0]:
        memory = max(memory, peak(pid))
        time.sleep(0.002)
    _, status, used = ended
    assert os.waitstatus_to_exitcode(status) in (0, 1), command
    return used.ru_utime + used.ru_stime, time.monotonic() - began, memory


def measure(folder, size):
    """Writes a log, measures, and checks what was found; returns a dict of figures."""
    log, senders = os.path.join(folder, "mail.log"), os.path.join(folder, "senders")
    report, count = os.path.join(folder, "report"), os.path.join(folder, "count")
    mails = mail_log.write(log, size, PAIRS)
    with open(senders, "w", encoding="ascii") as file:
        file.write("nobody@example.com nobody@example.com\n")
    grep, ours = [], []
    for _ in range(TURNS):
        grep.append(run(["grep", "-c", "sasl_username", log], count))
        ours.append(run([PROGRAM, "rehearse", "--json", "-o", f"maps=text:{senders}", log],
                        report))
    with open(report, encoding="ascii") as file:
        found = json.load(file)
    with open(count, encoding="ascii") as file:
        assert int(file.read()) == found["mails"] == mails, (found["mails"], mails)
    assert found["pairs"] == PAIRS and found["would_reject"] == PAIRS // 4, found["pairs"]
    return {"bytes": os.path.getsize(log), "mails": mails, "cpu": min(ours)[0],
            "seconds": min(turn[1] for turn in ours), "grep_cpu": min(grep)[0],
            "grep_seconds": min(turn[1] for turn in grep),
            "memory": max(turn[2] for turn in ours)}


def describe(figures):
    """One line of it."""
    return ("rehearse: {mib:.0f} MiB, {mails} mails: {seconds:.2f} s ({cpu:.2f} s of CPU), "
            "grep -c {grep_seconds:.2f} s ({grep_cpu:.2f}): {ratio:.1f} times that; "
            "{memory:.1f} MiB of memory at most").format(
                mib=figures["bytes"] / 2**20, ratio=figures["cpu"] / figures["grep_cpu"],
                **figures)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="fromguard-log-") as scratch:
        print(describe(measure(scratch, int(sys.argv[1]) if sys.argv[1:] else 2**30)))
