# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of tarpit-stats share.  TARPIT_STATS names the binary."""

import contextlib
import datetime
import os
import re
import sqlite3
import subprocess
import tempfile
import time
import unittest
import zoneinfo

from tests.lib import TOP
from tests.lib.log import Hold

STATS = os.path.abspath(os.environ.get(
    "TARPIT_STATS", os.path.join(TOP, "tarpit-stats")))
GOLDEN = os.path.join(TOP, "tests", "golden")
BERLIN = "Europe/Berlin"
# Noon of 22 November 2026, for reports that are to be the same each time.
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
LENGTH_MARKS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200,
                14400, 28800, 43200, 86400)
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


def make_up(path, days, lengths, hosts=1):
    """A database with these rows of days and of lengths in it."""
    subprocess.run([STATS, "-k", "35", "-s", path], stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, check=True)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.executemany("INSERT INTO days VALUES (?, ?, ?, ?, ?, ?)", days)
        db.executemany("INSERT INTO lengths VALUES (?, ?)", lengths)
        db.execute("UPDATE totals SET unique_hosts = ?", (hosts,))


def make_up_holds(path, holds, zone, hosts):
    """A database of any holds, pairs of ms, even of impossible ones."""
    days, lengths = {}, {}
    for connected, disconnected in holds:
        length = disconnected - connected
        day = local_day(connected, zone)
        count, held, first, last, longest = days.get(
            day, (0, 0, connected, disconnected, 0))
        days[day] = (count + 1, held + length, min(first, connected),
                     max(last, disconnected), max(longest, length))
        end = length_end(length)
        lengths[end] = lengths.get(end, 0) + 1
    make_up(path, [(day, *row) for day, row in days.items()], lengths.items(),
            hosts)


def report_of_any(log, kind="html", zone=BERLIN):
    """A page of holds too long or too late for any real log."""
    holds = [[round(Hold.seconds(time) * 1000)
              for time in re.findall(r"connected=(\S+)", line)]
             for line in log]
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "db")
        make_up_holds(path, holds, zone, len(
            {re.search(r"ip=(\S+)", line)[1] for line in log}))
        result = subprocess.run(
            [STATS, "-f", kind, "-s", path], input=b"", check=True,
            capture_output=True, env={**os.environ, **MADE, "TZ": zone},
            timeout=600)
    return result.stdout.decode()


def local_day(msec, zone):
    when = EPOCH + datetime.timedelta(milliseconds=msec)
    if when.year == datetime.MAXYEAR:   # the local time may be beyond it
        when = when.replace(year=datetime.MAXYEAR - 1)
    offset = when.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset()
    return (msec + 1000 * int(offset.total_seconds())) // 86400000


def length_end(length):
    """The end of its bin, as stats/totals.h describes them."""
    start = 0
    for mark in LENGTH_MARKS:
        for step in range(1, 21):
            end = start + (1000 * mark - start) * step // 20
            if length <= end:
                return end
        start = 1000 * mark
    return 2 ** 63 - 1


def run(*args, text="", tz="UTC", **more):
    """Run it to its end, with this text as its standard input."""
    if isinstance(text, str):
        text = text.encode()
    return subprocess.run([STATS, *args], input=text, capture_output=True,
                          timeout=300, env={"TZ": tz, **MADE}, **more)


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
