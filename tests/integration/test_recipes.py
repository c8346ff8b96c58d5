#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The recipes of conf/recipes: what is decided while a directory is up, changed, down, up again."""

import os
import re
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fromguard import PROGRAM, ROOT, Server  # noqa: E402
import directories  # noqa: E402  (found, as what follows, by way of fromguard)
from processes import Nest, find_program  # noqa: E402
from tap import Skip, Suite, equal, that  # noqa: E402

suite = Suite()

RECIPES = os.path.join(ROOT, "conf", "recipes")
EXAMPLES = os.path.join(ROOT, "systemd", "examples")

# The tables, as far as they are asked, with the columns that they really have.
POSTFIXADMIN = """
CREATE TABLE domain (domain varchar(255) PRIMARY KEY, backupmx boolean DEFAULT false,
  active boolean DEFAULT true);
CREATE TABLE mailbox (username varchar(255) PRIMARY KEY, password varchar(255) DEFAULT '',
  domain varchar(255), active boolean DEFAULT true);
CREATE TABLE alias (address varchar(255) PRIMARY KEY, goto text, domain varchar(255),
  active boolean DEFAULT true);
CREATE TABLE alias_domain (alias_domain varchar(255) PRIMARY KEY, target_domain varchar(255),
  active boolean DEFAULT true);
INSERT INTO domain (domain, active) VALUES ('ALL', true), ('example.com', true),
  ('example.org', true), ('gone.example', false);
INSERT INTO mailbox (username, domain, active) VALUES ('alice@example.com', 'example.com', true),
  ('bob@example.com', 'example.com', true), ('left@example.com', 'example.com', false),
  ('carol@gone.example', 'gone.example', true);
INSERT INTO alias (address, goto, domain, active) VALUES
  ('alice@example.com', 'alice@example.com,bob@example.com', 'example.com', true),
  ('bob@example.com', 'bob@example.com', 'example.com', true),
  ('info@example.com', 'alice@example.com, bob@example.com', 'example.com', true),
  ('team@example.com', 'info@example.com', 'example.com', true),
  ('off@example.com', 'bob@example.com', 'example.com', false),
  ('sales@gone.example', 'alice@example.com', 'gone.example', true),
  ('@example.com', 'bob@example.com', 'example.com', true);
INSERT INTO alias_domain VALUES ('example.net', 'example.com', true),
  ('example.edu', 'example.com', false);
"""

IREDMAIL = """
CREATE TABLE domain (domain varchar(255) PRIMARY KEY, backupmx int2 DEFAULT 0,
  active int2 DEFAULT 1);
CREATE TABLE mailbox (username varchar(255) PRIMARY KEY, password varchar(255) DEFAULT '',
  domain varchar(255), enablesmtp int2 DEFAULT 1, active int2 DEFAULT 1);
CREATE TABLE alias (address varchar(255) PRIMARY KEY, domain varchar(255), active int2 DEFAULT 1);
CREATE TABLE alias_domain (alias_domain varchar(255) PRIMARY KEY, target_domain varchar(255),
  active int2 DEFAULT 1);
CREATE TABLE forwardings (id serial PRIMARY KEY, address varchar(255), forwarding varchar(255),
  domain varchar(255), dest_domain varchar(255), is_maillist int2 DEFAULT 0,
  is_list int2 DEFAULT 0, is_forwarding int2 DEFAULT 0, is_alias int2 DEFAULT 0,
  active int2 DEFAULT 1);
INSERT INTO domain (domain, active) VALUES ('example.com', 1), ('gone.example', 0);
INSERT INTO mailbox (username, domain, enablesmtp, active) VALUES
  ('alice@example.com', 'example.com', 1, 1), ('bob@example.com', 'example.com', 1, 1),
  ('left@example.com', 'example.com', 0, 1), ('carol@gone.example', 'gone.example', 1, 1);
INSERT INTO alias (address, domain, active) VALUES ('info@example.com', 'example.com', 1),
  ('team@example.com', 'example.com', 1), ('off@example.com', 'example.com', 0);
INSERT INTO alias_domain VALUES ('example.net', 'example.com', 1),
  ('example.edu', 'example.com', 0);
INSERT INTO forwardings (address, forwarding, domain, is_list, is_forwarding, is_alias) VALUES
  ('alice@example.com', 'alice@example.com', 'example.com', 0, 1, 0),
  ('alice@example.com', 'bob@example.com', 'example.com', 0, 1, 0),
  ('bob@example.com', 'bob@example.com', 'example.com', 0, 1, 0),
  ('info@example.com', 'alice@example.com', 'example.com', 1, 0, 0),
  ('info@example.com', 'bob@example.com', 'example.com', 1, 0, 0),
  ('team@example.com', 'alice@example.com', 'example.com', 0, 0, 1),
  ('team@example.com', 'info@example.com', 'example.com', 1, 0, 0),
  ('off@example.com', 'bob@example.com', 'example.com', 1, 0, 0),
  ('sales@gone.example', 'alice@example.com', 'gone.example', 1, 0, 0),
  ('example.com', 'bob@example.com', 'example.com', 0, 0, 0);
"""

