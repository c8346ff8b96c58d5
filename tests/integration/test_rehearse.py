#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`fromguard rehearse` on logs of every shape: what it counts, reads, shows and keeps."""

import bz2
import gzip
import json
import lzma
import os
import pty
import shutil
import subprocess
import sys
import time

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path += [os.path.join(TESTS, "lib"), os.path.join(TESTS, "bench")]

import fromguard  # noqa: E402  (found on the path above)
import rehearse  # noqa: E402
from processes import Nest  # noqa: E402
from tap import Skip, Suite, equal, that  # noqa: E402

suite = Suite()

OWN, ALIAS, OTHERS = "user@example.com", "alias@example.com", "boss@example.com"

# How each of them begins a line, and names a service: %s.
SHAPES = {
    "Debian": "2026-11-20T09:00:01.123456+00:00 mx postfix/%s[4711]: ",
    "RHEL": "Nov 20 09:00:01 mx postfix/%s[4711]: ",
    "docker-mailserver": "2026-11-20T09:00:01.123456+01:00 mail postfix/%s[4711]: ",
    "journalctl -o short": "Nov 20 09:00:01 mx postfix/%s[4711]: ",
    "journalctl -o short-iso": "2026-11-20T09:00:01+0100 mx postfix/%s[4711]: ",
    "postlogd": "Nov 20 09:00:01 mx postfix/%s[4711]: ",
    "another instance": "Nov 20 09:00:01 mx postfix-out/%s[4711]: ",
}


def mail(queue_id, sender, head=SHAPES["Debian"], login=OWN, service="submission/smtpd"):
    """The lines of one mail."""
    return (f"{head % service}{queue_id}: client=pc[192.0.2.7], sasl_method=PLAIN, "
            f"sasl_username={login}\n"
            f"{head % 'cleanup'}{queue_id}: message-id=<{queue_id}@pc>\n"
            f"{head % 'qmgr'}{queue_id}: from=<{sender}>, size=500, nrcpt=2 (queue active)\n"
            f"{head % 'smtp'}{queue_id}: to=<x@elsewhere.test>, relay=none, status=sent (ok)\n"
            f"{head % 'qmgr'}{queue_id}: removed\n")


LOG = mail("4A1", OWN) + mail("4A2", OTHERS) + mail("4A3", ALIAS) + mail("4A4", OTHERS)


