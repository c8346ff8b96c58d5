# SPDX-License-Identifier: BSD-2-Clause
"""Mail logs of any size, of which it is known who sent as whom.

What one submitted mail writes is as Postfix 3.7 writes it on Debian, and around
it stands what else is in a mail log: mails from strangers, IMAP logins, retries.
"""

from datetime import datetime, timedelta, timezone

MAIL = """\
{t} mx postfix/submission/smtpd[{p}]: connect from pc{c}.example.net[192.0.2.{c}]
{t} mx postfix/submission/smtpd[{p}]: {q}: client=pc{c}.example.net[192.0.2.{c}], \
sasl_method=PLAIN, sasl_username={login}
{t} mx postfix/cleanup[{p}]: {q}: message-id=<{q}.{p}@pc{c}.example.net>
{t} mx postfix/qmgr[811]: {q}: from=<{sender}>, size={p}, nrcpt=1 (queue active)
{t} mx postfix/submission/smtpd[{p}]: disconnect from pc{c}.example.net[192.0.2.{c}] ehlo=2 \
starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8
{t} mx postfix/smtp[{p}]: {q}: to=<somebody{c}@elsewhere.test>, \
relay=mx.elsewhere.test[203.0.113.{c}]:25, delay=1.2, delays=0.1/0/0.5/0.6, dsn=2.0.0, \
status=sent (250 2.0.0 Ok: queued as 4WX{q})
"""
REMOVED = "{t} mx postfix/qmgr[811]: {q}: removed\n"
STRANGER = """\
{t} mx postfix/smtpd[{p}]: connect from mail.elsewhere.test[203.0.113.{c}]
{t} mx postfix/smtpd[{p}]: 5{q}: client=mail.elsewhere.test[203.0.113.{c}]
{t} mx postfix/cleanup[{p}]: 5{q}: message-id=<{q}.{p}@elsewhere.test>
{t} mx postfix/qmgr[811]: 5{q}: from=<somebody{c}@elsewhere.test>, size={p}, nrcpt=1 (queue active)
{t} mx postfix/lmtp[{p}]: 5{q}: to=<{login}>, relay=mx[private/dovecot-lmtp], delay=0.08, \
delays=0.05/0/0/0.03, dsn=2.0.0, status=sent (250 2.0.0 <{login}> Saved)
{t} mx postfix/qmgr[811]: 5{q}: removed
{t} mx postfix/smtpd[{p}]: disconnect from mail.elsewhere.test[203.0.113.{c}] ehlo=1 mail=1 \
rcpt=1 data=1 quit=1 commands=5
"""
IMAP = """\
{t} mx dovecot: imap-login: Login: user=<{login}>, method=PLAIN, rip=192.0.2.{c}, \
lip=198.51.100.1, mpid={p}, TLS, session=<Wk3{q}>
{t} mx dovecot: imap({login})<{p}><Wk3{q}>: Disconnected: Logged out in=120 out=1734
"""
RETRY = """\
{t} mx postfix/qmgr[811]: {q}: from=<{sender}>, size={p}, nrcpt=1 (queue active)
{t} mx postfix/smtp[{p}]: {q}: to=<somebody{c}@slow.test>, relay=none, delay=3600, \
delays=3600/0/0.1/0, dsn=4.4.1, status=deferred (connect to slow.test[203.0.113.9]:25: \
Connection timed out)
"""
START = datetime(2026, 11, 1, tzinfo=timezone.utc)


def pairs(count):
    """Different pairs of login and sender: of four, three are the login's own address."""
    for i in range(count):
        login = f"user{i % (count * 3 // 4 or 1)}@example.com"
        yield login, (login if i < count * 3 // 4 else f"desk{i}@example.org")


def write(path, size, count):
    """Writes a log of about `size` bytes in which `count` pairs take turns; returns how many
    mails of logins there are in it."""
    turns = list(pairs(count))
    mails = written = 0
    with open(path, "w", encoding="ascii") as log:
        while written < size or mails < count:
            login, sender = turns[mails % count]
            mails += 1
            words = {"t": (START + timedelta(seconds=mails // 8)).isoformat(),
                     "p": 1000 + mails % 30000, "c": mails % 254 + 1, "q": f"{mails:010X}",
                     "login": login, "sender": sender}
            text = (MAIL + RETRY * (mails % 16 == 0) + REMOVED + STRANGER + IMAP * 2)
            text = text.format_map(words)
            written += len(text)
            log.write(text)
    return mails
