# SPDX-License-Identifier: BSD-2-Clause
"""Instructions a request, which do not depend on how busy the machine is."""

import instructions
from table import Line, Skip, row


@row
def instruction_count(scene):
    """By room, against the budget that a test holds them to."""
    why_not = instructions.why_not()
    if why_not:
        raise Skip(why_not)
    scene.say("counting instructions")
    found, budget = instructions.measure(scene.nest), instructions.read_budget()
    return [Line(f"instructions a request, {room}, against the budget",
                 number / max(budget.get(room, 1), 1), str(number), at_most=instructions.MARGIN)
            for room, number in found.items()]
