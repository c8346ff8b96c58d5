# SPDX-License-Identifier: BSD-2-Clause
"""Reloads at full load, in every way in which a file is replaced, half of them broken.

Each answer shows by itself whether it is of one generation of the files:

- BOTH is granted on the first line of one generation and on the last of the
  other, OTHER the other way round: either is refused where a half of a file was
  read.
- reject_text names the generation of the configuration, which is replaced at
  one time with a map that grants EVEN in even generations and ODD in odd ones:
  a refusal of EVEN by an even configuration is of two generations.

RELOADS is how many.
"""

import os
import random
import sys
import time

import rig
from fromguard import is_sanitized
from processes import wait_until
from rig import LOGIN, figure
from tap import Suite, equal, that

suite = Suite()

RELOADS = rig.knob("RELOADS", 20)
BOTH, OTHER = "both@example.com", "other@example.com"
EVEN, ODD = "even@example.com", "odd@example.com"
FILLING = 500  # lines between the first and the last
SOON = 10      # seconds until a file is loaded, at the most
BROKEN = "@@\n"

GENERATION = ("553 5.7.1 even", "553 5.7.1 odd")
QUESTIONS = [
    (LOGIN, BOTH, "DUNNO"),
    (LOGIN, OTHER, "DUNNO"),
    (LOGIN, "nobody@example.com", "|".join(GENERATION)),
    (LOGIN, EVEN, f"DUNNO|{GENERATION[1]}"),
    (LOGIN, ODD, f"DUNNO|{GENERATION[0]}"),
]


class Files:
    """The files of a server: one map alone, and a volume as Kubernetes makes them."""

    def __init__(self, stage):
        self.stage = stage
        self.number = 0  # of the generation of the map alone
        self.path = stage.path("map")
        self.volume = stage.path("volume")
        self.version = 0  # of the generation of the volume
        self.folders = 0
        self.chance = random.Random(1)
        os.mkdir(self.volume)
        self.write(self.path, self.content())
        self.swap(self.make_version())
        for name in ("senders", "fromguard.conf"):
            os.symlink(f"..data/{name}", os.path.join(self.volume, name))

    def content(self):
        """The map of a generation."""
        first, last = (BOTH, OTHER) if self.number % 2 == 0 else (OTHER, BOTH)
        lines = [first, f"g{self.number}@example.com",
                 *(f"filling{n}@example.org" for n in range(FILLING)), last]
        return "".join(f"{LOGIN} {sender}\n" for sender in lines)

    def write(self, path, content, pause=0.0):
        """Writes a file where it is, in three pieces."""
        third = len(content) // 3
        with open(path, "w", encoding="utf-8") as file:
            for piece in (content[:third], content[third:2 * third], content[2 * third:]):
                file.write(piece)
                file.flush()
                time.sleep(self.chance.uniform(0, pause))

    def is_loaded(self):
        """Does the server know this generation of the map alone?"""
        return self.stage.guard.ask(LOGIN, f"g{self.number}@example.com") == "DUNNO"

    # --- ways to replace the map; each breaks it, or takes it to another generation ---

    def rename(self, broken):
        """A new file takes the place of the old."""
        self.write(self.path + ".new", self.content() + (BROKEN if broken else ""))
        os.rename(self.path + ".new", self.path)
        if self.chance.random() < 0.5:
            self.stage.guard.hang_up()

    def rewrite(self, broken):
        """The file is written anew, in its place and slowly."""
        self.write(self.path, self.content() + (BROKEN if broken else ""), pause=0.02)

    def append(self, broken):
        """Lines come at the end; what was broken is cut off first."""
        with open(self.path, "r+", encoding="utf-8") as file:
            text = file.read()
            if text.endswith(BROKEN):
                file.truncate(len(text) - len(BROKEN))
            file.seek(0, os.SEEK_END)
            file.write(BROKEN if broken else f"{LOGIN} g{self.number}@example.com\n")

    def delete(self, broken):
        """The file is away, until it is made again."""
        if os.path.exists(self.path):
            os.unlink(self.path)
        if not broken:
            time.sleep(self.chance.uniform(0, 0.05))
            self.write(self.path, self.content(), pause=0.02)

    # --- the volume: the configuration and a map at once ---

    def make_version(self, broken=False):
        """Makes the folder of the next version, or a broken one of this; returns its name."""
        name = f"..v{self.folders}"
        self.folders += 1
        self.version += not broken
        os.mkdir(os.path.join(self.volume, name))
        sender = (EVEN, ODD)[self.version % 2]
        settings = {"listen": self.stage.address, "log_level": "warning",
                    "reject_text": ("even", "odd")[self.version % 2],
                    "maps": f"text:{self.path}, text:{self.volume}/senders"}
        with open(os.path.join(self.volume, name, "fromguard.conf"), "w", encoding="utf-8") as conf:
            conf.writelines(f"{key} = {value}\n" for key, value in settings.items())
            conf.write("nonsense = 1\n" if broken and self.folders % 4 < 2 else "")
        with open(os.path.join(self.volume, name, "senders"), "w", encoding="utf-8") as senders:
            senders.write(f"{LOGIN} {BROKEN if broken else sender}\n")
        return name

    def swap(self, name):
        """Makes ..data lead to another folder, at one time."""
        os.symlink(name, os.path.join(self.volume, "..new"))
        os.rename(os.path.join(self.volume, "..new"), os.path.join(self.volume, "..data"))

    def is_swapped(self):
        """Does the server know the last version of the volume?"""
        action = self.stage.guard.ask(LOGIN, "nobody@example.com")
        return action == GENERATION[self.version % 2]

    def symlink(self, broken):
        """The link is swapped, while a load is under way as often as not."""
        name = self.make_version(broken)
        time.sleep(0.02)  # files that are not new are read at once
        if self.chance.random() < 0.5:
            self.stage.guard.hang_up()
            time.sleep(self.chance.uniform(0, 0.001))
        self.swap(name)


