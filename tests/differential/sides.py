# SPDX-License-Identifier: BSD-2-Clause
"""The two sides: Postfix's native check, and fromguard, each asked in bulk.

A `Court` holds a private Postfix with two entrances for each world, `native`
and `guarded` (check_policy_service), and a fromguard for each.
"""

import itertools
import os
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [os.path.join(HERE, "..", "e2e"), os.path.join(HERE, "..", "lib")]

import fromguard  # noqa: E402  (found on the path above)
import words  # noqa: E402
from mailhost import MailHost  # noqa: E402
from processes import find_program  # noqa: E402

FLAVOUR = "plain"
CHUNK = 100      # questions under way at a time
PATIENCE = 60.0  # seconds for one reply
ENDLESS = "1000000000"

# What both entrances of a world have in common: the answer comes at MAIL
# FROM, and one session may ask as much as it likes. Each process serves one
# session, so that tables are read anew.
ENTRANCE = {
    "max_use": "1",
    "smtpd_delay_reject": "no",
    "smtpd_client_restrictions": "",
    "smtpd_authorized_xclient_hosts": "127.0.0.1",
    "smtpd_tls_auth_only": "no",
    "smtpd_junk_command_limit": ENDLESS,
    "smtpd_soft_error_limit": ENDLESS,
    "smtpd_hard_error_limit": ENDLESS,
    "smtpd_error_sleep_time": "0",
}
MAIN_CF = {"myorigin": words.ORIGIN, "mydestination": ", ".join(words.LOCAL_DOMAINS)}

# The attributes of Postfix 3.7, in its order; sender and login are put in.
REQUEST = """\
request=smtpd_access_policy
protocol_state=MAIL
protocol_name=ESMTP
client_address=127.0.0.1
client_name=unknown
client_port=40000
reverse_client_name=unknown
server_address=127.0.0.1
server_port=587
helo_name=client.example.com
sender={sender}
recipient=
recipient_count=0
queue_id=
instance=
size=0
etrn_domain=
stress=
sasl_method=XCLIENT
sasl_username={login}
sasl_sender=
ccert_subject=
ccert_issuer=
ccert_fingerprint=
ccert_pubkey_fingerprint=
encryption_protocol=
encryption_cipher=
encryption_keysize=0
policy_context=

"""