class Stage(Nest):
    """A folder with a map and a configuration."""

    def __enter__(self):
        super().__enter__()
        self.write("senders", f"{OWN} {ALIAS}, !denied@example.com\n")
        self.conf = self.write("fromguard.conf", f"maps = text:{self.path('senders')}\n")
        return self

    def run(self, *arguments, **options):
        """Runs rehearse; returns the finished process."""
        return fromguard.run("rehearse", "-c", self.conf, *arguments, **options)

    def report(self, *arguments, **options):
        """The JSON of a run."""
        done = self.run("--json", *arguments, **options)
        that(done.returncode in (0, 1), f"{done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def pairs(self, *arguments, **options):
        """(login, sender, mails) of every pair that would be refused."""
        return [(row["login"], row["sender"], row["mails"])
                for row in self.report(*arguments, **options)["report"]]

    def diagnostics(self):
        """There is nothing to show but what the case says."""
        return ""


@suite.case("{shape}: the pairs are found", shape=SHAPES)
def shapes(stage, shape):
    head = SHAPES[shape]
    log = "".join(mail(f"4A{i}", sender, head, service=service)
                  for i, (sender, service) in enumerate([
                      (OWN, "submission/smtpd"), (OTHERS, "smtps/smtpd"), (OTHERS, "smtpd"),
                      (ALIAS, "submissions/smtpd")]))
    equal(stage.pairs("-", input=log), [(OWN, OTHERS, 2)], "pairs")


@suite.case("the report tells how many, when, from where, and what to add")
def report(stage):
    path = stage.write("mail.log", LOG)
    found = stage.report(path)
    row = found.pop("report")
    equal(found, {"lines": 20, "mails": 4, "refused": 0, "warned": 0, "unjoined": 0, "pairs": 3,
                  "complete": True, "would_reject": 1}, "counts")
    equal(row, [{"login": OWN, "sender": OTHERS, "verdict": "reject", "reason": "not-owned",
                 "mails": 2, "refused": 0, "warned": 0, "first": "2026-11-20T09:00:01Z",
                 "last": "2026-11-20T09:00:01Z", "client": "192.0.2.7", "origin": None,
                 "add": f"{OWN}  {OTHERS}"}], "row")
    done = stage.run(path)
    equal((done.returncode, done.stderr), (1, ""), "status and complaints")
    that("\x1b" not in done.stdout, "there is colour on a pipe")
    that(done.stdout.endswith(f"add to sender-login-map.cf:\n\n{OWN}  {OTHERS}\n"), done.stdout)


@suite.case("what it says to add, added, leaves nobody to be refused")
def cured(stage):
    path = stage.write("mail.log", LOG)
    lines = "".join(row["add"] + "\n" for row in stage.report(path)["report"])
    added = stage.write("added", lines)
    done = stage.run("-o", f"maps=text:{stage.path('senders')},text:{added}", path)
    equal(done.returncode, 0, done.stdout + done.stderr)
    that("\n0 of the pairs would be refused\n" in done.stdout, done.stdout)


@suite.case("no line is told for what a denial forbids, nor for what no map can list")
def nothing_to_add(stage):
    log = mail("4A1", "denied@example.com") + mail("4A2", "@") + mail("4A3", "")
    rows = stage.report("-o", "null_sender=reject", "-", input=log)["report"]
    equal([(row["sender"], row["reason"], row["add"]) for row in rows],
          [("", "null-sender", f"{OWN}  <>"), ("@", "not-owned", None),
           ("denied@example.com", "denied", None)], "rows")


@suite.case("--all shows what is allowed as well")
def everything(stage):
    rows = stage.report("--all", "-", input=LOG)["report"]
    equal([(row["sender"], row["verdict"]) for row in rows],
          [(ALIAS, "allow"), (OTHERS, "reject"), (OWN, "allow")], "rows")


@suite.case("--since leaves out what is older, as a date, a stamp or an age")
def since(stage):
    old = LOG.replace("2026-11-20", "2026-11-01")
    for when, mails in [("2026-11-10", 2), ("2026-11-20T09:00:01Z", 2),
                        ("2026-11-20T09:00:02Z", None), ("2026-11-01", 4)]:
        equal(stage.pairs("--since", when, "-", input=old + LOG),
              [(OWN, OTHERS, mails)] if mails else [], when)
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 7200))
    recent = LOG.replace("2026-11-20T09:00:01", now)
    for when, mails in [("3h", 2), ("90m", None), ("1d", 2)]:
        equal(stage.pairs("--since", when, "-", input=recent),
              [(OWN, OTHERS, mails)] if mails else [], when)
    for wrong in ("yesterday", "7", "7w", "2026-13-01", "-1d", ""):
        equal(stage.run("--since", wrong, "-", input="").returncode, 64, f"--since {wrong!r}")


def zstd(data):
    """Packs as zstd does, where there is one."""
    if not shutil.which("zstd"):
        raise Skip("zstd is not installed")
    return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout


PACKERS = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress, "zst": zstd}


@suite.case("a log packed as .{packing} is read", packing=PACKERS)
def packed(stage, packing):
    path = stage.path(f"mail.log.{packing}")
    with open(path, "wb") as file:
        file.write(PACKERS[packing](LOG.encode()))
    equal(stage.pairs(path), [(OWN, OTHERS, 2)], "pairs")
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) - 5)
    done = stage.run(path)
    equal((done.returncode, done.stdout), (2, ""), "status of one that is cut")
    that("could not unpack it" in done.stderr, done.stderr)


@suite.case("a mail is joined across two logs, whichever is named first")
def rotated(stage):
    lines = LOG.splitlines(keepends=True)
    parts = [stage.write("mail.log.1", "".join(lines[:6])),
             stage.write("mail.log", "".join(lines[6:]))]
    os.utime(parts[0], (0, 0))
    for logs in (parts, parts[::-1]):
        equal(stage.pairs(*logs), [(OWN, OTHERS, 2)], f"pairs of {logs}")


