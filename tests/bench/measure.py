# SPDX-License-Identifier: BSD-2-Clause
"""Servers to be measured, the load that they are put under, and medians of ratios."""

import contextlib
import dataclasses
import glob
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
sys.path += [os.path.join(TREE, "tests", "lib"), os.path.join(TREE, "tests", "e2e")]

import fromguard  # noqa: E402  (found on the path above)
from processes import wait_until  # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TREE, "build")))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = float(os.environ.get("SECONDS", "2"))  # of load in each round
PATIENCE = 600  # seconds that the slowest step may take

# Whoever is measured has a processor, and who measures has another one.
SERVER_CORE, CLIENT_CORE = 0, 1


def tool(name):
    """The path of one of the programs beside this file, as the Makefile built it."""
    return os.path.join(BUILD, "tests", "bench", name)


def on_core(core, command):
    """The command, kept on one processor where there is more than one."""
    return ["taskset", "-c", str(core), *command] if os.cpu_count() > 1 else list(command)


def run(*command, **options):
    """Runs a command that has to succeed; returns what it printed."""
    done = subprocess.run(command, text=True, timeout=PATIENCE, check=False,
                          **{"capture_output": True, **options})
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}\n{done.stderr or ''}")
    return done.stdout


@dataclasses.dataclass
class Cost:
    """What a command took, in seconds; memory in bytes."""

    wall: float
    cpu: float


def cost_of(*command, **options):
    """Runs a command that has to succeed and says what it took."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    run(*command, **options)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def memory_of(pid, what="VmRSS"):
    """Bytes that a process has in memory."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {what} of process {pid}")


@dataclasses.dataclass
class Address:
    """A server of which only its address is known, not what it costs."""

    address: str

    @staticmethod
    def cpu():
        """Not known."""
        return 0.0


class Process:
    """A server that runs: its CPU and memory, as the kernel counts them."""

    def __init__(self, process, address):
        self.process = process
        self.address = address

    @property
    def pid(self):
        """Its process id."""
        return self.process.pid

    def cpu(self):
        """Seconds of CPU that its threads have used, to the nanosecond."""
        total = 0
        for path in glob.glob(f"/proc/{self.pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def memory(self, what="VmRSS"):
        """Bytes in memory; VmHWM is the most there has been."""
        return memory_of(self.pid, what)

    def forget_peak(self):
        """Lets VmHWM start anew from what is in memory now."""
        with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5\n")


class Notices:
    """Hears from servers when they are ready, as systemd does."""

    def __init__(self, path):
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        self._socket.settimeout(PATIENCE)

    def wait_ready(self):
        """Returns at the next READY=1."""
        while b"READY=1" not in self._socket.recv(4096).split(b"\n"):
            pass

    def drain(self):
        """Forgets what has been said so far."""
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(4096)
        self._socket.settimeout(PATIENCE)


def start_floor(nest, name="floor", pinned=True):
    """A floor server."""
    path = nest.path(f"{name}.sock")
    command = [tool("floor"), path]
    process = nest.start(on_core(SERVER_CORE, command) if pinned else command,
                         nest.path(f"{name}.log"))
    wait_until(lambda: os.path.exists(path), "the floor server's socket")
    return Process(process, path)


class Guard(Process):
    """A fromguard, in its default settings but for those given; it logs errors alone."""

    def __init__(self, nest, name, pinned=True, **settings):
        socket_path = nest.path(f"{name}.sock")
        settings = {"listen": f"unix:{socket_path}", "socket_mode": "0666", "reload": "signal",
                    "log_level": "error", **settings}
        config = nest.write(f"{name}.conf", "".join(
            f"{key} = {value}\n" for key, value in settings.items()))
        command = [fromguard.PROGRAM, "serve", "-c", config]
        self.notices = Notices(nest.path(f"{name}.notify"))
        self._nest = nest
        start = time.monotonic()
        super().__init__(nest.start(
            on_core(SERVER_CORE, command) if pinned else command, nest.path(f"{name}.log"),
            env={**os.environ, "NOTIFY_SOCKET": self.notices.path}),
            settings["listen"].partition(":")[2])
        self.notices.wait_ready()
        self.to_ready = Cost(time.monotonic() - start, self.cpu())

    def stop(self):
        """Ends it."""
        self._nest.stop(self.process)


@dataclasses.dataclass
class Run:
    """What one stretch of load has measured; seconds."""

    rate: float  # requests a second
    cpu: float   # of the server, a request
    p50: float
    p99: float


@dataclasses.dataclass
class Load:
    """A load client at work."""

    server: object
    process: subprocess.Popen
    cpu: float  # of the server, when it began


def start_load(server, connections, seconds, questions, pinned=True):
    """Starts the load client; SIGTERM ends it early. finish_load() has its result."""
    command = [tool("load"), server.address, str(connections), str(seconds), questions]
    process = subprocess.Popen(on_core(CLIENT_CORE, command) if pinned else command,
                               stdout=subprocess.PIPE, text=True)
    return Load(server, process, server.cpu())


def finish_load(started):
    """Waits for a load client; a wrong answer is an error."""
    server, process = started.server, started.process
    said, _ = process.communicate(timeout=PATIENCE)
    if process.returncode != 0:
        raise RuntimeError(f"load: status {process.returncode}: {said}")
    result = json.loads(said)
    if result["requests"] == 0:
        raise RuntimeError("load: not a single answer")
    return Run(result["requests"] / result["seconds"],
               (server.cpu() - started.cpu) / result["requests"],
               result["p50"] / 1e6, result["p99"] / 1e6)


def load(server, connections, questions, pinned=True):
    """Puts a server under load for some seconds."""
    return finish_load(start_load(server, connections, SECONDS, questions, pinned))


def rounds(measure_a, measure_b, count=None):
    """Calls two functions in turn, each first in every other round; pairs of results."""
    pairs = []
    for number in range(count or ROUNDS):
        if number % 2:
            b = measure_b()
            pairs.append((measure_a(), b))
        else:
            a = measure_a()
            pairs.append((a, measure_b()))
    return pairs


@dataclasses.dataclass
class Ratio:
    """The median of the ratios of pairs, with the medians of both sides."""

    value: float
    a: float
    b: float

    def text(self, unit, scale=1.0, digits=1):
        """Both sides in a unit."""
        return f"{self.a * scale:.{digits}f} against {self.b * scale:.{digits}f} {unit}"


def ratio(pairs, of):
    """The Ratio of what the function `of` takes from each result."""
    values = [(of(a), of(b)) for a, b in pairs]
    return Ratio(statistics.median(a / b for a, b in values),
                 statistics.median(a for a, _ in values), statistics.median(b for _, b in values))
