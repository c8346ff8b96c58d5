# SPDX-License-Identifier: BSD-2-Clause
"""Makes a failure small: drops every table entry without which it still fails."""

import dataclasses

from judge import Judge
from tables import without


def reproduce(court, world, pair, complaint, seed):
    """The smallest world found in which a pair fails in the same way, spelt out."""
    small = dataclasses.replace(world, pairs=(pair,))
    if _complaint(court, small, pair)[0] != complaint:
        return f"SEED={seed}, world {world.number}, {pair}: not again when asked alone"
    for number in range(len(small.tables)):
        entry = 0
        while entry < len(small.tables[number].entries):
            tables = list(small.tables)
            tables[number] = without(tables[number], entry)
            candidate = dataclasses.replace(small, tables=tuple(tables))
            if tables[number].entries and _complaint(court, candidate, pair)[0] == complaint:
                small = candidate
            else:
                entry += 1
    _, native, guard = _complaint(court, small, pair)
    court.rebuild(world)
    return _spell(small, pair, native, guard, seed)


def _complaint(court, world, pair):
    """Asks both sides about one pair in a world: (complaint, native reply, fromguard's)."""
    court.rebuild(world)
    native = court.native_lines(world, [pair])[0]
    guard = court.server_lines(world, [pair])[0]
    return Judge(world).judge(pair, native, guard)[0], native, guard


def _spell(world, pair, native, guard, seed):
    lines = [f"SEED={seed}, world {world.number}",
             f"self = {'yes' if world.identity else 'no'}, "
             f"recipient_delimiter = {world.delimiter}",
             f"login {pair.login!r}, sender {pair.sender!r}, MAIL FROM:<{pair.wire}>",
             f"Postfix:   {native}", f"fromguard: {guard}"]
    for table in world.tables:
        lines.append(f"{table.kind}:")
        lines += ["  " + repr(line)[1:-1] for line in table.text().splitlines()]
    return "\n".join(lines)
