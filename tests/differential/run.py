#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares fromguard with Postfix's own check on worlds made from a seed.

CASES pairs of login and sender (100,000 unless the environment says
otherwise) are asked of reject_authenticated_sender_login_mismatch and of
fromguard, with the same tables. Every difference has to be explained by rules
of fromguard; SEED makes other worlds.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import random
import subprocess
import sys

import sides  # first: it finds the others' folders
import mailhost
import tap
import worlds
from judge import NO_ADDRESS, Judge
from model import RULES
from processes import Nest, find_program
from shrink import reproduce

CASES = int(os.environ.get("CASES", "100000"))
SEED = os.environ.get("SEED", "1")

PAIRS = 2500          # of one world
WORLDS_AT_A_TIME = 20
ENOUGH = 50000        # pairs in which every rule has to show itself
SAMPLE = 50           # pairs of a world that are asked through check_policy_service
SHOWN = 3             # failures that are made small and shown

suite = tap.Suite()


class Comparison:
    """All answers that are still needed once they are judged."""

    def __init__(self):
        self.asked = 0
        self.classes = collections.Counter()
        self.failures = collections.Counter()
        self.shown = []
        self.policy_checked = 0
        self.policy_failures = []
        self.samples = []    # (world, pair, native, guard)
        self.lacked = set()  # rules without which some answer would have been another

    def run(self):
        """Asks everything, some worlds at a time."""
        number = 0
        while self.asked < CASES:
            batch, planned = [], self.asked
            while planned < CASES and len(batch) < WORLDS_AT_A_TIME:
                world = worlds.make(SEED, number, min(PAIRS, CASES - planned))
                batch.append(world)
                planned += len(world.pairs)
                number += 1
            self._run_batch(batch)
            print(f"# {self.asked} pairs of {number} worlds asked", flush=True)

    def _run_batch(self, batch):
        with Nest() as nest:
            court = sides.Court(nest, batch)
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                for world, answers in zip(batch, pool.map(lambda w: ask(court, w), batch)):
                    self._judge(court, world, answers)

    def _judge(self, court, world, answers):
        judge = Judge(world)
        for pair, native, guard in answers.triples:
            self.asked += 1
            complaint, rules, direction = judge.judge(pair, native, guard)
            if complaint:
                self._fail(court, world, (pair, native, guard), complaint)
            elif rules:
                self.classes[f"{direction}: {' + '.join(rules)}"] += 1
                self.lacked |= {rule for rule in rules if rule not in self.lacked
                                and judge.needs(rule, pair, guard)}
            else:
                kind = "not asked" if native.startswith(NO_ADDRESS) else "equal"
                self.classes[f"{kind}: {native[:3]}"] += 1
        self._compare_policy(world, answers)
        bare = dataclasses.replace(world, pairs=())
        self.samples += [(bare, *triple) for triple in answers.sampled]

    def _fail(self, court, world, triple, complaint):
        self.failures[complaint] += 1
        if len(self.shown) < SHOWN:
            pair, native, guard = triple
            self.shown.append(f"{complaint}\n  Postfix:   {native}\n  fromguard: {guard}\n"
                              f"{reproduce(court, world, pair, complaint, SEED)}")

    def _compare_policy(self, world, answers):
        for (pair, native, guard), line in zip(answers.sampled, answers.policy):
            self.policy_checked += 1
            if line != (native if native.startswith(NO_ADDRESS) else guard):
                self.policy_failures.append(
                    f"SEED={SEED}, world {world.number}: {pair}\n  through Postfix: {line}\n"
                    f"  directly:        {guard}")

    def expect_all(self):
        """Fails unless all that was to be asked has been."""
        tap.that(self.asked >= CASES, f"{self.asked} pairs are asked instead of {CASES}")

    @staticmethod
    def diagnostics():
        """Nothing more: a failure says all."""
        return ""


