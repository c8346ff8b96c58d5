# SPDX-License-Identifier: BSD-2-Clause
"""Rules: those that a domain finds, and those that have to be tried."""

import measure
import maps
from table import Line, row

KEYS = 2000  # asked of postmap in one go


def _postmap_folder(scene):
    """A configuration for postmap."""
    scene.write_map("main.cf", ["compatibility_level = 3.6\n"])
    return scene.nest.folder


@row
def rules_by_domain(scene):
    """Ten thousand rules, each with a domain, against ten."""
    sides = []
    for count in (10000, 10):
        rules = maps.DomainRules(count)
        path = scene.write_map(f"domains{count}.pcre", rules.rules())
        questions = scene.write_questions(f"domains{count}.questions", rules.questions())
        sides.append((scene.guard(f"domains{count}", maps=f"pcre:{path}"), questions))
    scene.say("asking 10,000 rules with a domain each, and 10")
    pairs = measure.rounds(*(lambda side=side: measure.load(side[0], 50, side[1])
                             for side in sides))
    for guard, _ in sides:
        guard.stop()
    found = measure.ratio(pairs, lambda run: run.cpu)
    return [Line("CPU a request, 10,000 rules with domains, against 10", found.value,
                 found.text("us", 1e6, 2), at_most=1.2)]


@row
def rules_to_try(scene):
    """Ten thousand rules that have to be tried, against Postfix's own pcre tables."""
    rules = maps.AnyRules(10000)
    path = scene.write_map("any.pcre", rules.rules())
    questions = scene.write_questions("any.questions", rules.questions(KEYS))
    keys = scene.write_map("any.keys", (f"{sender}\n" for sender in rules.senders(KEYS)))
    guard = scene.guard("any", maps=f"pcre:{path}", rule_budget="1s")
    folder = _postmap_folder(scene)

    def lookups(keys_path, count):
        with open(keys_path, encoding="ascii") as file:
            cost = measure.cost_of(*measure.on_core(measure.SERVER_CORE, [
                "postmap", "-c", folder, "-q", "-", f"pcre:{path}"]), stdin=file)
        return cost.cpu / count

    scene.say("asking 10,000 rules that have to be tried")
    # What postmap takes to read the table is not a lookup.
    one_key = scene.write_map("any.key", [f"user0.team0@{maps.domain(0)}\n"])
    start = lookups(one_key, 1)
    pairs = measure.rounds(lambda: measure.load(guard, 10, questions).cpu,
                           lambda: lookups(keys, KEYS) - start / KEYS)
    guard.stop()
    found = measure.ratio(pairs, lambda seconds: seconds)
    return [Line("CPU a lookup, 10,000 rules to try, against postmap pcre:", found.value,
                 found.text("us", 1e6, 0), at_most=0.5)]