@suite.case("the warnings and refusals of Postfix are counted, each with its pair")
def warned(stage):
    refusal = (SHAPES["RHEL"] % "submission/smtpd" + "NOQUEUE: {}not owned by user " + OWN +
               f"; from=<{OTHERS}> to=<x@y> proto=ESMTP helo=<pc>\n")
    log = refusal.format("warn: RCPT from pc[192.0.2.9]: fromguard: would reject: ") * 3
    log += refusal.format("reject: RCPT from pc[192.0.2.9]: 553 5.7.1 "
                          f"<{OTHERS}>: Sender address rejected: ") * 2
    found = stage.report("-", input=log)
    equal((found["mails"], found["warned"], found["refused"]), (0, 3, 2), "counts")
    row = found["report"][0]
    equal((row["warned"], row["refused"], row["client"]), (3, 2, "192.0.2.9"), "row")


@suite.case("lines of any bytes and any length do no harm, and CRLF none")
def junk(stage):
    log = (b"\xff\x00]: [\n" * 3 + b"x" * 3_000_000 + b"\n" + LOG.replace("\n", "\r\n").encode()
           + b"Nov 20 09:00:01 mx postfix/qmgr[1]: 4A9: from=<")
    path = stage.path("junk.log")
    with open(path, "wb") as file:
        file.write(log)
    equal(stage.pairs(path), [(OWN, OTHERS, 2)], "pairs")


@suite.case("a log that is not there, or is a folder, is named")
def missing(stage):
    for path, said in [(stage.path("none"), "No such file"), (stage.folder, "is a folder")]:
        done = stage.run(path)
        equal((done.returncode, done.stdout), (2, ""), f"status of {path}")
        that(path in done.stderr and said in done.stderr, done.stderr)


def on_terminal(command, **variables):
    """Runs a command whose output is a terminal; returns what it printed there."""
    master, slave = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
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
    return said.decode("utf-8", "replace")


def rehearse_command(stage, *arguments):
    """The command line of a run."""
    return [fromguard.PROGRAM, "rehearse", "-c", stage.conf, *arguments]


@suite.case("on a terminal the report is coloured, unless NO_COLOR is set, and JSON never")
def colours(stage):
    command = rehearse_command(stage, stage.write("mail.log", LOG))
    that("\x1b[31mreject\x1b[0m" in on_terminal(command), "there is no colour")
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        that("\x1b" not in on_terminal(command, **variables), f"colour in spite of {variables}")
    that("\x1b" not in on_terminal([*command, "--json"]), "there is colour in JSON")


@suite.case("the columns are aligned, on a pipe as on a terminal")
def aligned(stage):
    text = stage.run("--all", "-", input=LOG).stdout.split("\n\n")[0].splitlines()
    head, rows = text[0], text[1:]
    equal(len(rows), 3, "rows")
    for title in ("SENDER", "VERDICT", "REASON", "FIRST", "LAST", "CLIENT"):
        at = head.index(title)
        for row in rows:
            that(row[at - 1] == " " and row[at] != " ", f"{title} in {row!r}")


@suite.case("progress is shown on a terminal alone, and wiped away")
def progress(stage):
    # Sparse: one long line, and a log behind it.
    path = stage.write("big.log", "")
    os.truncate(path, 200 << 20)
    with open(path, "a", encoding="ascii") as file:
        file.write("\n" + LOG)
    said = on_terminal(rehearse_command(stage, path))
    that(" %" in said and "\r\x1b[K" in said, repr(said[:300]))
    equal(stage.run(path).stderr, "", "on a pipe")


@suite.case("a log of 32 MiB takes little memory, and the time of a few greps")
def large(stage):
    figures = rehearse.measure(stage.folder, 32 << 20)
    print("# figure: " + rehearse.describe(figures))
    if fromguard.is_sanitized():
        raise Skip("a sanitizer takes its own time and memory")
    that(figures["memory"] < 32, f"{figures['memory']} MiB of memory")
    # Some six times on a quiet machine, where grep takes 10 ms.
    that(figures["cpu"] < 25 * figures["grep_cpu"] + 0.2, rehearse.describe(figures))


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
