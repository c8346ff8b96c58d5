# SPDX-License-Identifier: BSD-2-Clause
"""No room of the source tree takes a tenth more instructions a request than was agreed on."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "..", "bench"), os.path.join(HERE, "..", "e2e")]

import instructions  # noqa: E402  (found on the path above)
import tap  # noqa: E402
from processes import Nest  # noqa: E402

suite = tap.Suite()


class Count:
    """What was counted; a context manager, as a suite wants its stage to be."""

    def __enter__(self):
        with Nest() as nest:
            self.found = instructions.measure(nest)
        print("# figure: instructions a request: "
              + ", ".join(f"{room} {number}" for room, number in self.found.items()))
        return self

    def __exit__(self, *_):
        pass

    def diagnostics(self):
        """All of it."""
        return str(self.found)


@suite.case("{room}: instructions a request", room=list(instructions.read_budget()))
def within_budget(count, room):
    wanted, number = instructions.read_budget()[room], count.found.get(room, 0)
    tap.that(number <= wanted * instructions.MARGIN + instructions.SEEDS,
             f"{number} instructions; {wanted} were agreed on ({instructions.BUDGET})")


@suite.case("every room is counted")
def all_rooms(count):
    tap.equal([room for room in instructions.ROOMS if count.found.get(room, 0) < 10], [],
              "rooms in which nothing was counted")


if __name__ == "__main__":
    sys.exit(suite.run(Count, instructions.why_not()))
