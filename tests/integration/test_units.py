# SPDX-License-Identifier: BSD-2-Clause
"""The systemd units: sound, exposed as little as promised, and fit to run in."""

import configparser
import ctypes
import ctypes.util
import os
import re
import shutil
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fromguard  # noqa: E402
from fromguard import PROGRAM, ROOT, Server  # noqa: E402
from processes import Nest  # noqa: E402
from tap import Skip, Suite, equal, that  # noqa: E402

suite = Suite()

UNITS = os.path.join(ROOT, "systemd")
EXPOSURE = {"": 0.5, "tcp.conf": 1.2}  # by drop-in: the most that is allowed

# Puts itself under the service's system call filter and becomes the command:
# everything that is not on the list fails with EPERM, executable memory is
# refused.
SANDBOX = r"""
import ctypes, errno, os, sys
library = ctypes.CDLL(sys.argv[1], use_errno=True)
library.seccomp_init.restype = ctypes.c_void_p
library.seccomp_load.argtypes = [ctypes.c_void_p]
library.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
filter = library.seccomp_init(0x00050000 | errno.EPERM)
for name in sys.argv[2].split(","):
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number >= 0:
        assert library.seccomp_rule_add(filter, 0x7fff0000, number, 0) == 0, name
libc = ctypes.CDLL(None, use_errno=True)
denied = libc.prctl(65, 1, 0, 0, 0) == 0  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN
assert libc.prctl(38, 1, 0, 0, 0) == 0    # PR_SET_NO_NEW_PRIVS
assert library.seccomp_load(filter) == 0
os.execv(sys.argv[3], sys.argv[3:])
"""


def needs(*programs):
    """Skips where a program is missing."""
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def unit(name):
    """A unit as a parser has it; names may repeat, so values are lists."""
    values = {}
    with open(os.path.join(UNITS, name), encoding="utf-8") as file:
        for line in file:
            key, equals, value = line.strip().partition("=")
            if equals and not line.startswith(("#", "[")):
                values.setdefault(key, []).append(value)
    return values


def system_calls(names):
    """The system calls that a filter's words stand for, groups taken apart."""
    calls = set()
    for name in names:
        if not name.startswith("@"):
            calls.add(name)
            continue
        said = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True,
                              text=True, check=True).stdout
        calls |= system_calls(line.strip() for line in said.splitlines()[1:]
                              if line.startswith("    ") and not line.strip().startswith("#"))
    return calls


def allowed_calls():
    """What the service's SystemCallFilter lines leave, in their order."""
    allowed = set(system_calls(["@default"]))
    for line in unit("fromguard.service")["SystemCallFilter"]:
        if line.startswith("~"):
            allowed -= system_calls(line[1:].split())
        else:
            allowed |= system_calls(line.split())
    return allowed


class Stage(Nest):
    """A folder to put units into."""

    def units(self, *dropins):
        """Copies of the units that run the program under test."""
        for name in ("fromguard.service", "fromguard.socket"):
            with open(os.path.join(UNITS, name), encoding="utf-8") as file:
                text = file.read()
            # Manuals that are not installed are no fault of the units.
            text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M)
            text = text.replace("/usr/sbin/fromguard", PROGRAM)
            for dropin in dropins if name.endswith(".service") else ():
                with open(os.path.join(UNITS, "examples", dropin), encoding="utf-8") as file:
                    text = text.replace("[Install]", file.read() + "\n[Install]")
            self.write(name, text)
        return self.path("fromguard.service"), self.path("fromguard.socket")

    def diagnostics(self):
        """Nothing but what the case says."""
        return ""


@suite.case("systemd-analyze verify has nothing to say")
def verify(stage):
    needs("systemd-analyze")
    done = subprocess.run(["systemd-analyze", "verify", *stage.units()], capture_output=True,
                          text=True, check=False)
    equal((done.stdout + done.stderr).strip(), "")
    equal(done.returncode, 0, "status")


@suite.case("the exposure is at most what is promised, drop-in {dropin!r}", dropin=list(EXPOSURE))
def exposure(stage, dropin):
    needs("systemd-analyze")
    service, _ = stage.units(*filter(None, [dropin]))
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", service],
                          capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    that(found, done.stdout + done.stderr)
    that(float(found[1]) <= EXPOSURE[dropin], f"exposure {found[1]}, at most {EXPOSURE[dropin]}")


@suite.case("it serves under the service's system call filter, without executable memory")
def sandbox(stage):
    needs("systemd-analyze")
    library = ctypes.util.find_library("seccomp")
    if not library:
        raise Skip("libseccomp is not installed")
    stage.write("rules", "/^(.*)@example\\.com$/ ${1}@example.org\n")
    server = Server(stage, "sandboxed", {"maps": f"pcre:{stage.path('rules')}"},
                    env=fromguard.SANDBOXED)
    server.command = [sys.executable, "-c", SANDBOX, library, ",".join(sorted(allowed_calls())),
                      PROGRAM]
    server.start()
    equal(server.ask("user@example.org", "user@example.com"), "DUNNO")
    that(server.ask("user@example.org", "other@example.com").startswith("553 "), "a reject")
    stage.write("rules", "/^(.*)@example\\.net$/ ${1}@example.org\n")
    server.wait_for("reload")
    equal(server.ask("user@example.org", "user@example.net"), "DUNNO")
    equal(server.stop(), 0, "status")


@suite.case("the units hold together: paths, types, what goes with what")
def together(_):
    service, listener = unit("fromguard.service"), unit("fromguard.socket")
    equal(service["Type"], ["notify"])
    equal(listener["ListenStream"], ["/run/fromguard/policy.sock"])
    that("fromguard.socket" in service["Also"], "the socket is enabled with the service")
    equal(fromguard.run("config", "-o", "maps=").stdout.splitlines()[0],
          "listen = unix:/run/fromguard/policy.sock")
    for name in os.listdir(os.path.join(UNITS, "examples")):
        parser = configparser.ConfigParser(strict=False, delimiters="=")
        parser.optionxform = str
        parser.read(os.path.join(UNITS, "examples", name))
        that(parser.sections(), f"{name} has a section")


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
