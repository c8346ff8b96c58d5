#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: run.py

Measures fromguard against a server that decides nothing, against postfwd2, and
against Postfix's own check and tools: everything side by side in one go, the
alternatives in turn (A B B A ...), the median of the ratios of pairs. Prints one
table; the table and the machine go to BUILD/bench.txt. Exit status 1 where a bar
was missed.

ONLY=cpu,rules   rows by (parts of) their names; ONLY=? lists them
ROUNDS=5         pairs of each row
SECONDS=2        of load in each
BIG=1            ten million logins as well
"""

import datetime
import os
import platform
import subprocess
import sys
import time

import measure
import rows_floor  # noqa: F401  (each registers its rows)
import rows_rules  # noqa: F401
import rows_peers  # noqa: F401
import rows_size  # noqa: F401
import rows_instructions  # noqa: F401
import table
from processes import Nest
from scene import Scene


def say(text):
    """Tells what is being done now."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def processor():
    """The processor's name."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()


def machine():
    """What it was measured on."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2 ** 30
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return (f"{datetime.date.today()}: {os.cpu_count()} x {processor()}, {memory:.0f} GB, "
            f"Linux {platform.release()}, load before {load}\n"
            f"median of {measure.ROUNDS} pairs of {measure.SECONDS:g} s")


def measure_row(scene, row):
    """The lines of one row; what can not be measured is said, not left out."""
    say(f"{row.name}: {row.measure.__doc__}")
    try:
        lines = row.measure(scene)
    except table.Skip as why:
        return [table.Line(f"{row.name}: skipped, {why}", None)]
    except (OSError, RuntimeError, subprocess.SubprocessError) as why:
        say(f"  failed: {why}")
        return [table.Line(f"{row.name}: failed", None, at_most=0)]
    for line in lines:
        say(f"  {line.name}: {line.measured} {line.bar} {line.verdict}")
    return lines


def main():
    """Measures, prints, writes."""
    rows = table.chosen(os.environ.get("ONLY", ""))
    head = machine()
    lines = []
    with Nest() as nest:
        scene = Scene(nest, lambda text: say(f"  {text}"))
        for row in rows:
            lines += measure_row(scene, row)
    text = f"{head}\n\n{table.format_table(lines)}\n"
    print(text, end="")
    with open(os.path.join(measure.BUILD, "bench.txt"), "w", encoding="utf-8") as file:
        file.write(text)
    return 1 if any(line.verdict in ("MISSED", "FAILED") for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
