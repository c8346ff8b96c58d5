# SPDX-License-Identifier: BSD-2-Clause
"""The rows of the benchmark, and the table that they become."""

import dataclasses


class Skip(Exception):
    """A row can not be measured here; the text says why."""


@dataclasses.dataclass
class Line:
    """One line of the table. `bar` is a bound, "<= 1.15", or empty for what is only shown."""

    name: str
    value: float
    detail: str = ""
    at_most: float = None
    at_least: float = None

    @property
    def bar(self):
        """The bound as text."""
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return f">= {self.at_least:g}" if self.at_least is not None else ""

    @property
    def verdict(self):
        """Is the bound kept?"""
        if not self.bar:
            return "-"
        if self.value is None:
            return "FAILED"
        kept = (self.value <= self.at_most if self.at_most is not None
                else self.value >= self.at_least)
        return "ok" if kept else "MISSED"

    @property
    def measured(self):
        """The ratio and what it is made of."""
        value = "" if self.value is None else f"{self.value:.3g}"
        return f"{value}  ({self.detail})" if self.detail and value else value or self.detail


@dataclasses.dataclass
class Row:
    """A function that measures, by name; it returns Lines."""

    name: str
    measure: object


ROWS = []


def row(function):
    """Registers a row: the name of the function, as users of ONLY see it."""
    ROWS.append(Row(function.__name__, function))
    return function


def chosen(only):
    """The rows that a list of words names; a row is named by any part of its name."""
    words = only.replace(",", " ").split()
    rows = [each for each in ROWS if not words or any(word in each.name for word in words)]
    if not rows:
        raise SystemExit(f"ONLY={only}: no such row; there are "
                         + ", ".join(each.name for each in ROWS))
    return rows


def format_table(lines):
    """The table as text: row | measured | bar | ok."""
    cells = [("row", "measured", "bar", "ok")]
    cells += [(line.name, line.measured, line.bar, line.verdict) for line in lines]
    widths = [max(len(cell[column]) for cell in cells) for column in range(3)]
    rows = [" | ".join([*(text.ljust(width) for text, width in zip(cell, widths)), cell[3]])
            for cell in cells]
    rows.insert(1, "-|-".join("-" * width for width in [*widths, 6]))
    return "\n".join(rows)
