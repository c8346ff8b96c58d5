# SPDX-License-Identifier: BSD-2-Clause
"""Judges two answers to one question: equal, explained by rules, or wrong."""

from model import ALL, RULES, Model

ALLOW, REJECT, TROUBLE = True, False, None

# Postfix takes no such sender at all, and asks nobody.
NO_ADDRESS = "501 5.1.7 "


class Unreadable(Exception):
    """A reply that no check gives."""


def verdict(line):
    """What a reply to MAIL FROM says."""
    if line == "250 2.1.0 Ok":
        return ALLOW
    if line.startswith("553 5.7.1 "):
        return REJECT
    if line.startswith("451 4.3.0 "):
        return TROUBLE
    raise Unreadable(line)


class Judge:
    """Judges the answers about one world."""

    def __init__(self, world):
        self._world = world
        self._models = {}

    def judge(self, pair, native, guard):
        """Returns (complaint or None, the rules that make the difference, wider or stricter)."""
        if native.startswith(NO_ADDRESS):
            return None, (), ""
        try:
            said, wanted = verdict(native), verdict(guard)
        except Unreadable as line:
            return f"a reply that no check gives: {line}", (), ""
        if self._answers(pair, frozenset()) is not said:
            return "the native check does not answer as its model", (), ""
        if self._answers(pair, ALL) is not wanted:
            return "fromguard does not answer as the rules say", (), ""
        if said is wanted:
            return (None if native == guard else "two replies for one verdict"), (), ""
        return None, self.explain(pair, wanted), "wider" if wanted else "stricter"

    def explain(self, pair, wanted):
        """The rules that turn the native answer into fromguard's: one if one is enough.

        Otherwise as many as it takes; without any one of them the answer is the native one.
        """
        for rule in RULES:
            if self._answers(pair, frozenset([rule])) is wanted:
                return (rule,)
        rules, smaller = None, ALL
        while rules != smaller:
            rules = smaller
            for rule in RULES:
                if self._answers(pair, smaller - {rule}) is wanted:
                    smaller -= {rule}
        return tuple(rule for rule in RULES if rule in rules)

    def _answers(self, pair, rules):
        return self._model(rules).allows(pair.login, pair.sender)

    def needs(self, rule, pair, guard):
        """Would a fromguard without this rule answer differently?"""
        return self._answers(pair, ALL - {rule}) is not verdict(guard)

    def _model(self, rules):
        if rules not in self._models:
            self._models[rules] = Model(self._world, rules)
        return self._models[rules]
