# SPDX-License-Identifier: BSD-2-Clause
"""fromguard compile: its maps are whole, and are what the maps said that they were made of.

KILLS is how many compilations are killed; 20 where it is not set.
"""

import fcntl
import os
import pty
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fromguard  # noqa: E402
from fromguard import PROGRAM  # noqa: E402
from processes import Nest  # noqa: E402
from tap import Skip, Suite, equal, that  # noqa: E402

suite = Suite()

KILLS = int(os.environ.get("KILLS", "20"))
USAGE = 64

SENDERS = """\
# who may send as whom
user@example.com     alias@example.com, @example.org,
  !no@example.org
User@Example.com     second@example.com
bare                 %n@example.net, "a b"@example.com
@example.com         <>
*                    everyone@example.com
"x y"@example.com    @.example.net
local                box
"""

# Plain enough for the map makers of others, which divide lines at blanks.
PLAIN = """\
user@example.com alias@example.com, @example.org, !no@example.org
bare@example.com *
@example.com <>
* everyone@example.com
"""

# A question to both maps for each kind of grant, and some that are refused.
QUESTIONS = [
    ("user@example.com", "alias@example.com"),
    ("user@example.com", "second@example.com"),
    ("user@example.com", "any@example.org"),
    ("user@example.com", "no@example.org"),
    ("user@example.com", "<>"),
    ("user@example.com", "owned@example.com"),
    ("user@example.com", "info@example.com"),
    ("user@example.com", "desk@example.com"),
    ("user@example.com", "root@example.com"),
    ("user@example.com", "caught@catch.example"),
    ("bare", "bare@example.net"),
    ("bare", "a b@example.com"),
    ("bare", "everyone@example.com"),
    ("bare", "alias@example.com"),
    ("x y@example.com", "any@sub.example.net"),
    ("x y@example.com", "any@example.net"),
    ("local", "box@example.com"),
    ("other@example.org", "everyone@example.com"),
    ("other@example.org", "alias@example.com"),
]


class Stage(Nest):
    """A folder with maps of every type, and fromguard to be run there."""

    def __enter__(self):
        super().__enter__()
        self.write("senders", SENDERS)
        self.write("plain", PLAIN)
        self.write("owners", "owned@example.com user@example.com, bare\n")
        self.write("virtual", "info@example.com desk@example.com\n"
                              "desk@example.com user@example.com, other@example.org\n"
                              "@catch.example user@example.com\n")
        self.write("aliases", "root: user@example.com, |/bin/cmd\n")
        self.write("accounts", "user@example.com|{PLAIN}secret\nother@example.org|x\n")
        self.write("rules.pcre", "/^(.*)@d$/ $1@e\n")
        self.empty = self.write("empty.conf", "")
        # Postfix's tools want a configuration, and a folder that may be theirs.
        os.mkdir(self.path("postfix"))
        self.write("postfix/main.cf", f"queue_directory = {self.path('postfix')}\n"
                                      f"data_directory = {self.path('postfix')}\n"
                                      "compatibility_level = 3.6\n")
        return self

    def run(self, *arguments, program=PROGRAM, **options):
        """Runs fromguard in a clean environment and in the folder."""
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("FROMGUARD_")}
        environment["FROMGUARD_CONFIG"] = self.empty
        return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120,
                              check=False, cwd=self.folder, env=environment, **options)

    def compile(self, out, *arguments, **options):
        """Compiles, which has to succeed without a word."""
        done = self.run("compile", "-o", out, *arguments, **options)
        equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "status and output")
        return self.path(out)

    def refused(self, out, *arguments, status=1, **options):
        """Compiles, which has to fail and to leave `out` as it is; what is said."""
        before = self.content(out)
        done = self.run("compile", "-o", out, *arguments, **options)
        equal((done.returncode, done.stdout), (status, ""), f"status and output ({done.stderr})")
        equal(self.content(out), before, f"{out} afterwards")
        that(not os.path.exists(self.path(out + ".tmp")), "a temporary file is left")
        return done.stderr

    def content(self, name):
        """The bytes of a file, or None where there is none."""
        try:
            with open(self.path(name), "rb") as file:
                return file.read()
        except OSError:
            return None

    def verdicts(self, maps):
        """What `explain` answers to every question, by its exit status."""
        options = ["-o", f"maps={maps}", "-o", "local_domains=example.com"]
        return {question: self.run("explain", *options, *question).returncode
                for question in QUESTIONS}

    def tool(self, *command, **options):
        """Runs a tool of somebody else and returns its output."""
        if not shutil.which(command[0]):
            raise Skip(f"{command[0]} is not installed")
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True,
                              cwd=self.folder, **options).stdout

    def postmap(self, *arguments):
        """Runs Postfix's map tool, where it knows constant databases."""
        if "cdb" not in self.tool("postconf", "-c", self.path("postfix"), "-m").split():
            raise Skip("this Postfix has no cdb maps")
        return self.tool("postmap", "-c", self.path("postfix"), *arguments)

    def diagnostics(self):
        """There is nothing to show but what the case says."""
        return ""