MODOBOA = """
CREATE TABLE core_user (id int PRIMARY KEY, username varchar(254), email varchar(254),
  password varchar(256), is_active boolean DEFAULT true);
CREATE TABLE admin_domain (id int PRIMARY KEY, name varchar(100), enabled boolean DEFAULT true,
  type varchar(20) DEFAULT 'domain');
CREATE TABLE admin_domainalias (id int PRIMARY KEY, name varchar(100), enabled boolean,
  target_id int);
CREATE TABLE admin_mailbox (id int PRIMARY KEY, address varchar(252), domain_id int, user_id int);
CREATE TABLE admin_alias (id int PRIMARY KEY, address varchar(254), enabled boolean,
  internal boolean DEFAULT false, expire_at timestamptz, domain_id int);
CREATE TABLE modoboa_admin_aliasrecipient (id serial PRIMARY KEY, address varchar(254),
  alias_id int, r_mailbox_id int, r_alias_id int);
CREATE TABLE admin_senderaddress (id serial PRIMARY KEY, address varchar(254), mailbox_id int);
INSERT INTO admin_domain (id, name, enabled) VALUES (1, 'example.com', true),
  (2, 'gone.example', false);
INSERT INTO admin_domainalias VALUES (1, 'example.net', true, 1), (2, 'example.edu', false, 1);
INSERT INTO core_user (id, username, is_active) VALUES (1, 'alice@example.com', true),
  (2, 'bob@example.com', true), (3, 'left@example.com', false), (4, 'carol@gone.example', true);
INSERT INTO admin_mailbox VALUES (1, 'alice', 1, 1), (2, 'bob', 1, 2), (3, 'left', 1, 3),
  (4, 'carol', 2, 4);
INSERT INTO admin_alias (id, address, enabled, internal, expire_at, domain_id) VALUES
  (1, 'alice@example.com', true, true, NULL, 1), (2, 'bob@example.com', true, true, NULL, 1),
  (3, 'info@example.com', true, false, now() + interval '1 day', 1),
  (4, 'team@example.com', true, false, NULL, 1), (5, 'off@example.com', false, false, NULL, 1),
  (6, 'sales@gone.example', true, false, NULL, 2), (7, '@example.com', true, false, NULL, 1);
INSERT INTO modoboa_admin_aliasrecipient (address, alias_id) VALUES
  ('alice@example.com', 1), ('bob@example.com', 1), ('bob@example.com', 2),
  ('alice@example.com', 3), ('bob@example.com', 3), ('info@example.com', 4),
  ('bob@example.com', 5), ('alice@example.com', 6), ('bob@example.com', 7);
INSERT INTO admin_senderaddress (address, mailbox_id) VALUES ('@partner.example', 2),
  ('guest@partner.example', 1), ('left@partner.example', 3);
"""

# What somebody changes: info loses bob and bob gets news, alice is locked out.
CHANGES = {
    "postfixadmin": """
UPDATE alias SET goto = 'alice@example.com' WHERE address = 'info@example.com';
INSERT INTO alias VALUES ('news@example.com', 'bob@example.com', 'example.com', true);""",
    "iredmail": """
DELETE FROM forwardings WHERE address = 'info@example.com' AND forwarding = 'bob@example.com';
INSERT INTO forwardings (address, forwarding, domain, is_alias)
  VALUES ('news@example.com', 'bob@example.com', 'example.com', 1);""",
    "modoboa": """
DELETE FROM modoboa_admin_aliasrecipient WHERE alias_id = 3 AND address = 'bob@example.com';
INSERT INTO admin_alias (id, address, enabled, domain_id) VALUES (8, 'news@example.com', true, 1);
INSERT INTO modoboa_admin_aliasrecipient (address, alias_id) VALUES ('bob@example.com', 8);""",
}
LOCKS = {
    "postfixadmin": "UPDATE mailbox SET active = false WHERE username = 'alice@example.com';",
    "iredmail": "UPDATE mailbox SET active = 0 WHERE username = 'alice@example.com';",
    "modoboa": "UPDATE core_user SET is_active = false WHERE id = 1;",
}

