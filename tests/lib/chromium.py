# SPDX-License-Identifier: BSD-2-Clause
"""A Chromium without a window, told what to do over a pair of pipes."""

import base64
import json
import os
import select
import shutil
import subprocess
import time

PATIENCE = 60.0  # seconds for one answer
# Becomes the browser, with the pipes where it expects them.
LAUNCH = r'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
           "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
           "--disable-background-networking", "--disable-component-update",
           "--disable-sync", "--proxy-server=direct://", "--remote-debugging-pipe"]


def find():
    """The path of the browser, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """One browser with a profile in `folder`; a context manager."""

    def __init__(self, folder):
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", LAUNCH, "launch", str(to_read), str(to_write), find(), *OPTIONS,
             f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(to_read, to_write), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(to_read)
        os.close(to_write)
        self._buffer = b""
        self._number = 0
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
            self._process.wait(PATIENCE)
        except (OSError, EOFError, TimeoutError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def _receive(self, deadline):
        """The next message."""
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError("the browser says nothing")
            data = os.read(self._from, 1 << 20)
            if not data:
                raise EOFError("the browser is gone")
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        """Calls a method and returns its result; what happens meanwhile goes to events."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._receive(deadline)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def page(self, width, scheme):
        """A new page of that width, with the colours of that scheme."""
        return Page(self, width, scheme)


class Page:
    """A page: what it looks like, what it asked for, what it complained of."""

    def __init__(self, browser, width, scheme):
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target,
                                     flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def call(self, method, **parameters):
        """Calls a method of the page."""
        return self._browser.call(method, self._session, **parameters)

    def happened(self, method):
        """What events of a kind there were."""
        return [event["params"] for event in self._browser.events
                if event.get("sessionId") == self._session and event.get("method") == method]

    def open(self, url):
        """Goes there and waits until all is loaded."""
        self.call("Page.navigate", url=url)
        deadline = time.monotonic() + PATIENCE
        while not self._is_loaded():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{url} was not loaded")
            time.sleep(0.02)

    def _is_loaded(self):
        """Is it? Asking lets events come in as well."""
        return self.evaluate("document.readyState") == "complete" and \
            bool(self.happened("Page.loadEventFired"))

    def evaluate(self, expression):
        """The value of a piece of script."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def requests(self):
        """Every address that it has asked for."""
        return [event["request"]["url"] for event in self.happened("Network.requestWillBeSent")]

    def complaints(self):
        """What it has logged, to the console or beside it."""
        return (self.happened("Log.entryAdded") + self.happened("Runtime.consoleAPICalled") +
                self.happened("Runtime.exceptionThrown"))

    def screenshot(self, path):
        """Saves the whole page as a PNG."""
        data = self.call("Page.captureScreenshot", format="png",
                         captureBeyondViewport=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
