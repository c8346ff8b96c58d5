# SPDX-License-Identifier: BSD-2-Clause
"""What the end-to-end tests have in common: a mail host, daemons, and mail sent through them."""

import contextlib

import client
import tap
from mailhost import USERS, MailHost
from processes import Nest, wait_until

USER = "user@example.com"
OTHER = "other@example.com"

# What the native check says, and what fromguard has to say, byte for byte.
NOT_OWNED = "553 5.7.1 <{sender}>: Sender address rejected: not owned by user {login}"

# An entrance where Postfix's own check answers, as docker-mailserver has it today.
NATIVE = {"smtpd_sender_restrictions":
          "reject_authenticated_sender_login_mismatch, $dms_smtpd_sender_restrictions"}


def guarded(address):
    """An entrance where the fromguard at `address` answers, with the documented line."""
    return {"smtpd_sender_restrictions": "$mua_sender_restrictions",
            "mua_sender_restrictions":
                f"check_policy_service {{ {address}, timeout=5s, try_limit=2, retry_delay=1s,"
                " default_action=reject_authenticated_sender_login_mismatch },"
                " $dms_smtpd_sender_restrictions"}


class Stage:
    """A mail host and the daemons of a test, and a memory of what was accepted."""

    def __init__(self, nest):
        self.nest = nest
        self.host = None
        self.daemons = []
        self.queued = set()
        self._last = None

    def open_host(self, entrances, settings=None):
        """Starts the mail host; see MailHost."""
        self.host = MailHost(self.nest, entrances, settings)
        self.host.start()

    def add(self, daemon):
        """Takes a daemon whose log is worth showing, and starts it."""
        self.daemons.append(daemon)
        daemon.start()
        return daemon

    def send(self, entrance, flavour, sender, login=USER, password=None, **rest):
        """Sends one mail as `login`; see client.send."""
        password = USERS[login] if password is None else password
        self._last = client.send(self.host.port(entrance, flavour), flavour, login, password,
                                 sender, **rest)
        if self._last.queue_id():
            self.queued.add(self._last.queue_id())
        return self._last

    def expect_accepted(self, entrance, flavour, sender, **rest):
        """Sends one mail and fails unless its sender and the mail itself are accepted."""
        sent = self.send(entrance, flavour, sender, **rest)
        tap.equal(sent.verdict()[:4], "250 ", f"verdict {sent.verdict()!r} on {sender}")
        tap.that(sent.queue_id(), "the mail was not queued")
        return sent

    def expect_not_owned(self, entrance, flavour, sender, login=USER, **rest):
        """Sends one mail and fails unless each recipient gets exactly the native refusal."""
        sent = self.send(entrance, flavour, sender, login=login, **rest)
        wanted = NOT_OWNED.format(sender=sender, login=login)
        for reply in sent.replies("RCPT TO") or [""]:
            tap.equal(reply, wanted, "reply to RCPT TO")
        return sent

    def expect_nothing_lost(self):
        """Fails unless exactly the mails that were answered 250 were delivered."""
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: self.queued <= self.host.accepted(), "delivery")
        tap.that(self.queued, "no mail was accepted at all")
        tap.equal(sorted(self.host.accepted()), sorted(self.queued), "queue ids delivered")

    def expect_clean_end(self):
        """Fails unless every daemon ends with status 0 when asked to."""
        for daemon in self.daemons:
            tap.equal(daemon.stop(), 0, f"exit status of fromguard ({daemon.log.path})")

    def diagnostics(self):
        """What a failed case prints: the last dialogue, and the ends of the logs."""
        said = [f"swaks: {line}" for line in self._last.text.splitlines()] if self._last else []
        for daemon in self.daemons:
            said += [f"fromguard: {line}" for line in daemon.log.lines()[-15:]]
        if self.host:
            said.append(self.host.diagnostics())
        return "\n".join(said)


@contextlib.contextmanager
def open_stage(furnish):
    """A stage in a new nest, as `furnish(stage)` sets it up; all of it ends with the block."""
    with Nest() as nest:
        stage = Stage(nest)
        try:
            furnish(stage)
        except (OSError, RuntimeError) as trouble:
            raise tap.Failure(f"the stage could not be set up: {trouble}\n"
                              f"{stage.diagnostics()}") from trouble
        yield stage
