# SPDX-License-Identifier: BSD-2-Clause
"""The status page: whole, by itself, safe to look at, on a phone and in the dark."""

import base64
import hashlib
import os
import re
import sys
from html.parser import HTMLParser

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import chromium  # noqa: E402
from fromguard import PROGRAM, Server  # noqa: E402
from processes import Nest, wait_until  # noqa: E402
from tap import Skip, Suite, equal, that  # noqa: E402
from visit import free_port, visit  # noqa: E402

suite = Suite()

LOGIN, OWN, OTHER = "user@example.com", "alias@example.com", "other@example.com"
EVIL = "\"'><script src=//evil.example/x.js></script><img src=x onerror=alert(1)>@evil.example"
CLIENT = "198.51.100.77"
# Elements that have no end tag.
VOID = {"meta", "link", "br", "img", "input", "hr"}
LOADS = {"src", "href", "srcset", "action", "formaction", "poster", "data", "background", "ping"}
SCREENSHOTS = os.path.join(os.environ.get("BUILD", os.path.dirname(PROGRAM)), "screenshots")


class Stage(Nest):
    """A nest with a map, in which servers are made."""

    def __enter__(self):
        super().__enter__()
        self.senders = self.write("senders", f"{LOGIN} {OWN}\n")
        self.servers = []
        return self

    def server(self, **settings):
        """A server that runs, and has allowed and refused some mail."""
        server = Server(self, f"s{len(self.servers)}", {
            "maps": f"text:{self.senders}, ?accounts:{self.path('none')}",
            "metrics_listen": f"inet:127.0.0.1:{free_port()}", "reload": "signal", **settings})
        server.metrics = server.settings["metrics_listen"]
        self.servers.append(server.start())
        with server.client() as client:
            for sender, times in ((OWN, 30), (OTHER, 2), (EVIL, 1)):
                for _ in range(times):
                    client.ask(LOGIN, sender, client_address=CLIENT, instance=f"{sender[:2]}.1")
        return server

    def reload(self, server, **settings):
        """Has a server reload, with other settings."""
        mark = server.log.mark()
        server.settings.update(settings)
        server.configure()
        server.hang_up()
        wait_until(lambda: server.events("reload", mark) or server.events("reload-refused", mark),
                   "a reload")

    def diagnostics(self):
        """What the last server said."""
        return "\n".join(self.servers[-1].log.lines()[-8:]) if self.servers else ""