def says(text, *parts):
    """Fails unless every part is in text."""
    for part in parts:
        that(part in text, f"{part!r} is not in:\n{text}")


ALL_MAPS = ["text:senders", "owners:owners", "virtual:virtual", "aliases:aliases",
            "accounts:accounts"]
LOCAL = ["--set", "local_domains=example.com"]

# What is in a map --------------------------------------------------------------


@suite.case("a compiled map decides as the maps do that it was made of")
def same_verdicts(stage):
    stage.compile("all.cdb", *LOCAL, *ALL_MAPS)
    wanted = stage.verdicts(", ".join(ALL_MAPS))
    equal(set(wanted.values()), {0, 1}, "verdicts that the questions have")
    equal(stage.verdicts("cdb:all.cdb"), wanted, "verdicts")


@suite.case("names without a domain may wait for local_domains until the map is read")
def late_domains(stage):
    stage.compile("late.cdb", "virtual:virtual", "aliases:aliases", "text:senders")
    wanted = stage.verdicts("text:senders, virtual:virtual, aliases:aliases")
    equal(stage.verdicts("cdb:late.cdb"), wanted, "verdicts")


@suite.case("the same maps make the same bytes, in any order and through another map")
def same_bytes(stage):
    stage.compile("one.cdb", *LOCAL, *ALL_MAPS)
    stage.compile("two.cdb", *LOCAL, *reversed(ALL_MAPS), "text:senders")
    equal(stage.content("two.cdb"), stage.content("one.cdb"), "bytes")
    stage.compile("two.cdb", "cdb:two.cdb")
    equal(stage.content("two.cdb"), stage.content("one.cdb"), "bytes of a map of the map")


@suite.case("no password of an accounts: map is in it")
def no_secrets(stage):
    stage.compile("accounts.cdb", "accounts:accounts")
    that(b"secret" not in stage.content("accounts.cdb"), "the password is in it")


@suite.case("the configuration gives local_domains, and --set beats it")
def configuration(stage):
    conf = stage.write("local.conf", "local_domains = conf.example\n")
    stage.compile("conf.cdb", "-c", conf, "text:senders")
    says(stage.content("conf.cdb").decode("latin-1"), "box@conf.example")
    stage.compile("conf.cdb", "-c", conf, "--set", "local_domains=set.example", "text:senders")
    says(stage.content("conf.cdb").decode("latin-1"), "box@set.example")


# Others' tools -------------------------------------------------------------------


