# SPDX-License-Identifier: BSD-2-Clause
"""What Postfix's native check answers, and what each rule of fromguard changes of it.

A `Model` is built with a set of rules. Without any it is the native check of
Postfix 3.7 (reject_authenticated_sender_login_mismatch); with all of them it
is fromguard with the same tables. Which rules make a difference is found out
by turning them on one by one.
"""

import re
import unicodedata

import words
from tables import Rules

RULES = {
    "union": "a key that answers hides none of the others",
    "sub-address": "who may use an address may use it with any extension, rules included",
    "self": "a login owns its own address",
    "idn": "U-labels and A-labels are one domain; folding makes no other letters of it",
    "nfc": "composed and decomposed letters are one",
    "case-fold": "rules see the letters as they arrived, not folded",
    "look-alike": "folding never makes ASCII out of what is not",
    "quoting": "an address is compared without its quotes",
    "split-owner": "a quoted owner is one owner, whatever is in it",
    "capture-splits": "what a sender contains never becomes a second owner",
    "duplicate-key": "the owners of a key that is given twice add up",
    "bare-name": "a name without a domain is that name at the local domains",
    "trailing-dot": "a dot behind the domain means nothing in maps and logins either",
    "source-routing": "%, ! and a second @ mean nothing",
    "patterns": "owners may be @domain and *, senders @.domain and *",
    "chain": "a rule's owner may be an address that rules give to somebody",
    "empty-local": "an address without a local part is nobody's",
}
ALL = frozenset(RULES)

CHAIN_DEPTH = 10

_REFERENCE = re.compile(r"\$(?:\$|\{(\d)\}|\((\d)\)|(\d))")
_SEPARATORS = re.compile(r"[, \t\r\n]+")
_QUOTED_OWNERS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^, \t\r\n"])+')
_ESCAPED = re.compile(r"\\(.)")
_RESERVED = ("postmaster", "mailer-daemon", "double-bounce")


def make_ascii(fold, text):
    """Does folding turn any character that is not ASCII into one that is?"""
    return any(byte < "\x80" for c in text if c >= "\x80"
               for byte in unicodedata.normalize("NFC", fold(c)))


def lower_ascii(text):
    """ASCII letters in lower case, nothing else touched."""
    return text.encode("utf-8", "surrogateescape").lower().decode("utf-8", "surrogateescape")


def base_length(local, delimiters):
    """Where Postfix's split_addr(3) cuts a local part; 0: nowhere."""
    folded = lower_ascii(local)
    if folded in _RESERVED:
        return 0
    if "-" in delimiters and (folded.startswith("owner-") or
                              folded.endswith("-request") and folded != "-request"):
        return 0
    return next((i for i, c in enumerate(local) if c in delimiters), 0)


def unquote(address):
    """A map file's address without the quotes of its local part."""
    if not address.startswith('"'):
        return address
    local, domain = words.divide(address)
    return words.join(_ESCAPED.sub(r"\1", local[1:-1]), domain)


