# SPDX-License-Identifier: BSD-2-Clause
"""What several rows share, each made when a row first asks for it."""

import functools
import os

import fromguard
import maps
import measure

MILLION = 1000000


class Scene:
    """Maps and servers of one run of the benchmark; all end with the nest."""

    def __init__(self, nest, say):
        self.nest = nest
        self.say = say

    def write_map(self, name, lines):
        """Writes a map into the nest."""
        return maps.write(self.nest.path(name), lines)

    def write_questions(self, name, questions):
        """Writes questions into the nest."""
        return maps.write_questions(self.nest.path(name), questions)

    def guard(self, name, **settings):
        """A fromguard."""
        return measure.Guard(self.nest, name, **settings)

    @functools.cached_property
    def floor(self):
        """The floor server."""
        return measure.start_floor(self.nest)

    @functools.cached_property
    def million_text(self):
        """A million logins with two million grants, as text."""
        self.say("writing a million logins")
        return self.write_map("million.txt", maps.Logins(MILLION).senders())

    @functools.cached_property
    def million_cdb(self):
        """The same, compiled."""
        path = self.nest.path("million.cdb")
        text = self.million_text
        self.say("compiling a million logins")
        measure.run(fromguard.PROGRAM, "compile", "-o", path, f"text:{text}")
        return path

    @functools.cached_property
    def million_questions(self):
        """Half of them allowed, half refused."""
        return self.write_questions("million.questions", maps.Logins(MILLION).questions())

    @functools.cached_property
    def million(self):
        """A fromguard that serves the million logins."""
        path = self.million_cdb
        self.say("loading a million logins")
        return self.guard("million", maps=f"cdb:{path}")

    @functools.cached_property
    def under_load(self):
        """Pairs of fromguard and the floor under 50 connections."""
        return self.against_floor(50)

    def against_floor(self, connections):
        """Pairs of runs of fromguard, a million logins, and of the floor."""
        questions, guard, floor = self.million_questions, self.million, self.floor
        self.say(f"asking over {connections} connections")
        return measure.rounds(lambda: measure.load(guard, connections, questions),
                              lambda: measure.load(floor, connections, f"{questions}.any"))

    @functools.cached_property
    def million_size(self):
        """Bytes of the compiled map."""
        return os.path.getsize(self.million_cdb)
