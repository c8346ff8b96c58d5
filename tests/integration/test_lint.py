# SPDX-License-Identifier: BSD-2-Clause
"""lint: it finds what is wrong in a bad set of files, and is silent on a good one."""

import json
import os
import re
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fromguard  # noqa: E402
from processes import Nest  # noqa: E402
from tap import Suite, equal, that  # noqa: E402

suite = Suite()

BAD = {
    "accounts.cf": "alice@example.com|{SHA512-CRYPT}x\n"
                   "bob@example.com|{SHA512-CRYPT}x\n"
                   "carol@example.com|{SHA512-CRYPT}x\n",
    "senders.cf": "alice@example.com info@example.com\n"           # 1
                  "alice@example.com info@example.com\n"           # 2 twice
                  "nobody@example.com sales@example.com\n"         # 3 no such login
                  "bob@example.com !ceo@example.org\n"             # 4 denies nothing
                  "bob@example.com @example.net, !boss@example.net\n"
                  "carol@example.com twice@example.com, twice@example.com\n",    # 6
    "virtual.cf": "a@example.com b@example.com\n"                  # 1 loop
                  "b@example.com c@example.com\n"
                  "c@example.com a@example.com\n"                  # 3 closes it
                  "gone@example.com ghost@example.com\n"           # 4 no login
                  "d0@example.com d1@example.com\nd1@example.com d2@example.com\n"   # 5 too long
                  "d2@example.com d3@example.com\nd3@example.com alice@example.com\n",
    "rules.pcre": "/sales@example\\.com$/ alice@example.com\n"     # 1 no ^
                  "/^shop@example\\.com/ alice@example.com\n"      # 2 no $
                  "/^web@example.com$/ alice@example.com\n"        # 3 loose dot
                  "/^(bob|carol)@example\\.com$/ alice@example.com\n",   # 4 covers accounts
}

BAD_SETTINGS = {"alias_depth": "3", "maps":
                "accounts:accounts.cf, text:senders.cf, virtual:virtual.cf, pcre:rules.pcre"}

FINDINGS = {
    "the same grant twice": ("senders.cf", 2, r"same grant stands at senders\.cf:1.*leave one"),
    "the same grant twice on a line": ("senders.cf", 6, r"same grant stands at senders\.cf:6"),
    "a grant to no login": ("senders.cf", 3, r"grant to nobody@example\.com.*no accounts: map"),
    "a denial of nothing": ("senders.cf", 4, r"!ceo@example\.org denies nothing.*leave it out"),
    "an alias loop": ("virtual.cf", None, r"alias loop: .*a@example\.com -> b@example\.com"),
    "a destination that is no login": ("virtual.cf", 4, r"ghost@example\.com, which is no login"),
    "a chain that is too long": ("virtual.cf", 5, r"from d0@example\.com has 4 links.*alias_depth = 3"),
    "no anchor at the start": ("rules.pcre", 1, r"not anchored with \^ at its start.*write"),
    "no anchor at the end": ("rules.pcre", 2, r"not anchored with \$ at its end.*write"),
    "a dot that is not escaped": ("rules.pcre", 3, r"dot that matches any byte.*write"),
    "a rule that covers accounts": ("rules.pcre", 4,
                                    r"covers the account bob@example\.com and 1 more"),
}

GOOD = {
    "accounts.cf": BAD["accounts.cf"],
    "senders.cf": "alice@example.com info@example.com, *, !bob@example.com\n"
                  "bob@example.com @example.net, !boss@example.net\n"
                  "@example.com %n@example.org\n",
    "virtual.cf": "a@example.com b@example.com\nb@example.com alice@example.com, bob@example.com\n"
                  "@catch.example carol@example.com\n@alias.example @example.com\n"
                  "carol@example.com carol@example.com, bob@example.com\n",
    "rules.pcre": "/^(.*)$/ ${1}\n/^([a-z]+)\\.[0-9]+@example\\.com$/ ${1}@example.com\n",
}

