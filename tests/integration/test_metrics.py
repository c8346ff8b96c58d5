# SPDX-License-Identifier: BSD-2-Clause
"""metrics_listen: numbers that add up, health, and visitors who mean no good."""

import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fromguard import ROOT, Server, is_sanitized, request, run  # noqa: E402
from processes import Nest, wait_until  # noqa: E402
from tap import Skip, Suite, equal, that  # noqa: E402
from visit import Metrics, Reply, connect, exchange, free_port, read_all, visit  # noqa: E402

suite = Suite()

LOGIN, OWN, OTHER = "user@example.com", "alias@example.com", "other@example.com"
RULES = r"""/^slow-(a+)+$/ nobody@example.com
/^(.*)@rules\.example$/ ${1}@example.com
"""
VISITORS = 16   # STATUS_VISITORS
STAY = 10.0     # seconds for one visitor
PARSER = "from sys import stdin\n" \
    "from prometheus_client.parser import text_string_to_metric_families\n" \
    "assert len(list(text_string_to_metric_families(stdin.read()))) > 10\n"


class Stage(Nest):
    """A nest with maps, in which servers are made."""

    def __enter__(self):
        super().__enter__()
        self.senders = self.write("senders", f"{LOGIN} {OWN}\n")
        self.rules = self.write("rules", RULES)
        self.servers = []
        return self

    def prepared(self, **settings):
        """A server that is not started yet."""
        server = Server(self, f"s{len(self.servers)}", {
            "maps": f"text:{self.senders}, pcre:{self.rules}",
            "metrics_listen": f"inet:127.0.0.1:{free_port()}", **settings})
        server.metrics = server.settings["metrics_listen"]
        self.servers.append(server)
        return server

    def server(self, **settings):
        """A server that runs."""
        return self.prepared(**settings).start()

    def diagnostics(self):
        """What the last server said."""
        return "\n".join(self.servers[-1].log.lines()[-8:]) if self.servers else ""


def look_and_run(address):
    """Asks for the page, and is gone before it comes."""
    with connect(address) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\n\r\n")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def descriptors(server):
    """How many files it has open."""
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


# --- numbers ---

