# SPDX-License-Identifier: GPL-2.0-or-later
"""A headless Chromium, driven over its DevTools pipe."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

from tests.lib.process import wait_for

SECONDS = 300       # for an answer: a limit for what hangs


def find():
    """The browser's path, or None."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path is not None:
            return path
    return None


class Browser:
    """One page.  A context manager: the browser ends with it."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="tarpit-page-")
        here_read, self.write_fd = os.pipe()
        self.read_fd, here_write = os.pipe()
        # It wants them as descriptors 3 and 4.
        os.set_inheritable(here_read, True)
        os.set_inheritable(here_write, True)
        self.process = subprocess.Popen(
            ["/bin/sh", "-c",
             'exec "$@" 3<&%d 4>&%d' % (here_read, here_write), "sh",
             find(), "--headless=new", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-extensions",
             "--hide-scrollbars", "--force-color-profile=srgb",
             "--font-render-hinting=none",
             "--user-data-dir=" + self.profile, "--remote-debugging-pipe",
             *(["--no-sandbox"] if os.geteuid() == 0 else []),
             "about:blank"],
            pass_fds=(here_read, here_write), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        os.close(here_read)
        os.close(here_write)
        self.buffer = b""
        self.number = 0
        self.events = []
        self.session = None
        try:
            self.attach()
        except BaseException:
            self.__exit__()
            raise

    def attach(self):
        page = wait_for(self.page, SECONDS)
        if page is None:
            raise TimeoutError("the browser opens no page")
        self.session = self.call("Target.attachToTarget", flatten=True,
                                 targetId=page["targetId"])["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(domain + ".enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def page(self):
        """Its first page, or None before there is one."""
        for target in self.call("Target.getTargets")["targetInfos"]:
            if target["type"] == "page":
                return target
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.write_fd)
        os.close(self.read_fd)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session is not None:
            message["sessionId"] = self.session
        os.write(self.write_fd, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                break
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError("%s: %s" % (method, answer["error"]))
        return answer["result"]

    def receive(self):
        deadline = time.monotonic() + SECONDS
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.read_fd], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            data = os.read(self.read_fd, 1 << 20)
            if data == b"":
                raise EOFError("the browser has gone")
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def wait_until_loaded(self, loader):
        """Until this navigation is over: the one before it may send an event
        of its own as late as now.
        """
        def is_the_end(event):
            params = event.get("params", {})
            return (event.get("method") == "Page.lifecycleEvent" and
                    params["name"] == "load" and params["loaderId"] == loader)

        while not any(map(is_the_end, self.events)):
            self.events.append(self.receive())

    def look(self, width, height, scheme, scale=1):
        """The screen, and what the reader prefers."""
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=scale,
                  mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media="screen", features=[
            {"name": "prefers-color-scheme", "value": scheme}])

    def open(self, path):
        """Load a file.  Returns what was said about it and asked for."""
        return self.open_url("file://" + os.path.abspath(path))

    def open_url(self, url):
        self.events = []
        self.wait_until_loaded(
            self.call("Page.navigate", url=url)["loaderId"])
        return ([event["params"] for event in self.events
                 if event.get("method") in ("Log.entryAdded",
                                            "Runtime.consoleAPICalled",
                                            "Runtime.exceptionThrown")],
                [event["params"]["request"]["url"] for event in self.events
                 if event.get("method") == "Network.requestWillBeSent"])

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression,
                           returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(str(result["exceptionDetails"]))
        return result["result"].get("value")

    def screenshot(self, path, whole=True):
        data = self.call("Page.captureScreenshot", format="png",
                         captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