# What a stranger may have put there. No row may give EVIL anything but itself,
# or take anything from anybody.
EVIL = "evil@example.org"
HOSTILE = {
    "postfixadmin": """
INSERT INTO mailbox (username, domain) VALUES ('evil@example.org', 'example.org'),
  (E'x@example.org\\naccount\\tceo@example.com', 'example.org'), ('*', 'example.org'),
  (E'y@example.org\\n*\\t*', 'example.org'), ('BOB@example.com', 'example.org');
UPDATE mailbox SET active = false WHERE username = 'BOB@example.com';
INSERT INTO alias VALUES ('bob@example.com ', 'evil@example.org', 'example.org', true),
  ('boss@example.com', 'evil@example.org', 'example.org', true),
  (E'a@example.org\\nalias\\tboss@example.com\\tevil@example.org\\nb@example.org', 'evil@example.org',
    'example.org', true),
  (E'boss@example.com\\tevil@example.org', 'evil@example.org', 'example.org', true),
  ('boss@example.com evil@example.org,x@example.org', 'evil@example.org', 'example.org', true),
  ('"boss@example.com, evil"@example.org', 'evil@example.org', 'example.org', true),
  ('boss@example.com@example.org', 'evil@example.org', 'example.org', true),
  ('c@example.org', E'"x,boss@example.com,y"@example.org', 'example.org', true),
  ('d@example.org', 'evil@example.org bob@example.com', 'example.org', true),
  ('*@example.org', 'evil@example.org', 'example.org', true),
  ('!boss@example.org', 'evil@example.org', 'example.org', true),
  ('#@example.org', '@example.com', 'example.org', true),
  ('end', 'end', 'example.org', true);
INSERT INTO alias_domain VALUES (E'example.com @example.org\\nx', 'example.org', true);
""",
    "iredmail": """
INSERT INTO domain (domain) VALUES ('example.org');
INSERT INTO mailbox (username, domain) VALUES ('evil@example.org', 'example.org'), ('*', 'example.org');
INSERT INTO mailbox (username, domain, active) VALUES ('BOB@example.com', 'example.org', 0);
INSERT INTO forwardings (address, forwarding, domain) VALUES
  ('boss@example.com', 'evil@example.org', 'example.org'),
  (E'a@example.org\\nalias\\tboss@example.com\\tevil@example.org', 'evil@example.org', 'example.org'),
  (E'boss@example.com\\tevil@example.org', 'evil@example.org', 'example.org'),
  ('boss@example.com@example.org', 'evil@example.org', 'example.org'),
  ('"boss@example.com, evil"@example.org', 'evil@example.org', 'example.org');
""",
    "modoboa": """
INSERT INTO admin_domain (id, name) VALUES (3, 'example.org');
INSERT INTO core_user (id, username) VALUES (5, 'evil@example.org'), (6, 'x');
INSERT INTO admin_mailbox VALUES (5, 'evil', 3, 5),
  (6, E'a@example.org\\nalias\\tboss@example.com\\tevil', 3, 6), (7, 'boss@example.com', 3, 6);
INSERT INTO admin_alias (id, address, enabled, domain_id) VALUES (9, 'boss@example.com', true, 3),
  (10, E'boss@example.com\\tevil@example.org', true, 3),
  (11, '"boss@example.com, evil"@example.org', true, 3);
INSERT INTO modoboa_admin_aliasrecipient (address, alias_id) VALUES
  ('evil@example.org', 9), ('evil@example.org', 10), ('evil@example.org', 11);
INSERT INTO admin_senderaddress (address, mailbox_id) VALUES ('*', 5),
  (E'x@example.org\\nowner\\tboss@example.com\\tevil@example.org', 5), ('boss@example.com ', 5);
""",
}
STOLEN = [(EVIL, sender) for sender in (
    "boss@example.com", "bob@example.com", "alice@example.com", "info@example.com",
    "any@elsewhere.example", "boss@example.org")]