# A submission service with docker-mailserver's wiring, as postconf prints it.
MAIN = {
    "smtpd_sasl_auth_enable": "no",
    "smtpd_sender_login_maps": "unionmap:{texthash:/etc/postfix/virtual}",
    "dms_smtpd_sender_restrictions": "permit_sasl_authenticated, permit_mynetworks",
    "mua_sender_restrictions":
        "check_policy_service { unix:/run/fromguard/policy.sock, timeout=5s, try_limit=2, "
        "retry_delay=1s, default_action=reject_authenticated_sender_login_mismatch }, "
        "$dms_smtpd_sender_restrictions",
}
MASTER = {
    "smtp/inet/command": "smtpd",
    "submission/inet/command": "smtpd",
    "submission/inet/chroot": "n",
    "submission/inet/smtpd_sasl_auth_enable": "yes",
    "submission/inet/smtpd_sender_restrictions": "$mua_sender_restrictions",
    "submissions/inet/command": "smtpd",
    "submissions/inet/smtpd_sasl_auth_enable": "yes",
    "submissions/inet/smtpd_sender_restrictions": "$mua_sender_restrictions",
}
POLICY = "check_policy_service unix:/run/fromguard/policy.sock"

# What is changed -> the severity and the words of what has to be found.
POSTFIX = {
    "permit_sasl_authenticated in front":
        ({"mua_sender_restrictions": f"permit_sasl_authenticated, {POLICY}"},
         "error", "permit_sasl_authenticated stands in front .* dead for everybody who has logged"),
    "permit_mynetworks in front":
        ({"mua_sender_restrictions": f"permit_mynetworks {POLICY}"},
         "error", "permit_mynetworks stands in front .* client in mynetworks"),
    "a permit in front, by a restriction class":
        ({"smtpd_restriction_classes": "friends", "friends": "permit_inet_interfaces",
          "mua_sender_restrictions": f"friends, {POLICY}"},
         "error", "permit_inet_interfaces stands in front"),
    "a permit in front, by $name":
        ({"mua_sender_restrictions": "${dms_smtpd_sender_restrictions}, " + POLICY},
         "error", "permit_sasl_authenticated stands in front"),
    "reject in front":
        ({"mua_sender_restrictions": f"reject, {POLICY}"}, "error", "reject stands in front"),
    "warn_if_reject in front":
        ({"mua_sender_restrictions": f"warn_if_reject {POLICY}"}, "error", "refuses nobody"),
    "no check at all":
        ({"mua_sender_restrictions": "permit"}, "error", "never asked"),
    "one service that is left out":
        ({"submissions/inet/smtpd_sender_restrictions": ""},
         "error", "submissions/inet: .*never asked"),
    "in the recipients' list":
        ({"mua_sender_restrictions": "", "smtpd_recipient_restrictions": POLICY},
         "warning", "belongs in smtpd_sender_restrictions"),
    "the native check beside it":
        ({"mua_sender_restrictions":
          POLICY + ", reject_authenticated_sender_login_mismatch"},
         "warning", "reject_authenticated_sender_login_mismatch is in the list too"),
    "no default_action":
        ({"mua_sender_restrictions": POLICY}, "warning", "no default_action"),
    "no timeout":
        ({"mua_sender_restrictions": POLICY}, "warning", "no timeout"),
    "a fallback without login maps":
        ({"smtpd_sender_login_maps": ""}, "warning", "refuses every sender while"),
    "a fallback that lets everything pass":
        ({"mua_sender_restrictions":
          "check_policy_service { unix:/run/fromguard/policy.sock, { default_action = DUNNO } }"},
         "warning", "lets everybody use any sender"),
    "a chroot":
        ({"submission/inet/chroot": "y"}, "error", "runs in a chroot and can not see"),
    "nobody can log in":
        ({"submission/inet/smtpd_sasl_auth_enable": "no",
          "submissions/inet/smtpd_sasl_auth_enable": "no"}, "warning", "nobody can log in"),
}


