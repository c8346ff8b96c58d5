#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The Grafana dashboard and the alert rules name metrics that there are, and labels they have."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fromguard import ROOT, Server  # noqa: E402  (found on the path above)
from processes import Nest, wait_until  # noqa: E402
from tap import Skip, Suite, equal, that  # noqa: E402

suite = Suite()

RULES = os.path.join(ROOT, "conf", "prometheus-rules.yml")
DASHBOARD = os.path.join(ROOT, "conf", "grafana-dashboard.json")

# Labels that Prometheus itself adds, and the histogram's own.
COMMON = {"instance", "job", "le"}


class Stage(Nest):
    """What a server's /metrics says: name -> label -> values."""

    def __enter__(self):
        super().__enter__()
        path = self.path("metrics.sock")
        Server(self, "guard", {"maps": f"text:{self.write('senders', '')}",
                               "metrics_listen": f"unix:{path}"}).start()
        text = wait_until(lambda: self.fetch(path), "metrics")
        self.metrics = {}
        for name, labels in re.findall(r"^(fromguard_\w+)(?:\{(.*?)\})? ", text, re.MULTILINE):
            known = self.metrics.setdefault(name, {})
            for label, value in re.findall(r'(\w+)="([^"]*)"', labels):
                known.setdefault(label, set()).add(value)
        return self

    @staticmethod
    def fetch(path):
        """The text of /metrics."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(b"GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n")
            said = b""
            while data := client.recv(65536):
                said += data
        return said.decode()

    def diagnostics(self):
        """There is nothing to show but what the case says."""
        return ""

    def check(self, expression):
        """Fails unless every metric, label and value of an expression is one that there is."""
        found = re.findall(r"(fromguard_\w+)(?:\{([^}]*)\})?", expression)
        for name, labels in found:
            that(name in self.metrics, f"there is no {name}: {expression}")
            for label, sign, value in re.findall(r'(\w+)(=~?)"([^"]*)"', labels):
                that(label in COMMON | set(self.metrics[name]), f"{name} has no label {label}")
                if sign == "=" and label not in COMMON:
                    that(value in self.metrics[name][label], f"{label} of {name} is never {value}")
        for label in re.findall(r"by \(([^)]*)\)", expression):
            of_all = set.union(COMMON, *(set(self.metrics[name]) for name, _ in found))
            equal(set(re.findall(r"\w+", label)) - of_all, set(), f"labels in {expression}")
        return {name for name, _ in found}


@suite.case("the dashboard is JSON, its panels do not overlap, and name metrics that there are")
def dashboard(stage):
    with open(DASHBOARD, encoding="utf-8") as file:
        board = json.load(file)
    equal(len({panel["id"] for panel in board["panels"]}), len(board["panels"]), "ids")
    cells, named = set(), set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        mine = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])}
        equal(cells & mine, set(), f"overlap of {panel['title']}")
        that(at["x"] + at["w"] <= 24, f"{panel['title']} is too wide")
        cells |= mine
        for target in panel["targets"]:
            named |= stage.check(target["expr"])
    # Of a histogram the buckets are enough.
    missing = {name for name in stage.metrics if not re.search("_(sum|count)$", name)} - named
    equal(sorted(missing), [], "metrics that are not shown")


@suite.case("the alert rules name metrics that there are, and tell what to do")
def rules(stage):
    with open(RULES, encoding="utf-8") as file:
        text = file.read()
    blocks = text.split("- alert: ")[1:]
    that(len(blocks) > 4, "there are no rules")
    for block in blocks:
        expression = block.split("expr:")[1].split("labels:")[0]
        that(stage.check(expression) or "up{" in expression, f"no metric in {block}")
        that("summary:" in block and "description:" in block, block)


@suite.case("promtool takes the alert rules")
def promtool(stage):
    if not shutil.which("promtool"):
        raise Skip("promtool is not installed (package prometheus)")
    done = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, text=True,
                          timeout=60, check=False)
    equal(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
