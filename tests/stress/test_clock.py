# SPDX-License-Identifier: BSD-2-Clause
"""The wall clock jumps a day forward and back: timeouts, reloads and answers go on."""

import os
import struct
import sys
import time

import rig
from fromguard import request
from processes import wait_until
from rig import LOGIN, OWN, figure
from tap import Suite, equal, that

suite = Suite()

DAY = 86400
JUMPS = {"a day forward": DAY, "a day back": -DAY, "ten years back": -3652 * DAY}
TIMEOUT = 0.6  # of a request; seconds


class Stage(rig.Stage):
    """A server whose wall clock can be set."""

    def __enter__(self):
        super().__enter__()
        self.offset = self.path("clock")
        self.set_clock(0)
        self.guard = self.server(log_level="info", request_timeout=f"{TIMEOUT * 1000:g}ms",
                                 idle_timeout="1h")
        self.guard.options["env"] = {**os.environ, "LD_PRELOAD": rig.tool("stress", "clock.so"),
                                     "CLOCK_FAST_BY": self.offset}
        self.guard.start()
        return self

    def set_clock(self, seconds):
        """Makes the wall clock of the server fast by so many seconds."""
        with open(self.offset, "r+b" if os.path.exists(self.offset) else "wb") as file:
            file.write(struct.pack("=q", seconds))


def time_to_close(client):
    """The seconds until the server closes a connection."""
    began = time.monotonic()
    equal(client.action(), None, "answer to half a request")
    return time.monotonic() - began


@suite.case("{jump}: an idle client stays, a slow one is closed in time, changes are loaded",
            jump=list(JUMPS))
def jumps(stage, jump):
    guard = stage.guard
    with guard.client() as quiet, guard.client() as slow:
        equal(quiet.ask(LOGIN, OWN), "DUNNO", "before")
        slow.send(request(LOGIN, OWN)[:50])
        with rig.Load(stage, guard.address) as load:
            time.sleep(TIMEOUT / 2)
            stage.set_clock(JUMPS[jump])
            closed = time_to_close(slow) + TIMEOUT / 2
            stage.write("senders", f"{LOGIN} {OWN}, {jump.replace(' ', '.')}@example.com\n")
            began = time.monotonic()
            wait_until(lambda: guard.ask(LOGIN, f"{jump.replace(' ', '.')}@example.com") ==
                       "DUNNO", "a reload", 5)
            loaded = time.monotonic() - began
            stage.set_clock(0)
            time.sleep(0.2)
            rig.expect_faultless(load.end())
        equal(quiet.ask(LOGIN, OWN), "DUNNO", "the idle client afterwards")
    figure(f"the clock jumps {jump}: half a request is closed after {closed:.2f} s of "
           f"{TIMEOUT:g}, a change is loaded after {loaded:.2f} s")
    that(TIMEOUT - 0.1 < closed < TIMEOUT + 1, f"closed after {closed:.2f} s")
    that(loaded < 2, f"loaded after {loaded:.2f} s")


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
