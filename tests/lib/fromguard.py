# SPDX-License-Identifier: BSD-2-Clause
"""A fromguard that runs in a test's nest, and clients that talk to it as Postfix does."""

import os
import re
import signal
import socket
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(ROOT, "tests", "e2e"))

from processes import Log, wait_until  # noqa: E402  (found on the path above)

PROGRAM = os.path.abspath(os.environ.get("FROMGUARD", os.path.join(ROOT, "build", "fromguard")))
PATIENCE = 10.0  # seconds for one answer

def is_sanitized():
    """Was it built with a sanitizer? Such a program keeps what it has freed."""
    with open(PROGRAM, "rb") as program:
        content = program.read()
    return b"__asan_init" in content or b"__tsan_init" in content


# The environment in a sandbox: there LeakSanitizer, where it is built in, can not
# look at its own process.
SANDBOXED = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}

# Makes descriptors 3, 4, ... of those it is given, as systemd does, and
# becomes the command.
ACTIVATE = r"""
import os, sys
fds = [int(fd) for fd in sys.argv[1].split(",")]
high = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i, inheritable=True)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)))
os.execv(sys.argv[2], sys.argv[2:])
"""


def run(*arguments, **options):
    """Runs fromguard to its end; returns the finished process, its output as text."""
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True,
                          timeout=60, check=False, **options)


def request(login, sender, **attributes):
    """The bytes of one request; attributes are added, or replace what is there."""
    lines = {"request": "smtpd_access_policy", "protocol_state": "RCPT", "protocol_name": "ESMTP",
             "client_address": "192.0.2.7", "sender": sender, "recipient": "to@example.net",
             "queue_id": "", "instance": "", "sasl_method": "PLAIN", "sasl_username": login,
             **attributes}
    return "".join(f"{name}={value}\n" for name, value in lines.items()).encode() + b"\n"


class Client:
    """One connection; a context manager."""

    def __init__(self, address, timeout=PATIENCE):
        kind, _, where = address.partition(":")
        if kind == "unix":
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(where)
        else:
            host, _, port = where.rpartition(":")
            self.socket = socket.create_connection((host.strip("[]"), int(port)), timeout)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the connection."""
        self.socket.close()

    def send(self, data):
        """Sends bytes as they are."""
        self.socket.sendall(data)

    def action(self):
        """Reads one answer and returns what stands behind `action=`; None: closed instead."""
        while b"\n\n" not in self._buffer:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                assert not self._buffer, f"half an answer: {self._buffer!r}"
                return None
            self._buffer += data
        answer, self._buffer = self._buffer.split(b"\n\n", 1)
        assert answer.startswith(b"action="), repr(answer)
        return answer[len(b"action="):].decode()

    def ask(self, login, sender, **attributes):
        """Asks once and returns the action; None: the connection was closed."""
        try:
            self.send(request(login, sender, **attributes))
        except (BrokenPipeError, ConnectionResetError):
            return None
        return self.action()


class Server:
    """`fromguard serve` with a configuration, a socket and a log of its own."""

    def __init__(self, nest, name, settings, **options):
        """`settings` go into its configuration; `options` are those of Nest.start()."""
        self.nest = nest
        self.log = Log(nest.path(f"{name}.log"))
        self.settings = {"listen": f"unix:{nest.path(name + '.sock')}", **settings}
        self.address = self.settings["listen"].split(",")[0]
        self.config = nest.path(f"{name}.conf")
        self.options = options
        self.command = [PROGRAM]
        self.process = None

    def configure(self):
        """Writes the configuration."""
        lines = (f"{name} = {value}\n" for name, value in self.settings.items())
        self.nest.write(os.path.basename(self.config), "".join(lines))

    def activate_with(self, sockets):
        """Hands sockets over when it is started, as systemd does."""
        fds = [s.fileno() for s in sockets]
        self.command = [sys.executable, "-c", ACTIVATE, ",".join(map(str, fds)), PROGRAM]
        self.options["pass_fds"] = fds

    def launch(self):
        """Starts it and does not wait for anything."""
        self.configure()
        self.process = self.nest.start([*self.command, "serve", "-c", self.config],
                                       self.log.path, **self.options)

    def start(self):
        """Starts it and waits until it serves; returns itself."""
        mark = self.log.mark()
        self.launch()
        wait_until(lambda: self.ended() or self.serves(mark), "a start")
        if self.ended():
            raise RuntimeError("it ended: " + "\n".join(self.log.lines(mark)))
        return self

    def serves(self, mark):
        """Has it started? It says so in its log after `mark`, or takes connections."""
        if self.settings.get("log_level") not in ("error", "warning"):
            return bool(self.events("start", mark))
        try:
            self.client().close()
        except OSError:
            return False
        return True

    def ended(self):
        """Has it come to an end?"""
        return self.process.poll() is not None

    def stop(self):
        """Asks it to end (SIGTERM) and returns its exit status."""
        return self.nest.stop(self.process)

    def wait(self):
        """Waits for it to end by itself and returns its exit status."""
        status = self.process.wait(PATIENCE)
        self.nest.stop(self.process)
        return status

    def kill(self):
        """Ends it as the kernel would for want of memory."""
        self.process.kill()
        self.wait()

    def hang_up(self):
        """Sends SIGHUP."""
        self.process.send_signal(signal.SIGHUP)

    def client(self, **options):
        """A new connection to its first socket."""
        return Client(self.address, **options)

    def ask(self, login, sender, **attributes):
        """Asks on a connection of its own."""
        with self.client() as client:
            return client.ask(login, sender, **attributes)

    def events(self, event, since=0):
        """The log lines of an event."""
        return self.log.matching(re.compile(rf"^{event}( |$)"), since)

    def wait_for(self, event, since=0):
        """The log lines of an event, as soon as there is one."""
        return wait_until(lambda: self.events(event, since), f"{event} in {self.log.path}")

    def cpu(self):
        """Seconds of CPU that it has used."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Bytes of memory that it has in use."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
