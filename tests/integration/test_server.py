# SPDX-License-Identifier: BSD-2-Clause
"""The server: its sockets, its answers, its log, its start and its end."""

import errno
import json
import os
import pwd
import re
import signal
import socket
import stat
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fromguard import Client, Server, request, run  # noqa: E402
from processes import Nest, wait_until  # noqa: E402
from tap import Skip, Suite, equal, that  # noqa: E402

suite = Suite()

LOGIN, OWN = "user@example.com", "alias@example.com"
REFUSED = f"553 5.7.1 not owned by user {LOGIN}"


class Stage(Nest):
    """A nest with a map, in which servers are made."""

    def __enter__(self):
        super().__enter__()
        self.senders = self.write("senders", f"{LOGIN} {OWN}\n")
        self.servers = 0
        return self

    def server(self, **settings):
        """A server that is not started; settings are added to what it needs."""
        self.servers += 1
        name = f"s{self.servers}"
        return Server(self, name, {"maps": f"text:{self.senders}", "log_level": "debug",
                                   **settings})

    def diagnostics(self):
        """What the last server said."""
        path = self.path(f"s{self.servers}.log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8") as log:
            return "".join(log.readlines()[-8:])


def free_port(family=socket.AF_INET, host="127.0.0.1"):
    """A port that nobody listens on, a moment ago."""
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def as_nobody(action):
    """Calls `action` in a process of user nobody; returns the number that it returns."""
    if os.geteuid() != 0:
        raise Skip("it takes root to become somebody else")
    nobody = pwd.getpwnam("nobody")
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            os._exit(action())
        finally:
            os._exit(255)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# --- sockets ---

@suite.case("unix and TCP sockets answer, several at once")
def several_sockets(stage):
    addresses = [f"unix:{stage.path('a.sock')}", f"unix:{stage.path('b.sock')}",
                 f"inet:127.0.0.1:{free_port()}"]
    if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):
        addresses.append(f"inet:[::1]:{free_port(socket.AF_INET6, '::1')}")
    server = stage.server(listen=", ".join(addresses)).start()
    for address in addresses:
        with Client(address) as client:
            equal(client.ask(LOGIN, OWN), "DUNNO", address)
            equal(client.ask(LOGIN, "other@example.com"), REFUSED, address)
    equal(server.stop(), 0, "exit status")


@suite.case("a socket that a dead server left behind is taken over")
def dead_socket(stage):
    server = stage.server().start()
    server.kill()
    that(os.path.exists(server.address.removeprefix("unix:")), "the socket should still be there")
    server.start()
    equal(server.ask(LOGIN, OWN), "DUNNO", "the second server")
    server.stop()


@suite.case("a socket that is alive is not taken over")
def live_socket(stage):
    first = stage.server().start()
    second = stage.server(listen=first.address)
    second.launch()
    equal(second.wait(), 1, "exit status of the second")
    that(any("another server is listening" in line for line in second.log.lines()),
         "it should say why")
    equal(first.ask(LOGIN, OWN), "DUNNO", "the first goes on")
    first.stop()


@suite.case("{kind} in the place of a socket stays, and the start fails",
            kind=["file", "link", "folder"])
def in_the_way(stage, kind):
    path = stage.path(f"way-{kind}")
    if kind == "file":
        stage.write(f"way-{kind}", "precious")
    elif kind == "link":
        os.symlink(stage.senders, path)
    else:
        os.mkdir(path)
    before = os.lstat(path)
    server = stage.server(listen=f"unix:{path}")
    server.launch()
    equal(server.wait(), 1, "exit status")
    after = os.lstat(path)
    equal((after.st_ino, after.st_mode, after.st_size),
          (before.st_ino, before.st_mode, before.st_size), "what was there")


@suite.case("socket_mode, socket_owner and socket_group are the socket's")
def socket_owner(stage):
    if os.geteuid() != 0:
        raise Skip("it takes root to give a socket away")
    nobody = pwd.getpwnam("nobody")
    server = stage.server(socket_mode="0640", socket_owner="nobody", socket_group="daemon").start()
    found = os.stat(server.address.removeprefix("unix:"))
    equal((stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid), (0o640, nobody.pw_uid, 1),
          "mode, owner, group")
    server.stop()


