# SPDX-License-Identifier: BSD-2-Clause
"""Reloading: every way in which a map or the configuration can change."""

import os
import re
import shutil
import sys
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fromguard import Server, is_sanitized  # noqa: E402
from processes import Nest, wait_until  # noqa: E402
from tap import Suite, equal, that  # noqa: E402

suite = Suite()

LOGIN, OLD, NEW = "user@example.com", "old@example.com", "new@example.com"
SOON = 1.5  # seconds: the watch waits for 0.2 s without a change, then loads


def numbers(line):
    """The numbers of a log line by their keys."""
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)\b", line)}


class Stage(Nest):
    """A nest in which each case has a folder and a server of its own."""

    def __enter__(self):
        super().__enter__()
        self.cases = 0
        self.server = None
        return self

    def begin(self, maps="text:{home}/senders", **settings):
        """Starts a server on a folder with one map, which grants OLD."""
        self.cases += 1
        self.home = self.path(f"case{self.cases}")
        os.mkdir(self.home)
        self.put("senders", OLD)
        self.server = Server(self, f"s{self.cases}",
                             {"maps": maps.format(home=self.home), **settings})
        return self.server.start()

    def end(self):
        """Ends the server, which has to end well."""
        equal(self.server.stop(), 0, "exit status")

    def put(self, name, *senders, mode="w"):
        """Writes a map that grants senders to LOGIN."""
        with open(os.path.join(self.home, name), mode, encoding="utf-8") as file:
            file.writelines(f"{LOGIN} {sender}\n" for sender in senders)

    def path_of(self, name):
        """A path in the folder of the case."""
        return os.path.join(self.home, name)

    def may_use(self, sender):
        """Does the server let LOGIN use sender now?"""
        return self.server.ask(LOGIN, sender) == "DUNNO"

    def expect(self, *senders, patience=SOON):
        """Waits until of OLD and NEW exactly those may be used."""
        def as_expected():
            return all(self.may_use(s) == (s in senders) for s in (OLD, NEW))
        wait_until(as_expected, f"only {senders} to be granted", patience)

    def diagnostics(self):
        """What the server of the case said."""
        return "\n".join(self.server.log.lines()[-8:]) if self.server else ""


def append(stage):
    stage.put("senders", NEW, mode="a")


def rewrite(stage):
    stage.put("senders", OLD, NEW)


def rename(stage):
    stage.put("senders.tmp", OLD, NEW)
    os.rename(stage.path_of("senders.tmp"), stage.path_of("senders"))


def delete_and_create(stage):
    os.unlink(stage.path_of("senders"))
    time.sleep(0.05)
    stage.put("senders", OLD, NEW)


def swap_folder(stage):
    shutil.copytree(stage.home, stage.home + ".new")
    with open(stage.home + ".new/senders", "a", encoding="utf-8") as file:
        file.write(f"{LOGIN} {NEW}\n")
    os.rename(stage.home, stage.home + ".old")
    os.rename(stage.home + ".new", stage.home)


WAYS = {function.__name__.replace("_", " "): function
        for function in (append, rewrite, rename, delete_and_create, swap_folder)}


@suite.case("a map that has changed is loaded: {way}", way=WAYS)
def ways(stage, way):
    stage.begin()
    stage.expect(OLD)
    WAYS[way](stage)
    stage.expect(OLD, NEW)
    stage.end()


@suite.case("a symbolic link is followed wherever it leads (Kubernetes' ..data)")
def kubernetes(stage):
    stage.begin("?text:{home}/volume/senders, text:{home}/senders")
    mark = stage.server.log.mark()
    os.makedirs(stage.path_of("volume/..one"))
    os.makedirs(stage.path_of("volume/..two"))
    stage.put("volume/..one/senders", OLD)
    stage.put("volume/..two/senders", NEW)
    stage.put("senders")
    os.symlink("..one", stage.path_of("volume/..data"))
    os.symlink("..data/senders", stage.path_of("volume/senders"))
    stage.server.hang_up()
    stage.server.wait_for("reload", mark)
    stage.expect(OLD)
    for version, sender in (("..two", NEW), ("..one", OLD), ("..two", NEW)):
        os.symlink(version, stage.path_of("volume/..tmp"))
        os.rename(stage.path_of("volume/..tmp"), stage.path_of("volume/..data"))
        stage.expect(sender)
    stage.put("volume/..two/senders", OLD)
    stage.expect(OLD)
    stage.end()


def make_version(stage, version, sender):
    """Makes a folder with a configuration and a map that both name a sender."""
    os.mkdir(stage.path_of(version))
    stage.put(f"{version}/map", sender)
    with open(stage.path_of(f"{version}/conf"), "w", encoding="utf-8") as conf:
        conf.write(f"listen = {stage.server.settings['listen']}\nreload = signal\n"
                   f"maps = text:{stage.path_of('large')}, text:{stage.path_of('data/map')}\n"
                   f"reject_text = {sender} alone\n")


