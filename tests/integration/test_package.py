#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The Debian package: built twice, installed, used by a mail host, upgraded, removed, purged.

It is installed into a copy of this system that exists in memory alone (an
overlay in a mount namespace), so that nothing here changes.
"""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fromguard import PROGRAM, ROOT  # noqa: E402
from processes import Nest, wait_until  # noqa: E402
from tap import Failure, Skip, Suite, equal, that  # noqa: E402

suite = Suite()

BUILDER = os.path.join(ROOT, "conf", "packaging", "build.sh")
WANTED = """\
./etc/fromguard/fromguard.conf
./lib/systemd/system/fromguard.service
./lib/systemd/system/fromguard.socket
./usr/sbin/fromguard
./usr/share/doc/fromguard/changelog.Debian.gz
./usr/share/doc/fromguard/copyright
./usr/share/doc/fromguard/docker-mailserver.conf
./usr/share/doc/fromguard/examples/fromguard-refresh.timer
./usr/share/doc/fromguard/examples/fail2ban/filter.d/fromguard.conf
./usr/share/fromguard/recipes/fromguard-refresh
./usr/share/man/man5/fromguard.conf.5.gz
./usr/share/man/man5/fromguard_maps.5.gz
./usr/share/man/man8/fromguard.8.gz""".splitlines()
# What dpkg, apt and ldconfig write about any package.
BOOKS = ("./var/lib/dpkg", "./var/lib/apt", "./var/cache", "./var/log", "./tmp", "./run",
         "./etc/ld.so.cache", "./proc", "./dev", "./var/lib/systemd")

COPY = """\
set -e
mount -t tmpfs none "$1"
mkdir "$1/changes" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/changes,workdir=$1/work" none "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mkdir -p "$1/root$2" "$1/root$3"
mount --bind "$2" "$1/root$2"
mount --bind "$3" "$1/root$3"
touch "$1/root/tmp/ready"
exec sleep 1000
"""


class Stage:
    """The package, and a copy of this system to install it into."""

    def __init__(self, nest):
        self.nest = nest
        self.package = None
        self._holder = None
        self._before = None
        self._unfit = None

    def build(self, version, umask, when):
        """Builds the package of the program under test and returns where it is."""
        folder = self.nest.path(f"build-{version}-{umask:o}-{when}")
        os.mkdir(folder)
        shutil.copy(PROGRAM, folder)
        done = subprocess.run(
            ["sh", BUILDER, version, folder], cwd=ROOT, umask=umask, text=True, check=False,
            capture_output=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})
        that(done.returncode == 0, done.stderr)
        return done.stdout.strip().splitlines()[-1]

    def open_copy(self):
        """Makes the copy, or skips the test where that is not possible."""
        if self._holder:
            return
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            self._unfit = "a package is installed as root, on Debian"
        if self._unfit:
            raise Skip(self._unfit)
        os.mkdir(self.nest.path("copy"))
        self._holder = self.nest.start(
            ["unshare", "-m", "sh", "-c", COPY, "sh", self.nest.path("copy"), ROOT,
             self.nest.folder], self.nest.path("copy.log"))
        ready = self._root("tmp/ready")
        try:
            wait_until(lambda: os.path.exists(ready) or self._holder.poll() is not None, ready)
        except TimeoutError as trouble:
            raise Failure(str(trouble)) from trouble
        if self._holder.poll() is not None:
            self._holder = None
            self._unfit = "a file system can not be laid over another one here"
            raise Skip(self._unfit)
        self._before = self.files()

    def _root(self, path):
        return f"/proc/{self._holder.pid}/root{self.nest.path('copy', 'root', path)}"

    def run(self, *command, status=0):
        """Runs a command inside of the copy; returns what it said."""
        done = subprocess.run(
            ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "chroot",
             self.nest.path("copy", "root"), "env", "DEBIAN_FRONTEND=noninteractive", *command],
            capture_output=True, text=True, timeout=240, check=False, cwd="/",
            stdin=subprocess.DEVNULL)
        equal(done.returncode, status, f"status of {command}\n{done.stdout}{done.stderr}\n")
        return done.stdout

    def files(self):
        """Everything that was changed in the copy, but for the books that are kept."""
        changes = os.path.join(os.path.dirname(self._root("")[:-1]), "changes")
        found = set()
        for folder, _, names in os.walk(changes):
            for name in [""] + names:
                path = "./" + os.path.relpath(os.path.join(folder, name), changes)
                if not path.startswith(BOOKS):
                    found.add(os.path.normpath(path))
        return found

    def left(self):
        """What is in the copy that was not there before the package was."""
        return sorted(path for path in self.files() - self._before
                      if os.path.lexists(self._root(path)) and not os.path.lexists(f"/{path}"))


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@suite.case("built twice, with another umask, it is the same, byte for byte")
def same_bytes(stage):
    stage.package = stage.build("1.0.0", 0o022, 1)
    again = stage.build("1.0.0", 0o077, 2)
    equal(digest(again), digest(stage.package), "digest")
    print(f"# figure: {os.path.basename(stage.package)}: {os.path.getsize(stage.package)} bytes, "
          f"sha256 {digest(stage.package)[:16]}... in both of two builds")


@suite.case("it has the program, units, manuals, a configuration, and what is known of it")
def contents(stage):
    said = subprocess.run(["dpkg-deb", "--contents", stage.package], capture_output=True,
                          text=True, check=True).stdout
    files = {line.split()[5] for line in said.splitlines()}
    equal(sorted(set(WANTED) - files), [], "missing")
    owners = {line.split()[1] for line in said.splitlines()}
    equal(owners, {"root/root"}, "owners")
    about = subprocess.run(["dpkg-deb", "--field", stage.package, "Depends"],
                           capture_output=True, text=True, check=True).stdout
    for library in ("libc6", "libevent", "libpcre2-8", "libidn2", "libunistring", "libcdb"):
        that(library in about, f"{library} is not in Depends: {about}")


@suite.case("lintian finds no error")
def lintian(stage):
    if not shutil.which("lintian"):
        raise Skip("lintian is not installed")
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", stage.package],
                          capture_output=True, text=True, check=False)
    equal(done.returncode, 0, f"status\n{done.stdout}\n")


@suite.case("it installs, and says nothing that it should not")
def installs(stage):
    stage.open_copy()
    said = stage.run("apt-get", "install", "-y", "--no-install-recommends", stage.package)
    that("error" not in said.lower() and "warning" not in said.lower(), said)
    that(stage.run("/usr/sbin/fromguard", "version").startswith("fromguard "), "version")
    equal(stage.run("dpkg", "--verify", "fromguard"), "", "dpkg --verify")


@suite.case("its manuals and its configuration are where they belong")
def manuals(stage):
    stage.open_copy()
    that("listen = unix:/run/fromguard/policy.sock" in
         stage.run("/usr/sbin/fromguard", "config", "-o", "maps=text:/dev/null"), "the default")
    that(".Dd" in stage.run("zcat", "/usr/share/man/man8/fromguard.8.gz"), "no manual")


@suite.case("a real submission is decided by the installed program")
def submission(stage):
    stage.open_copy()
    said = stage.run("env", "FROMGUARD=/usr/sbin/fromguard", "PYTHONDONTWRITEBYTECODE=1",
                     "python3", os.path.join(ROOT, "tests", "e2e", "test_submission.py"))
    if re.search(r"^1\.\.0 # skip", said, re.IGNORECASE | re.MULTILINE):
        raise Skip(said.strip())
    that(re.search(r"^ok ", said, re.MULTILINE) and "not ok" not in said, said)


@suite.case("upgraded, it keeps the configuration that was edited")
def upgrade(stage):
    stage.open_copy()
    stage.run("sh", "-c", "echo '# mine' >>/etc/fromguard/fromguard.conf")
    stage.run("apt-get", "install", "-y", "--no-install-recommends",
              stage.build("1.0.1", 0o022, 3))
    that("1.0.1" in stage.run("dpkg-query", "-W", "fromguard"), "it is the old one")
    that("# mine" in stage.run("cat", "/etc/fromguard/fromguard.conf"), "the edit is lost")


@suite.case("removed, it leaves its configuration; purged, it leaves nothing")
def purge(stage):
    stage.open_copy()
    stage.run("apt-get", "remove", "-y", "fromguard")
    equal(stage.left(), ["etc/fromguard", "etc/fromguard/fromguard.conf"], "left by remove")
    stage.run("apt-get", "purge", "-y", "fromguard")
    equal(stage.left(), [], "left by purge")


@contextlib.contextmanager
def open_stage():
    with Nest() as nest:
        yield Stage(nest)


def missing():
    """Why no package can be built here; None where it can."""
    for tool in ("dpkg-deb", "dpkg-shlibdeps", "strip"):
        if not shutil.which(tool):
            return f"{tool} is not installed (package dpkg-dev, binutils)"
    return None


if __name__ == "__main__":
    sys.exit(suite.run(open_stage, missing()))
