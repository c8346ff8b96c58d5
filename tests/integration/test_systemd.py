# SPDX-License-Identifier: BSD-2-Clause
"""What systemd hands to the server and is told by it: sd_listen_fds(3), sd_notify(3)."""

import os
import re
import signal
import socket
import sys
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fromguard import Client, Server  # noqa: E402
from processes import Nest, wait_until  # noqa: E402
from tap import Suite, equal, that  # noqa: E402

suite = Suite()

LOGIN, OWN = "user@example.com", "alias@example.com"


class Stage(Nest):
    """A nest with a map and a notification socket."""

    def __enter__(self):
        super().__enter__()
        self.senders = self.write("senders", f"{LOGIN} {OWN}\n")
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.bind(self.path("notify"))
        self.notified.settimeout(5)
        self.servers = []
        return self

    def __exit__(self, *what):
        self.notified.close()
        super().__exit__(*what)

    def server(self, **settings):
        """A server that is not started, and will not be told of anything."""
        name = f"s{len(self.servers)}"
        self.servers.append(Server(self, name, {"maps": f"text:{self.senders}", **settings}))
        self.servers[-1].options["env"] = dict(os.environ)
        return self.servers[-1]

    def notifying(self, address=None, **settings):
        """A server that is told of the notification socket; with nothing left in that."""
        self.notified.setblocking(False)
        try:
            while self.notified.recv(4096):
                pass
        except BlockingIOError:
            self.notified.settimeout(5)
        server = self.server(**settings)
        server.options["env"]["NOTIFY_SOCKET"] = address or self.path("notify")
        return server

    def notification(self):
        """The next datagram, as a dictionary."""
        return dict(line.split("=", 1) for line in self.notified.recv(4096).decode().splitlines())

    def listening(self):
        """A unix socket that listens, and its address."""
        path = self.path(f"l{len(self.servers)}.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(4096)
        return listener, f"unix:{path}"

    def diagnostics(self):
        """What the last server said."""
        return "\n".join(self.servers[-1].log.lines()[-8:]) if self.servers else ""


# --- notification ---

@suite.case("READY comes with what is served, and the socket is open by then")
def ready(stage):
    server = stage.notifying()
    server.launch()
    state = stage.notification()
    equal((state["READY"], state["STATUS"]), ("1", "1 grants, 0 aliases, 0 rules from 1 maps"),
          "state")
    equal(server.ask(LOGIN, OWN), "DUNNO", "answer")
    server.process.terminate()
    equal(stage.notification(), {"STOPPING": "1"}, "at the end")
    equal(server.wait(), 0, "exit status")


@suite.case("READY does not come without a map")
def not_ready(stage):
    server = stage.notifying(maps=f"text:{stage.path('gone')}")
    server.launch()
    equal(server.wait(), 1, "exit status")
    that(not has_message(stage.notified, 0.3), "it notifies")


@suite.case("RELOADING comes with a time, then READY, and STATUS says what was refused")
def reloading(stage):
    server = stage.notifying(reload="signal").start()
    stage.notification()
    for content, refused in ((f"{LOGIN} {OWN}, b@example.com\n", False), ("x @@\n", True),
                             (f"{LOGIN} {OWN}\n", False)):
        stage.write("senders", content)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        server.hang_up()
        state = stage.notification()
        equal(state["RELOADING"], "1", "first state")
        that(before <= int(state["MONOTONIC_USEC"]) <= before + 5_000_000, f"time: {state}")
        state = stage.notification()
        equal(state["READY"], "1", "second state")
        equal("refused" in state["STATUS"], refused, state["STATUS"])
    server.stop()


@suite.case("an abstract notification socket is found, too")
def abstract(stage):
    name = f"fromguard-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind("\0" + name)
        notified.settimeout(5)
        server = stage.notifying(address="@" + name).start()
        that(notified.recv(4096).startswith(b"READY=1\n"), "READY")
        server.stop()


@suite.case("WATCHDOG comes at half of the time, from the event loop")
def watchdog(stage):
    server = stage.notifying()
    server.options["env"]["WATCHDOG_USEC"] = "400000"
    server.start()
    stage.notification()
    began = time.monotonic()
    for _ in range(5):
        equal(stage.notification(), {"WATCHDOG": "1"}, "state")
    took = time.monotonic() - began
    that(0.8 < took < 1.6, f"5 of them in {took:.2f} s")
    server.process.send_signal(signal.SIGSTOP)
    while has_message(stage.notified, 0.1):
        stage.notification()
    that(not has_message(stage.notified, 0.5), "a loop that stands still does not say so")
    server.process.send_signal(signal.SIGCONT)
    server.stop()


def has_message(where, patience):
    """Does a datagram arrive within so many seconds?"""
    where.settimeout(patience)
    try:
        return bool(where.recv(4096, socket.MSG_PEEK))
    except TimeoutError:
        return False
    finally:
        where.settimeout(5)


@suite.case("a watchdog for another process is not ours")
def other_watchdog(stage):
    server = stage.notifying()
    server.options["env"].update(WATCHDOG_USEC="100000", WATCHDOG_PID="1")
    server.start()
    stage.notification()
    that(not has_message(stage.notified, 0.4), "it notifies")
    server.stop()


# --- sockets ---

@suite.case("sockets that are handed over are served, and not those of listen")
def handed_over(stage):
    unix, unix_address = stage.listening()
    with unix, socket.create_server(("127.0.0.1", 0)) as inet:
        server = stage.server()
        own = server.address.removeprefix("unix:")
        server.activate_with([unix, inet])
        server.address = unix_address
        server.start()
        for address in unix_address, f"inet:127.0.0.1:{inet.getsockname()[1]}":
            with Client(address) as client:
                equal(client.ask(LOGIN, OWN), "DUNNO", address)
        that(not os.path.exists(own), "listen was opened as well")
        equal(server.stop(), 0, "exit status")
        that(os.path.exists(unix_address.removeprefix("unix:")), "systemd's socket was unlinked")


@suite.case("LISTEN_FDS for another process is not ours")
def other_process(stage):
    server = stage.server()
    server.options["env"].update(LISTEN_FDS="1", LISTEN_PID="1")
    server.start()
    equal(server.ask(LOGIN, OWN), "DUNNO", "on its own socket")
    server.stop()


@suite.case("a descriptor that does not listen is refused")
def not_listening(stage):
    with socket.socket(socket.AF_UNIX) as other:
        server = stage.server()
        server.activate_with([other])
        server.launch()
        equal(server.wait(), 1, "exit status")
    that("LISTEN_FDS: descriptor 3 is not a stream socket that listens" in
         "\n".join(server.log.lines()), "it should say so")


class Asker(threading.Thread):
    """Asks as Postfix does: on a connection that it keeps, and again when that was closed."""

    def __init__(self, address):
        super().__init__()
        self.address = address
        self.stopping = False
        self.answers = {}
        self.failures = []

    def run(self):
        client = None
        while not self.stopping:
            fresh = client is None
            try:
                client = client or Client(self.address)
                answer = client.ask(LOGIN, OWN)
            except OSError as error:
                self.failures.append(error)
                return
            if answer is None:
                client.close()
                client = None
                if fresh:
                    self.failures.append("a new connection was closed without an answer")
                continue
            self.answers[answer] = self.answers.get(answer, 0) + 1


def answers_of(askers):
    """How many answers they have got."""
    return sum(sum(asker.answers.values()) for asker in askers)


@suite.case("30 restarts under load: no client is refused, no answer is wrong")
def restarts(stage):
    listener, address = stage.listening()
    with listener:
        askers = [Asker(address) for _ in range(4)]
        server = stage.server()
        server.activate_with([listener])
        server.address = address
        server.start()
        for asker in askers:
            asker.start()
        for number in range(30):
            equal(server.stop(), 0, f"exit status {number}")
            before = answers_of(askers)
            server.start()
            wait_until(lambda since=before: any(asker.failures for asker in askers) or
                       answers_of(askers) > since + 10, "answers after a restart")
        for asker in askers:
            asker.stopping = True
            asker.join()
        server.stop()
    equal([failure for asker in askers for failure in asker.failures], [], "failures")
    equal({answer for asker in askers for answer in asker.answers}, {"DUNNO"}, "answers")


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