@suite.case("another user gets in by socket_mode alone")
def other_user(stage):
    for mode, wanted in ("0660", errno.EACCES), ("0666", 0):
        server = stage.server(socket_mode=mode).start()
        path = server.address.removeprefix("unix:")
        equal(as_nobody(lambda: socket.socket(socket.AF_UNIX).connect_ex(path)), wanted, mode)
        equal(server.ask(LOGIN, OWN), "DUNNO", f"the server's own user, {mode}")
        server.stop()


@suite.case("it becomes the user of the settings, whole")
def privileges(stage):
    if os.geteuid() != 0:
        raise Skip("it takes root to become somebody else")
    server = stage.server(user="nobody").start()
    nobody = pwd.getpwnam("nobody")
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        ids = dict(line.split(":", 1) for line in status)
    equal(ids["Uid"].split(), [str(nobody.pw_uid)] * 4, "user")
    equal(ids["Gid"].split(), [str(nobody.pw_gid)] * 4, "group")
    that("0" not in ids["Groups"].split(), "no group of root's is left")
    equal(server.ask(LOGIN, OWN), "DUNNO", "answer")
    equal(server.stop(), 0, "exit status")


# --- answers ---

@suite.case("requests are answered however they are cut")
def cuts(stage):
    server = stage.server().start()
    one, two = request(LOGIN, OWN), request(LOGIN, "other@example.com")
    with server.client() as client:
        client.send(one + two + one)
        equal([client.action() for _ in range(3)], ["DUNNO", REFUSED, "DUNNO"], "three in one")
        for byte in two:
            client.send(bytes([byte]))
        equal(client.action(), REFUSED, "byte by byte")
        client.send(one + two[:50])
        equal(client.action(), "DUNNO", "one and a bit")
        client.send(two[50:])
        equal(client.action(), REFUSED, "the rest")
        client.send(two * 500)
        equal([client.action() for _ in range(500)], [REFUSED] * 500, "500 in one")
    server.stop()


BROKEN = {
    "no-equals-sign": b"request=smtpd_access_policy\nsender\n\n",
    "nul-byte": request(LOGIN, "a\0b@example.com"),
    "carriage-return": request(LOGIN, OWN).replace(b"\n", b"\r\n"),
    "conflicting-attributes": b"sender=x@example.org\n" + request(LOGIN, OWN),
    "unknown-request": request(LOGIN, OWN, request="junk"),
    "no-sender": b"request=smtpd_access_policy\nsasl_username=user@example.com\n\n",
    "line-too-long": b"x=" + b"y" * 20000,
    "request-too-long": (b"name=" + b"y" * 1000 + b"\n") * 100,
    "too-many-attributes": b"a=b\n" * 200,
    "truncated": b"request=smtpd_access_policy\n",
}


@suite.case("a request that is broken ({kind}) is logged and gets no reply", kind=BROKEN)
def broken(stage, kind):
    server = stage.server().start()
    with server.client() as client:
        try:
            client.send(BROKEN[kind])
            if kind == "truncated":
                client.socket.shutdown(socket.SHUT_WR)
            equal(client.action(), None, "answer")
        except BrokenPipeError:
            pass  # closed before all was sent
    lines = server.wait_for("protocol-error")
    that(f"kind={kind} " in lines[0] and f"peer_pid={os.getpid()}" in lines[0], lines[0])
    equal(server.ask(LOGIN, OWN), "DUNNO", "it goes on")
    server.stop()


@suite.case("broken requests do not flood the log")
def flood(stage):
    server = stage.server().start()
    for _ in range(300):
        with server.client() as client:
            client.send(b"junk\n\n")
            equal(client.action(), None, "answer")
    server.wait_for("protocol-errors-withheld")
    that(len(server.events("protocol-error")) <= 20, "more lines than 5 a second")
    server.stop()


# --- the log ---