class Court:
    """A Postfix, and a fromguard for each of some worlds; all end with the nest."""

    def __init__(self, nest, worlds):
        self._nest = nest
        self._servers = {}
        entrances = {}
        for world in worlds:
            self.write(world)
            self._servers[world.number] = self._server(world)
            entrances |= self._entrances(world)
        self._host = MailHost(nest, entrances, MAIN_CF, flavours=(FLAVOUR,))
        for world in worlds:
            self.index(world)
        for server in self._servers.values():
            server.start()
        self._host.start()

    # Setting up

    def _path(self, world, number):
        return self._nest.path(f"w{world.number}-{number}.{world.tables[number].kind}")

    def write(self, world):
        """Writes the files of a world's tables."""
        for number, table in enumerate(world.tables):
            name = os.path.basename(self._path(world, number))
            with open(self._nest.path(name), "w", encoding="utf-8", newline="") as file:
                file.write(table.text())
            # Postfix waits for two seconds before it reads a file that has just changed.
            os.utime(self._nest.path(name), (time.time() - 60,) * 2)

    def index(self, world):
        """Makes the databases of a world's cdb tables, Postfix's and fromguard's."""
        for number, table in enumerate(world.tables):
            path = self._path(world, number)
            if table.kind == "cdb":
                _run(find_program("postmap"), "-c", self._nest.path("postfix"), f"cdb:{path}")
                _run(fromguard.PROGRAM, "compile", "-o", f"{path}.senders",
                     "--set", f"local_domains={','.join(words.LOCAL_DOMAINS)}", f"owners:{path}")

    def _entrances(self, world):
        tables = " ".join(f"{table.kind}:{self._path(world, number)}"
                          for number, table in enumerate(world.tables))
        shared = {**ENTRANCE, "recipient_delimiter": world.delimiter,
                  "smtpd_sender_login_maps": tables}
        address = self._servers[world.number].address
        return {
            f"native{world.number}": {
                **shared,
                "smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch"},
            f"guarded{world.number}": {
                **shared, "smtpd_sender_restrictions": f"check_policy_service {address}"},
        }

    def _server(self, world):
        maps = {"texthash": "owners:{0}", "cdb": "cdb:{0}.senders", "pcre": "pcre:{0}"}
        return fromguard.Server(self._nest, f"w{world.number}", {
            "maps": ", ".join(maps[table.kind].format(self._path(world, number))
                              for number, table in enumerate(world.tables)),
            "self": "yes" if world.identity else "no",
            "recipient_delimiter": world.delimiter,
            "local_domains": ", ".join(words.LOCAL_DOMAINS),
            "socket_mode": "0666",
            "log_level": "warning",
            "rule_budget": "10s",  # however busy the machine is
            "reload": "signal",
        })

    def rebuild(self, world):
        """Puts other tables in the place of a world's; there have to be as many."""
        server = self._servers[world.number]
        server.stop()
        self.write(world)
        self.index(world)
        server.start()

    # Asking

    def native_lines(self, world, pairs):
        """The replies to MAIL FROM of Postfix's own check."""
        return _mail(self._host.port(f"native{world.number}", FLAVOUR), pairs)

    def guarded_lines(self, world, pairs):
        """The replies to MAIL FROM where Postfix asks fromguard."""
        return _mail(self._host.port(f"guarded{world.number}", FLAVOUR), pairs)

    def server_lines(self, world, pairs):
        """What fromguard's answers, asked directly, would make Postfix reply."""
        lines = []
        with self._servers[world.number].client(timeout=PATIENCE) as client:
            for start in range(0, len(pairs), CHUNK):
                chunk = pairs[start:start + CHUNK]
                client.send("".join(REQUEST.format(sender=pair.sender, login=pair.login)
                                    for pair in chunk).encode())
                lines += [_reply(client.action(), pair.sender) for pair in chunk]
        return lines

    def diagnostics(self):
        """The last lines of Postfix's log."""
        return self._host.diagnostics()


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def _reply(action, sender):
    """The reply to MAIL FROM that Postfix makes of an action."""
    if action == "DUNNO":
        return "250 2.1.0 Ok"
    code, status, text = (action or "(closed)").split(" ", 2) if action else ("", "", "(closed)")
    return f"{code} {status} <{sender}>: Sender address rejected: {text}"


def _mail(port, pairs):
    """Asks all pairs in one session; those of one login stand together.

    All is sent ahead by a thread of its own: nobody ever waits for the other.
    """
    groups = [list(group) for _, group in itertools.groupby(pairs, lambda pair: pair.login)]
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        commands = "".join(map(_commands, groups)).encode("utf-8")
        sender = threading.Thread(target=_send, args=(connection, commands), daemon=True)
        sender.start()
        replies = _Replies(connection)
        replies.expect("220")
        lines = [line for group in groups for line in replies.of_login(len(group))]
        sender.join()
    return lines


def _send(connection, commands):
    try:
        connection.sendall(commands)
    except OSError:
        pass  # whoever reads the replies notices, too


def _commands(pairs):
    """What asks about pairs of one login."""
    mails = "".join(
        f"MAIL FROM:<{pair.wire}>{'' if pair.wire.isascii() else ' SMTPUTF8'}\r\nRSET\r\n"
        for pair in pairs)
    return f"XCLIENT LOGIN={_xtext(pairs[0].login)}\r\nEHLO client.example.com\r\n{mails}"


class _Replies:
    """The replies of a session, read as they come."""

    def __init__(self, connection):
        self._lines = connection.makefile("rb", buffering=65536)

    def of_login(self, count):
        """The replies to the MAIL FROM of one login."""
        self.expect("220")
        while self._next()[3] == "-":  # EHLO's
            pass
        lines = []
        for _ in range(count):
            lines.append(self._next())
            self.expect("250 2.0.0")  # RSET's
        return lines

    def expect(self, start):
        """Steps over a reply that is always the same."""
        line = self._next()
        if not line.startswith(start):
            raise RuntimeError(f"Postfix says {line!r} in place of {start}")

    def _next(self):
        line = self._lines.readline().decode("utf-8", "backslashreplace").rstrip("\r\n")
        if not line:
            raise RuntimeError("Postfix has closed the connection")
        return line


def _xtext(text):
    """Encodes what RFC 3461 section 4 has encoded."""
    return "".join(chr(byte) if 33 <= byte <= 126 and byte not in b"+=" else f"+{byte:02X}"
                   for byte in text.encode("utf-8"))
