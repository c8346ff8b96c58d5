#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The image: built twice, looked into, and run as Docker would run it.

It is built by buildah, on a base that mmdebstrap makes of Debian's packages and
that is kept in the build folder; as root, and without a Docker daemon.
"""

import json
import os
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fromguard import ROOT, Client  # noqa: E402
from processes import Log, Nest, wait_until  # noqa: E402
from tap import Suite, equal, that  # noqa: E402

suite = Suite()

KEPT = os.path.abspath(os.path.join(os.environ.get("BUILD", os.path.join(ROOT, "build")), "docker"))
BASE = "localhost/fromguard-base"
USER = 10040
LOGIN, OWN, LATER = "user@example.com", "alias@example.com", "later@example.com"
REFUSED = f"553 5.7.1 not owned by user {LOGIN}"
CONFIG = "/tmp/docker-mailserver"

# buildah runs on a root file system that nobody can write to: what it mounts
# things on has to be there before.
READ_ONLY = """\
set -e
root=$1
shift
touch "$root/run/.containerenv"
mkdir -p "$root/tmp/docker-mailserver"
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
exec "$@"
"""


def missing():
    """Why no image can be built here, or None."""
    lacking = [name for name in ("buildah", "mmdebstrap") if not shutil.which(name)]
    if lacking:
        return f"{' and '.join(lacking)} not installed: make deps docker-check"
    return None if os.geteuid() == 0 else "a base system is made as root"


def peer_of(client):
    """Process and user at the other end of a connection."""
    pid, uid, _ = struct.unpack("3i", client.socket.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return pid, uid


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Stage(Nest):
    """buildah's store, the images in it, and containers that are gone afterwards."""

    def __enter__(self):
        super().__enter__()
        self.containers = []
        self.images = []
        self.image = None
        os.makedirs(KEPT, exist_ok=True)
        if self.buildah("images", "--quiet", BASE, check=False).returncode != 0:
            self.make_base()
        return self

    def __exit__(self, *_):
        super().__exit__()
        for container in self.containers:
            self.buildah("rm", container, check=False)
        for image in self.images:
            self.buildah("rmi", image, check=False)

    def command(self, *arguments):
        """A command of buildah, with its store in the build folder."""
        return ["buildah", "--root", os.path.join(KEPT, "store"), "--runroot",
                os.path.join(KEPT, "run"), "--storage-driver", "vfs", *arguments]

    def environment(self):
        """What buildah needs of ours; what it leaves behind goes with the nest."""
        return {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "HOME": "/root",
                "TMPDIR": self.folder}

    def buildah(self, *arguments, check=True):
        """Runs a command of buildah to its end."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True,
                              timeout=550, check=False, env=self.environment(), cwd=ROOT)
        if check:
            equal(done.returncode, 0, f"status of buildah {arguments}\n{done.stderr[-2000:]}\n")
        return done

    def make_base(self):
        """Makes Debian with what tests/deps.sh would bring, so that it need not load it."""
        packages = re.search(r'^build="([^"]*)"', read(os.path.join(ROOT, "tests/deps.sh")), re.M)
        container = self.container("scratch")
        subprocess.run(["mmdebstrap", "--quiet", "--variant=apt",
                        f"--include={','.join(packages[1].split())}", "bookworm",
                        self.root(container)], check=True, timeout=400)
        self.buildah("commit", "--quiet", container, BASE)

    def build(self, name):
        """Builds the image."""
        self.buildah("build", "--quiet", "--isolation", "chroot", "--format", "docker",
                     "--no-cache", "--timestamp", "0", "--build-arg", f"BASE={BASE}",
                     "--tag", name, "--file", "docker/Dockerfile", ".")
        self.images.append(name)
        return name

    def exported(self, name):
        """The image as a registry would get it: where it is, and the digest of its manifest."""
        folder = self.path(f"exported-{name}")
        digest = self.path(f"digest-{name}")
        self.buildah("push", "--quiet", "--format", "oci", "--digestfile", digest, name,
                     f"dir:{folder}")
        return folder, read(digest)

    def settings(self):
        """What the image says about how to run it."""
        said = json.loads(self.buildah("inspect", "--type", "image", self.image).stdout)
        return said["Docker"]["config"]

    def container(self, image):
        """A new container of an image."""
        name = self.buildah("from", "--pull-never", image).stdout.strip()
        self.containers.append(name)
        return name

    def root(self, container):
        """Where its files are."""
        return self.buildah("mount", container).stdout.strip()

    def run_command(self, container, words, variables, volumes):
        """The command that runs `words` in a container."""
        options = [f"--env={name}={value}" for name, value in variables.items()]
        options += [f"--volume={where}" for where in volumes]
        return self.command("run", "--isolation", "chroot", *options, container, "--", *words)

    def shared(self, name):
        """A folder as a volume is when it was mounted at /run/fromguard for the first time."""
        os.mkdir(self.path(name))
        os.chown(self.path(name), USER, USER)
        return self.path(name)

    def diagnostics(self):
        """What the servers have said."""
        logs = [self.path(name) for name in os.listdir(self.folder) if name.endswith(".log")]
        return "".join(read(log)[-2000:] for log in logs)


class Running:
    """A container in which the image's own command runs."""

    def __init__(self, stage, name, variables, volumes, wrapper=()):
        self.stage = stage
        self.variables = variables
        self.folder = stage.shared(name)
        self.volumes = [f"{self.folder}:/run/fromguard", *volumes]
        self.container = stage.container(stage.image)
        self.log = Log(stage.path(f"{name}.log"))
        settings = stage.settings()
        self.check = settings["Healthcheck"]["Test"]
        # Makes the folders that buildah mounts things on.
        equal(self.run("/usr/sbin/fromguard", "version").returncode, 0, "status of version")
        command = stage.run_command(self.container, settings["Entrypoint"] + settings["Cmd"],
                                    variables, self.volumes)
        if wrapper:
            command = ["unshare", "-m", "sh", "-c", *wrapper, "sh", stage.root(self.container),
                       *command]
        self.process = stage.start(command, self.log.path, env=stage.environment())
        wait_until(lambda: self.log.matching(re.compile("^start ")), "a start")

    def run(self, *words):
        """Runs a command in it, beside the server; returns the finished process."""
        return subprocess.run(
            self.stage.run_command(self.container, words, self.variables, self.volumes),
            capture_output=True, text=True, timeout=60, check=False,
            env=self.stage.environment())

    def healthy(self):
        """What the image's health check says."""
        equal(self.check[0], "CMD", "a health check without a shell")
        status = self.run(*self.check[1:]).returncode
        that(status in (0, 1), f"the health check ended with {status}, which Docker reserves")
        return status == 0

    def client(self):
        """A connection from outside, through the shared folder."""
        return Client(f"unix:{self.folder}/policy.sock")

    def ask(self, sender):
        """Asks from outside."""
        with self.client() as client:
            return client.ask(LOGIN, sender)

    def stop(self):
        """Ends the server as Docker would; returns the status of what ran it."""
        with self.client() as client:
            pid, _ = peer_of(client)
        os.kill(pid, signal.SIGTERM)
        status = self.process.wait(15)
        self.stage.stop(self.process)
        return status


