# SPDX-License-Identifier: BSD-2-Clause
"""Test cases that report in TAP: a suite, its cases, and a few checks.

    suite = tap.Suite()

    @suite.case("{flavour}: own address is accepted", flavour=["submission", "submissions"])
    def own_address(stage, flavour): ...

    sys.exit(suite.run(open_stage, skip_reason))

A case fails by raising, and is skipped by raising Skip; what a failure says is
printed as `# ` lines beneath its `not ok`. Cases run in the order in which they
were written down, on one stage, so an earlier case may leave something for a
later one.
"""

import sys
import traceback


class Failure(Exception):
    """What a case saw is not what it expected."""


class Skip(Exception):
    """A case can not be run here; the text says why."""


def equal(got, wanted, what="value"):
    """Fails unless `got` is exactly `wanted`."""
    if got != wanted:
        raise Failure(f"{what}\n  wanted: {wanted!r}\n  got:    {got!r}")


def that(condition, message):
    """Fails with `message` unless `condition` holds."""
    if not condition:
        raise Failure(message)


class Suite:
    """The cases of one test file, in order."""

    def __init__(self):
        self._cases = []
        self._number = 0
        self._failed = 0

    def case(self, name, **variants):
        """Registers a function, once, or once for each value of its one variant."""

        def register(function):
            if not variants:
                self._cases.append((name, function, {}))
            for key, values in variants.items():
                for value in values:
                    arguments = {key: value}
                    self._cases.append((name.format(**arguments), function, arguments))
            return function

        return register

    def run(self, open_stage, skip=None):
        """Runs every case on the stage that `open_stage()` returns, a context manager.

        Where `skip` is a reason, no stage is opened and every case is reported
        as skipped. Returns the exit status for the whole file.
        """
        print(f"1..{len(self._cases)}", flush=True)
        if skip:
            for name, _, _ in self._cases:
                self._report("ok", name, directive=f" # SKIP {skip}")
            return 0
        try:
            with open_stage() as stage:
                for name, function, arguments in self._cases:
                    self._run_case(stage, name, function, arguments)
        except Failure as failure:
            self._fail_the_rest(str(failure))
        except Exception:
            self._fail_the_rest(traceback.format_exc())
        return 1 if self._failed else 0

    def _run_case(self, stage, name, function, arguments):
        try:
            function(stage, **arguments)
        except Skip as skip:
            self._report("ok", name, directive=f" # SKIP {skip}")
        except Failure as failure:
            self._report("not ok", name, f"{failure}\n{getattr(stage, 'diagnostics', str)()}")
        except Exception:
            self._report("not ok", name, f"{traceback.format_exc()}\n{getattr(stage, 'diagnostics', str)()}")
        else:
            self._report("ok", name)

    def _fail_the_rest(self, why):
        """Reports what could not run; trouble after the last case still fails the file."""
        self._failed += 1
        self._comment(why)
        for name, _, _ in self._cases[self._number:]:
            self._report("not ok", name, "could not be run: see above")

    def _report(self, status, name, detail="", directive=""):
        self._number += 1
        self._failed += status != "ok"
        print(f"{status} {self._number} - {name}{directive}", flush=True)
        self._comment(detail)

    @staticmethod
    def _comment(text):
        for line in text.splitlines():
            printable = line.encode("utf-8", "backslashreplace").decode("utf-8")
            print(f"# {printable}", flush=True)
        sys.stdout.flush()
