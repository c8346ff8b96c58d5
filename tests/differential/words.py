# SPDX-License-Identifier: BSD-2-Clause
"""The words that worlds are made of, and ways to spell one address differently."""

import unicodedata

ORIGIN = "example.com"  # Postfix's $myorigin
LOCAL_DOMAINS = (ORIGIN, "second.example")  # Postfix's $mydestination

PEOPLE = ("alice", "bob", "carol", "dave", "erin", "frank", "kim", "sam")
SHARED = ("info", "sales", "office", "first.last", "o'brien", "team_a", "x=y/z", "n0-reply")
LISTS = ("owner-news", "news-request", "postmaster", "mailer-daemon")
EXTENDED = ("bob+fixed", "sales-eu", "alice+x", "info+", "+lead", "a-b+c")
# e with acute, composed and not; sharp s; Cyrillic; what folds to ASCII: the
# long s, the Kelvin sign, the ligature fi.
LETTERED = ("andr\u00e9", "andre\u0301", "M\u00dcNCHEN", "stra\u00dfe", "\u0438\u0432\u0430\u043d",
            "\u017fam", "\u212aim", "\ufb01ona")
QUOTED = ("a b", "x,y", "a@b", 'say"so', "back\\slash", "semi;colon", ".dot", "dot.", "two..dots",
          "(c)", "<x>", "a:b")
ROUTED = ("info%example.org", "example.org!info", "bob@example.org", "alice%second.example")

PLAIN_DOMAINS = ("example.com", "second.example", "example.org", "sub.example.org",
                 "deep.sub.example.org", "alias.example", "Corp.Example", "localhost")
LETTERED_DOMAINS = ("m\u00fcnchen.example", "xn--mnchen-3ya.example", "stra\u00dfe.example",
                    "strasse.example", "\u0440\u043e\u0441\u0441\u0438\u044f.example",
                    "xn--h1alffa9f.example", "b\u00fccher.m\u00fcnchen.example", "\u212ael.example")
LITERALS = ("[192.0.2.1]", "[IPv6:2001:db8::1]")

DELIMITERS = ("", "+", "+", "-", "+-", "_")


def spell_label(label):
    """The other spelling of one label: the A-label of a U-label, or the reverse."""
    if label.isascii():
        if label.startswith("xn--"):
            return label[4:].encode("ascii").decode("punycode")
        return label
    return "xn--" + label.encode("punycode").decode("ascii")


def other_labels(domain):
    """The domain with each label in its other spelling."""
    folded = unicodedata.normalize("NFC", domain.lower())
    return ".".join(spell_label(label) for label in folded.split("."))


def join(local, domain):
    """An address as Postfix has it inside: nothing is quoted."""
    return f"{local}@{domain}" if domain else local


def divide(address):
    """Local part and domain, divided at the last @; the domain may be empty."""
    local, at, domain = address.rpartition("@")
    return (local, domain) if at else (address, "")


def is_dot_string(local):
    """Can the local part stand in SMTP without quotes?"""
    return bool(local) and all(local.split(".")) and \
        not any(c in '()<>@,;:\\"[] ' or c < " " or c == "\x7f" for c in local)


def quote(local):
    """The local part as a quoted string."""
    return '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'


def external(address):
    """An address as RFC 5321 has it: the local part is quoted where it has to be."""
    local, domain = divide(address)
    return join(local if is_dot_string(local) else quote(local), domain)