@suite.case("built twice, it is the same image")
def built_twice(stage):
    begin = time.monotonic()
    stage.image = stage.build("fromguard-1")
    took = time.monotonic() - begin
    folder, digest = stage.exported(stage.image)
    _, again = stage.exported(stage.build("fromguard-2"))
    equal(again, digest, "digest")
    packed = sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder))
    size = sum(os.path.getsize(path) for path in files_of(stage))
    print(f"# figure: image: {size} bytes, {packed} bytes packed, built in {took:.0f} s, "
          f"{digest[:23]}... in both of two builds")
    that(size < 4_000_000, f"{size} bytes are too many")


def files_of(stage):
    """The paths of all files in the image."""
    root = stage.root(stage.container(stage.image))
    return [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names]


@suite.case("it has one program, no shell, and nothing that its user can write but the folder")
def contents(stage):
    root = stage.root(stage.container(stage.image))
    programs, owned = [], []
    for folder, _, names in os.walk(root):
        for path in [folder] + [os.path.join(folder, name) for name in names]:
            about = os.lstat(path)
            inside = path[len(root):] or "/"
            that(about.st_mode & 0o6002 == 0, f"mode of {inside}")
            if stat.S_ISREG(about.st_mode) and about.st_mode & 0o111:
                programs.append(inside)
            if about.st_uid or about.st_gid:
                owned.append((inside, about.st_uid, about.st_gid))
    equal(programs, ["/usr/sbin/fromguard"], "programs")
    equal(owned, [("/run/fromguard", USER, USER)], "not root's")