class Stage(Nest):
    """A folder for each set of files, in which lint is run."""

    def furnish(self, name, files, settings):
        """Writes a set of files; returns its folder."""
        folder = self.path(name)
        os.makedirs(folder, exist_ok=True)
        for file, text in files.items():
            self.write(os.path.join(name, file), text)
        self.write(os.path.join(name, "fromguard.conf"),
                   "".join(f"{key} = {value}\n" for key, value in settings.items()))
        return folder

    def lint(self, folder, *arguments):
        """Runs lint in a folder."""
        return fromguard.run("lint", "-c", "fromguard.conf", *arguments, cwd=folder)

    def findings(self, folder, *arguments):
        """What lint --json says."""
        return json.loads(self.lint(folder, "--json", *arguments).stdout)["findings"]

    def __enter__(self):
        super().__enter__()
        self.bad = self.furnish("bad", BAD, BAD_SETTINGS)
        self.good = self.furnish("good", GOOD, {
            "maps": "accounts:accounts.cf, text:senders.cf, virtual:virtual.cf, pcre:rules.pcre"})
        self.found = self.findings(self.bad)
        return self

    def postfix(self, changes, *arguments):
        """Lints a Postfix with some parameters changed."""
        both = {**MAIN, **MASTER, **changes}
        self.write("good/postconf", "".join(f"{key} = {value}\n" for key, value in both.items()))
        return self.findings(self.good, *arguments, "--postfix", "postconf")

    def run_postconf(self, script):
        """Lints what a postconf prints, which is this shell script."""
        os.makedirs(self.path("bin"), exist_ok=True)
        self.write("bin/postconf", f"#!/bin/sh\n{script}\n", mode=0o755)
        path = f"{self.path('bin')}:{os.environ['PATH']}"
        return fromguard.run("lint", "-c", "fromguard.conf", "--postfix", cwd=self.good,
                             env={**os.environ, "PATH": path})

    def diagnostics(self):
        """All that is found in the bad set."""
        return self.lint(self.bad).stdout


@suite.case("it finds {what}", what=list(FINDINGS))
def finds(stage, what):
    file, line, text = FINDINGS[what]
    hits = [f for f in stage.found if f["file"] == file and re.search(text, f["text"])]
    equal(len(hits), 1, f"findings of {text}")
    equal(hits[0]["severity"], "warning", "severity")
    that(line is None or hits[0]["line"] == line, f"line {line}: {hits}")


@suite.case("warnings alone are no failure, and are counted")
def warnings(stage):
    done = stage.lint(stage.bad)
    equal(done.returncode, 0, "status")
    that(re.search(r"^0 errors, \d+ warnings$", done.stdout.splitlines()[-1]), done.stdout)


@suite.case("the findings come in the same order each time")
def order(stage):
    equal(stage.findings(stage.bad), stage.found)


@suite.case("it is silent on a good set")
def good(stage):
    done = stage.lint(stage.good)
    equal(done.stdout, "0 errors, 0 warnings\n")
    equal(done.returncode, 0, "status")


@suite.case("an error in a map is one, with its line, and the rest is looked at")
def error(stage):
    folder = stage.furnish("error", {**BAD, "rules.pcre": "/^(/ x\n" + BAD["rules.pcre"]},
                           BAD_SETTINGS)
    found = stage.findings(folder)
    that([f for f in found if f["severity"] == "error" and f["file"] == "rules.pcre"
          and f["line"] == 1], found)
    that([f for f in found if f["severity"] == "warning" and f["file"] == "senders.cf"], found)
    equal(stage.lint(folder).returncode, 1, "status")


@suite.case("a file that everybody can write is refused")
def writable(stage):
    folder = stage.furnish("writable", BAD, BAD_SETTINGS)
    os.chmod(os.path.join(folder, "senders.cf"), 0o666)
    done = stage.lint(folder)
    equal(done.returncode, 1, "status")
    that(re.search(r"senders\.cf.*writ", done.stdout), done.stdout)


@suite.case("a configuration that everybody can write is refused")
def writable_configuration(stage):
    folder = stage.furnish("writable-conf", GOOD, {"maps": "text:senders.cf"})
    os.chmod(os.path.join(folder, "fromguard.conf"), 0o666)
    done = stage.lint(folder)
    equal(done.returncode, 1, "status")
    that("everybody can write to it" in done.stdout, done.stdout)


@suite.case("without maps there is nothing to check, which is an error")
def no_maps(stage):
    folder = stage.furnish("empty", {}, {})
    done = stage.lint(folder)
    equal(done.returncode, 1, "status")
    that("maps is not set" in done.stdout, done.stdout)


@suite.case("Postfix: nothing to say about docker-mailserver's wiring")
def postfix_good(stage):
    equal(stage.postfix({}), [])


@suite.case("Postfix: it finds {what}", what=list(POSTFIX))
def postfix(stage, what):
    changes, severity, text = POSTFIX[what]
    found = stage.postfix(changes)
    that([f for f in found if f["severity"] == severity and re.search(text, f["text"])], found)


FALLBACK = ("timeout=5s, try_limit=2, retry_delay=1s, "
            "default_action=reject_authenticated_sender_login_mismatch }")
