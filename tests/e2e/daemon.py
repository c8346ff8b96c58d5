# SPDX-License-Identifier: BSD-2-Clause
"""A fromguard under test: its configuration and maps, started and stopped at will."""

import os
import re
import socket
import subprocess

from processes import Log, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("FROMGUARD", os.path.join(ROOT, "build", "fromguard")))


def program():
    """The path of fromguard; raises where there is none."""
    if not os.access(PROGRAM, os.X_OK):
        raise FileNotFoundError(f"no {PROGRAM}: run make, or set FROMGUARD")
    return PROGRAM


def compile_map(output, *maps):
    """Runs `fromguard compile`; raises where it fails."""
    done = subprocess.run([program(), "compile", "-o", output, *maps],
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"fromguard compile: status {done.returncode}: {done.stderr.strip()}")


class Daemon:
    """`fromguard serve` with a socket, a configuration and a log of its own in the nest."""

    def __init__(self, nest, name, settings):
        """`settings` are lines of fromguard.conf; `listen` is added where it is not among them."""
        self._nest = nest
        self._server = None
        self.log = Log(nest.path(f"{name}.log"))
        self.socket = nest.path(f"{name}.sock")
        settings = {"listen": f"unix:{self.socket}", "socket_mode": "0660",
                    "socket_group": "postfix", "log_level": "debug", **settings}
        self._address = settings["listen"]
        self._configuration = nest.write(
            f"{name}.conf", "".join(f"{key} = {value}\n" for key, value in settings.items()))

    def start(self):
        """Starts it and returns once it takes connections."""
        self._server = self._nest.start([program(), "serve", "-c", self._configuration],
                                        self.log.path)
        wait_until(self._answers, f"{self._address} to answer")

    def stop(self):
        """Asks it to end (SIGTERM) and returns its exit status."""
        return self._nest.stop(self._server)

    def rejects(self, login, sender, since=0):
        """The reject lines about one login and sender that its log has after `since`."""
        return self.log.matching(self._line("reject", login, sender), since)

    def wait_for_reject(self, login, sender, since=0):
        """The same, as soon as there is one."""
        return self.log.wait_for(self._line("reject", login, sender), since)

    def wait_for_allow(self, login, sender, since=0):
        """Returns once its log says that the sender was allowed (log_level is debug)."""
        return self.log.wait_for(self._line("allow", login, sender), since)

    @staticmethod
    def _line(verdict, login, sender):
        return re.compile(rf"\b{verdict} login={re.escape(login)} sender={re.escape(sender)} ")

    def _answers(self):
        if self._server.poll() is not None:
            raise RuntimeError(f"fromguard ended at once, status {self._server.returncode}: "
                               + "\n".join(self.log.lines()[-10:]))
        kind, _, address = self._address.partition(":")
        if kind == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(address) == 0
        host, _, port = address.rpartition(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0