ALICE, BOB, LEFT = "alice@example.com", "bob@example.com", "left@example.com"
CAROL = "carol@gone.example"

# By login and sender: may it? When the directory is up for the first time.
FIRST = {
    (ALICE, ALICE): True, (BOB, BOB): True,
    (ALICE, "info@example.com"): True, (BOB, "info@example.com"): True,  # both are members
    (ALICE, "team@example.com"): True,        # an alias of an alias
    (ALICE, "alice@example.net"): True,       # a domain of aliases
    (BOB, "info@example.net"): True,
    (ALICE, "alice@example.edu"): False,      # one that is not active
    (BOB, ALICE): False,                      # alice's forward stays alice's
    (BOB, "whatever@example.com"): True,      # the catch-all
    (ALICE, "whatever@example.com"): False,
    (BOB, LEFT): False,                       # which does not reach into mailboxes, though inactive
    (BOB, "news@example.com"): True,          # nor, later, into aliases
    (ALICE, "news@example.com"): False,
    (ALICE, "sales@gone.example"): False,     # a domain that is not active
    (LEFT, LEFT): False, (CAROL, CAROL): False,
    (LEFT, "left@partner.example"): False,
}
SECOND = {**FIRST, (BOB, "info@example.com"): False, (BOB, "info@example.net"): False}
THIRD = {**SECOND, (ALICE, ALICE): False, (ALICE, "info@example.com"): False,
         (ALICE, "team@example.com"): False, (ALICE, "alice@example.net"): False}
PARTNER = {(BOB, "any@partner.example"): True, (ALICE, "guest@partner.example"): True,
           (ALICE, "any@partner.example"): False}
TABLES = {"postfixadmin": POSTFIXADMIN, "iredmail": IREDMAIL, "modoboa": MODOBOA}


class Recipe:
    """One recipe, its map, and a server that has it."""

    def __init__(self, nest, name, command, environment):
        self.nest, self.name = nest, name
        os.mkdir(nest.path(name))
        self.map = nest.path(name, "directory.cdb")
        self.command = command
        self.environment = {**os.environ, **environment,
                            "PATH": f"{nest.path('bin')}:{os.environ['PATH']}"}
        self.server = Server(nest, f"{name}-server", {"maps": f"cdb:{self.map}"})
        self.server.configure()
        self.environment["FROMGUARD_CONFIG"] = self.server.config

    def refresh(self, *options, command=None):
        """Runs the refresher to its end."""
        return subprocess.run(
            [os.path.join(RECIPES, "fromguard-refresh"), *options, self.map,
             *(command or self.command)],
            env=self.environment, capture_output=True, text=True, timeout=60, check=False)

    def expect_new(self, *options, command=None):
        """Refreshes, which has to make a new map, and waits until the server has it."""
        mark = self.server.log.mark()
        done = self.refresh(*options, command=command)
        equal(done.returncode, 0, f"status of the refresh\n{done.stderr}\n")
        that(f"{self.map} is new" in done.stdout, f"a new map: {done.stdout}{done.stderr}")
        if self.server.process:
            self.server.wait_for("reload", mark)
        return done

    def expect_kept(self, pattern, *options, command=None):
        """Refreshes, which has to fail, to say why, and to leave the map alone."""
        before = self.content()
        done = self.refresh(*options, command=command)
        equal(done.returncode, 1, f"status of the refresh\n{done.stdout}{done.stderr}\n")
        that(re.search(pattern, done.stderr), f"{pattern!r} in {done.stderr!r}")
        that("stays as it is" in done.stderr, done.stderr)
        equal(self.content(), before, "the map")
        return done

    def content(self):
        """The map's inode and bytes; the folder holds nothing else."""
        equal(os.listdir(os.path.dirname(self.map)), [os.path.basename(self.map)], "the folder")
        with open(self.map, "rb") as file:
            return os.fstat(file.fileno()).st_ino, file.read()

    def decided(self, table):
        """What the server answers to each question of a table."""
        with self.server.client() as client:
            return {question: client.ask(*question) == "DUNNO" for question in table}

    def expect(self, table, step):
        """Fails unless the server decides as the table says."""
        decided = self.decided(table)
        wrong = {question: decided[question] for question in table
                 if decided[question] != table[question]}
        equal(wrong, {}, f"{self.name}, {step}: what was decided otherwise")
        allowed = sum(table.values())
        print(f"# {self.name}, {step}: {allowed} allowed, {len(table) - allowed} refused")


