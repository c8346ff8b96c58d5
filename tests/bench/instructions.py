# SPDX-License-Identifier: BSD-2-Clause
"""Instructions that a request takes, by room of the source tree, as valgrind counts them.

A server runs under callgrind twice and answers many requests more the second
time; the difference is theirs alone. Half of the questions are about grants, half
about rules; half are allowed, half refused.
"""

import collections
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "..", "lib"), os.path.join(HERE, "..", "e2e")]

import fromguard  # noqa: E402  (found on the path above)
import maps  # noqa: E402

BUDGET = os.path.join(HERE, "instructions.budget")
MARGIN = 1.1
SEEDS = 120  # by which a room differs as hash tables are seeded by chance
FEW, MANY = 200, 2200
ROOMS = ("base", "wire", "maps", "policy", "server")

ROOM = re.compile(r"(?:^|/)(?:src|include)/(\w+)/[^/]+\.[ch]$")


def why_not():
    """The reason why nothing can be counted here; nothing where it can."""
    if not shutil.which("valgrind"):
        return "valgrind is not installed"
    with open(fromguard.PROGRAM, "rb") as program:
        built = program.read()
    if fromguard.is_sanitized() or b" -O2" not in built:
        return "the program is not built as a release is, -O2 -g"
    return ""


def room_of(file, binary):
    """The room that a source file is in, or whose else the code is."""
    found = ROOM.search(file)
    if found and found[1] in ROOMS:
        return found[1]
    # What has no binary was compiled by PCRE2 while it ran.
    return "start" if binary.endswith("/fromguard") else "libraries"


def read_profile(path):
    """Instructions by room of one callgrind file."""
    counts = collections.Counter()
    file = binary = "???"
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            key, _, value = line.rstrip("\n").partition("=")
            if key == "ob":
                binary = value
            elif key in ("fl", "fi", "fe"):
                file = value
            elif key == "calls":
                next(lines)  # the cost of the callee, counted where it stands
            elif line[:1].isdigit() or line[:1] in "+-*":
                counts[room_of(file, binary)] += int(line.split()[1])
    return counts


def count(nest, questions):
    """Instructions by room of a server that answers these questions, from start to end."""
    profile = nest.path(f"callgrind.{len(questions)}")
    logins, rules = maps.Logins(1000), maps.DomainRules(100)
    text = maps.write(nest.path("count.txt"), logins.senders())
    pcre = maps.write(nest.path("count.pcre"), rules.rules())
    server = fromguard.Server(nest, f"count{len(questions)}", {
        "maps": f"text:{text}, pcre:{pcre}", "reload": "signal",
        # No clock of a busy machine decides how much is done.
        "rule_budget": "10s"})
    server.command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}",
                      "--compress-strings=no", "--compress-pos=no", *server.command]
    server.start()
    with server.client() as client:
        for login, sender, expected in questions:
            # The same instance: a refusal is logged once.
            action = client.ask(login, sender, instance="1a2b.6565c3a1.1.0")
            if (action == "DUNNO") != (expected == "allow"):
                raise RuntimeError(f"{login} {sender}: {action}")
    if server.stop() != 0:
        raise RuntimeError("\n".join(server.log.lines()[-10:]))
    return read_profile(profile)


def measure(nest):
    """Instructions a request, by room, in their order; the sum is last."""
    pairs = zip(maps.Logins(1000).questions(MANY), maps.DomainRules(100).questions())
    questions = [question for pair in pairs for question in pair][:MANY]
    few, many = count(nest, questions[:FEW]), count(nest, questions)
    found = {room: round((many[room] - few[room]) / (MANY - FEW))
             for room in (*ROOMS, "libraries")}
    found["sum"] = sum(found.values())
    return found


def read_budget():
    """Instructions a request that each room had when it was last agreed on."""
    with open(BUDGET, encoding="ascii") as file:
        pairs = (line.split() for line in file if not line.startswith("#"))
        return {room: int(number) for room, number in pairs}
