# SPDX-License-Identifier: BSD-2-Clause
"""Maps of somebody who means harm: cut while they are loaded, or full of keys that collide.

TRUNCATIONS is how often a map is cut; COLLIDING is how many keys collide.
"""

import itertools
import random
import re
import statistics
import subprocess
import sys
import time

import rig
from fromguard import is_sanitized, run
from rig import LOGIN, figure
from tap import Suite, equal, that

suite = Suite()

TRUNCATIONS = rig.knob("TRUNCATIONS", 400)
COLLIDING = rig.knob("COLLIDING", 2000)
THREADS = 16  # most of a load of a file that has just changed is waiting
LOADS = 3


@suite.case(f"a compiled map is cut {TRUNCATIONS} times while it is loaded: whole, or refused")
def truncation(stage):
    plain = stage.write("plain", "".join(f"user{n}@example.com a{n}@example.org, b{n}@example.org\n"
                                         for n in range(2000)))
    done = run("compile", "-o", stage.path("map.cdb"), f"text:{plain}")
    equal((done.returncode, done.stderr), (0, ""), "compile")
    done = subprocess.run([rig.tool("stress", "truncate"), stage.path("map.cdb"), str(TRUNCATIONS),
                           str(THREADS)], capture_output=True, text=True, check=False)
    that(done.stdout, f"it ended with status {done.returncode}: {done.stderr}")
    loaded, refused, wrong = map(int, done.stdout.split())
    figure(f"{loaded + refused + wrong} loads of a map that is cut meanwhile: {loaded} whole, "
           f"{refused} refused, {wrong} wrong")
    equal(wrong, 0, "loads that are neither whole nor refused")
    that(loaded > TRUNCATIONS // 50 and refused > TRUNCATIONS // 50,
         f"the cuts did not come at all moments: {done.stdout}")


# --- keys that collide ---

MASK = 0xffffffff
HASHES = {
    # name: (the hash of nothing, one step with a byte)
    "djb": (5381, lambda h, byte: (h * 33 + byte) & MASK),
    "djb xor, as of cdb": (5381, lambda h, byte: (h * 33 & MASK) ^ byte),
    "FNV-1a": (0x811c9dc5, lambda h, byte: (h ^ byte) * 0x01000193 & MASK),
}
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def hash_on(step, start, text):
    """Continues a hash with a text."""
    for byte in text.encode():
        start = step(start, byte)
    return start


def find_pair(step, start, chance):
    """Two texts of one length that take a hash to the same state: a birthday."""
    seen = {}
    while True:
        text = "".join(chance.choices(ALPHABET, k=7))
        state = hash_on(step, start, text)
        if seen.setdefault(state, text) != text:
            return seen[state], text, state


def colliding(name, count):
    """So many addresses that all have the same hash, whatever stands behind them."""
    state, step = HASHES[name]
    chance = random.Random(1)
    pairs = []
    while 2 ** len(pairs) < count:  # each pair doubles them
        one, other, state = find_pair(step, state, chance)
        pairs.append((one, other))
    return ["".join(parts) + "@example.com"
            for parts in itertools.islice(itertools.product(*pairs), count)]


def like(addresses):
    """As many addresses of the same length, at random."""
    chance = random.Random(2)
    size = len(addresses[0]) - len("@example.com")
    return ["".join(chance.choices(ALPHABET, k=size)) + "@example.com" for _ in addresses]


def write_maps(stage, name, addresses):
    """Maps with addresses as senders, and as logins, and compiled."""
    senders = stage.write(name, "".join(f"{LOGIN} {address}\n" for address in addresses))
    logins = stage.write(f"{name}.logins", "".join(f"{a} own@example.org\n" for a in addresses))
    began = time.monotonic()
    done = run("compile", "-o", stage.path(f"{name}.cdb"), f"text:{logins}")
    took = time.monotonic() - began
    equal((done.returncode, done.stderr), (0, ""), "compile")
    return f"text:{senders}, text:{logins}, cdb:{stage.path(name)}.cdb", took


def load_ms(server):
    """The milliseconds that a reload takes."""
    mark = server.log.mark()
    server.hang_up()
    return int(re.search(r"took_ms=(\d+)", server.wait_for("reload", mark)[0])[1])


@suite.case(f"{COLLIDING} keys that collide under {{kind}} take at most twice as long to load",
            kind=list(HASHES))
def collisions(stage, kind):
    state, step = HASHES[kind]
    addresses = colliding(kind, COLLIDING)
    equal(len({hash_on(step, state, address) for address in addresses}), 1, "different hashes")
    equal(len(set(addresses)), COLLIDING, "different addresses")
    bad, compile_bad = write_maps(stage, "bad", addresses)
    good, compile_good = write_maps(stage, "good", like(addresses))
    servers = [stage.server(maps=maps, reload="signal", log_level="info").start()
               for maps in (good, bad)]
    times = [[load_ms(server) for server in servers] for _ in range(LOADS)]
    usual, worst = (statistics.median(column) for column in zip(*times))
    equal(servers[1].ask(LOGIN, addresses[-1]), "DUNNO", "the last of them")
    for server in servers:
        server.stop()
    figure(f"{COLLIDING} keys that collide under {kind}: loaded in {worst} ms, as many others in "
           f"{usual} ms; compiled in {compile_bad:.2f} s, others in {compile_good:.2f} s")
    that(is_sanitized() or worst <= 2 * usual + 20, f"{worst} ms, {usual} ms for others")
    that(is_sanitized() or compile_bad <= 3 * compile_good + 0.2,
         f"{compile_bad:.2f} s to compile, {compile_good:.2f} s for others")


if __name__ == "__main__":
    sys.exit(suite.run(rig.Stage))