class Load(threading.Thread):
    """A client that asks batch after batch, and counts what it was told."""

    QUESTIONS = [(LOGIN, OWN), (LOGIN, OTHER), (LOGIN, LOGIN), ("", OWN),
                 (LOGIN, "user@rules.example"), (LOGIN, "")]
    BATCH = 60  # as many of each question

    def __init__(self, server, batches):
        super().__init__()
        self.server = server
        self.batches = batches
        self.told = {"DUNNO": 0, "553": 0}
        self.failure = None

    def run(self):
        try:
            self.ask_all()
        except Exception as failure:
            self.failure = failure

    def ask_all(self):
        batch = b"".join(request(*q) for q in self.QUESTIONS) * (self.BATCH // len(self.QUESTIONS))
        with self.server.client() as client:
            for _ in range(self.batches):
                client.send(batch)
                for _ in range(self.BATCH):
                    self.told[client.action().split(" ")[0]] += 1


@suite.case("scraped under load, the numbers add up, to the last request")
def numbers_add_up(stage):
    server = stage.server(log_level="warning")
    loads = [Load(server, 20 if is_sanitized() else 200) for _ in range(4)]
    scrapes, before = 0, 0
    for load in loads:
        load.start()
    while any(load.is_alive() for load in loads):
        metrics = Metrics(server.metrics)
        total = metrics.sum("requests_total")
        that(total >= before, "the counters went back")
        equal(metrics.get("request_duration_seconds_count"), total, "durations in a scrape")
        equal(metrics.get("request_duration_seconds_bucket", le="+Inf"), total, "the last bucket")
        scrapes, before = scrapes + 1, total
    for load in loads:
        load.join()
        equal(load.failure, None, "a load client")
    metrics = Metrics(server.metrics)
    told = {word: sum(load.told[word] for load in loads) for word in ("DUNNO", "553")}
    equal({"DUNNO": metrics.sum("requests_total", verdict="allow"),
           "553": metrics.sum("requests_total", verdict="reject")}, told, "verdicts")
    equal(metrics.sum("requests_total", verdict="trouble"), 0, "trouble")
    each = sum(told.values()) // len(Load.QUESTIONS)
    for verdict, reason in [("allow", "exact"), ("allow", "self"), ("allow", "no-login"),
                            ("allow", "rule"), ("allow", "null-sender"), ("reject", "not-owned")]:
        equal(metrics.get("requests_total", verdict=verdict, reason=reason), each, reason)
    equal(metrics.get("request_duration_seconds_count"), sum(told.values()), "durations")
    that(scrapes > 2, f"only {scrapes} scrapes while the load ran")
    print(f"# figure: {sum(told.values())} answers counted exactly, {scrapes} scrapes meanwhile")
    server.stop()


@suite.case("connections, broken requests, limits and reloads are counted")
def events_are_counted(stage):
    server = stage.server(rule_match_limit="1000")
    with server.client() as kept:
        kept.ask(LOGIN, OWN)
        for data in (b"no equals sign\n", b"request=other\n\n", b"sender=\r\n\n", b"a=b"):
            with server.client() as client:
                client.send(data)
        equal(server.ask(LOGIN, "slow-" + "a" * 40 + "!").split(" ")[0], "451", "a slow sender")
        server.hang_up()
        server.wait_for("reload")
        stage.write("rules", RULES + "/(/ x\n")
        server.hang_up()
        server.wait_for("reload-refused")
        stage.write("rules", RULES)
        wait_until(lambda: Metrics(server.metrics).get("connections") == 1, "others to be gone")
        metrics = Metrics(server.metrics)
    equal(metrics.get("connections_total"), 6, "connections")
    for kind in ("no-equals-sign", "unknown-request", "carriage-return", "truncated"):
        equal(metrics.get("protocol_errors_total", kind=kind), 1, kind)
    equal(metrics.sum("protocol_errors_total"), 4, "all protocol errors")
    equal(metrics.get("requests_total", verdict="trouble", reason="rule-limit"), 1, "trouble")
    equal(metrics.get("rule_limit_hits_total"), 1, "limits")
    that(metrics.get("reloads_total", result="ok") >= 1, "a reload")
    that(metrics.get("reloads_total", result="refused") >= 1, "a refused one")
    server.stop()


@suite.case("a limit that was hit on the way to an allow is counted as well")
def limit_with_allow(stage):
    rules = stage.write("limit", r"/^(a+)+$/ nobody@example.com" + "\n")
    owners = stage.write("limit-virtual", f"@l.example {LOGIN}\n")
    server = stage.server(maps=f"pcre:{rules}, virtual:{owners}", rule_match_limit="1000")
    equal(server.ask(LOGIN, "a" * 40 + "@l.example"), "DUNNO", "owned by the catch-all")
    metrics = Metrics(server.metrics)
    equal(metrics.sum("requests_total", verdict="trouble"), 0, "trouble")
    equal(metrics.get("rule_limit_hits_total"), 1, "limits")
    server.stop()


@suite.case("what the maps hold is told by type, and when they were loaded")
def maps_are_counted(stage):
    virtual = stage.write("virtual", f"x@example.com {LOGIN}\ny@example.com {LOGIN}\n")
    began = int(time.time())
    server = stage.server(maps=f"text:{stage.senders}, pcre:{stage.rules}, virtual:{virtual}")
    metrics = Metrics(server.metrics)
    equal(metrics.get("grants", type="text"), 1, "text")
    equal(metrics.get("grants", type="virtual"), 2, "virtual")
    equal(metrics.get("grants", type="cdb"), 0, "cdb")
    equal(metrics.get("rules"), 2, "rules")
    that(began <= metrics.get("snapshot_timestamp_seconds") <= time.time(), "when")
    version = run("version").stdout.split()[-1]
    equal(metrics.get("build_info", version=version), 1, "version")
    server.stop()


@suite.case("no login or address is in the metrics")
def no_addresses(stage):
    server = stage.server(status_addresses="yes")
    server.ask("secret@example.com", "hidden@example.net", client_address="198.51.100.77")
    text = visit(server.metrics, "/metrics").text
    for word in ("secret", "hidden", "198.51", "@"):
        that(word not in text, f"{word} is in the metrics")
    server.stop()


@suite.case("{parser} reads the metrics and has nothing to say", parser=["promtool", "python"])
def independent_parser(stage, parser):
    command = [shutil.which("promtool") or "", "check", "metrics"]
    if parser == "promtool" and not command[0]:
        raise Skip("promtool (package prometheus) is not installed")
    if parser == "python":
        command = [sys.executable, "-c", PARSER]
        if subprocess.run([sys.executable, "-c", "import prometheus_client.parser"],
                          check=False, stderr=subprocess.DEVNULL).returncode != 0:
            raise Skip("prometheus_client (package python3-prometheus-client) is not installed")
    server = stage.server()
    server.ask(LOGIN, OWN)
    reply = visit(server.metrics, "/metrics")
    equal(reply.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8", "type")
    result = subprocess.run(command, input=reply.body, capture_output=True, check=False)
    equal((result.returncode, result.stdout + result.stderr), (0, b""), parser)
    server.stop()


@suite.case("every metric is in the manual, with its labels, and no other")
def manual(stage):
    with open(os.path.join(ROOT, "man", "fromguard.8"), encoding="utf-8") as page:
        section = page.read().partition(".Sh METRICS AND STATUS")[2].partition("\n.Sh")[0]
    told = {}
    for names, labels in re.findall(r"^\.It Ic ((?:fromguard_\w+(?: , )?)+)(?: Ns Brq Ic (.*))?$",
                                    section, re.MULTILINE):
        for name in names.split(" , "):
            told[name] = set(labels.split(" , ")) if labels else set()
    server = stage.server()
    has = {}
    for name, labels in Metrics(server.metrics).series:
        name = re.sub(r"(_seconds)_(bucket|sum|count)$", r"\1", name)
        has.setdefault(name, set()).update({label for label, _ in labels} - {"le"})
    equal(told, has, "metrics and their labels")
    server.stop()


# --- HTTP ---

@suite.case("{path} is answered, to HEAD without its body",
            path=["/", "/metrics", "/healthz", "/readyz"])
def get_and_head(stage, path):
    server = stage.server()
    get, head = visit(server.metrics, path), visit(server.metrics, path, "HEAD")
    equal((get.status, head.status), (200, 200), "status")
    equal(int(get.headers["content-length"]), len(get.body), "length")
    equal(head.body, b"", "the body of HEAD")
    that(int(head.headers["content-length"]) > 0, "the length that HEAD tells")
    for reply in (get, head):
        that("default-src 'none'" in reply.headers["content-security-policy"], "policy")
        equal(reply.headers["x-content-type-options"], "nosniff", "sniffing")
        equal(reply.headers["cache-control"], "no-store", "caching")
        equal(reply.headers["connection"], "close", "one request a connection")
    equal(visit(server.metrics, path + "?x=y").status, 200, "with a query")
    server.stop()


@suite.case("{method} is not allowed, and changes nothing",
            method=["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def other_methods(stage, method):
    server = stage.server()
    for body in (b"", b"x" * 100):
        reply = visit(server.metrics, "/", method, body)
        equal(reply.status, 405, "status")
        equal(reply.headers["allow"], "GET, HEAD", "what is")
    equal(visit(server.metrics, "/healthz").status, 200, "afterwards")
    server.stop()


@suite.case("other paths are not found")
def not_found(stage):
    server = stage.server()
    for path in ("/nope", "/metrics/", "//", "/../etc/passwd", "/%2e%2e/etc/passwd", "/Metrics",
                 "/%6detrics", "/\xff".encode("latin-1").decode("latin-1").replace("\xff", "%ff")):
        reply = visit(server.metrics, path)
        equal((path, reply.status, reply.body), (path, 404, b"not found\n"), "reply")
    server.stop()


GARBAGE = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 250 + b"\r\n" * 2,
    "NUL bytes": b"\0" * 1000 + b"\r\n\r\n",
    "a policy request": request(LOGIN, OWN),
    "no version": b"GET /\r\n\r\n",
    "a version to come": b"GET / HTTP/9.9\r\n\r\n",
    "an unknown method": b"BREW / HTTP/1.1\r\n\r\n",
    "a line without end": b"GET /" + b"a" * 100000,
    "headers without end": b"GET / HTTP/1.1\r\n" + b"X-Y: z\r\n" * 10000,
    "a body too long": b"POST / HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n",
    "chunks without end": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nnonsense\r\n\r\n",
    "newlines": b"\n" * 10000,
}


@suite.case("garbage: {kind} is refused at once and does no harm", kind=list(GARBAGE))
def garbage(stage, kind):
    server = stage.server()
    began = time.monotonic()
    data = exchange(server.metrics, GARBAGE[kind])
    that(time.monotonic() - began < STAY / 2, "it took too long")
    if data:
        that(Reply(data).status in (400, 413, 501), f"{data[:80]!r}")
    equal(visit(server.metrics, "/healthz").status, 200, "afterwards")
    equal(server.ask(LOGIN, OWN), "DUNNO", "mail")
    equal(server.stop(), 0, "exit status")


@suite.case("clients who come right after a visitor are heard")
def after_a_visitor(stage):
    server = stage.server()
    for data in (b"GET /healthz HTTP/1.1\r\n\r\n", b"nonsense\r\n\r\n", b"GET /"):
        for _ in range(5):
            with connect(server.metrics) as visitor:
                visitor.sendall(data)
                if data.endswith(b"\n"):
                    read_all(visitor)
            equal(server.ask(LOGIN, OWN), "DUNNO", "mail")
    server.stop()


@suite.case("a visitor who sends a byte now and then is closed in time")
def slow_visitor(stage):
    server = stage.server()
    data = b"GET /metrics HTTP/1.1\r\nX-Slow: " + b"x" * 1000
    began = time.monotonic()
    with connect(server.metrics) as slow:
        try:
            while time.monotonic() - began < 2 * STAY:
                slow.sendall(data[:1])
                data = data[1:]
                time.sleep(0.2)
        except (BrokenPipeError, ConnectionResetError):
            pass
    took = time.monotonic() - began
    that(STAY - 1 < took < STAY + 2, f"it took {took:.1f} s")
    server.stop()


@suite.case("who does not read the reply is closed in time, and nobody waits for them")
def deaf_visitors(stage):
    server = stage.server()
    before = descriptors(server)
    deaf = [connect(server.metrics) for _ in range(VISITORS - 2)]
    for peer in deaf:
        peer.sendall(b"GET / HTTP/1.1\r\n\r\n" * 5)
    equal(visit(server.metrics, "/healthz").status, 200, "another visitor")
    wait_until(lambda: descriptors(server) <= before, "all to be closed", 2 * STAY)
    for peer in deaf:
        peer.close()
    server.stop()


@suite.case("of hundreds of visitors a few are let in, and mail goes on")
def many_visitors(stage):
    server = stage.server()
    client = server.client()
    client.ask(LOGIN, OWN)
    before = descriptors(server)
    crowd = [connect(server.metrics) for _ in range(300)]
    for peer in crowd[::2]:
        peer.sendall(b"GET /metr")
    most, slowest = 0, 0.0
    for _ in range(100):
        began = time.monotonic()
        equal(client.ask(LOGIN, OWN), "DUNNO", "mail")
        slowest = max(slowest, time.monotonic() - began)
        most = max(most, descriptors(server) - before)
        time.sleep(0.005)
    that(most <= VISITORS, f"{most} descriptors for visitors")
    that(slowest < (2 if is_sanitized() else 0.5), f"mail waited {slowest:.3f} s")
    began = time.monotonic()
    equal(visit(server.metrics, "/healthz").status, 200, "health")
    print(f"# figure: health behind 300 idle visitors after {time.monotonic() - began:.1f} s, "
          f"mail's slowest answer {slowest * 1000:.1f} ms")
    for peer in crowd:
        peer.close()
    wait_until(lambda: descriptors(server) <= before, "all to be closed")
    client.close()
    server.stop()


@suite.case("visitors who come and go without a word take little time")
def flood(stage):
    server = stage.server()
    stop = time.monotonic() + 2
    spent, visits = server.cpu(), 0
    while time.monotonic() < stop:
        connect(server.metrics).close()
        visits += 1
    spent = server.cpu() - spent
    that(spent < 1, f"{spent:.2f} s of CPU in 2 s for {visits} visits")
    equal(visit(server.metrics, "/healthz").status, 200, "health")
    print(f"# figure: {visits} visits in 2 s took {spent * 1000:.0f} ms of CPU")
    server.stop()


# --- health ---

@suite.case("/readyz is 503, and /healthz 200, while the first maps are loaded")
def not_ready_yet(stage):
    lines = "".join(f"u{i}@example.com a{i}@example.com, b{i}@example.com\n"
                    for i in range(100000 if is_sanitized() else 700000))
    server = stage.prepared(maps=f"text:{stage.write('large', lines)}", reload="signal")
    server.launch()
    seen = []

    def look():
        try:
            ready, health = visit(server.metrics, "/readyz"), visit(server.metrics, "/healthz")
            look_and_run(server.metrics)
            page, numbers = visit(server.metrics), Metrics(server.metrics)
        except (ConnectionRefusedError, IndexError):
            return False  # not yet, or just when the loop changed hands
        seen.append((ready.status, health.status, page.status,
                     "<title>fromguard: loading</title>" in page.text,
                     numbers.get("snapshot_timestamp_seconds") > 0))
        return ready.status == 200

    wait_until(look, "readiness", 60)
    that((503, 200, 200, True, False) in seen, f"it was never loading: {seen}")
    equal(visit(server.metrics, "/readyz").status, 200, "in the end")
    equal(server.ask("u5@example.com", "a5@example.com"), "DUNNO", "mail")
    equal(server.stop(), 0, "exit status")


@suite.case("a map that does not load: /readyz was never 200, exit status 1")
def never_ready(stage):
    lines = "u@example.com a@example.com\n" * 300000 + "u@example.com a b @@\n"
    server = stage.prepared(maps=f"text:{stage.write('broken', lines)}")
    server.launch()
    while not server.ended():
        try:
            equal(visit(server.metrics, "/readyz").status, 503, "ready")
        except (ConnectionRefusedError, ConnectionResetError, IndexError, OSError):
            pass
    equal(server.wait(), 1, "exit status")


@suite.case("/readyz is 503 while a server that stops answers what is under way")
def stops(stage):
    server = stage.server()
    with server.client() as client:
        whole = request(LOGIN, OWN)
        client.send(whole[:20])
        wait_until(lambda: Metrics(server.metrics).get("connections") == 1, "a connection")
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("stopping")
        equal(visit(server.metrics, "/readyz").status, 503, "ready")
        equal(visit(server.metrics, "/healthz").status, 200, "alive")
        client.send(whole[20:])
        equal(client.action(), "DUNNO", "the answer")
    equal(server.wait(), 0, "exit status")


# --- the socket ---

@suite.case("metrics_listen may be a unix socket, unlinked at the end")
def unix_socket(stage):
    path = stage.path("metrics.sock")
    server = stage.server(metrics_listen=f"unix:{path}")
    equal(visit(server.metrics, "/readyz").status, 200, "ready")
    that("fromguard_connections " in visit(server.metrics, "/metrics").text, "metrics")
    equal(os.stat(path).st_mode & 0o777, 0o660, "mode")
    equal(server.stop(), 0, "exit status")
    that(not os.path.exists(path), "the socket should be gone")


@suite.case("where metrics_listen can not be opened, the start fails and says why")
def can_not_listen(stage):
    first = stage.server()
    second = stage.prepared(metrics_listen=first.metrics)
    second.launch()
    equal(second.wait(), 1, "exit status")
    that(any(first.metrics in line and "can not listen" in line for line in second.log.lines()),
         "the reason")
    first.stop()


@suite.case("a socket that other machines may reach is warned about")
def exposed(stage):
    for host, warned in (("0.0.0.0", 1), ("127.0.0.1", 0)):
        server = stage.server(metrics_listen=f"inet:{host}:{free_port()}")
        equal(len([line for line in server.events("exposed") if "status page" in line]), warned, host)
        server.stop()


@suite.case("another metrics_listen waits for a restart")
def no_reload(stage):
    server = stage.server(reload="signal")
    server.settings["metrics_listen"] = f"inet:127.0.0.1:{free_port()}"
    server.configure()
    server.hang_up()
    that("metrics_listen" in server.wait_for("restart-needed")[0], "it should say so")
    server.wait_for("reload")
    equal(visit(server.metrics, "/healthz").status, 200, "the old one")
    server.stop()


@suite.case("without metrics_listen nothing but the policy socket is open")
def nowhere(stage):
    server = stage.server(metrics_listen="")
    equal(server.events("metrics"), [], "sockets")
    equal(server.ask(LOGIN, OTHER).split(" ")[0], "553", "mail")
    server.stop()


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