# Right as well: what is changed, and the settings that go with it.
POSTFIX_GOOD = {
    "a socket of the network": (
        {"mua_sender_restrictions": "check_policy_service { inet:127.0.0.1:10040, " + FALLBACK},
        ["-o", "listen=inet:127.0.0.1:10040"]),
    "a host with another name": (
        {"mua_sender_restrictions": "check_policy_service { inet:localhost:10040, " + FALLBACK},
        ["-o", "listen=unix:/x, inet:127.0.0.1:10040"]),
    "a socket below the queue directory, in a chroot": (
        {"mua_sender_restrictions": "check_policy_service { unix:private/sender, " + FALLBACK,
         "submission/inet/chroot": "y", "submissions/inet/chroot": "y"},
        ["-o", "listen=unix:/var/spool/postfix/private/sender"]),
    "an absolute path without our name": (
        {"mua_sender_restrictions": "check_policy_service { unix:/run/s, " + FALLBACK},
        ["-o", "listen=unix:/run/s"]),
    "blanks around the equal signs": (
        {"mua_sender_restrictions": "check_policy_service { unix:/run/fromguard/policy.sock, "
         "{ timeout = 5s }, try_limit=2, retry_delay=1s, "
         "{ default_action = reject_authenticated_sender_login_mismatch } }"}, []),
    "names in every spelling": (
        {"one": "$(two)", "two": "${three}", "three": MAIN["mua_sender_restrictions"],
         "mua_sender_restrictions": "$one"}, []),
    "a name that means nothing": (
        {"mua_sender_restrictions": "$nothing ${nothing?permit} " +
         MAIN["mua_sender_restrictions"]}, []),
}


@suite.case("Postfix: nothing to say about {what}", what=POSTFIX_GOOD)
def postfix_right(stage, what):
    changes, arguments = POSTFIX_GOOD[what]
    equal(stage.postfix(changes, *arguments), [])


# Wrong, or at least not ours.
POSTFIX_ODD = {
    "another policy server": {"mua_sender_restrictions": "check_policy_service inet:127.0.0.1:10023"},
    "another socket": {"mua_sender_restrictions": "check_policy_service unix:private/other"},
    "a name that means itself": {"mua_sender_restrictions": "$mua_sender_restrictions"},
    "a brace that does not close": {"mua_sender_restrictions": "${mua check_policy_service"},
    "a dollar at the end": {"mua_sender_restrictions": "permit $"},
    "two dollars": {"mua_sender_restrictions": "$$permit"},
}


@suite.case("Postfix: {what} is no check by fromguard", what=POSTFIX_ODD)
def postfix_other(stage, what):
    found = stage.postfix(POSTFIX_ODD[what])
    that([f for f in found if "never asked" in f["text"]], found)


@suite.case("Postfix: postconf is run where no files are given")
def postconf_runs(stage):
    text = "".join(f"{key} = {value}\n" for key, value in {**MAIN, **MASTER}.items())
    stage.write("good/postconf", text)
    done = stage.run_postconf(f"case $1 in -n) cat {stage.path('good', 'postconf')};; esac")
    equal((done.returncode, done.stdout), (0, "0 errors, 0 warnings\n"))
    done = stage.run_postconf("echo no such thing >&2; exit 1")
    equal(done.returncode, 1, "status")
    that("postconf -n failed: is Postfix here?" in done.stdout, done.stdout)
    done = stage.run_postconf("exec head -c 40000000 /dev/zero")
    equal(done.returncode, 1, "status")
    that("too long for a configuration" in done.stdout, done.stdout)


@suite.case("Postfix: a file that can not be read is an error")
def postfix_unread(stage):
    for name, words in (("none", "No such file"), (".", "cannot be read")):
        done = stage.lint(stage.good, "--postfix", name)
        equal(done.returncode, 1, "status")
        that(words in done.stdout, done.stdout)


@suite.case("Postfix: the output of postconf can come from standard input")
def postfix_stdin(stage):
    text = "".join(f"{key} = {value}\n" for key, value in {**MAIN, **MASTER}.items())
    done = fromguard.run("lint", "-c", "fromguard.conf", "--postfix", "-", cwd=stage.good,
                         input=text)
    equal((done.returncode, done.stdout), (0, "0 errors, 0 warnings\n"))


@suite.case("Postfix: a file that is not there is an error")
def postfix_missing(stage):
    done = stage.lint(stage.good, "--postfix", "nothing-here")
    equal(done.returncode, 1, "status")
    that("nothing-here: No such file" in done.stdout, done.stdout)


@suite.case("files without --postfix are a mistake")
def files_alone(stage):
    equal(stage.lint(stage.good, "main.cf").returncode, 64, "status")


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
