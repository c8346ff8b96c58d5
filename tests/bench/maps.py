# SPDX-License-Identifier: BSD-2-Clause
"""Maps of any size, and questions about them, the same ones for the same seed."""

import random

QUESTIONS = 100000  # of one file; enough that no cache holds what a million logins need


def domain(number):
    """A domain that no other number has."""
    return f"d{number}.example.com"


class Logins:
    """`count` logins, a hundred a domain, each with two addresses besides its own."""

    def __init__(self, count):
        self.count = count

    @staticmethod
    def login(number):
        """The name of one."""
        return f"user{number}@{domain(number // 100)}"

    @staticmethod
    def address(number, letter="a"):
        """One of its two addresses: a or b."""
        return f"{letter}{number}@{domain(number // 100)}"

    def senders(self):
        """A text: map, which is local_login_sender_maps(5) as well."""
        for number in range(self.count):
            yield (f"{self.login(number)}  "
                   f"{self.address(number)}, {self.address(number, 'b')}\n")

    def owners(self):
        """The same as smtpd_sender_login_maps has it, each login's own address too."""
        for number in range(self.count):
            login = self.login(number)
            yield f"{login}  {login}\n"
            yield f"{self.address(number)}  {login}\n{self.address(number, 'b')}  {login}\n"

    def accounts(self):
        """docker-mailserver's postfix-accounts.cf."""
        for number in range(self.count):
            yield f"{self.login(number)}|{{SHA512-CRYPT}}x\n"

    def questions(self, count=QUESTIONS):
        """Half of them allowed, half refused; logins and senders from all over the map."""
        rng = random.Random(self.count)
        for _ in range(count // 2):
            number, letter = rng.randrange(self.count), rng.choice("ab")
            yield self.login(number), self.address(number, letter), "allow"
            other = (number + rng.randrange(1, self.count)) % self.count
            yield self.login(number), self.address(other, letter), "reject"


class Crowd:
    """One address of `count` owners, one login of `count` senders, and `count` of one each."""

    shared, boss = "shared@example.com", "boss@example.com"

    def __init__(self, count):
        self.count = count

    def senders(self):
        """A text: map."""
        for number in range(self.count):
            yield f"member{number}@example.com  {self.shared}\n"
            yield f"single{number}@example.com  alone{number}@example.com\n"
            yield f"{self.boss}  sender{number}@example.com\n"

    def many(self):
        """Questions about the address and the login that have many."""
        rng = random.Random(1)
        for _ in range(QUESTIONS // 4):
            number = rng.randrange(self.count)
            yield f"member{number}@example.com", self.shared, "allow"
            yield f"single{number}@example.com", self.shared, "reject"
            yield self.boss, f"sender{number}@example.com", "allow"
            yield self.boss, f"alone{number}@example.com", "reject"

    def one(self):
        """Questions about those that have one."""
        rng = random.Random(1)
        for _ in range(QUESTIONS // 2):
            number = rng.randrange(self.count)
            other = (number + rng.randrange(1, self.count)) % self.count
            yield f"single{number}@example.com", f"alone{number}@example.com", "allow"
            yield f"single{number}@example.com", f"alone{other}@example.com", "reject"


class DomainRules:
    """A pcre: map of `count` rules, each for a domain of its own."""

    def __init__(self, count):
        self.count = count

    def rules(self):
        """The map."""
        for number in range(self.count):
            yield rf"/^(.*)@d{number}\.example\.com$/  ${{1}}@example.org" + "\n"

    def questions(self):
        """Half allowed, half refused, all of them found by a rule."""
        rng = random.Random(self.count)
        for turn in range(QUESTIONS // 2):
            place = domain(rng.randrange(self.count))
            yield f"user{turn}@example.org", f"user{turn}@{place}", "allow"
            yield f"user{turn}@example.org", f"other{turn}@{place}", "reject"


class AnyRules:
    """A pcre: map of `count` rules of which nothing tells in advance which can match."""

    def __init__(self, count):
        self.count = count

    def rules(self):
        """The map."""
        for number in range(self.count):
            yield rf"/^(.+)\.team{number}@(.+)$/  ${{1}}@example.org" + "\n"

    def senders(self, count):
        """Half of them are matched by some rule, half by none."""
        rng = random.Random(self.count)
        for turn in range(count // 2):
            yield f"user{turn}.team{rng.randrange(self.count)}@{domain(turn)}"
            yield f"user{turn}.crew{turn}@{domain(turn)}"

    def questions(self, count):
        """The same senders; whoever is matched belongs to the login that asks."""
        for turn, sender in enumerate(self.senders(count)):
            yield f"user{turn // 2}@example.org", sender, "reject" if turn % 2 else "allow"


def write(path, lines):
    """Writes the lines of a map and returns its path."""
    with open(path, "w", encoding="ascii") as file:
        file.writelines(lines)
    return path


def write_questions(path, questions):
    """Writes what `load` asks, and beside it the same without what is expected."""
    questions = list(questions)
    write(path, ("\t".join(question) + "\n" for question in questions))
    write(f"{path}.any", (f"{login}\t{sender}\tany\n" for login, sender, _ in questions))
    return path