@suite.case("a reject is logged once for each mail")
def reject_lines(stage):
    server = stage.server().start()
    with server.client() as client:
        for number in range(3):
            client.ask(LOGIN, "x@example.org", instance="a.1", recipient=f"{number}@example.net",
                       queue_id="4WX")
        client.ask(LOGIN, "y@example.org", instance="a.1")
        client.ask(LOGIN, "y@example.org", instance="a.2")
        client.ask(LOGIN, "z@example.org", instance="")
        client.ask(LOGIN, "z@example.org", instance="")
    senders = [re.search(r"sender=(\S+)", line)[1] for line in server.events("reject")]
    equal(senders, ["x@example.org"] + ["y@example.org"] * 2 + ["z@example.org"] * 2, "rejects")
    that(f"reject login={LOGIN} sender=x@example.org reason=not-owned client=192.0.2.7 "
         "queue_id=4WX instance=a.1" in server.events("reject")[0], server.events("reject")[0])
    server.stop()


@suite.case("an allow is logged at log_level = debug alone")
def allow_lines(stage):
    for level, lines in ("debug", 1), ("info", 0):
        server = stage.server(log_level=level).start()
        server.ask(LOGIN, OWN)
        server.ask(LOGIN, "other@example.com")
        equal(len(server.events("reject")), 1, f"rejects at {level}")
        allows = server.events("allow")
        equal(len(allows), lines, f"allows at {level}")
        that(all(f"login={LOGIN} sender={OWN} reason=exact" in line for line in allows), allows)
        server.stop()


@suite.case("with mode = warn nothing is refused, and the log says what would be")
def warn(stage):
    server = stage.server(mode="warn").start()
    equal(server.ask(LOGIN, "other@example.com"),
          f"WARN fromguard: would reject: not owned by user {LOGIN}", "answer")
    equal(len(server.events("would-reject")), 1, "would-reject lines")
    server.stop()


@suite.case("whatever a client sends, the log has one printable line an event")
def injection(stage):
    nasty = "x\x1b[31m\x85\u2028\u202e\u00e9 reject login=root\t\"\\@example.org"
    server = stage.server().start()
    with server.client() as client:
        for name in ("sasl_username", "sender", "client_address", "queue_id", "instance"):
            fields = {"sasl_username": LOGIN, "sender": OWN, name: nasty}
            answer = client.ask(fields.pop("sasl_username"), fields.pop("sender"), **fields)
            that(answer is not None, f"{name}: closed")
    with open(server.log.path, "rb") as log:
        content = log.read()
    that(re.fullmatch(rb"[\n\x20-\x7e]*", content), "bytes that are not printable ASCII")
    equal(len(server.events("reject")) + len(server.events("allow")), 5, "lines")
    server.stop()


# --- start and end ---

@suite.case("{sign} ends it with status 0: answers are given, the socket is gone",
            sign=["SIGTERM", "SIGINT"])
def end(stage, sign):
    server = stage.server().start()
    idle, busy = server.client(), server.client()
    equal(idle.ask(LOGIN, OWN), "DUNNO", "before")
    server.process.send_signal(signal.SIGSTOP)
    busy.send(request(LOGIN, OWN))
    late = server.client()
    late.send(request(LOGIN, "other@example.com"))
    server.process.send_signal(getattr(signal, sign))
    server.process.send_signal(signal.SIGCONT)
    equal(busy.action(), "DUNNO", "sent before the signal")
    equal(late.action(), REFUSED, "not even accepted before the signal")
    equal([c.action() for c in (idle, busy, late)], [None] * 3, "closed")
    equal(server.wait(), 0, "exit status")
    that(not os.path.exists(server.address.removeprefix("unix:")), "the socket is still there")
    that(server.events("stopping") and server.events("stop"), "it says so")


@suite.case("a client that has only just connected is answered, though it is about to end")
def new_client_at_end(stage):
    server = stage.server().start()
    with server.client() as client:
        wait_until(lambda: server.ask(LOGIN, OWN) == "DUNNO", "the client to be let in")
        server.process.terminate()
        server.wait_for("stopping")
        equal(client.ask(LOGIN, OWN), "DUNNO", "answer")
        equal(client.action(), None, "then it is closed")
    equal(server.wait(), 0, "exit status")