@suite.case("it says what it is, who it is, and how to tell that it is well")
def says(stage):
    settings = stage.settings()
    labels = settings["Labels"]
    for name in ("title", "description", "licenses", "version"):
        that(labels.get(f"org.opencontainers.image.{name}"), f"no label {name}: {labels}")
    equal(settings["User"], f"{USER}:{USER}", "user")
    equal((settings["Entrypoint"], settings["Cmd"]), (["/usr/sbin/fromguard"], ["serve"]))
    check = settings["Healthcheck"]
    that(5e9 < check["Timeout"] < check["Interval"], f"times of {check}")


@suite.case("its program, linked statically, decides all golden cases")
def golden(stage):
    program = os.path.join(stage.root(stage.container(stage.image)), "usr/sbin/fromguard")
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tests/golden/run.py")],
                          env={**os.environ, "FROMGUARD": program}, capture_output=True,
                          text=True, timeout=300, check=False)
    wrong = [line for line in done.stdout.splitlines() if line.startswith("not ok")]
    equal((done.returncode, wrong), (0, []), "golden cases")
    that(done.stdout.count("\nok ") > 50, "there are hardly any")


@suite.case("configured by its environment alone it serves, is well, and ends with status 0")
def environment_alone(stage):
    senders = stage.write("senders", f"{LOGIN} {OWN}\n")
    running = Running(stage, "alone", {"FROMGUARD_MAPS": "text:/etc/senders"},
                      [f"{senders}:/etc/senders:ro"])
    equal((running.ask(OWN), running.ask(LATER)), ("DUNNO", REFUSED), "answers")
    that(running.healthy(), "it is not well")
    done = running.run("fromguard", "explain", LOGIN, OWN)
    that("verdict  allow" in done.stdout, f"{done.stdout}{done.stderr}")
    equal(stat.S_IMODE(os.stat(f"{running.folder}/policy.sock").st_mode), 0o660, "mode of socket")
    equal(running.stop(), 0, "exit status")
    that(not running.healthy(), "it is well without a server")


@suite.case("without settings it says what it needs, and ends with status 1")
def no_settings(stage):
    container = stage.container(stage.image)
    done = subprocess.run(stage.run_command(container, ["/usr/sbin/fromguard", "serve"], {}, []),
                          capture_output=True, text=True, timeout=60, check=False,
                          env=stage.environment())
    equal(done.returncode, 1, "exit status")
    that("maps is not set" in done.stderr, done.stderr)


@suite.case("on a read-only root it serves as its user, without rights, and follows `setup`")
def read_only(stage):
    os.mkdir(stage.path("config"))
    stage.write("config/postfix-accounts.cf", f"{LOGIN}|{{SHA512-CRYPT}}$6$secret\n")
    stage.write("config/sender-login-map.cf", f"{LOGIN} {OWN}\n")
    running = Running(stage, "sidecar", {
        "FROMGUARD_CONFIG": "/etc/fromguard/docker-mailserver.conf",
        "FROMGUARD_SOCKET_MODE": "0666"}, [f"{stage.path('config')}:{CONFIG}:ro"], [READ_ONLY])
    with running.client() as client:
        pid, uid = peer_of(client)
    equal(uid, USER, "user")
    status = dict(line.split(":\t", 1) for line in read(f"/proc/{pid}/status").splitlines())
    equal((status["Uid"].split(), status["Gid"].split()), ([str(USER)] * 4, [str(USER)] * 4))
    equal((int(status["CapEff"], 16), int(status["CapPrm"], 16)), (0, 0), "capabilities")
    mounts = [line.split() for line in read(f"/proc/{pid}/mountinfo").splitlines()]
    equal(["ro" in mount[5].split(",") for mount in mounts if mount[4] in ("/", CONFIG)],
          [True, True], "read-only mounts")
    equal((running.ask(OWN), running.ask(LATER)), ("DUNNO", REFUSED), "at first")
    that(running.healthy(), "it is not well")
    stage.write("config/postfix-virtual.cf", f"{LATER} {LOGIN}\n")
    wait_until(lambda: running.ask(LATER) == "DUNNO", "a new alias to count")
    running.stop()  # its status is buildah's, which wants to clean up on that root
    that(running.log.matching(re.compile("^stop ")), "it did not end as it should")


if __name__ == "__main__":
    sys.exit(suite.run(Stage, missing()))
