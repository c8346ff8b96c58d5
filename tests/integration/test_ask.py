#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ask, against servers that answer as no fromguard would: each trouble has a name and status 2."""

import contextlib
import json
import os
import socket
import sys
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fromguard  # noqa: E402
from processes import Nest  # noqa: E402
from tap import Suite, equal, that  # noqa: E402

suite = Suite()

ALLOW, REJECT, TROUBLE, USAGE = 0, 1, 2, 64


@contextlib.contextmanager
def answering(kind, nest, behave):
    """A server of one connection, which `behave(connection)` treats; gives its address."""
    if kind == "inet":
        listener = socket.create_server(("127.0.0.1", 0))
        address = f"inet:127.0.0.1:{listener.getsockname()[1]}"
    else:
        address = f"unix:{nest.path('odd.sock')}"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(nest.path("odd.sock"))
        listener.listen()

    def serve():
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                behave(connection)

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    try:
        yield address
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        server.join(10)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(nest.path("odd.sock"))


def says(answer):
    """A server that reads a request and sends bytes."""
    def behave(connection):
        got = b""
        while not got.endswith(b"\n\n"):
            got += connection.recv(4096)
        connection.sendall(answer)
        with contextlib.suppress(OSError):
            connection.recv(1)  # until the client goes
    return behave


def trickles(connection):
    for byte in b"action=DUNNO\n\n":
        connection.sendall(bytes([byte]))
        time.sleep(0.01)
    connection.recv(1)


def floods(connection):
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"x" * 4096)


def ask(address, *arguments):
    return fromguard.run("ask", "-s", address, *arguments, "user@example.com", "a@example.com")


# What a server sends -> the status, and words of what is said.
ANSWERS = {
    "an allow": (b"action=DUNNO\n\n", ALLOW, "allow: DUNNO"),
    "a reject": (b"action=553 5.7.1 no\n\n", REJECT, "reject: 553 5.7.1 no"),
    "a warning": (b"action=WARN fromguard: would reject: no\n\n", REJECT, "would reject: WARN"),
    "trouble": (b"action=451 4.3.0 sender ownership could not be checked\n\n", TROUBLE,
                "trouble: 451"),
    "a word of no fromguard": (b"action=OK\n\n", TROUBLE, "trouble: OK"),
    "bytes that a terminal would obey": (b"action=\x1b[31m\xff\n\n", TROUBLE, "\\x1b[31m"),
    "another protocol": (b"220 mail.example.com ESMTP\r\n\n\n", TROUBLE, "none of a policy server"),
    "nothing but an empty line": (b"\n\n", TROUBLE, "none of a policy server"),
}


@suite.case("{what}, over either kind of socket", what=ANSWERS)
def answers(nest, what):
    sent, status, words = ANSWERS[what]
    for kind in ("unix", "inet"):
        with answering(kind, nest, says(sent)) as address:
            done = ask(address)
        equal(done.returncode, status, f"status ({kind})")
        that(words in done.stdout + done.stderr, done.stdout + done.stderr)
        that("\x1b" not in done.stdout + done.stderr, "an escape character")


@suite.case("an answer that comes byte by byte is one")
def slow(nest):
    with answering("unix", nest, trickles) as address:
        equal(ask(address).returncode, ALLOW)


TROUBLES = {
    "no answer": (lambda connection: connection.recv(1 << 20) and time.sleep(2), "no answer in time"),
    "an end without an answer": (lambda connection: connection.recv(1 << 20), "closed without"),
    "an answer without an end": (floods, "does not end"),
}


@suite.case("{what} is trouble", what=TROUBLES)
def troubles(nest, what):
    behave, words = TROUBLES[what]
    with answering("unix", nest, behave) as address:
        done = ask(address, "--timeout", "500ms")
    equal(done.returncode, TROUBLE, "status")
    that(words in done.stderr and address in done.stderr, done.stderr)


@suite.case("where nobody listens, it says so with the address")
def nobody(nest):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for address, words in ((f"inet:127.0.0.1:{port}", "can not connect"),
                           (f"inet:[::1]:{port}", "can not connect"),
                           (f"unix:{nest.path('none')}", "No such file"),
                           ("unix:/" + 200 * "x", "at most 107"),
                           ("inet:no-such-host.invalid:10040", "inet:no-such-host.invalid"),
                           ("inet:127.0.0.1:0", "inet:127.0.0.1:0"),
                           ("nothing", "nothing")):
        done = ask(address)
        equal(done.returncode, TROUBLE, f"status of {address}")
        that(words in done.stderr, done.stderr)


@suite.case("a listener that is full, and never takes us, is no answer in time")
def full(nest):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(nest.path("full.sock"))
        listener.listen(0)
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            with contextlib.suppress(OSError):
                client.connect(nest.path("full.sock"))
        done = ask(nest.path("full.sock"), "--timeout", "300ms")
        for client in waiting:
            client.close()
    equal(done.returncode, TROUBLE, "status")
    that(done.stderr, "nothing was said")


@suite.case("its socket is by default the first that the configuration names")
def default_socket(nest):
    with answering("unix", nest, says(b"action=DUNNO\n\n")) as address:
        done = fromguard.run("ask", "-o", f"listen={address}, inet:127.0.0.1:1", "a", "b", "--json")
        equal(done.returncode, USAGE, "options behind the question are no options")
    with answering("unix", nest, says(b"action=DUNNO\n\n")) as address:
        done = fromguard.run("ask", "-o", f"listen={address}, inet:127.0.0.1:1", "--json", "a", "b")
    equal(json.loads(done.stdout),
          {"login": "a", "sender": "b", "verdict": "allow", "reply": "DUNNO"})
    done = fromguard.run("ask", "-o", "mode=none", "a", "b")
    equal(done.returncode, TROUBLE, "status with a setting that is wrong")


@suite.case("a question that can not be asked is refused: {arguments!r}", arguments=[
    ("a",), ("a", "b", "c"), ("a\nsasl_username=b", "c"), ("a", "b\n\n"), ("--timeout", "x", "a", "b"),
    ("--timeout", "0s", "a", "b"), ("--timeout", "5h", "a", "b"), ("--timeout", "", "a", "b"),
    ("--timeout", "99999999999999999999", "a", "b"), ("--timeout", "4000000s", "a", "b"), ("--no",)])
def usage(_, arguments):
    done = fromguard.run("ask", *arguments)
    equal(done.returncode, USAGE, "status")
    that("usage: fromguard ask" in done.stderr, done.stderr)


if __name__ == "__main__":
    sys.exit(suite.run(Nest))
