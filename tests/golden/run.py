#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: run.py [CASE...]

Runs the golden cases: each row once through `fromguard explain` and once
through the socket of a running server, which must answer what explain says.

A case is a folder with `fromguard.conf`, its maps, and `cases`, whose rows are
separated by tabs:

    LOGIN  SENDER  VERDICT  REASON  [ORIGIN]
        reply: THE ACTION

`-` is no login, `<>` the null sender, \\xNN a byte; the reply line is optional.
`load-fails` instead of `cases` holds what the start must say, line by line.
`compile` has lines `OUT.cdb MAP...`, compiled before; the case then runs in a
copy of its folder.

WRAPPER is a command, valgrind with its options for one, under which the servers
run.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.abspath(os.environ.get("FROMGUARD", os.path.join(ROOT, "build", "fromguard")))
WRAPPER = os.environ.get("WRAPPER", "").split()
PATIENCE = 20  # seconds for one command or answer
STATUS = {"allow": 0, "reject": 1, "trouble": 2}


def unescape(text):
    """The bytes that a field of a row stands for."""
    return re.sub(rb"\\x([0-9a-fA-F]{2})", lambda m: bytes([int(m[1], 16)]), text)


class Row:
    """One question and its expected answer."""

    def __init__(self, line, number):
        fields = line.split(b"\t")
        if len(fields) not in (4, 5):
            raise ValueError(f"line {number}: a row has 4 or 5 fields, this has {len(fields)}")
        login, sender = fields[:2]
        self.number = number
        self.login = b"" if login == b"-" else unescape(login)
        self.sender = b"" if sender == b"<>" else unescape(sender)
        self.verdict, self.reason = (field.decode() for field in fields[2:4])
        self.origin = fields[4].decode() if len(fields) == 5 else None
        self.reply = None
        self.name = b" ".join(fields[:4]).decode("utf-8", "backslashreplace").replace("#", "\\x23")

    def fits_the_wire(self):
        """A newline or a NUL ends a line or a request there."""
        return not re.search(rb"[\n\0]", self.login + self.sender)


def read_rows(path):
    """The rows of a `cases` file."""
    rows = []
    with open(path, "rb") as file:
        for number, line in enumerate(file.read().split(b"\n"), 1):
            if line.startswith(b" ") and line.strip().startswith(b"reply:"):
                rows[-1].reply = unescape(line.strip()[len(b"reply:"):].strip())
            elif line.strip() and not line.startswith(b"#"):
                rows.append(Row(line, number))
    if not rows:
        raise ValueError(f"{path}: no rows")
    return rows


class Tap:
    """Counts and prints results."""

    def __init__(self):
        self.number = 0
        self.failed = 0

    def result(self, name, wrong=()):
        """One result: passed where nothing is wrong."""
        self.number += 1
        self.failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {self.number} - {name}")
        for line in wrong:
            print(f"#   {line}")

    def skip(self, name, why):
        """One result that could not be had."""
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {why}")


def fromguard(folder, *arguments):
    """Runs a command to its end in the folder of a case."""
    return subprocess.run([PROGRAM, *arguments], cwd=folder, capture_output=True,
                          timeout=PATIENCE, check=False, env={"PATH": os.environ["PATH"]})


def explain(folder, row):
    """What is wrong with explain's answer, line by line, and the reply that it names."""
    done = fromguard(folder, "explain", "--json", "-c", "fromguard.conf", "--", row.login,
                     row.sender)
    try:
        answer = json.loads(done.stdout.decode("utf-8"))
    except ValueError:
        return [f"explain printed {done.stdout!r} {done.stderr!r}"], None
    wanted = {"verdict": row.verdict, "reason": row.reason}
    if row.origin is not None:
        wanted["origin"] = row.origin
    if row.reply is not None:
        wanted["reply"] = row.reply.decode("utf-8")
    wrong = [f"{key}: wanted {value!r}, got {answer[key]!r}"
             for key, value in wanted.items() if answer[key] != value]
    if done.returncode != STATUS[row.verdict]:
        wrong.append(f"exit status: wanted {STATUS[row.verdict]}, got {done.returncode}")
    return wrong, answer["reply"].encode()


