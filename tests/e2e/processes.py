# SPDX-License-Identifier: BSD-2-Clause
"""A temporary folder and the servers that live in it: neither outlives the test.

A `Nest` makes the folder, starts servers, and ends them, last first, when it is
left. In case the test itself is killed, a small guardian process reads a pipe
whose other end only the test holds: at its end of file the guardian ends
exactly the processes that the test had told it of, and removes the folder.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 15.0  # seconds that a server gets to start, to answer, or to end

GUARDIAN = r"""
import os, shutil, signal, sys, time
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
pids = []
for line in sys.stdin:
    word, value = line.split()
    pids.append(int(value)) if word == "+" else pids.remove(int(value))
for sign in (signal.SIGTERM, signal.SIGKILL):
    for pid in reversed(pids):
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            pass
    if pids:
        time.sleep(2)
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


def wait_until(condition, what, patience=PATIENCE):
    """Polls until `condition()` is true and returns its value; raises TimeoutError."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {patience:g} s")
        time.sleep(0.02)


class Log:
    """A file that servers write and tests read."""

    def __init__(self, path):
        self.path = path

    def mark(self):
        """The place where the log ends now, for `lines`."""
        return os.path.getsize(self.path) if os.path.exists(self.path) else 0

    def lines(self, since=0):
        """Every whole line that was written after the mark `since`."""
        if not os.path.exists(self.path):
            return []
        with open(self.path, "rb") as log:
            log.seek(since)
            text = log.read().decode("utf-8", "replace")
        return text.split("\n")[:-1]

    def matching(self, pattern, since=0):
        """The lines after `since` in which the compiled `pattern` is found."""
        return [line for line in self.lines(since) if pattern.search(line)]

    def wait_for(self, pattern, since=0):
        """The lines after `since` that match, as soon as there is one."""
        return wait_until(lambda: self.matching(pattern, since),
                          f"{pattern.pattern} in {os.path.basename(self.path)}")


class Nest:
    """The folder of one test, and every server that runs in it."""

    def __enter__(self):
        # A test told to stop unwinds like one that failed.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
        # Short, since a socket's path has at most 107 bytes; open to other
        # users, since Postfix runs as one.
        self.folder = tempfile.mkdtemp(prefix="fg-e2e-")
        os.chmod(self.folder, 0o755)
        self._servers = []
        self._guardian = subprocess.Popen(
            [sys.executable, "-c", GUARDIAN, self.folder],
            stdin=subprocess.PIPE, text=True, start_new_session=True)
        return self

    def __exit__(self, *_):
        for server in reversed(list(self._servers)):
            self.stop(server)
        self._guardian.stdin.close()
        self._guardian.wait()

    def path(self, *names):
        """A path inside the folder."""
        return os.path.join(self.folder, *names)

    def write(self, name, text, mode=0o644):
        """Writes a file of the folder and returns its path."""
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def start(self, command, log, **options):
        """Starts a server in a session of its own; `log` takes what it says."""
        with open(log, "ab") as output:
            server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, **options)
        self._servers.append(server)
        self._tell("+", server)
        return server

    def stop(self, server):
        """Ends a server that `start` returned, gently if it lets us; returns its status."""
        if server.poll() is None:
            server.terminate()
        try:
            status = server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            status = server.wait()
        if server in self._servers:
            self._servers.remove(server)
            self._tell("-", server)
        return status

    def _tell(self, word, server):
        self._guardian.stdin.write(f"{word} {server.pid}\n")
        self._guardian.stdin.flush()


def find_program(name):
    """The path of a program, /usr/sbin searched too, or None."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    return shutil.which(name, path=path)