class Document(HTMLParser):
    """A page taken apart; raises where elements do not nest."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open_elements = []
        self.elements = []
        self.texts = []
        self.styles = []
        that(text.startswith("<!DOCTYPE html>\n"), "no document type")
        self.feed(text)
        self.close()
        equal(self.open_elements, [], "elements that are not closed")

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        equal(len(names), len(set(names)), f"attributes of {tag}")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open_elements.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        that(self.open_elements, f"</{tag}> ends nothing")
        equal(self.open_elements.pop(), tag, "the element that ends")

    def handle_data(self, data):
        inside = self.open_elements[-1] if self.open_elements else ""
        (self.styles if inside == "style" else self.texts).append(data)

    def attributes(self, names):
        """The values of all attributes of these names."""
        return [value for _, attrs in self.elements for name, value in attrs.items()
                if name in names]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def directives(reply):
    """The Content-Security-Policy as {name: values}."""
    policy = reply.headers["content-security-policy"]
    return {words[0]: words[1:] for words in (d.split() for d in policy.split(";"))}


@suite.case("it is well-formed HTML that loads nothing and runs nothing")
def well_formed(stage):
    server = stage.server(status_addresses="yes")
    document = Document(visit(server.metrics).text)
    for value in document.attributes(LOADS):
        that(value.startswith("data:image/svg+xml,") or value == "/metrics", f"loads {value}")
    names = {name for _, attrs in document.elements for name in attrs}
    that(not any(name.startswith("on") for name in names), f"handlers: {names}")
    that("style" not in names, "a style attribute, which the policy forbids")
    tags = {tag for tag, _ in document.elements}
    that(not tags & {"script", "iframe", "object", "embed", "form", "base", "img"}, f"{tags}")
    for style in document.styles:
        that("url(" not in style and "@import" not in style, "the style sheet loads something")
    server.stop()


@suite.case("its policy allows its own style sheet and its icon, and nothing else")
def policy(stage):
    server = stage.server()
    reply = visit(server.metrics)
    styles = Document(reply.text).styles
    equal(len(styles), 1, "style sheets")
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    equal(directives(reply),
          {"default-src": ["'none'"], "style-src": [f"'sha256-{digest}'"], "img-src": ["data:"],
           "base-uri": ["'none'"], "form-action": ["'none'"], "frame-ancestors": ["'none'"]},
          "policy")
    equal(reply.headers["content-type"], "text/html; charset=utf-8", "type")
    server.stop()


@suite.case("a sender who writes HTML is text")
def hostile_sender(stage):
    server = stage.server(status_addresses="yes")
    page = visit(server.metrics).text
    that(EVIL in Document(page).text, "the sender as text")
    that("<script" not in page and "<img" not in page, "elements of the sender's")
    server.stop()


@suite.case("addresses are shown with status_addresses = yes alone, kept or not")
def addresses(stage):
    server = stage.server()
    page = visit(server.metrics).text
    for address in (LOGIN, OTHER, CLIENT, "evil.example"):
        that(address not in page, f"{address} is shown by default")
    that("not-owned" in page and "status_addresses = no" in page, "refusals without addresses")
    stage.reload(server, status_addresses="yes")
    that(LOGIN not in visit(server.metrics).text, "what was refused before is kept all the same")
    server.ask(LOGIN, "later@example.com", client_address=CLIENT)
    for address in (LOGIN, "later@example.com", CLIENT):
        that(address in visit(server.metrics).text, f"{address} is not shown")
    stage.reload(server, status_addresses="no")
    for address in (LOGIN, "later@example.com", CLIENT):
        that(address not in visit(server.metrics).text, f"{address} is still shown")
    server.stop()


@suite.case("a mail of several recipients is one line")
def recipients(stage):
    server = stage.server(status_addresses="yes")
    with server.client() as client:
        for _ in range(7):
            client.ask(LOGIN, "many@example.com", instance="abc.def.0")
    rows = re.findall(r"<tr>.*?</tr>", visit(server.metrics).text)
    many = [row for row in rows if "many@example.com" in row]
    equal(len(many), 1, "lines")
    that(re.search(r'<td data-name="Recipients"[^>]*>7</td>', many[0]), many[0])
    server.stop()


@suite.case("it counts the hour, draws it, and names the maps")
def content(stage):
    server = stage.server()
    page = visit(server.metrics).text
    text = Document(page).text
    for words in ("Allowed 30 in the last hour", "Refused 3 in the last hour",
                  "Trouble 0 in the last hour", "serving", stage.senders, "missing",
                  "File changed"):
        that(words in text, f"{words!r} is not in {text}")
    that(re.search(r"<rect [^>]*><title>\d\d:\d\d: \d+ allowed</title>", page), "a bar")
    that(re.search(r"Maps loaded \d+ s ago", text), "the age of the maps")
    server.stop()


@suite.case("it says that a reload was refused, and when one was not any more")
def refused_reload(stage):
    server = stage.server()
    good = server.settings["maps"]
    stage.reload(server, maps=f"{good}, text:{stage.path('missing')}")
    that("The last reload was refused" in visit(server.metrics).text, "it should say so")
    stage.reload(server, maps=good)
    that("reload was refused" not in visit(server.metrics).text, "it should not say so any more")
    server.stop()


@suite.case("it says that mode = warn refuses nothing")
def warn(stage):
    server = stage.server(mode="warn")
    text = Document(visit(server.metrics).text).text
    for words in ("Nothing is refused", "Would be refused 3 in the last hour", "not-owned, warned"):
        that(words in text, f"{words!r} is not in {text}")
    server.stop()


# --- in a browser ---

def luminance(colour):
    """How bright an rgb() is, 0 to 255."""
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return 0.299 * red + 0.587 * green + 0.114 * blue


def look(browser, server, width, scheme):
    """Opens the page and looks at it as people do."""
    page = browser.page(width, scheme)
    url = "http://" + server.metrics.removeprefix("inet:") + "/"
    page.open(url)
    asked = [address for address in page.requests() if not address.startswith("data:")]
    equal((asked, page.complaints()), ([url], []), "requests and complaints")
    that(page.evaluate("document.documentElement.scrollWidth") <= width, "it is too wide")
    that(page.evaluate("document.styleSheets.length") == 1, "the style sheet is not in force")
    back = luminance(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    front = luminance(page.evaluate("getComputedStyle(document.body).color"))
    that((back > 200 > front) if scheme == "light" else (back < 60 < 200 < front),
         f"{scheme}: {front} on {back}")
    that(page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 16, "too small")
    that(page.evaluate("Math.min(...[...document.querySelectorAll('main *')]"
                       ".map(e => parseFloat(getComputedStyle(e).fontSize)))") >= 12, "too small")
    that(page.evaluate("document.querySelector('figure rect').getBoundingClientRect().height") > 9,
         "the chart is not drawn")
    path = os.path.join(SCREENSHOTS, f"status-{scheme}-{width}.png")
    page.screenshot(path)
    print(f"# {path}")


@suite.case("in a browser, {variant}: no complaint, no other request, nothing cut off",
            variant=["light-375", "dark-375", "light-1280", "dark-1280"])
def in_a_browser(stage, variant):
    if not chromium.find():
        raise Skip("chromium is not installed")
    os.makedirs(SCREENSHOTS, exist_ok=True)
    scheme, width = variant.split("-")
    server = stage.server(status_addresses="yes")
    with chromium.Browser(stage.path(f"profile-{variant}")) as browser:
        look(browser, server, int(width), scheme)
    server.stop()


if __name__ == "__main__":
    sys.exit(suite.run(Stage))