class Stage(Nest):
    """Both directories, each filled once, and their recipes."""

    def __enter__(self):
        super().__enter__()
        os.mkdir(self.path("bin"))
        os.symlink(PROGRAM, self.path("bin", "fromguard"))
        self.postgresql = directories.PostgreSQL(self)
        self.postgresql.up()
        self.slapd = directories.Slapd(self)
        self.slapd.up()
        self.recipes = {}
        return self

    def recipe(self, name):
        """The recipe of one of TABLES, its database filled."""
        self.postgresql.tell("postgres", f"CREATE DATABASE {name};")
        self.postgresql.tell(name, TABLES[name])
        self.recipes[name] = Recipe(
            self, name, ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f",
                         os.path.join(RECIPES, f"postgresql-{name}.sql"),
                         self.postgresql.where(name)], {})
        return self.recipes[name]

    def diagnostics(self):
        """The ends of all logs."""
        logs = [self.postgresql.log, self.slapd.log]
        logs += [recipe.server.log for recipe in self.recipes.values()]
        return "\n".join(line for log in logs for line in log.lines()[-5:])


@suite.case("{tables}: up, changed, down, up again", tables=list(TABLES))
def steps(stage, tables):
    recipe = stage.recipe(tables)
    more = PARTNER if tables == "modoboa" else {}
    recipe.expect_new()
    recipe.server.start()
    recipe.expect({**FIRST, **more}, "up")
    stage.postgresql.tell(tables, CHANGES[tables])
    recipe.expect_new()
    recipe.expect({**SECOND, **more}, "changed")
    stage.postgresql.down()
    recipe.expect_kept("connection to server")
    time.sleep(0.5)
    recipe.expect({**SECOND, **more}, "down")
    stage.postgresql.up()
    stage.postgresql.tell(tables, LOCKS[tables])
    recipe.expect_new()
    more = {**more, **{(ALICE, "guest@partner.example"): False}} if more else {}
    recipe.expect({**THIRD, **more}, "up again")


@suite.case("{tables}: nobody's row is two rows, or another's domain", tables=list(TABLES))
def hostile(stage, tables):
    recipe = stage.recipes[tables]
    stage.postgresql.tell(tables, HOSTILE[tables])
    done = recipe.expect_new()
    that(re.search(r"rows left out: [1-9]", done.stderr), done.stderr)
    that(done.stderr.isprintable() or re.fullmatch(r"[\n -~]*", done.stderr), repr(done.stderr))
    recipe.expect({(EVIL, EVIL): True, **dict.fromkeys(STOLEN, False), (BOB, BOB): True,
                   (BOB, "news@example.com"): True}, "with hostile rows")


@suite.case("the same answer leaves the very same file, so that nothing is loaded again")
def unchanged(stage):
    recipe = stage.recipes["postfixadmin"]
    before, mark = recipe.content(), recipe.server.log.mark()
    done = recipe.refresh()
    equal((done.returncode, done.stdout), (0, ""), "what was said")
    equal(recipe.content(), before, "the map")
    time.sleep(0.5)
    equal(recipe.server.events("reload", mark), [], "reloads")


@suite.case("a table that can not be read fails it, whatever was said before")
def half(stage):
    recipe = stage.recipes["postfixadmin"]
    stage.postgresql.tell("postfixadmin", "ALTER TABLE alias_domain RENAME TO hidden;")
    recipe.expect_kept("alias_domain")
    stage.postgresql.tell("postfixadmin", "ALTER TABLE hidden RENAME TO alias_domain;")


@suite.case("an answer that is {what} is refused", what=["empty", "cut short", "slow", "too small",
                                                        "followed by a failure"])
def suspicious(stage, what):
    recipe = stage.recipes["postfixadmin"]
    answers = {
        "empty": (r"knows of 0 accounts", [], "echo end"),
        "cut short": ("does not end", [], f"printf 'account\\t{BOB}\\nalias\\tinfo@exa'"),
        "slow": ("status 124", ["-t", "1"], "sleep 20; echo end"),
        "too small": ("1 accounts, which is fewer than 2", ["-m", "2"],
                      f"printf 'account\\t{BOB}\\nend\\n'"),
        "followed by a failure": ("status 3", [], f"printf 'account\\t{BOB}\\nend\\n'; exit 3"),
    }
    pattern, options, answer = answers[what]
    recipe.expect_kept(pattern, *options, command=["sh", "-c", answer])


