# SPDX-License-Identifier: BSD-2-Clause
"""Large maps: compiling, loading, memory, and a reload while all of them are asked for."""

import contextlib
import glob
import os
import signal
import statistics
import time

import fromguard
import maps
import measure
import rows_peers
from processes import Nest, find_program
from scene import MILLION
from table import Line, Skip, row

MEGA = 1e-6


@row
def compile_million(scene):
    """`fromguard compile` against `postmap cdb:` of the same file."""
    if find_program("postmap") is None:
        raise Skip("postfix is not installed")
    text = scene.million_text
    scene.write_map("main.cf", ["compatibility_level = 3.6\n"])
    scene.say("compiling a million logins with fromguard and with postmap")
    pairs = measure.rounds(
        lambda: measure.cost_of(fromguard.PROGRAM, "compile", "-o",
                                scene.nest.path("compiled.cdb"), f"text:{text}").wall,
        lambda: measure.cost_of("postmap", "-c", scene.nest.folder, f"cdb:{text}").wall)
    found = measure.ratio(pairs, lambda seconds: seconds)
    return [Line("compile of a million logins, against postmap cdb:", found.value,
                 found.text("s", 1, 2), at_most=0.5)]


@row
def load_million(scene):
    """From the start until it is ready, against `cdb -d` of the same file."""
    path = scene.million_cdb

    def load():
        guard = scene.guard(f"load{time.monotonic_ns()}", maps=f"cdb:{path}")
        guard.stop()
        return guard.to_ready

    def dump():
        with open(os.devnull, "wb") as nothing:
            return measure.cost_of(*measure.on_core(measure.SERVER_CORE, ["cdb", "-d", path]),
                                   capture_output=False, stdout=nothing)

    scene.say("loading a million logins, and dumping them")
    pairs = measure.rounds(load, dump)
    found = measure.ratio(pairs, lambda cost: cost.cpu)
    wall = measure.ratio(pairs, lambda cost: cost.wall)
    return [Line("CPU of a load of a million logins, against cdb -d", found.value,
                 found.text("s", 1, 2), at_most=4),
            Line("its time until it is ready, against cdb -d", wall.value,
                 wall.text("s", 1, 2))]


@row
def memory(scene):
    """A server of its own, so that no load has been on it; then a reload."""
    guard = scene.guard("memory", maps=f"cdb:{scene.million_cdb}")
    size, held = scene.million_size, guard.memory()
    scene.say("reloading a million logins")
    guard.forget_peak()
    reload(guard)
    peak, after = guard.memory("VmHWM"), guard.memory()
    guard.stop()

    def line(what, measured, **bar):
        return Line(what, measured / size,
                    f"{measured * MEGA:.0f} against {size * MEGA:.0f} MB", **bar)

    return [line("memory with a million logins, against the CDB", held, at_most=1.25),
            line("peak of a reload, against the CDB", peak, at_most=2.3),
            line("memory after a reload, against the CDB", after)]


def reload(guard):
    """Reloads and returns once that is done."""
    guard.notices.drain()
    guard.process.send_signal(signal.SIGHUP)
    guard.notices.wait_ready()


def _smtpd_memory(queue):
    """Bytes that each smtpd of a queue holds."""
    for folder in glob.glob("/proc/[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(f"{folder}/cwd") != queue:
                continue
            with open(f"{folder}/comm", encoding="ascii") as file:
                name = file.read().strip()
            if name == "smtpd":
                yield measure.memory_of(int(os.path.basename(folder)))


@row
def memory_texthash(scene):
    """What one smtpd needs that holds the same as a texthash; fromguard needs it once."""
    rows_peers.require_mail_host()
    owners = scene.write_map("texthash.owners", [
        f"{rows_peers.SENDER}  {rows_peers.LOGIN}\n", *maps.Logins(MILLION).owners()])
    past = time.time() - 60  # Postfix waits where a file has only just changed
    os.utime(owners, (past, past))
    scene.say("letting an smtpd read a million logins")
    with Nest() as nest:
        host = rows_peers.start_mail_host(
            nest, {"texthash": rows_peers.native(f"texthash:{owners}")})
        with rows_peers.session(host, "texthash"):
            held = max(_smtpd_memory(nest.path("queue")))
    ours = scene.million.memory()
    return [Line("memory of one smtpd with a texthash, against all of fromguard", held / ours,
                 f"{held * MEGA:.0f} against {ours * MEGA:.0f} MB")]


@row
def reload_under_load(scene):
    """The 99th percentile while a million logins are loaded again, against that before."""
    guard = scene.guard("reload", pinned=False, maps=f"cdb:{scene.million_cdb}")
    questions = scene.million_questions
    took = []

    def before():
        return measure.load(guard, 50, questions, pinned=False)

    def during():
        load = measure.start_load(guard, 50, 300, questions, pinned=False)
        start = time.monotonic()
        reload(guard)
        took.append(time.monotonic() - start)
        load.process.terminate()
        return measure.finish_load(load)

    scene.say("reloading a million logins under load")
    during()  # the first reload finds memory that no other has used
    pairs = measure.rounds(during, before)
    guard.stop()
    found = measure.ratio(pairs, lambda run: run.p99)
    rate = measure.ratio(pairs, lambda run: run.rate)
    return [Line("p99 during a reload under load, against before", found.value,
                 found.text("us", 1e6, 0), at_most=1.5),
            Line("requests a second during it, against before", rate.value,
                 f"{rate.text('thousand', 1e-3)}; it took {statistics.median(took):.1f} s")]


@row
def ten_million(scene):
    """Ten times as much: only where BIG says so, for it needs 6 GB of memory and disk."""
    if not os.environ.get("BIG"):
        raise Skip("BIG=1 has it run")
    text = scene.write_map("huge.txt", maps.Logins(10 * MILLION).senders())
    path = scene.nest.path("huge.cdb")
    scene.say("compiling ten million logins")
    measure.run(fromguard.PROGRAM, "compile", "-o", path, f"text:{text}")
    os.unlink(text)
    questions = scene.write_questions("huge.questions", maps.Logins(10 * MILLION).questions())
    small_path = scene.million_cdb

    def start(name, cdb):
        guard = scene.guard(f"{name}{time.monotonic_ns()}", maps=f"cdb:{cdb}")
        result = guard.to_ready.cpu, guard.memory()
        if name == "huge":
            measure.load(guard, 50, questions)  # and every answer is right
        guard.stop()
        return result

    scene.say("loading ten million logins, and one")
    pairs = measure.rounds(lambda: start("huge", path), lambda: start("small", small_path))
    os.unlink(path)
    seconds = measure.ratio(pairs, lambda result: result[0])
    held = measure.ratio(pairs, lambda result: result[1])
    return [Line("CPU of a load of ten million logins, against ten times a million",
                 seconds.value / 10,
                 seconds.text("s", 1, 2), at_most=1.1),
            Line("memory with ten million logins, against ten times a million", held.value / 10,
                 held.text("MB", MEGA, 0), at_most=1.1)]
