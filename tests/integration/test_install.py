#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""make install and uninstall: everything where a packager wants it, and no configuration lost."""

import os
import shutil
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fromguard import PROGRAM, ROOT  # noqa: E402
from processes import Nest  # noqa: E402
from tap import Suite, equal, that  # noqa: E402

suite = Suite()

CONFIGURATION = "etc/fromguard/fromguard.conf"


def make(nest, goal, *settings):
    """Runs a goal of the Makefile, the program under test taken as built; returns what it said."""
    if not os.path.exists(nest.path("fromguard")):
        shutil.copy(PROGRAM, nest.folder)
    done = subprocess.run(
        ["make", "-o", nest.path("fromguard"), f"BUILD={nest.folder}",
         f"DESTDIR={nest.path('root')}", goal, *settings],
        cwd=ROOT, capture_output=True, text=True, check=False, umask=0o077,
        env={**os.environ, "MAKEFLAGS": "", "MAKELEVEL": ""})
    equal(done.returncode, 0, f"status of make {goal}\n{done.stdout}{done.stderr}\n")
    return done.stdout


def files(nest):
    """All files below DESTDIR."""
    return {os.path.relpath(os.path.join(folder, name), nest.path("root"))
            for folder, _, names in os.walk(nest.path("root")) for name in names}


def read(nest, name):
    with open(nest.path("root", name), encoding="utf-8") as file:
        return file.read()


@suite.case("it installs below DESTDIR, into PREFIX, readable by all whatever the umask")
def install(nest):
    make(nest, "install")
    wanted = {"usr/local/sbin/fromguard", "usr/local/share/man/man8/fromguard.8",
              "usr/local/share/man/man5/fromguard.conf.5",
              "usr/local/lib/systemd/system/fromguard.service", CONFIGURATION}
    equal(sorted(wanted - files(nest)), [], "missing")
    equal({name for name in files(nest) if not name.startswith("usr/local/")},
          {CONFIGURATION}, "outside of PREFIX")
    for name in files(nest):
        mode = os.stat(nest.path("root", name)).st_mode & 0o777
        runs = name.endswith(("sbin/fromguard", "recipes/fromguard-refresh", ".sh"))
        equal(oct(mode), oct(0o755 if runs else 0o644), name)


@suite.case("the unit starts the program that was installed")
def unit(nest):
    that("ExecStart=/usr/local/sbin/fromguard serve" in
         read(nest, "usr/local/lib/systemd/system/fromguard.service"), "ExecStart")


@suite.case("installed again, it keeps a configuration that was edited")
def again(nest):
    with open(nest.path("root", CONFIGURATION), "a", encoding="utf-8") as file:
        file.write("# mine\n")
    said = make(nest, "install")
    that(read(nest, CONFIGURATION).endswith("# mine\n"), "the edit is lost")
    that("kept: " in said, said)


@suite.case("uninstalled, nothing is left but the configuration")
def uninstall(nest):
    make(nest, "uninstall")
    equal(files(nest), {CONFIGURATION}, "left")


@suite.case("folders are a packager's choice")
def folders(nest):
    settings = ("PREFIX=/opt/x", "SBINDIR=/opt/x/bin", "SYSCONFDIR=/opt/x/etc",
                "UNITDIR=/opt/x/units")
    make(nest, "install", *settings)
    equal({name for name in files(nest) if not name.startswith("opt/x/")}, {CONFIGURATION},
          "outside")
    that({"opt/x/bin/fromguard", "opt/x/units/fromguard.socket",
          "opt/x/etc/fromguard/fromguard.conf"} <= files(nest), "a folder was not taken")
    make(nest, "uninstall", *settings)
    equal(files(nest), {CONFIGURATION, "opt/x/etc/fromguard/fromguard.conf"}, "left")


if __name__ == "__main__":
    sys.exit(suite.run(Nest))
