# SPDX-License-Identifier: BSD-2-Clause
"""Clients that are many, slow or hostile, and what honest ones notice of them.

IDLE, SLOW and HOSTILE are how many of them. Each latency is the median of ROUNDS
measurements of ROUND_SECONDS, taken in turns with them and without.
"""

import os
import random
import socket
import statistics
import sys
import threading
import time

import rig
from fromguard import is_sanitized, request
from rig import LOGIN, OWN, figure
from tap import Suite, equal, that

suite = Suite()

IDLE = rig.knob("IDLE", 1000)
SLOW = rig.knob("SLOW", 200)
HOSTILE = rig.knob("HOSTILE", 200)
ROUNDS = rig.knob("ROUNDS", 2)
SECONDS = float(os.environ.get("ROUND_SECONDS", "0.3"))

MEMORY_A_CONNECTION = 2048  # bytes that an idle one may take
# Bytes that one may take whose request does not end: request_limit, and the rest of it.
MEMORY_A_REQUEST = (64 + 4) << 10

ATTACKS = 10  # requests a second, which is what one gets through a Postfix
CATASTROPHE = f"{'a' * 199}!"  # against ^(a+)+$: every way to divide them is tried


class Neighbour(threading.Thread):
    """Does something over and over, beside a measurement; a context manager.

    It would be on another machine, so it takes no processor from those that are measured.
    """

    def __init__(self, action, pause=0.0):
        super().__init__(daemon=True)
        self.action = action
        self.pause = pause
        self.stopping = threading.Event()
        self.trouble = None

    def run(self):
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
            while not self.stopping.is_set():
                self.action()
                self.stopping.wait(self.pause)
        except Exception as trouble:  # shown by whoever waits for us
            self.trouble = trouble

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join()
        that(self.trouble is None, f"a neighbour failed: {self.trouble!r}")


def measure(stage, server, connections=4):
    """The 99th percentile in microseconds of honest clients, who get only right answers."""
    result = rig.load(stage, server.address, SECONDS, connections=connections)
    rig.expect_faultless(result)
    return result["p99"]


def compare(alone, beside):
    """The medians of two measurements, taken in turns."""
    pairs = [(alone(), beside()) for _ in range(ROUNDS)]
    return [round(statistics.median(times)) for times in zip(*pairs)]


def compare_beside(stage, server, action, pause=0.0):
    """What honest clients wait alone, and beside a neighbour."""
    def beside():
        with Neighbour(action, pause):
            return measure(stage, server)
    return compare(lambda: measure(stage, server), beside)


