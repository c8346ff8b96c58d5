# SPDX-License-Identifier: BSD-2-Clause
"""Against others that answer the same question: postfwd2, and Postfix's own check."""

import base64
import concurrent.futures
import contextlib
import os
import signal
import socket
import subprocess
import time

import fromguard
import mailhost
import maps
import measure
from processes import Nest, find_program, wait_until
from table import Line, Skip, row

TEN = maps.Logins(10)
FLAVOUR = "plain"
LOGIN, PASSWORD = next(iter(mailhost.USERS.items()))
ENDLESS = "1000000000"


# postfwd2 --------------------------------------------------------------------

def _postfwd_rules():
    """What ten logins may send as, in the order in which rules are tried; then the refusal."""
    for number in range(TEN.count):
        login = TEN.login(number)
        for sender in (login, TEN.address(number), TEN.address(number, "b")):
            yield f"sasl_username=={login} ; sender=={sender} ; action=DUNNO\n"
    yield "action=553 5.7.1 not owned by user $$sasl_username\n"


def _is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@contextlib.contextmanager
def _postfwd(scene, *options):
    """A postfwd2 with more options.

    It leaves the foreground, and so the nest, and is ended by its process id.
    """
    program = find_program("postfwd2")
    if program is None:
        raise Skip("postfwd2 is not installed (package postfwd)")
    rules = scene.write_map("postfwd.cf", _postfwd_rules())
    pid_file = scene.nest.path("postfwd.pid")
    port, cache_port = mailhost.free_ports(2)
    measure.run(
        program, "--file", rules, "--pidfile", pid_file, "--user", "nobody",
        "--group", "nogroup", "--server_socket", f"tcp:127.0.0.1:{port}",
        "--cache_socket", f"tcp:127.0.0.1:{cache_port}", "--nodns", "--norulelog",
        *options, capture_output=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(pid_file, encoding="ascii") as file:
        pid = int(file.read())
    try:
        wait_until(lambda: _answers(port), "an answer of postfwd2")
        yield measure.Address(f"127.0.0.1:{port}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: _is_gone(pid), "the end of postfwd2")


def _answers(port):
    try:
        with fromguard.Client(f"inet:127.0.0.1:{port}", timeout=1) as client:
            return client.ask(TEN.login(0), TEN.address(0)) == "DUNNO"
    except OSError:
        return False


@row
def postfwd(scene):
    """Requests a second of ten logins, both over TCP, each free to use every processor."""
    connections = 10
    questions = scene.write_questions("postfwd.questions", TEN.questions(1000))
    path = scene.write_map("postfwd.txt", TEN.senders())
    port = mailhost.free_ports(1)[0]
    guard = scene.guard("tcp", pinned=False, listen=f"inet:127.0.0.1:{port}", maps=f"text:{path}")

    def against(*options):
        with _postfwd(scene, *options) as peer:
            for _ in range(3):  # it starts processes first, and fills its cache
                measure.load(peer, connections, questions, pinned=False)
            pairs = measure.rounds(
                lambda: measure.load(guard, connections, questions, pinned=False),
                lambda: measure.load(peer, connections, questions, pinned=False))
        return measure.ratio(pairs, lambda run: run.rate)

    scene.say("asking postfwd2")
    decided = against("--cache", "0")
    scene.say("asking postfwd2 what it has in its cache")
    cached = against()
    guard.stop()
    # Mail has another recipient, or another size, each time: then the cache is of no use.
    return [Line("requests a second, ten logins, against postfwd2", decided.value,
                 decided.text("", 1, 0), at_least=30),
            Line("the same, against answers of postfwd2's cache", cached.value,
                 cached.text("", 1, 0))]


# Postfix ---------------------------------------------------------------------

# The map of both sides, besides what the mail host's own user may use.
OTHERS = maps.Logins(10000)
SENDER = "alias@example.com"

# One session may send as much as it likes, as fast as it likes.
UNHINDERED = {
    "in_flow_delay": "0",
    "smtpd_junk_command_limit": ENDLESS,
    "smtpd_client_message_rate_limit": "0",
    "smtpd_tls_auth_only": "no",
}


class Session:
    """An SMTP session of one login."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), 60)
        self._lines = self._socket.makefile("rb")
        self._expect(b"220")
        self._say(b"EHLO client.example.com\r\n", b"250")
        secret = base64.b64encode(f"\0{LOGIN}\0{PASSWORD}".encode("ascii"))
        self._say(b"AUTH PLAIN " + secret + b"\r\n", b"235")

    def _expect(self, code):
        while True:
            line = self._lines.readline()
            if not line.startswith(code):
                raise RuntimeError(f"Postfix says {line!r} in place of {code!r}")
            if line[3:4] != b"-":
                return

    def _say(self, command, code):
        self._socket.sendall(command)
        self._expect(code)

    def transaction(self, sender):
        """An accepted mail, as far as its recipient."""
        self._say(f"MAIL FROM:<{sender}>\r\n".encode("ascii"), b"250")
        self._say(b"RCPT TO:<somebody@elsewhere.test>\r\n", b"250")
        self._say(b"RSET\r\n", b"250")

    def rate(self, sender, seconds):
        """Transactions a second."""
        start, count = time.monotonic(), 0
        while time.monotonic() < start + seconds:
            self.transaction(sender)
            count += 1
        return count / (time.monotonic() - start)

    def close(self):
        """Ends it."""
        self._socket.close()


def require_mail_host():
    """Skips the row where no mail host can run."""
    why_not = mailhost.missing()
    if why_not:
        raise Skip(why_not)


def native(table):
    """The options of an entrance with Postfix's own check."""
    return {"smtpd_sender_login_maps": table,
            "smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch"}


def start_mail_host(nest, entrances):
    """A Postfix with these entrances, in a nest of its own."""
    host = mailhost.MailHost(nest, entrances, UNHINDERED, flavours=(FLAVOUR,))
    host.start()
    return host


@contextlib.contextmanager
def session(host, entrance):
    """A session that has sent one mail already."""
    opened = Session(host.port(entrance, FLAVOUR))
    try:
        opened.transaction(SENDER)
        yield opened
    finally:
        opened.close()


def _rates(sessions):
    """Transactions a second of several sessions at once."""
    with concurrent.futures.ThreadPoolExecutor(len(sessions)) as pool:
        return sum(pool.map(lambda each: each.rate(SENDER, measure.SECONDS), sessions))


@row
def smtp(scene):
    """Transactions a second of a real Postfix, the same map behind both checks."""
    require_mail_host()
    owners = scene.write_map("smtp.owners", [f"{SENDER}  {LOGIN}\n", *OTHERS.owners()])
    scene.write_map("main.cf", ["compatibility_level = 3.6\n"])
    measure.run("postmap", "-c", scene.nest.folder, f"cdb:{owners}")
    guard = scene.guard("smtp", pinned=False, maps=f"owners:{owners}")
    floor = measure.start_floor(scene.nest, "smtp-floor", pinned=False)
    os.chmod(floor.address, 0o666)  # as fromguard's is here: Postfix is another user

    def asks(server):
        return {"smtpd_sender_restrictions": f"check_policy_service unix:{server.address}"}

    def against_native(stack, entrance, count):
        ours, theirs = ([stack.enter_context(session(host, name)) for _ in range(count)]
                        for name in (entrance, "native"))
        pairs = measure.rounds(lambda: _rates(ours), lambda: _rates(theirs), 2 * measure.ROUNDS)
        return measure.ratio(pairs, lambda rate: rate)

    scene.say("sending through Postfix")
    with Nest() as nest, contextlib.ExitStack() as stack:
        host = start_mail_host(nest, {"guarded": asks(guard), "floor": asks(floor),
                                      "native": native(f"cdb:{owners}")})
        one = against_native(stack, "guarded", 1)
        least = against_native(stack, "floor", 1)
        several = against_native(stack, "guarded", 4)
    guard.stop()
    return [Line("SMTP transactions a second, against Postfix's own check", one.value,
                 one.text("", 1, 0), at_least=0.97),
            Line("the same, with a server in its place that decides nothing", least.value,
                 least.text("", 1, 0)),
            Line("the same, four sessions at once", several.value, several.text("", 1, 0))]