@suite.case("files that are replaced together while they are loaded are not mixed")
def torn(stage):
    server = stage.begin(reload="signal")
    versions = {"one": OLD, "two": NEW}
    stage.put("large", *(f"a{n}@example.org" for n in range(100000)))
    for version, sender in versions.items():
        make_version(stage, version, sender)
    os.symlink("one", stage.path_of("data"))
    server.stop()
    server.config, server.configure = stage.path_of("data/conf"), lambda: None
    server.start()
    for version in ("two", "one") * 2:
        mark = server.log.mark()
        os.symlink(version, stage.path_of("data.new"))
        server.hang_up()
        time.sleep(0.02)  # it has read the configuration, and is reading the large map
        os.rename(stage.path_of("data.new"), stage.path_of("data"))
        server.wait_for("reload", mark)
        other = OLD if versions[version] == NEW else NEW
        equal((server.ask(LOGIN, versions[version]), server.ask(LOGIN, other)),
              ("DUNNO", f"553 5.7.1 {versions[version]} alone"), f"the answers of {version}")
    stage.end()


@suite.case("an optional map grants when it appears, and no more once it is deleted")
def optional(stage):
    stage.begin("text:{home}/senders, ?text:{home}/a/b/c/more")
    stage.expect(OLD)
    os.makedirs(stage.path_of("a/b/c"))
    stage.put("a/b/c/more", NEW)
    stage.expect(OLD, NEW)
    os.unlink(stage.path_of("a/b/c/more"))
    stage.expect(OLD)
    stage.put("a/b/c/more", NEW)
    stage.expect(OLD, NEW)
    shutil.rmtree(stage.path_of("a"))
    stage.expect(OLD)
    stage.end()


@suite.case("the configuration is watched, and the maps that it names then")
def configuration(stage):
    server = stage.begin()
    stage.put("other", NEW)
    server.settings["maps"] += f", text:{stage.path_of('other')}"
    server.configure()
    stage.expect(OLD, NEW)
    stage.put("other", "third@example.com")
    stage.expect(OLD)
    server.settings["mode"] = "warn"
    server.configure()
    wait_until(lambda: server.ask(LOGIN, NEW).startswith("WARN "), "warnings", SOON)
    stage.end()


@suite.case("a setting that needs a restart keeps its value, and that is said")
def frozen(stage):
    server = stage.begin()
    server.settings["max_connections"] = "7"
    server.configure()
    that("max_connections" in server.wait_for("restart-needed")[0], "it names the setting")
    stage.end()


@suite.case("a map that is broken changes nothing, which is said once; then it is mended")
def refused(stage):
    server = stage.begin()
    stage.put("senders", NEW, "@@")
    server.wait_for("reload-refused")
    that(f"{stage.path_of('senders')}:2: " in server.events("map-error")[0], "it says where")
    time.sleep(0.5)
    equal(len(server.events("reload-refused")), 1, "times that it was said")
    stage.expect(OLD)
    stage.put("senders", NEW)
    stage.expect(NEW)
    stage.end()


@suite.case("a map that is missing changes nothing, even when the configuration is new")
def missing(stage):
    server = stage.begin()
    os.unlink(stage.path_of("senders"))
    server.wait_for("reload-refused")
    stage.expect(OLD)
    mark = server.log.mark()
    server.settings["maps"] = f"text:{stage.path_of('elsewhere/map')}"
    server.configure()
    server.wait_for("reload-refused", mark)
    stage.expect(OLD)
    os.mkdir(stage.path_of("elsewhere"))
    stage.put("elsewhere/map", NEW)
    stage.expect(NEW)
    mark = server.log.mark()
    server.settings["maps"] = ""
    server.configure()
    server.wait_for("reload-refused", mark)
    stage.expect(NEW)
    stage.end()


@suite.case("the log says how much has changed")
def log_line(stage):
    server = stage.begin("text:{home}/senders, ?virtual:{home}/virtual")
    stage.put("senders", OLD, NEW, "third@example.com")
    with open(stage.path_of("virtual"), "w", encoding="utf-8") as virtual:
        virtual.write("info@example.com one@example.com, two@example.com\n")
    found = numbers(server.wait_for("reload")[-1])
    equal({key: found[key] for key in
           ("grants", "grants_added", "grants_removed", "aliases_added", "aliases_removed")},
          {"grants": 3, "grants_added": 2, "grants_removed": 0, "aliases_added": 2,
           "aliases_removed": 0}, "growing")
    mark = server.log.mark()
    with open(stage.path_of("senders"), "w", encoding="utf-8") as senders:
        senders.write(f"another@example.com {OLD}\n")
    with open(stage.path_of("virtual"), "w", encoding="utf-8") as virtual:
        virtual.write("info@example.com two@example.com\n")
    found = numbers(server.wait_for("reload", mark)[-1])
    equal({key: found[key] for key in
           ("grants_added", "grants_removed", "aliases_added", "aliases_removed", "owners_added",
            "owners_removed")},
          {"grants_added": 1, "grants_removed": 3, "aliases_added": 0, "aliases_removed": 1,
           "owners_added": 1, "owners_removed": 1}, "shrinking")
    that("took_ms" in found, "it says how long it took")
    stage.end()