@suite.case("a client that stalls within a request does not keep it from ending")
def stalled_end(stage):
    server = stage.server().start()
    with server.client() as client:
        client.send(b"request=smtpd_acc")
        wait_until(lambda: server.ask(LOGIN, OWN) == "DUNNO", "an answer")
        equal(server.stop(), 0, "exit status")


@suite.case("it does not start: {why}",
            why=["no maps", "a map is missing", "a map is broken", "no such user",
                 "no folder for the socket", "a setting is unknown"])
def refuses_to_start(stage, why):
    if why == "no such user" and os.geteuid() != 0:
        raise Skip("only root becomes somebody else")
    broken_map = stage.write("broken", "user@example.com @@\n")
    settings, wanted = {
        "no maps": ({"maps": ""}, "maps is not set"),
        "a map is missing": ({"maps": f"text:{stage.path('gone')}"}, "gone: No such file"),
        "a map is broken": ({"maps": f"text:{broken_map}"}, "broken:1: "),
        "no such user": ({"user": "nobody-of-that-name"}, "no such user"),
        "no folder for the socket": ({"listen": f"unix:{stage.path('no', 's')}"}, "does not exist"),
        "a setting is unknown": ({"mapz": "x"}, "did you mean maps?"),
    }[why]
    server = stage.server(**settings)
    server.launch()
    equal(server.wait(), 1, "exit status")
    that(wanted in "\n".join(server.log.lines()), f"{wanted!r} should be said")
    that(not os.path.exists(server.address.removeprefix("unix:")), "a socket is left behind")


# --- ask ---

@suite.case("ask shows the answer, and its status is the verdict")
def ask(stage):
    server = stage.server().start()
    for sender, status, text in ((OWN, 0, "allow: DUNNO\n"), ("<>", 0, "allow: DUNNO\n"),
                                 ("x@example.org", 1, f"reject: {REFUSED}\n")):
        done = run("ask", "-s", server.address, LOGIN, sender)
        equal((done.returncode, done.stdout, done.stderr), (status, text, ""), sender)
    done = run("ask", "-c", server.config, "--json", LOGIN, "x@example.org")
    equal((done.returncode, json.loads(done.stdout)),
          (1, {"login": LOGIN, "sender": "x@example.org", "verdict": "reject", "reply": REFUSED}),
          "--json, by the configuration")
    server.stop()
    done = run("ask", "-s", server.address, LOGIN, OWN)
    equal((done.returncode, done.stdout), (2, ""), "nobody there")
    that("No such file" in done.stderr, done.stderr)


@suite.case("ask gives up on a server that does not answer")
def ask_timeout(stage):
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(stage.path("deaf.sock"))
        deaf.listen(5)
        done = run("ask", "-s", stage.path("deaf.sock"), "--timeout", "300ms", LOGIN, OWN)
    equal(done.returncode, 2, "exit status")
    that("no answer in time" in done.stderr, done.stderr)


@suite.case("ask --health is 0 for an allow and a reject, 1 for everything else")
def ask_health(stage):
    rules = stage.write("slow.pcre", "/^(a+)+$/ nobody@example.com\n")
    server = stage.server(maps=f"pcre:{rules}", null_sender="reject", unauthenticated="reject",
                          rule_match_limit="1000").start()
    for words, status, verdict in (((), 0, "allow"), ((LOGIN, LOGIN), 0, "allow"),
                                   ((LOGIN, "x@example.org"), 0, "reject"),
                                   ((LOGIN, "a" * 40 + "@example.org"), 1, "trouble")):
        done = run("ask", "--health", "-s", server.address, *words)
        equal((done.returncode, done.stdout.split(":")[0]), (status, verdict), words)
    equal(len(server.events("reject")), 1, "lines about rejects")
    server.stop()
    equal(run("ask", "--health", "-s", server.address).returncode, 1, "nobody there")
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(stage.path("dumb.sock"))
        deaf.listen(5)
        done = run("ask", "--health", "-s", stage.path("dumb.sock"), "--timeout", "300ms")
    equal(done.returncode, 1, "one that says nothing")


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