class Model:
    """The answers for one world under a set of rules."""

    def __init__(self, world, rules):
        self._world = world
        self._rules = rules
        self._canonical = {}
        self._tables = [_RuleTable(self, table) if isinstance(table, Rules)
                        else _FixedTable(self, table) for table in world.tables]

    def has(self, rule):
        """Is the rule in force?"""
        return rule in self._rules

    def allows(self, login, sender):
        """True, False, or None where the check itself fails."""
        try:
            return not sender or self._owned_by(login, self._resolve(sender))
        except _Broken:
            return None

    def _owned_by(self, login, sender):
        if self.has("empty-local") and sender.startswith("@"):
            return False
        if self.has("self") and self._world.identity and self._reaches(login, sender):
            return True
        for owners in self._answers(sender):
            if any(self.owns(login, owner) for owner in owners):
                return True
            if not self.has("union"):
                break
        return self.has("chain") and self._leads_to(login, sender)

    # Addresses

    def canonical(self, address):
        """The spelling in which equal addresses are equal."""
        if address not in self._canonical:
            local, domain = words.divide(address)
            self._canonical[address] = words.join(self._local(local), self._domain(domain))
        return self._canonical[address]

    def _local(self, local):
        if self.has("look-alike") and make_ascii(str.casefold, local):
            return local if not local.isascii() else local.lower()
        return self._composed(local.casefold())

    def _domain(self, domain):
        if self.has("trailing-dot"):
            domain = domain.removesuffix(".")
        fold = str.lower if self.has("idn") else str.casefold
        if self.has("look-alike") and make_ascii(fold, domain):
            return lower_ascii(domain)
        folded = self._composed(fold(domain))
        if self.has("idn") and not folded.isascii() and not folded.startswith("["):
            return ".".join(label if label.isascii() else words.spell_label(label)
                            for label in folded.split("."))
        return folded

    def _composed(self, text):
        return unicodedata.normalize("NFC", text) if self.has("nfc") else text

    def base(self, address):
        """The address without its extension, or None."""
        local, domain = words.divide(address)
        length = base_length(local, self._world.delimiter)
        return words.join(local[:length], domain) if length else None

    def _is_local(self, domain):
        return self._domain(domain) in words.LOCAL_DOMAINS

    def _resolve(self, sender):
        """What trivial-rewrite(8) makes of the sender."""
        if not self.has("source-routing"):
            return self._route(sender)
        local, domain = words.divide(sender)
        return words.join(local, domain.removesuffix(".") or words.ORIGIN)

    def _route(self, sender):
        local, domain = words.divide(sender)
        domain = domain.removesuffix(".")
        if domain and lower_ascii(domain) not in words.LOCAL_DOMAINS:
            return words.join(local, domain)
        if "@" in local:
            return self._route(local)
        if "!" in local:
            site, _, user = local.partition("!")
            return self._route(words.join(user, site))
        if "%" in local:
            user, _, site = local.rpartition("%")
            return self._route(words.join(user, site))
        return words.join(local or "MAILER-DAEMON", domain or words.ORIGIN)

    # Owners

    def _is_login(self, login, address):
        """Is this address the login itself?"""
        if self.canonical(login) == self.canonical(address):
            return True
        local, domain = words.divide(address)
        return self.has("bare-name") and "@" not in login and bool(domain) and \
            self._local(local) == self._local(login) and self._is_local(domain)

    def _reaches(self, login, address):
        """Is this address, or with sub-addresses its base, the login?"""
        if self._is_login(login, address):
            return True
        base = self.base(address) if self.has("sub-address") else None
        return base is not None and self._is_login(login, base)

    def owns(self, login, owner):
        """Does an owner of a table stand for the login?"""
        if self.has("patterns"):
            if owner == "*":
                return True
            if owner.startswith("@"):
                domain = words.divide(login)[1]
                return self._domain(domain) == self._domain(owner[1:]) if domain else \
                    self.has("bare-name") and self._is_local(owner[1:])
        return self._is_login(login, owner)

    def split(self, value):
        """The owners in the value of a texthash or cdb table."""
        if self.has("split-owner"):
            return _QUOTED_OWNERS.findall(value)
        return [owner for owner in _SEPARATORS.split(value) if owner]

    # Lookups

    def forms(self, address):
        """The spellings of an address that tables are asked about, in order."""
        if self.has("quoting"):
            return [address]
        return list(dict.fromkeys((words.external(address), address)))

    def _answers(self, sender):
        """The owners that each key has in each table, in the order of mail_addr_find(3)."""
        base = self.base(sender)
        yield from self._full(sender)
        if base is not None:
            yield from self._partial(self.forms(base))
            if self.has("sub-address"):
                for table in self._tables:
                    yield from table.base_answers(self, sender, base)
        local, domain = words.divide(sender)
        if self._is_local(domain) and "@" not in local:
            yield from self._partial(self.forms(local))
            if base is not None:
                yield from self._partial(self.forms(words.divide(base)[0]))
        yield from self._partial(["@" + domain])
        if self.has("patterns"):
            labels = domain.split(".")
            yield from self._partial(["@." + ".".join(labels[i:]) for i in range(1, len(labels))])
            yield from self._partial(["*"])

    def _full(self, sender):
        for key in self.forms(sender):
            for table in self._tables:
                yield from table.answers(key)

    def _partial(self, keys):
        for key in keys:
            for table in self._tables:
                yield from table.partial_answers(key)

    def _leads_to(self, login, sender):
        """Do rules lead from the sender to the login, one behind the other?"""
        seen, level = {self.canonical(sender)}, [sender]
        for _ in range(CHAIN_DEPTH):
            owners = [owner for node in level for owner in self._rule_owners(node)]
            if any(self.owns(login, owner) for owner in owners):
                return True
            level = []
            for owner in owners:
                if owner in ("", "*") or owner.startswith("@"):
                    continue
                if self.has("bare-name") and "@" not in owner:
                    owner = words.join(owner, words.ORIGIN)
                if self._reaches(login, owner):
                    return True
                owner = self.canonical(owner)
                if owner not in seen:
                    seen.add(owner)
                    level.append(owner)
        return False

    def _rule_owners(self, address):
        base = self.base(address)
        for table in self._tables:
            if isinstance(table, _RuleTable):
                answers = list(table.answers(address))
                if not answers and base is not None and self.has("sub-address"):
                    answers = list(table.answers(base))
                for owners in answers:
                    yield from owners