@suite.case("with reload = signal only SIGHUP loads")
def by_signal(stage):
    server = stage.begin(reload="signal")
    stage.put("senders", NEW)
    time.sleep(1)
    stage.expect(OLD)
    server.hang_up()
    stage.expect(NEW)
    stage.end()


@suite.case("what inotify does not say is seen by looking")
def looking(stage):
    stage.begin()
    os.mkdir(stage.path_of("hidden"))
    os.link(stage.path_of("senders"), stage.path_of("hidden/senders"))
    time.sleep(1)  # making the link is an event
    with open(stage.path_of("hidden/senders"), "a", encoding="utf-8") as file:
        file.write(f"{LOGIN} {NEW}\n")
    stage.expect(OLD, NEW, patience=15)
    stage.end()


@suite.case("a queue of events that has overflowed loses no change")
def overflow(stage):
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as limit:
        events = int(limit.read())
    server = stage.begin()
    noise = [stage.path_of(f"noise{n % 2}") for n in range(events // 3 + 1)]
    server.process.send_signal(19)  # SIGSTOP: it reads no events
    for path in noise:
        with open(path, "w", encoding="ascii") as file:
            file.write("x")
        os.unlink(path)
    stage.put("senders", OLD, NEW)
    server.process.send_signal(18)  # SIGCONT
    stage.expect(OLD, NEW, patience=5)
    stage.end()


@suite.case("many changes in a row are one reload, or few")
def burst(stage):
    server = stage.begin()
    for _ in range(20):
        stage.put("senders", OLD)
        time.sleep(0.05)
    stage.put("senders", NEW)
    stage.expect(NEW)
    that(len(server.events("reload")) <= 2, f"{len(server.events('reload'))} reloads")
    mark = server.log.mark()
    end = time.monotonic() + 3.5
    while time.monotonic() < end:
        stage.put("senders", NEW)
        time.sleep(0.05)
    reloads = len(server.events("reload", mark))
    that(1 <= reloads <= 3, f"{reloads} reloads while writing does not stop for 3.5 s")
    stage.end()


class Asker(threading.Thread):
    """Asks all the time, and keeps what it is told."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.stopping = False
        self.answers = []  # (may use OLD, may use NEW): asked one after the other

    def run(self):
        with self.server.client() as client:
            while not self.stopping:
                self.answers.append((client.ask(LOGIN, OLD), client.ask(LOGIN, NEW)))


@suite.case("requests are answered from the old maps or the new, all through 100 reloads")
def under_load(stage):
    server = stage.begin(reload="signal")
    askers = [Asker(server) for _ in range(3)]
    for asker in askers:
        asker.start()
    for number in range(100):
        mark = server.log.mark()
        broken = number % 3 == 2
        stage.put("senders.tmp", *(["@@"] if broken else [(OLD, NEW)[number % 2]]))
        os.rename(stage.path_of("senders.tmp"), stage.path_of("senders"))
        server.hang_up()
        server.wait_for("reload-refused" if broken else "reload", mark)
    for asker in askers:
        asker.stopping = True
        asker.join()
    refused_text = f"553 5.7.1 not owned by user {LOGIN}"
    answers = [pair for asker in askers for pair in asker.answers]
    that(len(answers) > 1000, f"only {len(answers)} answers")
    equal({answer for pair in answers for answer in pair}, {"DUNNO", refused_text}, "answers")
    both = sum(first == second for first, second in answers)
    that(both <= 100 * len(askers), f"{both} times neither old nor new")
    stage.end()


@suite.case("a reload changes log_level")
def log_level(stage):
    server = stage.begin(reload="signal")
    mark = server.log.mark()
    that(stage.may_use(OLD), "it may be used before")
    server.settings["log_level"] = "debug"
    server.configure()
    server.hang_up()
    server.wait_for("reload", mark)
    equal(server.events("allow", mark), [], "lines for allows at level info")
    that(stage.may_use(OLD), "it may be used after")
    server.wait_for("allow", mark)
    stage.end()


@suite.case("reloads do not make it grow")
def memory(stage):
    server = stage.begin(reload="signal")

    def reload(times):
        for _ in range(times):
            mark = server.log.mark()
            server.hang_up()
            server.wait_for("reload", mark)

    stage.put("senders", *(f"a{n}@example.com" for n in range(20000)))
    reload(20)
    before = server.memory()
    reload(40)
    that(is_sanitized() or server.memory() < before + (4 << 20), f"from {before} to {server.memory()} bytes")
    stage.end()


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
