# SPDX-License-Identifier: BSD-2-Clause
"""Restarts under load: with a socket that the service manager keeps, clients notice nothing.

RESTARTS is how many.
"""

import os
import socket
import sys

import rig
from fromguard import Client
from processes import wait_until
from rig import LOGIN, OWN, figure
from tap import Suite, equal

suite = Suite()

RESTARTS = rig.knob("RESTARTS", 10)


class Listener:
    """The socket that a service manager would keep, and one client of its own."""

    def __init__(self, stage):
        path = stage.path("kept.sock")
        self.address = f"unix:{path}"
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(4096)
        os.chmod(path, 0o666)

    def answers(self):
        """Is somebody serving it? Waits for the answer."""
        with Client(self.address) as client:
            return client.ask(LOGIN, OWN) == "DUNNO"


@suite.case(f"{RESTARTS} restarts under load, socket kept: none is refused, reset or wrong")
def kept(stage):
    listener = Listener(stage)
    server = stage.server()
    server.activate_with([listener.socket])
    server.address = listener.address
    server.launch()
    wait_until(listener.answers, "the first server")
    with rig.Load(stage, listener.address, connections=32, reconnects=True) as load:
        for number in range(RESTARTS):
            equal(server.stop(), 0, f"exit status {number}")
            server.launch()
            wait_until(listener.answers, f"an answer after restart {number}")
        result = load.end()
    server.stop()
    figure(f"{RESTARTS} restarts under load, socket kept, in {result['seconds']:.0f} s: "
           f"{result['requests']} requests, {result['wrong']} wrong, {result['refused']} refused, "
           f"{result['reset']} reset, {result['unanswered']} unanswered; {result['retried']} "
           f"connections closed between two answers; the longest wait {result['max'] / 1000:.0f} ms")
    rig.expect_faultless(result)


if __name__ == "__main__":
    sys.exit(suite.run(rig.Stage))
