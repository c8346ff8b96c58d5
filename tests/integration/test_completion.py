#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Completion: each shell offers every command, and every option that its --help has."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fromguard  # noqa: E402  (found on the path above)
from fromguard import PROGRAM, ROOT  # noqa: E402
from processes import Nest  # noqa: E402
from tap import Skip, Suite, equal, that  # noqa: E402

suite = Suite()

FOLDER = os.path.join(ROOT, "conf", "completions")
COMMANDS = re.findall(r"^  (\w+)  +\w", fromguard.run("--help").stdout, re.MULTILINE)
SHELLS = ("bash", "zsh", "fish")

BASH = r"""
source "$1/fromguard.bash"
COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2))
_fromguard
printf '%s\n' "${COMPREPLY[@]}"
"""

# Reads words from a zsh that completes on a terminal of its own: what is
# offered is told by a compadd in front of the true one.
ZSH = r"""
autoload -Uz compinit; compinit -u -D
zstyle ':completion:*' list-prompt ''
compadd() {
    local -a hits; builtin compadd -O hits "$@"
    print -rl -- $hits >>$OFFERED
}
"""


def options(command):
    """The options that the help of a command names, its usage line and list."""
    text = fromguard.run(command, "--help").stdout
    usage = text.split("\n\n")[0]
    named = re.findall(r"(?<![\w-])(--?[a-z]+)\b", usage)
    for pair in re.findall(r"^  (-\w|--\w+)(?:, (--?\w+))?", text, re.MULTILINE):
        named += [name for name in pair if name]
    return sorted({*named, "--help"})


class Stage(Nest):
    """A folder in which the program is called fromguard and on the path."""

    def __enter__(self):
        super().__enter__()
        os.symlink(PROGRAM, self.path("fromguard"))
        empty = self.write("empty.conf", "")
        self.settings = re.findall(
            r"^(\w+) =", fromguard.run("config", "-c", empty).stdout, re.MULTILINE)
        self.environment = dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}",
                                HOME=self.folder, FROMGUARD_CONFIG=empty, TERM="dumb")
        return self

    def diagnostics(self):
        """There is nothing to show but what the case says."""
        return ""

    def run(self, *command):
        """Runs a shell; returns the words that it prints."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False,
                              env=self.environment, cwd=self.folder)
        equal((done.returncode, done.stderr), (0, ""), f"status of {command[0]}")
        return {line.split("\t")[0] for line in done.stdout.splitlines()}

    def offers(self, shell, *words):
        """What a shell offers where the last of the words is completed."""
        if not shutil.which(shell):
            raise Skip(f"{shell} is not installed")
        if shell == "bash":
            return self.run("bash", "-c", BASH, "bash", FOLDER, *words)
        if shell == "fish":
            return self.run("fish", "--no-config", "-c",
                            f"source {FOLDER}/fromguard.fish; complete -C '{' '.join(words)}'")
        return self.zsh_offers(" ".join(words))

    def zsh_offers(self, line):
        """Types a line and a tab into an interactive zsh."""
        offered = self.path("offered")
        open(offered, "w", encoding="utf-8").close()
        self.write(".zshrc", f"fpath=({FOLDER} $fpath)\nOFFERED={offered}\nPS1='ready> '\n" + ZSH)
        master, slave = pty.openpty()
        shell = subprocess.Popen(["zsh", "-d", "-i"], stdin=slave, stdout=slave, stderr=slave,
                                 env={**self.environment, "TERM": "xterm"}, cwd=self.folder,
                                 start_new_session=True)
        os.close(slave)
        try:
            self.read_until(master, lambda said: "ready> " in said)
            os.write(master, f"{line}\t".encode())
            self.read_until(master, lambda _: is_quiet(offered))
        finally:
            shell.kill()
            shell.wait()
            os.close(master)
        with open(offered, encoding="utf-8") as file:
            return set(file.read().split("\n"))

    @staticmethod
    def read_until(master, done):
        """Reads from a terminal until `done` says so of all that it has said."""
        said, end = "", time.monotonic() + 20
        while not done(said):
            that(time.monotonic() < end, f"zsh has only said {said!r}")
            if select.select([master], [], [], 0.1)[0]:
                said += os.read(master, 65536).decode("utf-8", "replace")


def is_quiet(path):
    """Has a file something in it, and has nobody written to it for a moment?"""
    status = os.stat(path)
    return status.st_size > 1 and time.time() - status.st_mtime > 0.3


@suite.case("{shell}: the file has no error of syntax", shell=SHELLS)
def syntax(stage, shell):
    name = {"bash": "fromguard.bash", "zsh": "_fromguard", "fish": "fromguard.fish"}[shell]
    if not shutil.which(shell):
        raise Skip(f"{shell} is not installed")
    equal(stage.run(shell, "-n", f"{FOLDER}/{name}"), set(), "output")


@suite.case("{shell}: every command is offered", shell=SHELLS)
def commands(stage, shell):
    equal(sorted(set(COMMANDS) - stage.offers(shell, "fromguard", "")), [], "missing")
    that("serve" not in stage.offers(shell, "fromguard", "ex"), "serve for ex")


@suite.case("{shell}: every option of every command is offered, and no other", shell=SHELLS)
def every_option(stage, shell):
    for command in COMMANDS:
        offered = set(stage.offers(shell, "fromguard", command, "-"))
        offered |= set(stage.offers(shell, "fromguard", command, "--")) if shell == "fish" else set()
        offered = {word for word in offered if word.startswith("-")} - {"-h", "-"}
        equal(sorted(offered), options(command), f"options of {command}")


@suite.case("{shell}: behind -o every setting is offered", shell=SHELLS)
def settings(stage, shell):
    that(stage.settings, "config prints no settings")
    for words in (("serve", "-o", ""), ("compile", "--set", "")):
        offered = {word.rstrip("=") for word in stage.offers(shell, "fromguard", *words)}
        equal(sorted(set(stage.settings) - offered), [], f"missing behind {words}")


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