class Answers:
    """All answers about one world; `policy` has those to the sampled pairs through Postfix."""

    def __init__(self, triples, sampled, policy):
        self.triples = triples
        self.sampled = sampled
        self.policy = policy


def ask(court, world):
    """Asks both sides about all pairs of a world, and Postfix with fromguard about some."""
    triples = list(zip(world.pairs, court.native_lines(world, world.pairs),
                       court.server_lines(world, world.pairs)))
    chance = random.Random(f"{SEED}/{world.number}/sample")
    places = sorted(chance.sample(range(len(triples)), min(SAMPLE, len(triples))))
    sampled = [triples[place] for place in places]
    return Answers(triples, sampled,
                   court.guarded_lines(world, [pair for pair, _, _ in sampled]))


def complain(comparison, *complaints):
    """Fails where there are such complaints, and shows what is shown of them."""
    comparison.expect_all()
    count = sum(comparison.failures[complaint] for complaint in complaints)
    shown = [text for text in comparison.shown if text.startswith(complaints)]
    tap.that(not count, f"{count} pairs\n" + "\n".join(shown))


@suite.case("both sides are asked")
def asked(comparison):
    comparison.run()
    for name, count in sorted(comparison.classes.items(), key=lambda item: -item[1]):
        print(f"# figure: {count:8} {name}", flush=True)
    complain(comparison, "a reply that no check gives")


@suite.case("Postfix's own check answers as its model does")
def modelled(comparison):
    complain(comparison, "the native check does not answer as its model")


@suite.case("every difference is explained by rules")
def explained(comparison):
    complain(comparison, "fromguard does not answer as the rules say")


@suite.case("the replies of equal verdicts are equal, byte for byte")
def same_replies(comparison):
    complain(comparison, "two replies for one verdict")


@suite.case("through check_policy_service the replies are the same")
def policy(comparison):
    tap.that(comparison.policy_checked, "none were asked")
    tap.that(not comparison.policy_failures, "\n".join(comparison.policy_failures[:SHOWN]))


@suite.case("a fromguard that lacked one of the rules would be found")
def lacking(comparison):
    comparison.expect_all()
    unseen = [rule for rule in RULES if rule not in comparison.lacked]
    if comparison.asked < ENOUGH:
        print(f"# {comparison.asked} pairs are too few to show: {', '.join(unseen) or 'nothing'}")
        return
    tap.equal(unseen, [], "rules without which all answers would be the same")


@suite.case("a mutated answer is found")
def mutated(comparison):
    tap.that(comparison.samples, "there is nothing to mutate")
    for world, pair, native, guard in comparison.samples[::7]:
        judge = Judge(world)
        if native.startswith(NO_ADDRESS) or judge.judge(pair, native, guard)[0]:
            continue
        for change in (flip(pair, guard), guard + " ", guard.replace(pair.login, "somebody", 1),
                       "451 4.3.0 <>: Sender address rejected: trouble"):
            tap.that(change == guard or native != guard and change[:4] == guard[:4] or
                     judge.judge(pair, native, change)[0],
                     f"not found: {change!r} in place of {guard!r}")


def flip(pair, guard):
    """The opposite answer."""
    if not guard.startswith("250"):
        return "250 2.1.0 Ok"
    return (f"553 5.7.1 <{pair.sender}>: Sender address rejected: not owned by user {pair.login}")


def missing():
    """Why nothing can be compared on this machine, or None."""
    reason = mailhost.missing()
    if reason:
        return reason
    with Nest() as nest:
        nest.write("main.cf", "")
        types = subprocess.run([find_program("postconf"), "-c", nest.folder, "-m"],
                               capture_output=True, text=True, check=False).stdout.split()
    return None if "cdb" in types else "Postfix has no cdb tables (package postfix-cdb)"


@contextlib.contextmanager
def open_comparison():
    """A comparison; each batch of worlds has a nest of its own."""
    yield Comparison()


if __name__ == "__main__":
    sys.exit(suite.run(open_comparison, missing()))
