# SPDX-License-Identifier: GPL-2.0-or-later
"""What tarpit logs, and a syslog daemon that remembers it."""

import datetime
import os
import re
import select
import socket
import time

LINE = re.compile(
    r"tarpit\[(?P<pid>\d+)\]: ip=(?P<ip>[0-9a-f.:]+)"
    r" connected=(?P<connected>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"
    r" disconnected=(?P<disconnected>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$")


class Hold:
    """One log line: the address, and the two times in seconds since 1970."""

    def __init__(self, line):
        match = LINE.search(line)
        if match is None:
            raise ValueError("not a log line: %r" % line)
        self.pid = int(match["pid"])
        self.ip = match["ip"]
        self.connected = self.seconds(match["connected"])
        self.disconnected = self.seconds(match["disconnected"])

    @staticmethod
    def seconds(text):
        return datetime.datetime.strptime(
            text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(
            tzinfo=datetime.timezone.utc).timestamp()

    @property
    def length(self):
        return self.disconnected - self.connected


class Syslog:
    """A syslog daemon at /dev/log that remembers what it is sent."""

    PATH = "/dev/log"

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.PATH)
        os.chmod(self.PATH, 0o666)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()
        os.unlink(self.PATH)

    def fill(self):
        """Leave no room in its queue."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.setblocking(False)
            try:
                while True:
                    other.sendto(b"<13>other: full", self.PATH)
            except BlockingIOError:
                pass

    def collect(self, count=1, seconds=300):
        """Wait for so many more lines, and a moment for one too many."""
        end = time.monotonic() + seconds
        got = []
        while True:
            patience = 0.3 if len(got) >= count else end - time.monotonic()
            ready, _, _ = select.select([self.socket], [], [],
                                        max(0, patience))
            if not ready:
                break
            got.append(self.socket.recv(8192).decode())
        return got
