# SPDX-License-Identifier: BSD-2-Clause
"""Visits of metrics_listen: plain HTTP by hand, so that nothing is mended on the way."""

import re
import socket

PATIENCE = 20.0  # seconds for one visit

SERIES = re.compile(r'(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\.)*)"(?:,|$)')


def free_port():
    """A port of loopback that nobody listens on, a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(address, timeout=PATIENCE):
    """A connection to an endpoint as metrics_listen has it."""
    kind, _, where = address.partition(":")
    if kind == "unix":
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(timeout)
        peer.connect(where)
        return peer
    host, _, port = where.rpartition(":")
    return socket.create_connection((host, int(port)), timeout)


def read_all(peer):
    """Everything until the server closes."""
    data = b""
    while True:
        try:
            more = peer.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            return data
        data += more


def exchange(address, data, timeout=PATIENCE):
    """Sends bytes and returns everything that comes back until the server closes."""
    with connect(address, timeout) as peer:
        try:
            peer.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_all(peer)


class Reply:
    """A reply, taken apart."""

    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("ascii").split("\r\n")
        self.status = int(first.split(" ")[1])
        self.headers = {}
        for line in lines:
            name, _, value = line.partition(": ")
            assert name.lower() not in self.headers, f"twice: {name}"
            self.headers[name.lower()] = value

    @property
    def text(self):
        return self.body.decode("utf-8")


def visit(address, path="/", method="GET", body=b""):
    """One request and its reply."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if body:
        head += f"Content-Length: {len(body)}\r\n"
    return Reply(exchange(address, f"{head}\r\n".encode() + body))


def read_metrics(text):
    """The series of an exposition: {(name, ((label, value), ...)): number}."""
    series = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        parts = SERIES.fullmatch(line)
        assert parts, f"no series: {line}"
        labels = tuple(LABEL.findall(parts["labels"] or ""))
        key = parts["name"], labels
        assert key not in series, f"twice: {line}"
        series[key] = float(parts["value"]) if "." in parts["value"] else int(parts["value"])
    return series


class Metrics:
    """One scrape."""

    def __init__(self, address):
        self.reply = visit(address, "/metrics")
        self.series = read_metrics(self.reply.text)

    def get(self, name, **labels):
        """The value of one series of fromguard's."""
        return self.series["fromguard_" + name, tuple(labels.items())]

    def sum(self, name, **labels):
        """The sum of all series of that name that have these labels."""
        wanted = set(labels.items())
        return sum(value for (of, having), value in self.series.items()
                   if of == "fromguard_" + name and wanted <= set(having))