@suite.case("cdb -q, cdb -d and postmap -q read our maps: {tool}", tool=["cdb", "postmap"])
def others_read_ours(stage, tool):
    stage.compile("plain.cdb", "text:plain")
    for line in PLAIN.splitlines():
        key, senders = line.split(None, 1)
        if tool == "cdb":
            value = stage.tool("cdb", "-q", "plain.cdb", key)
        else:
            value = stage.postmap("-q", key, f"cdb:{stage.path('plain')}").rstrip("\n")
        equal(sorted(value.split(", ")), sorted(senders.split(", ")), f"senders of {key}")
    if tool == "cdb":
        dumped = [line for line in stage.tool("cdb", "-d", "-m", "plain.cdb").splitlines()
                  if not line.startswith("fromguard ")]
        stage.write("dumped", "\n".join(dumped) + "\n")
        stage.compile("again.cdb", "text:dumped")
        equal(stage.content("again.cdb"), stage.content("plain.cdb"), "map of what cdb -d prints")


@suite.case("maps are read that {tool} has made", tool=["postmap", "postmap -r", "cdb -c"])
def ours_reads_others(stage, tool):
    shutil.copy(stage.path("plain"), stage.path("foreign"))
    if tool == "postmap":
        stage.postmap(f"cdb:{stage.path('foreign')}")
    elif tool == "postmap -r":
        stage.write("foreign", PLAIN + PLAIN)  # twice each, so that some are replaced
        stage.postmap("-r", f"cdb:{stage.path('foreign')}")
    else:
        stage.tool("cdb", "-c", "-m", "foreign.cdb", "plain")
    equal(stage.verdicts("cdb:foreign.cdb"), stage.verdicts("text:plain"), "verdicts")
    stage.compile("mine.cdb", "cdb:foreign.cdb")
    stage.compile("plain.cdb", "text:plain")
    equal(stage.content("mine.cdb"), stage.content("plain.cdb"), "map of their map")


# Standard input --------------------------------------------------------------------


@suite.case("--from - reads a text: map, alone or beside others")
def standard_input(stage):
    with open(stage.path("senders"), encoding="utf-8") as senders:
        stage.compile("input.cdb", *LOCAL, "--from", "-", stdin=senders)
    stage.compile("file.cdb", *LOCAL, "text:senders")
    equal(stage.content("input.cdb"), stage.content("file.cdb"), "bytes")
    stage.compile("both.cdb", "--from=-", "owners:owners", input="a@example.com b@example.com\n")
    says(stage.content("both.cdb").decode("latin-1"), "b@example.com", "owned@example.com")
    large = "".join(f"user{i}@example.com alias{i}@example.com\n" for i in range(50000))
    stage.compile("large.cdb", "--from", "-", input=large)
    says(stage.content("large.cdb").decode("latin-1"), "alias49999@example.com")


@suite.case("what is wrong on standard input is said with its line")
def wrong_input(stage):
    said = stage.refused("input.cdb", "--from", "-", input="a@d b@d\na@d @\n\na@d !@\n")
    says(said, "standard input:2: ", "standard input:4: ", "nothing was written")


# What is refused -------------------------------------------------------------------


@suite.case("everything that is wrong is said, and nothing is written")
def errors(stage):
    stage.compile("old.cdb", "text:plain")
    stage.write("bad1", "a@d b@d\na@d @\n")
    stage.write("bad2", "a@d b@d,\n x@\n")
    said = stage.refused("old.cdb", "text:bad1", "text:plain", "owners:bad2", "text:none",
                         "cdb:plain", "frob:x")
    says(said, "bad1:2: ", "bad2:1: ", "none: No such file", "plain: ", "frob:x",
         "fromguard: nothing was written\n")
    stage.refused("new.cdb", "text:bad1", "--set", "map_errors=skip")
    that(not os.path.exists(stage.path("new.cdb")), "new.cdb is there")


@suite.case("rules are refused, with what to do instead")
def rules(stage):
    says(stage.refused("old.cdb", "text:plain", "pcre:rules.pcre"),
         "rules can not be compiled", "maps = cdb:old.cdb, pcre:rules.pcre")


