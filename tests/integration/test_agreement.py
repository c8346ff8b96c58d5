#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`who` and `what` against `explain`, on every row of the golden cases.

Where a row allows a login a sender, `who SENDER` has to name that login, or a
pattern that covers it, and `what LOGIN` the sender, its base, a pattern that
covers it, or the rule that decided. Where a row rejects, neither may.
"""

import importlib.util
import json
import os
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path += [os.path.join(ROOT, "tests", folder) for folder in ("e2e", "differential")]

import tap  # noqa: E402  (found on the path above)
from model import ALL, Model, unquote  # noqa: E402
from words import divide  # noqa: E402
from worlds import World  # noqa: E402


def load_golden():
    """The module that runs the golden cases, which is named like others."""
    path = os.path.join(ROOT, "tests", "golden", "run.py")
    spec = importlib.util.spec_from_file_location("golden", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


golden = load_golden()
CASES = sorted(name for name in os.listdir(golden.HERE)
               if os.path.exists(os.path.join(golden.HERE, name, "cases")))

LONGEST = 2048  # bytes of an address

suite = tap.Suite()


class Case:
    """A golden case, and what its configuration has been asked."""

    def __init__(self, folder):
        self._folder = folder
        self._answers = {}
        settings = {setting["name"]: setting["value"]
                    for setting in self._run("config", "--json")}
        self._accounts = "accounts:" in settings["maps"] or "cdb:" in settings["maps"]
        self._local_domains = settings["local_domains"].replace(",", " ").split()
        self._model = Model(World(0, settings["recipient_delimiter"], True, ()), ALL)

    def rows(self):
        """All its rows."""
        return golden.read_rows(os.path.join(self._folder, "cases"))

    def _run(self, command, *arguments):
        done = golden.fromguard(self._folder, command, "-c", "fromguard.conf", *arguments)
        try:
            return json.loads(done.stdout.decode("utf-8"))
        except ValueError:
            raise tap.Failure(f"{command} {arguments} printed {done.stdout!r} "
                              f"{done.stderr!r}") from None

    def items(self, command, argument):
        """The items that who or what lists."""
        if (command, argument) not in self._answers:
            said = self._run(command, "--json", "--", argument or b"<>")
            self._answers[command, argument] = said["logins" if command == "who" else "senders"]
        return self._answers[command, argument]

    # What one name may be called

    def names(self, address):
        """The canonical spellings of an address, with a domain and without."""
        if address.endswith("@"):
            return {address}
        names = {self._model.canonical(address)}
        if "@" not in address:
            names |= {self._model.canonical(f"{address}@{domain}")
                      for domain in self._local_domains}
        return names

    def covers_login(self, item, login, row):
        """Does an item of `who` stand for the login?"""
        pattern = item["pattern"]
        if pattern == "*":
            return True
        names = self.names(login)
        if "@" not in pattern and item["origin"] and item["origin"] == row.origin:
            names |= self.names(divide(login)[0])  # everybody's %n@domain
        if pattern.startswith("@"):
            return any(divide(name)[1] == divide(self._model.canonical("x" + pattern))[1]
                       for name in names)
        return self._model.canonical(unquote(pattern)) in names

    def covers_sender(self, item, sender, _row):
        """Does an item of `what` stand for the sender?"""
        pattern = item["pattern"]
        if not sender or pattern == "<>":
            return not sender and pattern == "<>"
        if sender.startswith("@") or _size(self._model.canonical(sender)) > LONGEST:
            return False
        if pattern == "*":
            return True
        if not divide(sender)[1] and self._local_domains:
            sender = f"{sender}@{self._local_domains[0]}"
        base = self._model.base(sender)
        names = self.names(sender) | (self.names(base) if base else set())
        if pattern.startswith("@"):
            domain = divide(self._model.canonical(sender))[1]
            wanted = divide(self._model.canonical("x@" + pattern[1:].removeprefix(".")))[1]
            return domain.endswith("." + wanted) if pattern.startswith("@.") else domain == wanted
        return bool(self.names(unquote(pattern)) & names)

    # Judging

    def wrong(self, row):
        """What is wrong with the two answers, as text, or None."""
        login, sender = (text.decode("utf-8", "surrogateescape")
                         for text in (row.login, row.sender))
        for command, argument, covers, name in (
                ("who", row.sender, self.covers_login, login),
                ("what", row.login, self.covers_sender, sender)):
            items = self.items(command, argument)
            never = [item["pattern"] for item in items
                     if item["kind"] == "never" and covers(item, name, row)]
            may = [item for item in items if item["kind"] != "never"
                   and self._gives(item, covers, row, name)]
            if command == "who" and row.reason == "self" and self._accounts:
                continue  # `who` lists accounts, where it is told which there are
            if row.verdict == "allow" and not may:
                return f"{command} {argument!r} does not list it"
            if row.verdict == "allow" and never:
                return f"{command} {argument!r} has never {never}"
            if row.verdict == "reject" and may and not never:
                return f"{command} {argument!r} lists {[item['pattern'] for item in may]}"
        return None

    @staticmethod
    def _gives(item, covers, row, name):
        """Does an item give what the row is about?

        A rule, and a domain's catch-all, are listed for what they can give;
        what they do not give they say nothing about.
        """
        if item["kind"] == "rule":
            return row.verdict == "allow" and item["origin"] == row.origin
        if not covers(item, name, row):
            return False
        return row.verdict == "allow" or item["reason"] != "alias" or item["pattern"][0] != "@"


def _size(text):
    return len(text.encode("utf-8", "surrogateescape"))


def in_question(row):
    """Is the row about a login that may, or may not, for who owns the sender?"""
    return row.login and row.verdict != "trouble" and row.reason != "unlisted" and \
        b"\0" not in row.login + row.sender


@suite.case("{folder}: who and what agree with explain", folder=CASES)
def agreement(stage, folder):
    case = Case(golden.prepare(folder, stage.scratch))
    wrong = []
    for row in case.rows():
        reason = in_question(row) and case.wrong(row)
        if reason:
            wrong.append(f"{row.number}: {row.name}: {reason}")
        stage.rows += 1
    tap.that(not wrong, "\n".join(wrong))


@suite.case("there are rows enough")
def enough(stage):
    print(f"# {stage.rows} rows")
    tap.that(stage.rows >= 250, "the golden cases have gone")


class Stage:
    """A folder for compiled cases, and a count."""

    def __init__(self):
        self.rows = 0

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="fromguard-agreement-")
        self.scratch = self._folder.name
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    @staticmethod
    def diagnostics():
        """Nothing more: a failure says all."""
        return ""


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