@suite.case("an empty answer is taken where somebody says so")
def emptied(stage):
    recipe = stage.recipes["iredmail"]
    recipe.expect_new("-m", "0", command=["echo", "end"])
    recipe.expect({(BOB, BOB): True, (BOB, "news@example.com"): False}, "emptied")


@suite.case("decisions do not wait for a directory that hangs")
def waiting(stage):
    recipe = stage.recipes["postfixadmin"]
    with subprocess.Popen(
            [os.path.join(RECIPES, "fromguard-refresh"), "-t", "2", recipe.map, "sleep", "20"],
            env=recipe.environment, stderr=subprocess.DEVNULL) as refresh:
        slowest = 0
        for _ in range(100):
            start = time.monotonic()
            equal(recipe.server.ask(BOB, "news@example.com"), "DUNNO")
            slowest = max(slowest, time.monotonic() - start)
        that(refresh.poll() is None, "the refresh was still waiting")
        equal(refresh.wait(10), 1, "status")
    that(slowest < 0.5, f"the slowest decision took {slowest:.3f} s")
    print(f"# figure: slowest of 100 decisions while a directory hangs: {slowest * 1000:.1f} ms")


def entry(uid, *lines):
    """A docker-mailserver account as LDIF."""
    return "\n".join([f"dn: uid={uid},ou=users,dc=example,dc=test",
                      "objectClass: inetOrgPerson", "objectClass: PostfixBookMailAccount",
                      f"uid: {uid}", f"cn: {uid}", f"sn: {uid}", *lines, "", ""])


TREE = """dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: ou=users,dc=example,dc=test
objectClass: organizationalUnit
ou: users

"""
PEOPLE = TREE + entry(
    "alice", f"mail: {ALICE}", "mailEnabled: TRUE", "mailAlias: postmaster@example.com",
    "mailGroupMember: staff@example.com") + entry(
    "some.user.id", f"mail: {BOB}", "mailEnabled: TRUE", "mailAlias: info@example.com",
    "mailAlias: @example.com", "mailGroupMember: staff@example.com") + entry(
    "left", f"mail: {LEFT}", "mailEnabled: FALSE", "mailAlias: old@example.com")

LDAP_FIRST = {
    ("alice", ALICE): True, (ALICE, ALICE): True,          # both of her logins
    ("alice", "postmaster@example.com"): True, (ALICE, "postmaster@example.com"): True,
    ("alice", "staff@example.com"): True, ("some.user.id", "staff@example.com"): True,
    ("some.user.id", BOB): True, ("some.user.id", "info@example.com"): True,
    (BOB, "info@example.com"): True,
    ("some.user.id", ALICE): False, (BOB, ALICE): False,
    ("bob", BOB): False,                                   # the local part is not the uid
    (BOB, "whatever@example.com"): True,                   # the catch-all
    ("some.user.id", "whatever@example.com"): False,       # is the mail login's alone
    (BOB, "postmaster@example.com"): False,                # and not for aliases
    ("alice", "info@example.com"): False, ("alice", "sales@example.com"): False,
    ("left", LEFT): False, ("left", "old@example.com"): False,
}
LDAP_SECOND = {**LDAP_FIRST, ("alice", "info@example.com"): True, (ALICE, "info@example.com"): True,
               ("some.user.id", "info@example.com"): False, (BOB, "info@example.com"): False}
LDAP_THIRD = {**LDAP_SECOND, ("some.user.id", BOB): False,
              ("some.user.id", "staff@example.com"): False, (BOB, "whatever@example.com"): False}


@suite.case("docker-mailserver's LDAP mode: up, changed, down, up again")
def ldap(stage):
    stage.slapd.tell(PEOPLE)
    recipe = stage.recipes["ldap"] = Recipe(
        stage, "ldap", [os.path.join(RECIPES, "ldap-docker-mailserver.sh")],
        {"LDAP_SERVER_HOST": stage.slapd.url, "LDAP_SEARCH_BASE": "ou=users,dc=example,dc=test",
         "LDAP_BIND_DN": stage.slapd.MANAGER, "LDAP_PASSWORD_FILE": stage.slapd.password})
    recipe.expect_new()
    recipe.server.start()
    recipe.expect(LDAP_FIRST, "up")
    stage.slapd.tell("dn: uid=some.user.id,ou=users,dc=example,dc=test\nchangetype: modify\n"
                     "delete: mailAlias\nmailAlias: info@example.com\n\n"
                     "dn: uid=alice,ou=users,dc=example,dc=test\nchangetype: modify\n"
                     "add: mailAlias\nmailAlias: info@example.com\n")
    recipe.expect_new()
    recipe.expect(LDAP_SECOND, "changed")
    stage.slapd.down()
    recipe.expect_kept("Can't contact LDAP server")
    time.sleep(0.5)
    recipe.expect(LDAP_SECOND, "down")
    stage.slapd.up()
    stage.slapd.tell("dn: uid=some.user.id,ou=users,dc=example,dc=test\nchangetype: modify\n"
                     "replace: mailEnabled\nmailEnabled: FALSE\n")
    recipe.expect_new()
    recipe.expect(LDAP_THIRD, "up again")


