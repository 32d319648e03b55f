# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of tarpit-stats share.  TARPIT_STATS names the binary."""

import os
import subprocess
import tempfile
import time
import unittest

from tests.lib import TOP

STATS = os.path.abspath(os.environ.get(
    "TARPIT_STATS", os.path.join(TOP, "tarpit-stats")))
GOLDEN = os.path.join(TOP, "tests", "golden")
BERLIN = "Europe/Berlin"
# Noon of 22 November 2026, for reports that are to be the same each time.
MADE = {"SOURCE_DATE_EPOCH": "1795348800"}


def moment(msec):
    """A time as log lines have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(msec // 1000)) + (
        ".%03dZ" % (msec % 1000))


def line(ip, connected, length, pid=2481):
    """The line of a hold, as rsyslog writes it; times in ms."""
    return ("Nov 21 21:12:40 mx tarpit[%d]: ip=%s connected=%s "
            "disconnected=%s\n" % (pid, ip, moment(connected),
                                   moment(connected + length)))


def lines(first, last):
    """Of so many holds, all different, from 97 addresses."""
    return "".join(line("192.0.2.%d" % (i % 97), 1000000000000 + 61001 * i,
                        1000 * (i % 7200), 1000 + i)
                   for i in range(first, last))


# A state file that was made up.
FORGED = {"cursor": "", "connections": 3, "length": 6000,
          "first": 1000000000000, "last": 1000000005000, "longest": 4000,
          "forgotten": -1, "bins": ["7 1", "9 2"], "days": ["11574 3 6000"],
          "hosts": [b"host" * 4, b"HOST" * 4],
          "lines": [(1000000000010).to_bytes(8, "big") + b"01234567"]}


def state_content(changes):
    content = b"tarpit-stats state 1\n"
    for name, value in {**FORGED, **changes}.items():
        if not isinstance(value, list):
            content += b"%s %s\n" % (name.encode(), str(value).encode())
            continue
        content += b"%s %d\n" % (name.encode(), len(value))
        for part in value:
            content += part if isinstance(part, bytes) else (
                part.encode() + b"\n")
    return content


def with_checksum(content):
    total = 0xcbf29ce484222325
    for octet in content:
        total = (total ^ octet) * 0x100000001b3 % 2 ** 64
    return content + b"checksum %016x\n" % total


def run(*args, text="", tz="UTC", **more):
    """Run it to its end, with this text as its standard input."""
    if isinstance(text, str):
        text = text.encode()
    return subprocess.run([STATS, *args], input=text, capture_output=True,
                          timeout=60, env={"TZ": tz, **MADE}, **more)


class StatsTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def stats(self, *args, **more):
        """What it prints, when all goes well."""
        done = run(*args, **more)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode()

    def report(self, *args, **more):
        """Its four lines, as a dictionary."""
        return dict(part.split(": ", 1) for part in
                    self.stats(*args, **more).splitlines())

    def blocked(self, *args, **more):
        return int(self.report(*args, **more)["Emails blocked"])