class Stage(rig.Stage):
    """A server, its files, and the marks of its log."""

    def __enter__(self):
        super().__enter__()
        self.address = f"unix:{self.path('s0.sock')}"
        self.files = Files(self)
        self.guard = self.server(maps="")
        self.guard.config = os.path.join(self.files.volume, "fromguard.conf")
        self.guard.configure = lambda: None  # it is there
        self.guard.start()
        return self


WAYS = ("rename", "rewrite", "append", "delete", "symlink")


def reload(stage, way):
    """Breaks the files in one way, then mends them in the same."""
    files, guard = stage.files, stage.guard
    loaded = files.is_swapped if way == "symlink" else files.is_loaded
    mark = guard.log.mark()
    getattr(files, way)(True)
    wait_until(lambda: guard.events("reload-refused", mark), f"{way}: a refusal", SOON)
    that(loaded(), f"{way}: what was broken has changed the answers")
    if way != "symlink":
        files.number += 1
    getattr(files, way)(False)
    wait_until(loaded, f"{way}: generation {files.number}, {files.version}", SOON)


@suite.case(f"{RELOADS} reloads at full load, half of them broken: each answer is of one generation")
def reloads(stage):
    options = {"questions": QUESTIONS, "connections": 32}
    quiet = rig.load(stage, stage.address, 10 if RELOADS >= 1000 else 2, **options)
    rig.expect_faultless(quiet)
    memory = []
    with rig.Load(stage, stage.address, **options) as load:
        for number in range(RELOADS // 2):
            reload(stage, WAYS[number % len(WAYS)])
            memory.append(stage.guard.memory() >> 10)
        busy = load.end()
    rig.expect_faultless(busy)
    figure(f"{RELOADS} reloads, half of them broken, in {busy['seconds']:.0f} s: "
           f"{busy['requests']} requests, {busy['wrong']} wrong or of two generations, "
           f"{busy['unanswered']} dropped, {busy['closed']} connections closed")
    figure(f"latency at full load with and without reloads: p99.9 {busy['p999']} and "
           f"{quiet['p999']} us, p99 {busy['p99']} and {quiet['p99']} us, "
           f"p50 {busy['p50']} and {quiet['p50']} us")
    settled, last = max(memory[:len(memory) // 3]), memory[-1]
    figure(f"memory after a third of the reloads {settled} kB, after all {last} kB")
    that(is_sanitized() or last < settled + 4096, f"memory grew from {settled} to {last} kB")
    equal(stage.guard.stop(), 0, "exit status")


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