class Server:
    """A server on the configuration of a case; a context manager."""

    def __init__(self, folder, socket_path):
        self.path = socket_path
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*WRAPPER, PROGRAM, "serve", "-c", "fromguard.conf",
             "-o", f"listen=unix:{socket_path}", "-o", "reload=signal"],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=self.log)

    def __enter__(self):
        deadline = time.monotonic() + PATIENCE
        while True:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(PATIENCE)
            try:
                connection.connect(self.path)
                self.connection = connection
                return self
            except OSError:
                connection.close()
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.end()
                raise RuntimeError("the server did not start: " + self.said())
            time.sleep(0.005)

    def said(self):
        """Its log."""
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace").strip()

    def end(self):
        """Asks it to end; returns its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __exit__(self, kind, *_):
        status = self.end()
        if status != 0 and kind is None:
            raise RuntimeError(f"the server ended with status {status}; {self.said()}")
        return False

    def ask(self, row):
        """The action that the server answers to a row."""
        self.connection.sendall(
            b"request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
            b"client_address=192.0.2.7\nclient_name=client.example\nhelo_name=client\n"
            b"sender=" + row.sender + b"\nrecipient=somebody@example.net\nrecipient_count=0\n"
            b"queue_id=\ninstance=" + str(row.number).encode() + b"\nsize=0\n"
            b"sasl_method=PLAIN\nsasl_username=" + row.login + b"\nsasl_sender=\n\n")
        answer = b""
        while not answer.endswith(b"\n\n"):
            data = self.connection.recv(4096)
            if not data:
                raise RuntimeError(f"the server closed after {answer!r}; " + self.said())
            answer += data
        if not answer.startswith(b"action="):
            raise RuntimeError(f"not an answer: {answer!r}")
        return answer[len(b"action="):-2]


def run_rows(tap, case, folder, socket_path):
    """Every row through both doors."""
    rows = read_rows(os.path.join(folder, "cases"))
    replies = {}
    for row in rows:
        wrong, replies[row.number] = explain(folder, row)
        tap.result(f"{case}:{row.number} explain {row.name}", wrong)
    try:
        with Server(folder, socket_path) as server:
            for row in rows:
                name = f"{case}:{row.number} socket {row.name}"
                if not row.fits_the_wire():
                    tap.skip(name, "the protocol has no way to say it")
                    continue
                got = server.ask(row)
                wanted = row.reply or replies[row.number]
                tap.result(name, [] if got == wanted else [f"wanted {wanted!r}, got {got!r}"])
    except (RuntimeError, OSError) as error:
        tap.result(f"{case} socket", [str(error)])


def run_failure(tap, case, folder, socket_path):
    """A configuration that must not load, and what is said of it."""
    with open(os.path.join(folder, "load-fails"), encoding="utf-8") as file:
        wanted = [line.rstrip("\n") for line in file
                  if line.strip() and not line.startswith("# ")]
    for door, status, arguments in (
            ("explain", 2, ["explain", "-c", "fromguard.conf", "user@example.com", "a@b.example"]),
            ("serve", 1, ["serve", "-c", "fromguard.conf", "-o", f"listen=unix:{socket_path}"])):
        done = fromguard(folder, *arguments)
        said = done.stderr.decode("utf-8", "replace")
        wrong = [f"not said: {line}" for line in wanted if line not in said]
        if done.returncode != status:
            wrong.append(f"exit status: wanted {status}, got {done.returncode}")
        if wrong:
            wrong += ["it said:"] + ["  " + line for line in said.splitlines()]
        tap.result(f"{case} {door} refuses to load", wrong)


def prepare(case, scratch):
    """The folder to run a case in: its own, or a copy with its maps compiled."""
    folder = os.path.join(HERE, case)
    recipe = os.path.join(folder, "compile")
    if not os.path.exists(recipe):
        return folder
    copy = os.path.join(scratch, case)
    shutil.copytree(folder, copy)
    with open(recipe, encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            done = fromguard(copy, "compile", "-o", *words)
            if done.returncode != 0:
                raise RuntimeError(f"compile {line.strip()}: {done.stderr.decode()}")
    return copy


def main(cases):
    """Runs the cases that are named, or all."""
    cases = cases or sorted(name for name in os.listdir(HERE)
                            if os.path.isdir(os.path.join(HERE, name)) and name[0] not in "._")
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="fromguard-golden-") as scratch:
        socket_path = os.path.join(scratch, "socket")
        for case in cases:
            try:
                folder = prepare(case, scratch)
                fails = os.path.exists(os.path.join(folder, "load-fails"))
                (run_failure if fails else run_rows)(tap, case, folder, socket_path)
            except (RuntimeError, ValueError, OSError, subprocess.TimeoutExpired) as error:
                tap.result(case, [str(error)])
    print(f"1..{tap.number}")
    return 1 if tap.failed or tap.number == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
