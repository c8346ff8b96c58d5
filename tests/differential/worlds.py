# SPDX-License-Identifier: BSD-2-Clause
"""Worlds made from a seed: tables, settings, and the pairs of login and sender to ask about."""

import dataclasses
import random
import unicodedata

import words
from tables import Fixed, Rule, Rules

# One world in so many has a texthash with a key given twice, so that Postfix
# answers nothing but 451; such a world has few pairs.
DUPLICATE_EVERY = 20

ODD_LOGINS = ("al ice@example.com", '"al', "b,ob@example.com", "@example.org", "*",
              "alice@example.com.")
LOGINS = 50  # that questions of one world are about


@dataclasses.dataclass(frozen=True)
class Pair:
    """One question; `wire` is how the sender stands in MAIL FROM."""

    login: str
    sender: str
    wire: str


@dataclasses.dataclass(frozen=True)
class World:
    """One configuration of a mail server, and questions about it."""

    number: int
    delimiter: str
    identity: bool  # fromguard's setting `self`
    tables: tuple
    pairs: tuple = ()


def make(seed, number, count):
    """Makes world `number` of a seed, with `count` pairs at most."""
    return _Maker(random.Random(f"{seed}/{number}"), number).world(count)


class _Maker:
    """Draws all that one world needs from one source of chance."""

    def __init__(self, chance, number):
        self.chance = chance
        self.number = number
        self.duplicates = number % DUPLICATE_EVERY == DUPLICATE_EVERY - 1
        self.keys = []    # addresses that tables speak of
        self.logins = []  # logins that tables speak of
        self.grants = {}  # which of the addresses are next to which login
        self.askers = []  # logins that questions are about

    def world(self, count):
        """The whole world."""
        chance = self.chance
        kinds = chance.sample(("texthash", "cdb", "pcre", "pcre"), chance.randint(1, 4))
        if self.duplicates and "texthash" not in kinds:
            kinds[0] = "texthash"
        tables = tuple(self._rules() if kind == "pcre" else self._fixed(kind) for kind in kinds)
        self.askers = [self._asker() for _ in range(LOGINS)]
        pairs = dict.fromkeys(self._pair() for _ in range(count // 8 if self.duplicates else count))
        return World(self.number, chance.choice(words.DELIMITERS), chance.random() < 0.6,
                     tables, tuple(sorted(pairs, key=lambda pair: pair.login)))

    def _often(self, percent):
        return self.chance.random() * 100 < percent

    # Names

    def _local(self):
        kind = self.chance.choices(
            (words.PEOPLE, words.SHARED, words.LISTS, words.EXTENDED, words.LETTERED,
             words.QUOTED, words.ROUTED), (45, 20, 4, 12, 8, 6, 2))[0]
        return self.chance.choice(kind)

    def _domain(self):
        kind = self.chance.choices((words.PLAIN_DOMAINS, words.LETTERED_DOMAINS, words.LITERALS),
                                   (80, 17, 3))[0]
        return self.chance.choice(kind)

    def _address(self):
        return words.join(self._local(), self._domain())

    def _login(self):
        if self._often(12):
            return self.chance.choice(words.PEOPLE)
        if self._often(4):
            return self.chance.choice(ODD_LOGINS)
        if self._often(75):
            return words.join(self.chance.choice(words.PEOPLE), "example.com")
        return self._address()

    # Tables

    def _fixed(self, kind):
        entries, seen = [], set()
        for _ in range(self.chance.randint(4, 40)):
            key = self._key()
            folded = key.casefold()
            if kind == "texthash" and not self.duplicates and folded in seen:
                continue
            seen.add(folded)
            entries.append((key, self._owners()))
        if kind == "texthash" and self.duplicates:
            entries.append((entries[0][0].upper(), self._owners()))
        return Fixed(kind, tuple(entries), self.chance.choice(("\n", "\n", "\r\n")))

    def _key(self):
        """The left side of an entry, as the file has it."""
        kind = self.chance.choices(("address", "domain", "local", "parent", "any"),
                                   (72, 14, 10, 3, 1))[0]
        if kind == "domain":
            domain = self._domain()
            self.keys.append(self._local() + "@" + domain)
            return "@" + domain
        if kind == "parent":
            return "@." + self.chance.choice(("example.org", "example"))
        if kind == "any":
            return "*"
        address = self._address() if kind == "address" else self.chance.choice(
            words.PEOPLE + words.SHARED + words.LISTS)
        self.keys.append(address)
        return self._spelt(address)

    def _spelt(self, address):
        """An address as a file can have it."""
        local, domain = words.divide(address)
        quoted = not words.is_dot_string(local) or self._often(3)
        if quoted and (set(local) & set(' ,"\\<>') or self._often(60)):
            local = words.quote(local)
        if domain and self._often(3):
            domain += "."
        return self._cased(words.join(local, domain))

    def _cased(self, text):
        if self._often(15):
            return self.chance.choice((str.upper, str.title))(text)
        return text

    def _owners(self):
        return self.chance.choice((", ", ",", " ", " , ")).join(
            self._owner() for _ in range(self.chance.choice((1, 1, 1, 2, 3, 6))))

    def _owner(self):
        login = self._login()
        if login.startswith('"'):
            login = "alice@example.com"
        self._note(login)
        return login if login in ("*", "@example.org") else self._spelt(login)

    # Rules

    def _rules(self):
        rules = []
        for _ in range(self.chance.randint(1, 8)):
            within = tuple((pattern, self._often(20)) for pattern in self.chance.sample(
                ("@example", "^[^.]*@", "org$", "l"), self.chance.choice((0, 0, 0, 1, 2))))
            block = self.chance.choice((1, 1, 2))
            rules += [self._rule(within) for _ in range(block)]
        return Rules(tuple(rules), self.chance.choice(("\n", "\n", "\r\n")))

    def _rule(self, within):
        make_rule = self.chance.choices(
            (self._identity, self._domain_alias, self._swapped, self._exact, self._loose,
             self._negated), (14, 32, 8, 28, 12, 6))[0]
        pattern, result, negated = make_rule()
        return Rule(pattern, result, self.chance.choice(("", "", "", "i", "m", "s", "E", "A", "x")),
                    negated, within)

    def _capture(self, number):
        return self.chance.choice((f"${number}", f"${{{number}}}", f"$({number})"))

    def _identity(self):
        return "^(.*)$", self._capture(1), False

    def _domain_alias(self):
        domain = self.chance.choice(words.PLAIN_DOMAINS[2:])
        target = self.chance.choice(words.PLAIN_DOMAINS[:3] + ("alias.example",))
        self.keys += [words.join(person, domain) for person in self.chance.sample(words.PEOPLE, 2)]
        result = f"{self._capture(1)}@{target}"
        if self._often(25):
            result += self.chance.choice((", ", " ", ",")) + self._rule_owner()
        return f"^(.*)@{self._escaped(domain)}$", result, False

    def _swapped(self):
        return (r"^([a-z]+)[.]([a-z]+)@example[.]com$",
                f"{self._capture(2)}.{self._capture(1)}@example.org", False)

    def _exact(self):
        address = words.join(self.chance.choice(words.PEOPLE + words.SHARED + words.EXTENDED),
                             self.chance.choice(words.PLAIN_DOMAINS))
        self.keys.append(address)
        return f"^{self._escaped(address)}$", self._rule_owner(), False

    def _loose(self):
        return self.chance.choice(("sales", "^info", "@(sub[.])?example[.]org$", r"\+", "\u00fc",
                                   "^..?.?.?@")), self._rule_owner(), False

    def _negated(self):
        return self.chance.choice((r"@", r"example[.](com|org)$", "^[a-f]")), \
            self._rule_owner(), True

    def _rule_owner(self):
        if self._often(6):
            return self.chance.choice(("@example.com", "*", "a$$b@example.com"))
        login = self.chance.choice(words.PEOPLE + words.EXTENDED[:3])
        if self._often(85):
            login = words.join(login, self.chance.choice(("example.com", "example.org",
                                                          "alias.example")))
        self._note(login)
        return self._cased(login)

    def _note(self, login):
        """Remembers that a table has the login beside the address that was put down last."""
        self.logins.append(login)
        self.grants.setdefault(login.lower(), []).extend(self.keys[-1:])

    @staticmethod
    def _escaped(text):
        return "".join("\\" + c if c in ".+/" else c for c in text)

    # Pairs

    def _asker(self):
        login = self._cased(self.chance.choice(self.logins) if self.logins and self._often(80)
                            else self._login())
        return self._twisted(login) if self._often(4) else login

    def _pair(self):
        login = self.chance.choice(self.askers)
        sender = self._twisted(self._sender(login))
        return Pair(login, sender, self._wire(sender))

    def _sender(self, login):
        kind = self.chance.choices(("granted", "listed", "own", "alias", "smuggled", "any", "null",
                                    "empty", "long"), (35, 22, 14, 10, 4, 12, 1, 1, 1))[0]
        local, _ = words.divide(login)
        if kind == "granted" and self.grants.get(login.lower()):
            return self.chance.choice(self.grants[login.lower()])
        if kind == "listed" and self.keys:
            return self.chance.choice(self.keys)
        if kind == "own":
            return login
        if kind == "alias":
            return words.join(local, self._domain())
        if kind == "smuggled":
            return words.join(f"x,{login},y", self._domain())
        if kind == "null":
            return ""
        if kind == "long":
            return words.join(f"{local}+{'x' * self.chance.choice((60, 250, 900))}",
                              self._domain())
        if kind == "empty":
            return "@" + self._domain()
        return self._address() if self._often(95) else self._local()

    def _twisted(self, address):
        """The address in another spelling, or with an extension, or as it is."""
        local, domain = words.divide(address)
        if not local or self._often(45):
            return address
        twist = self.chance.choices(
            ("case", "extend", "strip", "labels", "compose", "dot", "alike", "route"),
            (20, 42, 8, 10, 6, 6, 5, 3))[0]
        if twist == "case":
            return self.chance.choice((str.upper, str.title, str.lower))(address)
        if twist == "extend":
            return words.join(local + self.chance.choice(
                ("+x", "-y", "_z", "+x+y", "+", "-a+b", "+fixed")), domain)
        if twist == "strip":
            return words.join(local.split("+")[0] or local, domain)
        if twist == "labels" and domain:
            return words.join(local, words.other_labels(domain))
        if twist == "compose":
            return unicodedata.normalize(self.chance.choice(("NFC", "NFD")), address)
        if twist == "dot" and domain and not domain.startswith("["):
            return address + "."
        if twist == "alike":
            return words.join(local.replace("k", "\u212a").replace("s", "\u017f"), domain)
        if twist == "route" and domain:
            return words.join(f"{local}%{domain}", self.chance.choice(words.PLAIN_DOMAINS[:3]))
        return address

    def _wire(self, sender):
        """The sender as a client can write it in MAIL FROM."""
        local, domain = words.divide(sender)
        if not sender:
            return ""
        if not words.is_dot_string(local) or self._often(5):
            local = words.quote(local)
        return words.join(local, domain)
