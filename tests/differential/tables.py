# SPDX-License-Identifier: BSD-2-Clause
"""Lookup tables of smtpd_sender_login_maps, which fromguard reads too."""

import dataclasses
import itertools


@dataclasses.dataclass(frozen=True)
class Fixed:
    """A table of addresses and domains: `kind` is texthash or cdb; entries are (key, value)."""

    kind: str
    entries: tuple
    line_end: str = "\n"

    def text(self):
        """The file's content; every seventh entry goes on in a second line."""
        lines = ["# owners of senders"]
        for number, (key, value) in enumerate(self.entries):
            space = f"{self.line_end}  # continued{self.line_end}\t" if number % 7 == 6 else "  "
            lines.append(f"{key}{space}{value}")
        return self.line_end.join(lines) + self.line_end * (len(lines) % 3 != 0)


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rule of a pcre table; `within` are the (pattern, negated) of the ifs around it."""

    pattern: str
    result: str
    flags: str = ""
    negated: bool = False
    within: tuple = ()


@dataclasses.dataclass(frozen=True)
class Rules:
    """A pcre table; its entries are Rules."""

    entries: tuple
    line_end: str = "\n"
    kind = "pcre"

    def text(self):
        """The file's content; neighbours within the same ifs share them."""
        lines = []
        for within, rules in itertools.groupby(self.entries, lambda rule: rule.within):
            lines += [f"if {'!' * negated}/{pattern}/" for pattern, negated in within]
            lines += [f"{'!' * rule.negated}/{rule.pattern}/{rule.flags}  {rule.result}"
                      for rule in rules]
            lines += ["endif"] * len(within)
        return self.line_end.join(lines) + self.line_end


def without(table, number):
    """The same table, but for one entry."""
    return dataclasses.replace(
        table, entries=table.entries[:number] + table.entries[number + 1:])
