# SPDX-License-Identifier: BSD-2-Clause
"""Memory: it does not grow, its end is not the server's, and no password is in it.

REQUESTS is how many requests are asked, with a reload now and then; LIMITS is
how many limits of memory a load runs into.
"""

import re
import resource
import sys

import rig
from fromguard import is_sanitized
from processes import wait_until
from rig import LOGIN, OWN, figure
from tap import Skip, Suite, equal, that

suite = Suite()

REQUESTS = rig.knob("REQUESTS", 100000)
LIMITS = rig.knob("LIMITS", 10)
ROUNDS = 20      # of load, with a reload before each
GROWTH = 512     # kB that it may grow in all the rounds but the first few
PASSWORD = "{SHA512-CRYPT}$6$c0ffee$Hardly.A.Hash.But.Long.Enough.To.Be.Found.In.A.Core"


def reload(server):
    """Loads everything again."""
    mark = server.log.mark()
    server.hang_up()
    return wait_until(lambda: server.events("reload(-refused)?", mark), "a reload")[0]


@suite.case(f"{REQUESTS} requests and {ROUNDS} reloads do not make it grow")
def flat(stage):
    server = stage.server(reload="signal").start()
    asked, memory, seconds = 0, [], REQUESTS / ROUNDS / 50000
    while asked < REQUESTS or len(memory) < ROUNDS:
        server.hang_up()
        result = rig.load(stage, server.address, seconds)
        rig.expect_faultless(result)
        asked += result["requests"]
        memory.append(server.memory() >> 10)
    settled = memory[len(memory) // 5]
    figure(f"{asked} requests and {len(memory)} reloads: {settled} kB after a fifth of them, "
           f"{memory[-1]} kB at the end")
    that(is_sanitized() or memory[-1] <= settled + GROWTH, f"memory in kB: {memory}")
    equal(server.stop(), 0, "exit status")


def data(server):
    """Bytes that it could write to, as RLIMIT_DATA counts them."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmData:\s+(\d+) kB", status.read())[1]) << 10


@suite.case(f"a load that has no memory, {LIMITS} limits: it is refused, the old maps answer")
def no_memory(stage):
    if is_sanitized():
        raise Skip("a sanitizer takes more memory than any limit")
    large = "".join(f"{LOGIN} a{number}@example.com\n" for number in range(100000))
    server = stage.server(reload="signal", log_level="info").start()
    reload(server)
    base = data(server)
    stage.write("senders", large)
    refused = 0
    for number in range(LIMITS):
        limit = base + number * (32 << 20) // LIMITS
        resource.prlimit(server.process.pid, resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))
        refused += reload(server).startswith("reload-refused")
        wanted = OWN if refused == number + 1 else "a1@example.com"
        equal(server.ask(LOGIN, wanted), "DUNNO", f"answer with a limit of {limit}")
    resource.prlimit(server.process.pid, resource.RLIMIT_DATA, (resource.RLIM_INFINITY,) * 2)
    that(reload(server).startswith("reload "), "it does not load without a limit")
    equal(server.ask(LOGIN, "a99999@example.com"), "DUNNO", "answer without a limit")
    figure(f"{LIMITS} limits of memory: {refused} loads refused, none ended it")
    that(0 < refused < LIMITS, f"{refused} of {LIMITS} loads were refused")
    equal(server.stop(), 0, "exit status")


def memory_of(pid):
    """All that a core of a process would hold, a region at a time."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as regions, \
            open(f"/proc/{pid}/mem", "rb") as memory:
        for line in regions:
            start, end, rights = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            if not rights.startswith("r"):
                continue
            try:
                memory.seek(int(start, 16))
                yield memory.read(int(end, 16) - int(start, 16))
            except (OSError, OverflowError, ValueError):
                pass  # the kernel's own regions, such as vvar


@suite.case("no password of an accounts: map is in its memory, or in its log")
def secrets(stage):
    logins = [f"user{number}@example.com" for number in range(2000)]
    text = "".join(f"{login}|{PASSWORD}{number}\n" for number, login in enumerate(logins))
    accounts = stage.write("accounts", text)
    server = stage.server(maps=f"accounts:{accounts}", reload="signal", log_level="debug").start()
    equal(server.ask(logins[1], logins[1]), "DUNNO", "answer")
    stage.write("accounts", text + f"broken {PASSWORD}\n|{PASSWORD}\n")
    reload(server)
    stage.write("accounts", text + "another@example.com|x\n")
    reload(server)
    core = list(memory_of(server.process.pid))
    that(any(logins[1999].encode() in region for region in core), "its logins are not found")
    found = sum(region.count(PASSWORD[20:].encode()) for region in core)
    figure(f"{sum(map(len, core)) >> 10} kB of memory with {len(logins)} accounts: "
           f"{found} passwords")
    equal(found, 0, "passwords in its memory")
    that(PASSWORD[20:] not in "\n".join(server.log.lines()), "a password is in its log")
    server.stop()


if __name__ == "__main__":
    sys.exit(suite.run(rig.Stage))
