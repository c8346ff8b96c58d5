# SPDX-License-Identifier: BSD-2-Clause
"""Against the floor, a server that decides nothing; and what the size of a map costs."""

import maps
import measure
from table import Line, row

MANY = 100000


@row
def cpu(scene):
    """CPU of the server a request."""
    found = measure.ratio(scene.under_load, lambda run: run.cpu)
    return [Line("CPU a request, a million logins, against the floor", found.value,
                 found.text("us", 1e6, 2), at_most=1.15)]


@row
def rate(scene):
    """Requests a second."""
    found = measure.ratio(scene.under_load, lambda run: run.rate)
    return [Line("requests a second, against the floor", found.value,
                 found.text("thousand", 1e-3), at_least=0.9)]


@row
def latency(scene):
    """The 99th percentile."""
    lines = []
    for connections in (10, 500):
        found = measure.ratio(scene.against_floor(connections), lambda run: run.p99)
        lines.append(Line(f"p99 at {connections} connections, against the floor", found.value,
                          found.text("us", 1e6, 0), at_most=1.25))
    return lines


@row
def size(scene):
    """A million logins against ten."""
    few = maps.Logins(10)
    few_map = scene.write_map("ten.txt", few.senders())
    few_questions = scene.write_questions("ten.questions", few.questions())
    ten = scene.guard("ten", maps=f"text:{few_map}")
    million, questions = scene.million, scene.million_questions
    scene.say("asking about a million logins and about ten")
    pairs = measure.rounds(lambda: measure.load(million, 50, questions),
                           lambda: measure.load(ten, 50, few_questions))
    ten.stop()
    found = measure.ratio(pairs, lambda run: run.cpu)
    return [Line("CPU a request, a million logins, against ten", found.value,
                 found.text("us", 1e6, 2), at_most=1.1)]


@row
def crowd(scene):
    """An address of many owners and a login of many senders, against one of one each."""
    crowd_of = maps.Crowd(MANY)
    path = scene.write_map("crowd.txt", crowd_of.senders())
    many = scene.write_questions("many.questions", crowd_of.many())
    one = scene.write_questions("one.questions", crowd_of.one())
    guard = scene.guard("crowd", maps=f"text:{path}")
    scene.say(f"asking about {MANY} owners and senders, and about one")
    pairs = measure.rounds(lambda: measure.load(guard, 50, many),
                           lambda: measure.load(guard, 50, one))
    guard.stop()
    found = measure.ratio(pairs, lambda run: run.cpu)
    return [Line("CPU a request, 100,000 owners or senders, against one", found.value,
                 found.text("us", 1e6, 2), at_most=1.1)]