@suite.case("a domain that can not be spelled is refused")
def odd_domain(stage):
    stage.write("odd", "a@x.example,y.example user@example.com\n")
    says(stage.refused("old.cdb", "owners:odd"), "odd:1: ", "a comma")


@suite.case("a map that may be missing, and warnings, do not stop it")
def warnings(stage):
    stage.compile("some.cdb", "?text:none", "text:plain")
    stage.write("crlf", "a@d b@d\r\n")
    done = stage.run("compile", "-o", "some.cdb", "text:crlf")
    equal(done.returncode, 0, f"status ({done.stderr})")
    says(done.stderr, "warning: crlf:1: ")
    done = stage.run("compile", "-o", "none.cdb", "?text:none")
    equal(done.returncode, 0, f"status ({done.stderr})")
    says(done.stderr, "warning: none.cdb: ", "will grant nothing")


WRONG_LINES = [
    # (arguments, what is said)
    (["text:plain"], "-o OUT is needed"),
    (["-o", "x.cdb"], "no MAP is given"),
    (["-o", "x.cdb", "--from", "plain"], "--from takes - alone: name a file as a map, text:plain"),
    (["-o"], "-o needs a value"),
    (["-o", "x.cdb", "--form", "-"], "unknown option --form (did you mean --from?)"),
]


@suite.case("a wrong command line is refused")
def command_line(stage):
    for arguments, part in WRONG_LINES:
        done = stage.run("compile", *arguments)
        equal((done.returncode, done.stdout), (USAGE, ""), f"status of {arguments}")
        says(done.stderr, part)
    done = stage.run("compile", "-o", "x.cdb", "--set", "mod=warn", "text:plain")
    equal(done.returncode, 1, "status of a wrong setting")
    that(not os.path.exists(stage.path("x.cdb")), "x.cdb is there")


@suite.case("what is no file is not replaced: {out}", out=["/dev/null", "/dev/full", "postfix"])
def no_file(stage, out):
    done = stage.run("compile", "-o", out, "text:plain")
    equal(done.returncode, 1, f"status ({done.stderr})")
    says(done.stderr, "is not a regular file and will not be replaced")
    that(not os.path.isfile(os.path.join(stage.folder, out)), f"{out} was replaced")


@suite.case("two at a time do not write one file")
def two_at_a_time(stage):
    stage.compile("old.cdb", "text:plain")
    with open(stage.path("old.cdb.tmp"), "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        done = stage.run("compile", "-o", "old.cdb", "text:senders")
        equal(done.returncode, 1, "status")
        says(done.stderr, "old.cdb.tmp: another process is writing it")
    stage.compile("old.cdb", "text:senders")


# Disks and folders -----------------------------------------------------------------


@suite.case("in a folder that it can not write to, it says so")
def read_only_folder(stage):
    os.mkdir(stage.path("closed"))
    stage.compile("closed/old.cdb", "text:plain")
    os.chmod(stage.path("closed"), 0o555)
    program = shutil.copy(PROGRAM, stage.path("program"))  # where anybody reaches it
    options = {"user": "nobody"} if os.geteuid() == 0 else {}
    said = stage.refused("closed/old.cdb", "text:senders", program=program, **options)
    says(said, "closed/old.cdb.tmp: Permission denied")
    said = stage.refused("closed/new.cdb", "text:senders", program=program, **options)
    says(said, "closed/new.cdb.tmp: Permission denied")


@suite.case("where the file may not get so large, the old one stays")
def size_limit(stage):
    stage.compile("old.cdb", "text:plain")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2100, 2100))

    said = stage.refused("old.cdb", *LOCAL, *ALL_MAPS, preexec_fn=limit)
    says(said, "old.cdb.tmp: File too large")


