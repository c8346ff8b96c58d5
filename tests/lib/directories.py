# SPDX-License-Identifier: BSD-2-Clause
"""A private PostgreSQL and a private slapd, which a test starts, stops and fills."""

import os
import pwd
import socket
import subprocess
from glob import glob

from processes import Log, find_program, wait_until
from tap import Failure

POSTGRES = sorted(glob("/usr/lib/postgresql/*/bin"))
SCHEMA = "/etc/ldap/schema"

# docker-mailserver's own attributes, as far as they are about addresses.
POSTFIX_BOOK = """
attributetype ( 1.3.6.1.4.1.29426.1.10.2 NAME 'mailAlias' EQUALITY caseIgnoreIA5Match
  SUBSTR caseIgnoreIA5SubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
attributetype ( 1.3.6.1.4.1.29426.1.10.5 NAME 'mailEnabled' EQUALITY booleanMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.29426.1.10.6 NAME 'mailGroupMember' EQUALITY caseExactIA5Match
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
objectclass ( 1.3.6.1.4.1.29426.1.2.2.1 NAME 'PostfixBookMailAccount' SUP top AUXILIARY
  MUST mail MAY ( mailAlias $ mailGroupMember $ mailEnabled ) )
"""


def missing():
    """The name of a package that is not installed; None: all are there."""
    if not POSTGRES or not find_program("psql"):
        return "postgresql"
    if not find_program("slapd") or not os.path.isdir(SCHEMA):
        return "slapd"
    return None if find_program("ldapsearch") else "ldap-utils"


def free_port():
    """A port of the loopback address that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command, text="", **options):
    """Runs a client of a directory, which has to succeed; returns what it says."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=30,
                          check=False, **options)
    if done.returncode != 0:
        raise Failure(f"{command[0]} failed: {done.stdout}{done.stderr}")
    return done.stdout


class Directory:
    """What both have in common: a folder, a log, and being up or down."""

    def __init__(self, nest, name):
        self.nest = nest
        self.folder = nest.path(name)
        self.log = Log(nest.path(f"{name}.log"))
        self.process = None

    def up(self):
        """Starts it and waits until it answers."""
        self.process = self.nest.start(self.command(), self.log.path, **self.options())
        wait_until(lambda: self.process.poll() is not None or self.answers(), "a directory")
        if self.process.poll() is not None:
            raise Failure("it ended: " + "\n".join(self.log.lines()))

    def down(self):
        """Ends it."""
        self.nest.stop(self.process)

    def options(self):
        """How the server is started; see Popen."""
        return {}


class PostgreSQL(Directory):
    """A cluster on a socket of its own; whoever connects is trusted."""

    def __init__(self, nest):
        super().__init__(nest, "postgresql")
        os.mkdir(self.folder, 0o755)
        # It does not run as root.
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            os.chown(self.folder, pwd.getpwnam(self.user).pw_uid, -1)
        self.data = os.path.join(self.folder, "data")
        run([f"{POSTGRES[-1]}/initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E",
             "UTF8", "--no-locale", "--no-sync", "--no-instructions"], **self.options())

    def command(self):
        return [f"{POSTGRES[-1]}/postgres", "-D", self.data, "-k", self.folder, "-h", "",
                "-c", "fsync=off"]

    def options(self):
        return {"user": self.user, "cwd": "/"} if os.getuid() == 0 else {}

    def answers(self):
        return subprocess.run([f"{POSTGRES[-1]}/pg_isready", "-q", "-d", self.where("postgres")],
                              check=False).returncode == 0

    def where(self, database):
        """What tells psql of a database here."""
        return f"host={self.folder} user=postgres dbname={database}"

    def tell(self, database, statements):
        """Runs statements in a database."""
        run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", self.where(database)], statements)


class Slapd(Directory):
    """An OpenLDAP server on a loopback port, with one suffix."""

    SUFFIX = "dc=example,dc=test"
    MANAGER = "cn=admin,dc=example,dc=test"

    def __init__(self, nest):
        super().__init__(nest, "slapd")
        os.mkdir(self.folder)
        self.url = f"ldap://127.0.0.1:{free_port()}"
        self.password = nest.write("ldap-password", "secret", 0o600)
        schema = "".join(f"include {SCHEMA}/{name}.schema\n"
                         for name in ("core", "cosine", "inetorgperson"))
        nest.write("slapd.conf",
                   f"{schema}{POSTFIX_BOOK}\npidfile {self.folder}/pid\n"
                   "modulepath /usr/lib/ldap\nmoduleload back_mdb\nallow bind_v2\n"
                   f"database mdb\nmaxsize 10485760\nsuffix {self.SUFFIX}\n"
                   f"directory {self.folder}\nrootdn {self.MANAGER}\nrootpw secret\n")

    def command(self):
        return [find_program("slapd"), "-f", self.nest.path("slapd.conf"), "-h", self.url,
                "-d", "0"]

    def answers(self):
        return subprocess.run(["ldapsearch", "-x", "-LLL", "-H", self.url, "-s", "base", "-b", ""],
                              capture_output=True, check=False).returncode == 0

    def tell(self, ldif):
        """Makes changes; entries are added."""
        run(["ldapmodify", "-a", "-x", "-H", self.url, "-D", self.MANAGER, "-w", "secret"], ldif)
