# SPDX-License-Identifier: BSD-2-Clause
"""pcre_table(5): Postfix and fromguard answer alike, but for the wanted differences."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
QUERY = os.path.join(os.environ.get("BUILD", os.path.join(ROOT, "build")), "tests", "rules_query")
SEPARATORS = re.compile(r"[, \t\r\n]+")
PATIENCE = 30  # seconds


class Case:
    """A table, its keys, and what is special about it."""

    def __init__(self, heading):
        heading, _, differs = heading.partition(" differs: ")
        self.has_error = heading.endswith(" error")
        self.name = heading.removesuffix(" error")
        self.differs = differs.split("; ") if differs else []
        self.table = []
        self.keys = []


def read_corpus():
    """The cases of the corpus."""
    cases, into = [], None
    with open(os.path.join(HERE, "corpus"), encoding="utf-8") as file:
        for line in file.read().splitlines():
            if line.startswith("== "):
                cases.append(Case(line[3:]))
                into = cases[-1].table
            elif line == "--":
                into = cases[-1].keys
            elif into is not None:
                into.append(line)
    return cases


def run(command, keys):
    """Asks for keys; returns what was answered (key -> the rest of its line), and the process."""
    done = subprocess.run(command, input="".join(f"{key}\n" for key in keys), text=True,
                          capture_output=True, timeout=PATIENCE, check=False)
    answers = {}
    for line in done.stdout.splitlines():
        key, _, rest = line.partition("\t")
        answers[key] = rest
    return answers, done


def owners_of(answer):
    """What Postfix would split an answer into."""
    return None if answer is None else [part for part in SEPARATORS.split(answer) if part]


def compare(case, folder):
    """What is wrong with a case, by key, and with its errors."""
    table = os.path.join(folder, "table.pcre")
    with open(table, "w", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in case.table))
    theirs, postmap = run(["postmap", "-c", folder, "-q", "-", f"pcre:{table}"], case.keys)
    ours, query = run([QUERY, table], case.keys)
    wrong = {}
    for key in case.keys:
        wanted = owners_of(theirs.get(key))
        got = None if key not in ours else [part for part in ours[key].split("\t") if part]
        if key in case.differs and got == wanted:
            wrong[key] = ["the wanted difference is gone"]
        elif key not in case.differs and got != wanted:
            wrong[key] = [f"Postfix: {wanted}", f"fromguard: {got}", *postmap.stderr.splitlines(),
                          *query.stderr.splitlines()]
    if (query.returncode != 0) != case.has_error:
        wrong["its errors"] = [f"status {query.returncode}", *query.stderr.splitlines()]
    if case.has_error and not re.search(r"warning|error|fatal", postmap.stderr):
        wrong["its errors"] = ["Postfix has nothing against it"]
    return wrong


def why_not(folder):
    """The reason to skip, or nothing."""
    if not shutil.which("postmap") or not shutil.which("postconf"):
        return "postfix is not installed"
    types = subprocess.run(["postconf", "-c", folder, "-m"], capture_output=True, text=True,
                           check=False).stdout
    return "" if "pcre" in types.split() else "postfix-pcre is not installed"


def main():
    """One result a key, and one for the errors of each table."""
    cases = read_corpus()
    number = failed = 0
    print(f"1..{sum(len(case.keys) + 1 for case in cases)}")
    with tempfile.TemporaryDirectory(prefix="fromguard-parity-") as folder:
        with open(os.path.join(folder, "main.cf"), "w", encoding="utf-8") as file:
            file.write("compatibility_level = 3.6\n")
        skip = why_not(folder)
        for case in cases:
            wrong = {} if skip else compare(case, folder)
            for key in [*case.keys, "its errors"]:
                number += 1
                name = f"{case.name}: {key}".replace("#", "")
                if skip:
                    print(f"ok {number} - {name} # SKIP {skip}")
                    continue
                differs = " (wanted difference)" if key in case.differs else ""
                failed += key in wrong
                print(f"{'not ok' if key in wrong else 'ok'} {number} - {name}{differs}")
                for line in wrong.get(key, []):
                    print(f"#   {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