@suite.case("where the disk is full, the old one stays")
def disk_full(stage):
    os.mkdir(stage.path("small"))
    stage.write("large", "".join(f"u{i}@example.com a@example.com\n" for i in range(5000)))
    script = ("mount -t tmpfs -o size=128k none small || exit 99\n"
              "$0 compile -o small/map.cdb text:plain || exit 98\n"
              "cp small/map.cdb before && $0 compile -o small/map.cdb text:large\n"
              "test $? = 1 && cmp small/map.cdb before && test $(ls -A small) = map.cdb\n")
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, PROGRAM], cwd=stage.folder,
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 99 or done.stderr.startswith("unshare: "):
        raise Skip("a small file system can not be mounted")
    equal((done.returncode, done.stdout), (0, ""), f"status and output ({done.stderr})")
    says(done.stderr, "small/map.cdb.tmp: No space left on device")


# Progress --------------------------------------------------------------------------


def read_terminal(master):
    """All that was shown on a terminal whose other side is closed; it may come in pieces."""
    shown = b""
    try:
        while piece := os.read(master, 65536):
            shown += piece
    except OSError:  # EIO: there is nothing left
        pass
    os.close(master)
    return shown.decode()


@suite.case("on a terminal it shows what it does, and elsewhere nothing")
def progress(stage):
    master, terminal = pty.openpty()
    done = subprocess.run([PROGRAM, "compile", "-o", "seen.cdb", "text:plain"], cwd=stage.folder,
                          stdout=subprocess.PIPE, stderr=terminal, timeout=60, check=False,
                          env={**os.environ, "FROMGUARD_CONFIG": stage.empty})
    os.close(terminal)
    shown = read_terminal(master)
    equal((done.returncode, done.stdout), (0, b""), "status and output")
    says(shown, "reading plain", "writing seen.cdb 100 %",
         f"wrote seen.cdb: logins 4, grants 6, bytes {len(stage.content('seen.cdb'))}")


# Kills -----------------------------------------------------------------------------


@suite.case(f"killed {KILLS} times at any moment, the old map or the new one is there, whole")
def kills(stage):
    logins = {"odd": "alias", "even": "other"}
    whole = {}
    for name, alias in logins.items():
        stage.write(name, "".join(f"user{i}@example.com {alias}{i}@example.com, @{alias}{i}.org\n"
                                  for i in range(20000)))
        began = time.monotonic()
        stage.compile("killed.cdb", f"text:{name}")
        duration = time.monotonic() - began
        whole[name] = stage.content("killed.cdb")
    chance = random.Random(1)
    seen = {"odd": 0, "even": 0, "temporary": 0}
    # Where the moments are odd ones, some more kills find the others.
    for i in range(KILLS * 10):
        if i >= KILLS and min(seen.values()) > 0:
            break
        name = list(logins)[i % 2]
        process = subprocess.Popen([PROGRAM, "compile", "-o", "killed.cdb", f"text:{name}"],
                                   cwd=stage.folder, stdin=subprocess.DEVNULL,
                                   env={**os.environ, "FROMGUARD_CONFIG": stage.empty})
        time.sleep(chance.uniform(0, 1.1 * duration))
        process.send_signal(signal.SIGKILL)
        process.wait()
        content = stage.content("killed.cdb")
        that(content in whole.values(), f"kill {i} has left {len(content or b'')} bytes, not a map")
        seen["odd" if content == whole["odd"] else "even"] += 1
        seen["temporary"] += os.path.exists(stage.path("killed.cdb.tmp"))
    print(f"# figure: compile killed {sum(seen.values()) - seen['temporary']} times: the map was whole each time, and a temporary "
          f"file beside it {seen['temporary']} times", flush=True)
    that(KILLS < 20 or min(seen.values()) > 0, f"the kills did not come at all moments: {seen}")
    stage.compile("killed.cdb", "text:odd")
    equal(stage.content("killed.cdb"), whole["odd"], "the map that is made at last")
    that(not os.path.exists(stage.path("killed.cdb.tmp")), "a temporary file is left")


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