class _Broken(Exception):
    """A table was asked that does not open."""


class _FixedTable:
    """A texthash or cdb table."""

    def __init__(self, model, table):
        self._model = model
        self._values = {}
        folded = [key.casefold() for key, _ in table.entries]
        twice = len(set(folded)) < len(folded) and not model.has("duplicate-key")
        self._broken = twice and table.kind == "texthash"
        for number, (key, value) in enumerate(table.entries):
            if twice and folded[number] in folded[:number]:
                continue  # of a cdb table's keys that are equal the first counts
            owners = [unquote(owner) if model.has("quoting") else owner
                      for owner in model.split(value)]
            self._values.setdefault(self._name(key), []).extend(owners)

    def _name(self, key):
        return self._model.canonical(unquote(key) if self._model.has("quoting") else key)

    def answers(self, key):
        """The owners of a key: one list or none."""
        if self._broken:
            raise _Broken
        found = self._values.get(self._model.canonical(key))
        return [found] if found else []

    partial_answers = answers

    @staticmethod
    def base_answers(_model, _sender, _base):
        """Nothing: the base is asked for as a key of its own."""
        return ()


class _RuleTable:
    """A pcre table. Postfix matches bytes."""

    def __init__(self, model, table):
        self._model = model
        self._rules = [(rule, [(_compile(pattern, ""), negated)
                               for pattern, negated in rule.within],
                        _compile(rule.pattern, rule.flags)) for rule in table.entries]

    def answers(self, key):
        """The owners that the first rule gives that matches: one list or none."""
        # That smtpd(8) folds the keys of these tables, too, pcre_table(5) does not say.
        subject = key if self._model.has("case-fold") else key.casefold()
        subject = subject.encode("utf-8", "surrogateescape")
        for rule, conditions, pattern in self._rules:
            if not all(bool(condition(subject)) != negated for condition, negated in conditions):
                continue
            match = pattern(subject)
            if bool(match) != rule.negated:
                return [self._owners(rule.result, match)]
        return []

    @staticmethod
    def partial_answers(_key):
        """Nothing: rules are asked about whole addresses alone."""
        return ()

    def base_answers(self, model, sender, base):
        """What the base is given by a table of which no rule matches the whole sender."""
        if any(self.answers(key) for key in model.forms(sender)):
            return []
        return [owners for key in model.forms(base) for owners in self.answers(key)]

    def _owners(self, result, match):
        def expand(text):
            return _REFERENCE.sub(lambda reference: _captured(reference, match), text)

        if self._model.has("capture-splits"):
            return [expand(owner) for owner in _SEPARATORS.split(result) if owner]
        return [owner for owner in _SEPARATORS.split(expand(result)) if owner]


def _compile(pattern, flags):
    """A function that searches bytes as pcre_table(5) does with these flags."""
    options = re.DOTALL | re.IGNORECASE
    for letter, option in (("i", re.IGNORECASE), ("s", re.DOTALL), ("m", re.MULTILINE),
                           ("x", re.VERBOSE)):
        if letter in flags:
            options ^= option
    compiled = re.compile(pattern.encode(), options)
    return compiled.match if "A" in flags else compiled.search


def _captured(reference, match):
    if reference[0] == "$$":
        return "$"
    return match[int(reference[1] or reference[2] or reference[3])].decode(
        "utf-8", "surrogateescape")