def connect(server):
    """A connection that never waits."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(server.address.removeprefix("unix:"))
    client.setblocking(False)
    return client


def close_all(clients):
    for client in clients:
        client.close()


@suite.case(f"{IDLE} idle connections beside 100 busy ones: memory and latency")
def idle(stage):
    rig.many_files(IDLE + 200)
    server = stage.server(max_connections=str(IDLE + 200)).start()
    empty = stage.server().start()
    before = server.memory()
    clients = [connect(server) for _ in range(IDLE)]
    equal(server.ask(LOGIN, OWN), "DUNNO", "behind all of them")
    each = (server.memory() - before) / IDLE
    cpu, began = server.cpu(), time.monotonic()
    time.sleep(1)
    share = (server.cpu() - cpu) / (time.monotonic() - began)
    alone, beside = compare(lambda: measure(stage, empty, connections=100),
                            lambda: measure(stage, server, connections=100))
    close_all(clients)
    figure(f"{IDLE} idle connections: {each:.0f} bytes each, {server.memory() >> 10} kB in all, "
           f"{share:.1%} of a CPU; p99 of 100 busy ones beside them {beside} us, alone {alone} us")
    that(is_sanitized() or each < MEMORY_A_CONNECTION, f"{each:.0f} bytes a connection")
    rig.expect_doubled_at_most(alone, beside)
    server.stop()
    empty.stop()


class SlowClients:
    """Clients that send one byte of a request every second, one after the other."""

    def __init__(self, server, count):
        self.server = server
        self.clients = [connect(server) for _ in range(count)]
        self.data = request(LOGIN, OWN)
        self.sent = 0

    def send(self):
        """Sends one byte over a tenth of the connections; to be called every tenth of a second."""
        byte = self.data[self.sent // 10:self.sent // 10 + 1]
        for client in self.clients[self.sent % 10::10]:
            client.send(byte)
        self.sent += 1

    def finish(self):
        """Sends the rest, which has to be answered."""
        for number, client in enumerate(self.clients):
            client.setblocking(True)
            client.sendall(self.data[self.sent // 10 + (number % 10 < self.sent % 10):])
            equal(client.recv(100), b"action=DUNNO\n\n", "the answer to a slow one, in the end")


@suite.case(f"{SLOW} clients of a byte a second: others wait at most twice as long")
def slow(stage):
    rig.many_files(SLOW + 200)
    server = stage.server(request_timeout="1h").start()
    crowd = SlowClients(server, SLOW)
    alone, beside = compare_beside(stage, server, crowd.send, 0.1)
    crowd.finish()
    close_all(crowd.clients)
    figure(f"{SLOW} clients of a byte a second: p99 of others {beside} us, alone {alone} us")
    rig.expect_doubled_at_most(alone, beside)
    server.stop()


class HostileClients:
    """Clients that send what no Postfix would, and connect again when they are closed."""

    def __init__(self, server, count):
        self.server = server
        self.chance = random.Random(1)
        self.clients = [connect(server) for _ in range(count)]
        self.bytes = 0
        self.closed = 0

    def garbage(self):
        """Bytes of one of several kinds."""
        chance = self.chance
        return chance.choice((
            lambda: chance.randbytes(chance.randrange(1, 5000)),
            lambda: b"name=" + b"x" * 16000 + b"\n",
            lambda: b"name=value\n" * chance.randrange(1, 128),
            lambda: request(LOGIN, OWN)[:chance.randrange(1, 200)],
            lambda: request(LOGIN, OWN, request="junk"),
            lambda: request(LOGIN, "x" * 15000),
            lambda: b"\n" * 100,
        ))()

    def send(self):
        """Sends something over a connection."""
        number = self.chance.randrange(len(self.clients))
        try:
            self.bytes += self.clients[number].send(self.garbage())
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self.closed += 1
            self.clients[number].close()
            self.clients[number] = connect(self.server)


@suite.case(f"garbage from {HOSTILE} connections: memory is bounded, others are answered")
def hostile(stage):
    rig.many_files(HOSTILE + 200)
    server = stage.server(log_level="error").start()
    before, peak = server.memory(), []
    crowd = HostileClients(server, HOSTILE)
    with Neighbour(lambda: peak.append(server.memory()), 0.05):
        alone, beside = compare_beside(stage, server, crowd.send)
    sent, closed = crowd.bytes, crowd.closed
    for number in range(HOSTILE):  # the most that one can hold
        crowd.clients[number].close()
        crowd.clients[number] = connect(server)
        crowd.clients[number].send(b"".join(b"%d=" % n + b"x" * 15000 + b"\n" for n in range(4)))
    equal(server.ask(LOGIN, OWN), "DUNNO", "behind all of them")
    peak.append(server.memory())
    close_all(crowd.clients)
    each = (max(peak) - before) / HOSTILE
    figure(f"garbage from {HOSTILE} connections: {sent >> 20} MB, {closed} closed; "
           f"at most {each / 1024:.1f} kB each, {max(peak) >> 10} kB in all; p99 of others "
           f"{beside} us, alone {alone} us")
    that(is_sanitized() or each < MEMORY_A_REQUEST, f"{each:.0f} bytes a connection")
    that(server.process.poll() is None, "it has ended")
    server.stop()


@suite.case("a pattern that never ends: its answer comes in time, others wait at most twice as long")
def catastrophe(stage):
    rules = stage.write("rules", f"/^(a+)+$/ {LOGIN}\n")
    own = stage.write("own", f"{LOGIN} {OWN}\n")
    server = stage.server(maps=f"text:{own}, pcre:{rules}", log_level="error").start()
    times = []

    def attack():
        began = time.monotonic()
        action = server.ask(LOGIN, CATASTROPHE)
        times.append(time.monotonic() - began)
        equal(action, "451 4.3.0 sender ownership could not be checked", "answer")

    attack()
    quiet = times.pop()
    alone, beside = compare_beside(stage, server, attack, 1 / ATTACKS)
    _, flooded = compare_beside(stage, server, attack)
    figure(f"^(a+)+$ and 200 bytes: answered in {quiet * 1000:.1f} ms; p99 of others {beside} us "
           f"with {ATTACKS} of them a second, {flooded} us with one after the other, "
           f"alone {alone} us")
    that(is_sanitized() or quiet < 0.04, f"answered in {quiet * 1000:.1f} ms, the budget is 20 ms")
    that(is_sanitized() or flooded < 20000 + rig.NOISE_US, f"p99 {flooded} us in a flood")
    rig.expect_doubled_at_most(alone, beside)
    server.stop()


if __name__ == "__main__":
    sys.exit(suite.run(rig.Stage))
