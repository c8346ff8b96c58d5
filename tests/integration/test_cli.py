# SPDX-License-Identifier: BSD-2-Clause
"""The command line: help, exit statuses, settings, and what is written about them."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fromguard  # noqa: E402
from fromguard import PROGRAM, ROOT  # noqa: E402
from processes import Nest  # noqa: E402
from tap import Skip, Suite, equal, that  # noqa: E402

suite = Suite()

COMMANDS = re.findall(r"^  (\w+)  +\w", fromguard.run("--help").stdout, re.MULTILINE)
SAMPLE = os.path.join(ROOT, "conf", "fromguard.conf")
MANUAL = os.path.join(ROOT, "man", "fromguard.conf.5")
PROGRAM_MANUAL = os.path.join(ROOT, "man", "fromguard.8")

ALLOW, REJECT, TROUBLE, USAGE = 0, 1, 2, 64


class Stage(Nest):
    """A folder with a configuration and a map, and fromguard to be run there."""

    def __enter__(self):
        super().__enter__()
        self.write("senders", "user@example.com alias@example.com\n"
                              "other@example.com @example.org, !no@example.org\n")
        self.conf = self.write("fromguard.conf", f"maps = text:{self.path('senders')}\n")
        self.empty = self.write("empty.conf", "")
        return self

    def run(self, *arguments, config=None, **variables):
        """Runs fromguard on a configuration, with variables added to a clean environment."""
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("FROMGUARD_")}
        environment.update(FROMGUARD_CONFIG=config or self.empty, **variables)
        return fromguard.run(*arguments, env=environment)

    def settings(self, *arguments, **variables):
        """The settings in force: name -> value, as `config` prints them."""
        done = self.run("config", *arguments, **variables)
        equal(done.returncode, 0, f"status ({done.stderr})")
        return dict(re.match(r"(\w+) =(?: (.*))?$", line).groups(default="")
                    for line in done.stdout.splitlines())

    def table(self):
        """The rows of the table of settings, as `config --json` prints them."""
        return json.loads(self.run("config", "--json").stdout)

    def complaint(self, *arguments, status=1, **variables):
        """What a run that fails with `status` says; nothing may be on standard output."""
        done = self.run(*arguments, **variables)
        equal(done.returncode, status, f"status of {arguments} ({done.stderr})")
        equal(done.stdout, "", "standard output")
        return done.stderr

    def diagnostics(self):
        """There is nothing to show but what the case says."""
        return ""


def says(text, *parts):
    """Fails unless every part is in text."""
    for part in parts:
        that(part in text, f"{part!r} is not in:\n{text}")


# Help and usage -------------------------------------------------------------


@suite.case("{command} --help teaches with an example", command=COMMANDS)
def command_help(stage, command):
    done = stage.run(command, "--help")
    equal((done.returncode, done.stderr), (0, ""), "status and complaints")
    lines = done.stdout.splitlines()
    that(re.match(rf"usage: fromguard {command}\b", lines[0]), lines[0])
    example = done.stdout.index("Example")
    that(f"fromguard {command}" in done.stdout[example:], "the example does not use it")
    equal([line for line in lines if len(line) > 79], [], "lines that are too long")
    equal(stage.run(command, "-h").stdout, done.stdout, "-h")
    if "-o NAME=VALUE" in done.stdout:
        # Under LeakSanitizer: nothing is lost on the way out, either.
        after = stage.run(command, "-o", "self=no", "-h")
        equal((after.returncode, after.stdout), (0, done.stdout), "-o self=no -h")


@suite.case("all commands are there, and the help of each lists the options it takes")
def all_commands(stage):
    for command in "serve explain who what ask compile config version".split():
        that(command in COMMANDS, f"{command} is not in {COMMANDS}")
    done = stage.run("--help")
    equal(done.returncode, 0, "status")
    equal(stage.run("-h").stdout, done.stdout, "-h")
    for command in ("explain", "who", "what", "ask", "config"):
        says(stage.run(command, "--help").stdout, "--json", "-c FILE", "-o NAME=VALUE")


@suite.case("without a command, help goes to standard error")
def no_command(stage):
    done = stage.run()
    equal((done.returncode, done.stdout), (USAGE, ""), "status and output")
    equal(done.stderr, stage.run("--help").stdout, "help")


@suite.case("version and --version say the same")
def version(stage):
    done = stage.run("version")
    that(re.fullmatch(r"fromguard \d+\.\d+\.\d+\n", done.stdout), done.stdout)
    equal(stage.run("--version").stdout, done.stdout, "--version")


WRONG_LINES = [
    # (arguments, what is said)
    (["explan"], "unknown command explan (did you mean explain?)"),
    (["confgi"], "unknown command confgi (did you mean config?)"),
    (["frobnicate"], "unknown command frobnicate; fromguard --help lists them"),
    (["--json"], "unknown command --json"),
    (["explain", "--jsno", "a", "b"], "unknown option --jsno (did you mean --json?)"),
    (["ask", "--timeot=1"], "unknown option --timeot (did you mean --timeout?)"),
    (["config", "--frobnicate"], "fromguard config: unknown option --frobnicate\n"),
    (["who", "-x"], "unknown option -x"),
    (["who", "--json", "-xh"], "unknown option -x"),
    (["what", "-c"], "-c needs a value"),
    (["what", "-o"], "-o needs a value"),
    (["ask", "--timeout"], "--timeout needs a value"),
    (["ask"], "a LOGIN and a SENDER are needed"),
    (["ask", "--health", "a"], "a LOGIN and a SENDER are needed"),
    (["explain", "--json=yes"], "--json takes no value"),
    (["explain", "a"], "a LOGIN and a SENDER are needed"),
    (["explain", "a", "b", "c"], "a LOGIN and a SENDER are needed"),
    (["who"], "one SENDER is needed"),
    (["what", "a", "b"], "one LOGIN is needed"),
    (["config", "mode"], "there is an argument too many: mode"),
    (["version", "2"], "there is an argument too many: 2"),
    (["serve", "now"], "there is an argument too many: now"),
    (["compile"], "-o OUT is needed"),
]


@suite.case("a wrong command line is refused, and the right one named")
def usage(stage):
    for arguments, said in WRONG_LINES:
        text = stage.complaint(*arguments, status=USAGE)
        says(text, said)
        if arguments[0] in COMMANDS:
            says(text, f"usage: fromguard {arguments[0]}", f"{arguments[0]} --help says more")


@suite.case("{command} refuses an option that it does not have", command=COMMANDS)
def unknown_option(stage, command):
    text = stage.complaint(command, "--hlep", status=USAGE)
    says(text, f"fromguard {command}: unknown option --hlep (did you mean --help?)")


# Exit statuses --------------------------------------------------------------

STATUSES = [
    (ALLOW, "explain", "user@example.com", "alias@example.com"),
    (ALLOW, "explain", "user@example.com", "user@example.com"),
    (ALLOW, "explain", "user@example.com", "<>"),
    (REJECT, "explain", "user@example.com", "other@example.com"),
    (REJECT, "explain", "other@example.com", "no@example.org"),
    (ALLOW, "who", "alias@example.com"),
    (REJECT, "who", "-o", "self=no", "nobody@example.net"),
    (ALLOW, "what", "user@example.com"),
    (REJECT, "what", "-o", "self=no", "-o", "null_sender=reject", "nobody@example.com"),
    (ALLOW, "config"),
    (ALLOW, "version"),
    (TROUBLE, "ask", "-s", "{nest}/nobody", "user@example.com", "user@example.com"),
    (TROUBLE, "explain", "-c", "{nest}/missing.conf", "a", "b"),
    (TROUBLE, "who", "-o", "maps=text:{nest}/missing", "a"),
    (1, "serve", "-c", "{nest}/missing.conf"),
    (1, "serve", "-o", "maps=text:{nest}/missing", "-o", "listen=unix:{nest}/s"),
    (1, "config", "-o", "mode=none"),
]


@suite.case("exit statuses say what the answer was")
def statuses(stage):
    for status, *arguments in STATUSES:
        arguments = [argument.format(nest=stage.folder) for argument in arguments]
        done = stage.run(*arguments, config=stage.conf)
        equal(done.returncode, status, f"status of {arguments} ({done.stderr})")
        wrong = status == TROUBLE or (status == 1 and arguments[0] in ("serve", "config"))
        equal(bool(done.stderr), wrong, f"complaints of {arguments} ({done.stderr})")


@suite.case("without maps, the cure is told")
def no_maps(stage):
    for arguments in (["explain", "a", "b"], ["who", "a"], ["what", "a"], ["serve"]):
        text = stage.complaint(*arguments, status=1 if arguments == ["serve"] else TROUBLE)
        says(text, "maps is not set", "maps = text:/etc/fromguard/senders")


@suite.case("an answer that can not be written is no success")
def full(stage):
    with open("/dev/full", "wb") as output:
        done = subprocess.run([PROGRAM, "version"], stdout=output, stderr=subprocess.PIPE,
                              text=True, check=False)
    equal(done.returncode, TROUBLE, "status")
    says(done.stderr, "standard output: No space left on device")


# Settings -------------------------------------------------------------------


@suite.case("all that is wrong with a configuration is said, with its line")
def wrong_settings(stage):
    path = stage.write("wrong.conf", "mode = wran\n\nalias_dept = 3\nmaps = text:/x,\n"
                                     "  txt:/y\nalias_depth = 101\nself = no\nself = yes\n")
    equal(stage.complaint("config", "-c", path).replace(path, "F").splitlines(), [
        'fromguard: F:1: mode: "wran" is not one of: enforce, warn (did you mean warn?)',
        "fromguard: F:3: unknown setting alias_dept (did you mean alias_depth?)",
        'fromguard: F:4: maps: "txt:/y" is no map: it is TYPE:PATH, and TYPE is text, cdb, pcre,'
        " owners, virtual, aliases or accounts",
        "fromguard: F:6: alias_depth: 101 is out of range: it is 1 to 100",
        "fromguard: warning: F:8: self is set on line 7 already; the last one counts",
    ], "complaints")
    says(stage.complaint("config", FROMGUARD_MDOE="warn"),
         "environment: unknown setting FROMGUARD_MDOE (did you mean FROMGUARD_MODE?)")
    says(stage.complaint("config", "-o", "mdoe=warn"),
         "-o: unknown setting mdoe (did you mean mode?)")
    says(stage.complaint("config", "-c", stage.path("missing")),
         f"fromguard: {stage.path('missing')}: No such file or directory")


@suite.case("what is wrong is said without what would move a terminal's cursor")
def escapes(stage):
    path = stage.write("escapes.conf", "mode = \x1b[2J\u202e\n")
    says(stage.complaint("config", "-c", path), r"\x1b[2J\xe2\x80\xae")


@suite.case("-o beats the environment, which beats the file, which beats the default")
def precedence(stage):
    path = stage.write("order.conf", "idle_timeout = 2s\nalias_depth = 2\nself = no\n")
    settings = stage.settings("-c", path, "-o", "idle_timeout=5s", "-o", "idle_timeout=4s",
                              FROMGUARD_IDLE_TIMEOUT="3s", FROMGUARD_ALIAS_DEPTH="3")
    equal([settings[name] for name in ("idle_timeout", "alias_depth", "self", "mode")],
          ["4s", "3", "no", "enforce"], "settings")
    sources = {row["name"]: row["source"] for row in json.loads(stage.run(
        "config", "--json", "-o", "mode=warn", config=path, FROMGUARD_ALIAS_DEPTH="3").stdout)}
    equal([sources[name] for name in ("mode", "alias_depth", "self", "log")],
          ["option", "environment", "file", "default"], "sources")


@suite.case("FROMGUARD_CONFIG names the file, and -c another")
def config_file(stage):
    warn = stage.write("warn.conf", "mode = warn\n")
    equal(stage.settings(config=warn)["mode"], "warn", "mode by FROMGUARD_CONFIG")
    equal(stage.settings("-c", stage.empty, config=warn)["mode"], "enforce", "mode by -c")


@suite.case("config -n prints what differs from the default, by value")
def changed_only(stage):
    equal(stage.run("config", "-n").stdout, "", "without settings")
    equal(stage.run("config", "-n", "-o", "mode=warn", "-o", "idle_timeout=3600000ms",
                    "-o", "listen=unix:/x").stdout,
          "listen = unix:/x\nmode = warn\n", "with some")
    rows = json.loads(stage.run("config", "-n", "--json", "-o", "self=no").stdout)
    equal([row["name"] for row in rows], ["self"], "rows")
    equal(json.loads(stage.run("config", "-n", "--json").stdout), [], "no rows")


@suite.case("what config prints can be read back")
def round_trip(stage):
    odd = ["listen=inet:[::1]:10040 unix:/x", "maps=?pcre:/a=b, text:#c",
           "local_domains=München.example",
           "recipient_delimiter=#+-", "reject_text=# ${sender}: \"no\" \\ grüße, =${login}",
           "idle_timeout=1500ms", "rule_budget=1234us", "socket_mode=7", "metrics_listen=unix:/m"]
    options = [word for option in odd for word in ("-o", option)]
    for brief in ([], ["-n"]):
        first = stage.run("config", *brief, *options)
        equal(first.returncode, 0, first.stderr)
        again = stage.run("config", *brief, "-c", stage.write("again.conf", first.stdout))
        equal((again.stdout, again.stderr), (first.stdout, ""), "read back")
    rows = json.loads(stage.run("config", "--json", *options).stdout)
    equal({row["name"]: row["value"] for row in rows}, stage.settings(*options), "JSON")


# What is written about them -------------------------------------------------


def text_of(path):
    """The whole of a file."""
    with open(path, encoding="utf-8") as file:
        return file.read()


@suite.case("the sample has every setting with its help, range and default")
def sample(stage):
    blocks = text_of(SAMPLE).split("\n\n")[1:]
    wanted = [f"# {row['help']}\n"
              f"# ({row['range']}{'' if row['reloadable'] else '; needs a restart'})\n"
              f"#{row['name']} = {row['default']}".rstrip() for row in stage.table()]
    equal([block.rstrip() for block in blocks], wanted, "blocks of the sample")


@suite.case("the sample changes nothing, nor does it without its comment signs")
def sample_loads(stage):
    defaults = stage.settings()
    equal(stage.settings(config=SAMPLE), defaults, "settings of the sample")
    bare = re.sub(r"^#(?=\w)", "", text_of(SAMPLE), flags=re.MULTILINE)
    equal(stage.settings(config=stage.write("bare.conf", bare)), defaults, "settings")


@suite.case("the manual has every setting with its default, range and effect")
def manual(stage):
    items = re.findall(r"^\.It Ic (\w+) No =(?: Cm ([^\n]*))?\n(.*?)(?=^\.It Ic|^\.S[sh])",
                       text_of(MANUAL), re.MULTILINE | re.DOTALL)
    written = {name: (default, re.findall(r"^\.Pq (.*); (\w+)$", text, re.MULTILINE))
               for name, default, text in items}
    equal(len(written), len(items), "number of settings")
    for row in stage.table():
        effect = "reload" if row["reloadable"] else "restart"
        equal(written.pop(row["name"], None), (row["default"], [(row["range"], effect)]),
              row["name"])
    equal(written, {}, "settings that there are not")


@suite.case("the examples of the manual are sound")
def manual_examples(stage):
    examples = text_of(MANUAL).split(".Sh EXAMPLES")[1]
    blocks = [block for block in re.findall(r"^\.Bd .*?\n(.*?)^\.Ed", examples, re.M | re.S)
              if block.startswith("maps")]
    equal(len(blocks), 3, "examples")
    for block in blocks:
        that(stage.settings(config=stage.write("example.conf", block))["maps"], block)


@suite.case("the manual has every command, and every option of its --help")
def manual_commands(stage):
    written = text_of(PROGRAM_MANUAL)
    for command in COMMANDS:
        section = re.search(rf"^\.Ss {command}$(.*?)^\.S[sh]", written, re.M | re.S)
        that(section, f"{command} has no section")
        options = re.findall(r"^  (?:(-\w), )?(-\w|--\w+)", stage.run(command, "--help").stdout, re.M)
        for option in {name for pair in options for name in pair if name}:
            known = section[1] + written.split(".Sh COMMANDS")[0]
            mdoc = rf"\bFl {re.escape(option[1:].replace('--', '-'))}\b"
            that(re.search(mdoc, known), f"{command} {option} is not in the manual")


@suite.case("every manual is clean: {command}", command=[
    "mandoc -T lint -W style", "groff -mdoc -T utf8 -ww -z"])
def manual_is_clean(stage, command):
    if not shutil.which(command.split()[0]):
        raise Skip(f"{command.split()[0]} is not installed")
    manuals = sorted(glob.glob(os.path.join(ROOT, "man", "*.[58]")))
    equal(len(manuals), 3, "manuals")
    for manual in manuals:
        done = subprocess.run([*command.split(), manual], capture_output=True, text=True,
                              check=False)
        # Other packages' manuals need not be installed.
        said = [line for line in (done.stdout + done.stderr).splitlines()
                if "referenced manual not found" not in line and "outdated mandoc.db" not in line]
        equal(said, [], f"complaints about {manual}")


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