@suite.case("docker-mailserver's LDAP mode: nobody's value is two values")
def hostile_ldap(stage):
    recipe = stage.recipes["ldap"]
    stage.slapd.tell(entry(
        "evil", f"mail: {EVIL}", "mailEnabled: TRUE", "mailAlias: boss@example.com evil@example.org",
        "mailAlias: x@example.org\tboss@example.com", 'mailAlias: "a,boss@example.com"@example.org',
        "mailAlias: *", "mailAlias: *@example.com", "mailAlias: !x@example.org",
        # A line end, and a row behind it.
        "mailAlias:: eEBleGFtcGxlLm9yZwphbGlhcwlib3NzQGV4YW1wbGUuY29tCWV2aWxAZXhhbXBsZS5vcmc=")
        + entry("evil two", "mail: evil2@example.org", "mailEnabled: TRUE"))
    done = recipe.expect_new()
    that(re.search(r"rows left out: [1-9]", done.stderr), done.stderr)
    recipe.expect({(EVIL, EVIL): True, ("evil", EVIL): True, **dict.fromkeys(STOLEN, False),
                   **{("evil", sender): False for _, sender in STOLEN},
                   # No login is two for a blank in it.
                   ("evil", "evil2@example.org"): False, ("two", "evil2@example.org"): False,
                   ("alice", ALICE): True}, "with hostile values")


@suite.case("docker-mailserver's LDAP mode: {what} fails it", what=[
    "a wrong password", "a base that is not there", "a limit of the server"])
def refused_ldap(stage, what):
    recipe = stage.recipes["ldap"]
    environment = dict(recipe.environment)
    if what == "a wrong password":
        recipe.environment["LDAP_PASSWORD_FILE"] = stage.write("wrong", "wrong", 0o600)
        pattern = "Invalid credentials"
    elif what == "a base that is not there":
        recipe.environment["LDAP_SEARCH_BASE"] = "ou=people,dc=example,dc=test"
        pattern = "No such object"
    else:
        # Whoever asks as nobody gets one entry, and is told that there are more.
        del recipe.environment["LDAP_BIND_DN"]
        stage.slapd.down()
        with open(stage.path("slapd.conf"), "a", encoding="utf-8") as file:
            file.write("limits anonymous size.soft=1 size.hard=1 size.prtotal=1\n")
        stage.slapd.up()
        pattern = "(?i)size ?limit exceeded|limit exceeded"
    recipe.expect_kept(pattern)
    recipe.environment = environment


@suite.case("the manual's lines for systemd hold: verified, and exposed as little as promised")
def units(stage):
    if not find_program("systemd-analyze"):
        raise Skip("systemd-analyze is not installed")
    for name in ("fromguard-refresh.service", "fromguard-refresh.timer"):
        with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
            text = re.sub(r"^Documentation=.*\n", "", file.read(), flags=re.M)
        text = text.replace("/usr/local/sbin/fromguard-refresh",
                            os.path.join(RECIPES, "fromguard-refresh"))
        stage.write(name, text)
    service = stage.path("fromguard-refresh.service")
    done = subprocess.run(["systemd-analyze", "verify", service,
                           stage.path("fromguard-refresh.timer")],
                          capture_output=True, text=True, check=False)
    equal((done.returncode, (done.stdout + done.stderr).strip()), (0, ""), "verify")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", service],
                          capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    that(found and float(found[1]) <= 1.8, f"exposure {found and found[1]}\n{done.stdout}")


if __name__ == "__main__":
    lacking = directories.missing()
    sys.exit(suite.run(Stage, lacking and f"{lacking} is not installed"))
