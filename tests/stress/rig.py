# SPDX-License-Identifier: BSD-2-Clause
"""What the stress tests have in common: how much of it, servers, load, and figures.

How often and how many is in environment variables: with none set each test takes
a few seconds; `make stress` sets them to what is promised.
"""

import json
import os
import resource
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(ROOT, "tests", "lib"))

from fromguard import Server, is_sanitized  # noqa: E402  (found on the path above)
from processes import Nest  # noqa: E402
from tap import Skip, that  # noqa: E402

BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(ROOT, "build")))

LOGIN, OWN, FOREIGN = "user@example.com", "alias@example.com", "foreign@example.com"
REFUSED = f"553 5.7.1 not owned by user {LOGIN}"
QUESTIONS = ((LOGIN, OWN, "allow"), (LOGIN, FOREIGN, "reject"))


def knob(name, default):
    """How many: a number from the environment."""
    return int(os.environ.get(name, str(default)))


# Latencies that differ by less are the machine's, which does other things.
NOISE_US = knob("NOISE_US", 20000)


def figure(text):
    """Says what was measured; tests/run shows it."""
    print(f"# figure: {text}", flush=True)


def tool(*names):
    """The path of a program that the Makefile has built."""
    path = os.path.join(BUILD, "tests", *names)
    if not os.path.exists(path):
        raise Skip(f"{path} is not built: run make programs")
    return path


def many_files(count):
    """Lets this process, and those that it starts, have so many files open."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count:
        raise Skip(f"{count} open files are not allowed here, only {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Load:
    """The load client while it runs: so many connections, each with a request under way."""

    def __init__(self, nest, address, questions=QUESTIONS, connections=8, seconds=3600,
                 reconnects=False):
        path = nest.write("questions", "".join("\t".join(row) + "\n" for row in questions))
        options = ["-r"] if reconnects else []
        self.process = subprocess.Popen(
            [tool("bench", "load"), *options, address.partition(":")[2], str(connections),
             str(seconds), path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def result(self):
        """Waits for its end; what it has counted, as a dictionary."""
        said, wrong = self.process.communicate()
        that(said, f"the load client ended with status {self.process.returncode}: {wrong}")
        return {**json.loads(said), "said": wrong}

    def end(self):
        """Ends it before its time; what it has counted."""
        self.process.send_signal(signal.SIGTERM)
        return self.result()


def load(nest, address, seconds, **options):
    """Puts a server under load for so many seconds; what was counted."""
    with Load(nest, address, seconds=seconds, **options) as client:
        return client.result()


def expect_faultless(result, *more):
    """Fails unless every request has got an answer that is right, over connections that lasted."""
    for fault in ("wrong", "unanswered", "closed", "reset", "refused", *more):
        that(result[fault] == 0, f"{fault}: {result[fault]} in {result}")


def expect_doubled_at_most(alone, beside):
    """Fails where honest clients wait more than twice as long beside hostile ones."""
    that(is_sanitized() or beside <= 2 * alone + NOISE_US,
         f"p99 {alone} us alone, {beside} us beside them")


class Stage(Nest):
    """A nest in which servers are made."""

    def __enter__(self):
        super().__enter__()
        self.servers = []
        return self

    def server(self, maps=None, **settings):
        """A server that is not started: on a map that grants OWN to LOGIN, or on others."""
        if maps is None:
            maps = f"text:{self.write('senders', f'{LOGIN} {OWN}' + chr(10))}"
        name = f"s{len(self.servers)}"
        self.servers.append(Server(self, name, {"maps": maps, "log_level": "warning", **settings}))
        return self.servers[-1]

    def diagnostics(self):
        """What the last server said."""
        return "\n".join(self.servers[-1].log.lines()[-8:]) if self.servers else ""
