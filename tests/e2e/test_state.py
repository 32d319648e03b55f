# SPDX-License-Identifier: GPL-2.0-or-later
"""tarpit-stats -s: each line counts once, whatever happens."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

from tests.lib.stats import (FORGED, STATS, StatsTest, line, lines, run,
                             state_content, with_checksum)

LINES_MAX = 1048576     # that are remembered
KEY = 16                # octets of one


class State(StatsTest):
    def setUp(self):
        super().setUp()
        self.state = self.path("state")

    def feed(self, text):
        """Emails blocked, once it has read this too."""
        return self.blocked("-s", self.state, text=text)

    def refused(self, content, said):
        with open(self.state, "wb") as file:
            file.write(content)
        done = run("-s", self.state, text=lines(0, 5))
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(said, done.stderr)
        self.assertIn(b"is left as it was", done.stderr)
        self.assertEqual(self.read("state"), content)
        self.assertEqual(os.listdir(self.directory), ["state"])

    def whole(self):
        """What a single run says of all."""
        return self.report("-s", self.state)


class Once(State):
    def test_again(self):
        for _ in range(3):
            self.assertEqual(self.feed(lines(0, 100)), 100)

    def test_twice_in_one_input(self):
        log = self.write("log", lines(0, 100))
        self.assertEqual(self.blocked("-s", self.state, log, log), 100)

    def test_overlapping(self):
        self.assertEqual(self.feed(lines(0, 600)), 600)
        self.assertEqual(self.feed(lines(400, 1000)), 1000)
        self.assertEqual(self.feed(lines(0, 1000)), 1000)

    def test_in_any_order(self):
        parts = [(i, i + 150) for i in range(0, 3000, 100)]
        random.Random(4).shuffle(parts)
        for part in parts:
            self.feed(lines(*part))
        self.assertEqual(self.feed(""), 3050)

    def test_growing_and_rotated(self):
        log, old = self.path("log"), self.path("log.1")
        count = 0
        for turn in range(4):
            for _ in range(5):
                with open(log, "a") as file:
                    file.write(lines(count, count + 7))
                count += 7
                files = [path for path in (old, log) if os.path.exists(path)]
                self.assertEqual(self.blocked("-s", self.state, *files), count)
            if turn % 2:
                os.rename(log, old)
            else:
                shutil.copy(log, old)
                os.truncate(log, 0)

    def test_line_that_is_not_yet_whole(self):
        text = lines(0, 10)
        done = run("-s", self.state, text=text[:-20])
        self.assertIn(b"blocked: 9\n", done.stdout)
        self.assertEqual(self.feed(text[:-1]), 10)
        self.assertEqual(self.feed(text), 10)

    def test_same_times_of_another_process(self):
        for pid, count in (1, 1), (2, 2), (1, 2):
            self.assertEqual(self.feed(line("::1", 10 ** 12, 500, pid)), count)
        # And of one that is not known.
        text = line("::1", 10 ** 12, 500, 1).replace("[1]", "")
        for _ in range(2):
            self.assertEqual(self.feed(text), 3)

    def test_prefix_does_not_matter(self):
        text = lines(0, 10)
        self.feed(text)
        self.assertEqual(
            self.feed(text.replace("Nov 21 21:12:40", "2026-11-21T21:12:40")),
            10)

    def test_same_report_as_without(self):
        text = lines(0, 5000)
        for part in range(0, 5000, 500):
            self.feed(lines(max(0, part - 50), part + 500))
        for form in "text", "html", "json", "prometheus":
            self.assertEqual(self.stats("-f", form, "-s", self.state),
                             self.stats("-f", form, text=text))

    def test_of_a_million_and_more(self):
        """The oldest are forgotten, and taken for counted."""
        log = self.write("log", "".join(
            "tarpit[1]: ip=192.0.2.1 connected=2026-11-21T%02d:%02d:%02d.%03dZ"
            " disconnected=2026-11-22T00:00:00.000Z\n" %
            (i // 3600000, i // 60000 % 60, i // 1000 % 60, i % 1000)
            for i in range(0, 64 * (LINES_MAX + 10), 64)))
        count = LINES_MAX + 10
        # All with the same end: they are forgotten together.
        self.assertEqual(self.blocked("-s", self.state, log), count)
        self.assertLess(os.path.getsize(self.state), 10000)
        self.assertEqual(self.blocked("-s", self.state, log), count)
        self.assertEqual(self.feed(line("::1", 10 ** 12, 0)), count)
        self.assertEqual(self.feed(line("::1", 2 * 10 ** 12, 0)), count + 1)

    def test_newest_of_a_million_are_remembered(self):
        def some(first, last):
            return "".join("ip=::1 connected=2026-11-21T00:00:00.000Z "
                           "disconnected=2026-11-2%dT%02d:%02d:%02d.%03dZ\n" %
                           (1 + i // 86400000, i // 3600000 % 24,
                            i // 60000 % 60, i // 1000 % 60, i % 1000)
                           for i in range(first, last))

        count = LINES_MAX + 1
        log = self.write("log", some(0, count))
        self.assertEqual(self.blocked("-s", self.state, log), count)
        kept = LINES_MAX * 3 // 4
        size = os.path.getsize(self.state)
        self.assertLess(abs(size - KEY * kept), 3000)
        # The last is not in order, and new all the same.
        self.assertEqual(self.feed(some(count - 1000, count + 1000) +
                                   line("::1", 1795305600000, 86400000)),
                         count + 1001)
        self.assertEqual(self.blocked("-s", self.state, log), count + 1001)


class Together(State):
    def test_each_line_once(self):
        logs = [self.write("log%d" % i, lines(100 * i, 100 * i + 200))
                for i in range(12)]
        processes = [subprocess.Popen([STATS, "-s", self.state, log],
                                      stdout=subprocess.DEVNULL)
                     for log in logs + logs]
        self.assertEqual([process.wait(60) for process in processes],
                         24 * [0])
        self.assertEqual(self.feed(""), 1300)
        self.assertEqual(sorted(name for name in os.listdir(self.directory)
                                if name.startswith("state")), ["state"])


class Killed(State):
    def test_at_any_moment(self):
        """However often: each line once, and never a state that is refused."""
        dice = random.Random(5)
        log, count = self.path("log"), 0
        base = self.write("base", lines(10 ** 6, 10 ** 6 + 20000))
        began = time.monotonic()
        self.assertEqual(self.blocked("-s", self.state, base), 20000)
        length = time.monotonic() - began
        killed = finished = 0
        while killed < 80 or finished < 10:
            with open(log, "a") as file:
                file.write(lines(count, count + 5))
            count += 5
            process = subprocess.Popen(
                [STATS, "-s", self.state, "-o", self.path("page"), log],
                stderr=subprocess.PIPE)
            time.sleep(dice.uniform(0, 1.3 * length))
            process.kill()
            self.assertEqual(process.communicate()[1], b"")
            if process.returncode == 0:
                finished += 1
            else:
                killed += 1
                self.assertEqual(process.returncode, -signal.SIGKILL)
            # As long as it takes now, by what it did within that.
            length *= 1.1 if process.returncode else 0.9
            if killed % 10 == 0:
                self.assertLessEqual(self.feed(""), 20000 + count)
        self.assertEqual(self.blocked("-s", self.state, log), 20000 + count)
        self.assertEqual(self.whole()["Unique SMTP Hosts"], "97")


class Cursor(State):
    def cursor(self):
        return subprocess.run(
            ["sed", "-n", "s/^cursor //p; /^connections/q", self.state],
            capture_output=True, text=True, check=True).stdout

    def test_is_saved_with_the_lines(self):
        self.feed(lines(0, 5))
        self.assertEqual(self.cursor(), "\n")
        self.feed(lines(5, 6) + "-- cursor: s=4a;i=1\n" + lines(6, 7) +
                  "-- cursor: s=4a;i=34\n")
        self.assertEqual(self.cursor(), "s=4a;i=34\n")
        self.feed(lines(7, 8))
        self.assertEqual(self.cursor(), "s=4a;i=34\n")
        self.feed("-- cursor: s=4a;i=35\n")
        self.assertEqual(self.cursor(), "s=4a;i=35\n")
        self.assertEqual(self.feed(""), 8)

    def test_too_long_is_left_out(self):
        for length in 511, 512, 600:
            self.feed("-- cursor: %s\n" % (length * "x"))
            self.assertEqual(self.cursor(), 511 * "x" + "\n")


class File(State):
    def test_is_for_its_owner_only(self):
        os.umask(0)
        self.feed(lines(0, 5))
        self.assertEqual(os.stat(self.state).st_mode & 0o7777, 0o600)

    def test_stays_when_nothing_is_new(self):
        self.feed(lines(0, 5))
        before = os.stat(self.state)
        self.feed(lines(0, 5))
        self.assertEqual(os.stat(self.state).st_ino, before.st_ino)

    def test_damaged(self):
        self.feed(lines(0, 50) + "-- cursor: s=4a\n")
        good = self.read("state")
        dice = random.Random(6)
        title = good.index(b"\n")
        for at in (list(range(title + 1, title + 150)) +
                   dice.sample(range(title + 150, len(good)), 100)):
            bit = 1 << dice.randrange(8)
            self.refused(good[:at] + bytes([good[at] ^ bit]) + good[at + 1:],
                         b"is damaged")
        for size in dice.sample(range(title + 1, len(good)), 50):
            self.refused(good[:size], b"is damaged")
        self.refused(good[:-1], b"is damaged")
        self.refused(good + b"x", b"is damaged")
        self.refused(good + good, b"is damaged")

    def test_foreign(self):
        for content in (b"", b"\n", b"ELF\0\1", lines(0, 5).encode(),
                        b"tarpit-stats", 5000 * b"x"):
            self.refused(content, b"is not a state file")

    def test_newer(self):
        self.feed(lines(0, 5))
        self.refused(self.read("state").replace(b"state 1", b"state 2", 1),
                     b"another version")

    def test_directory(self):
        os.mkdir(self.state)
        done = run("-s", self.state, text=lines(0, 5))
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertEqual(os.listdir(self.directory), ["state"])

    def test_that_cannot_be_made(self):
        done = run("-s", self.path("none/state"), text=lines(0, 5))
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"none/state: No such file", done.stderr)


class Forged(State):
    """Files whose checksum is right: the numbers must be, too."""

    FIRST = FORGED["first"]
    DAY = FIRST // 86400000
    END = 253402300799999       # of the year 9999
    LENGTH_MAX = 2 ** 62 - 1
    BIN = 340                   # the last
    NOTHING = {"cursor": "", "connections": 0, "length": 0, "first": 0,
               "last": 0, "longest": 0, "forgotten": -1, "bins": [],
               "days": [], "hosts": [], "lines": []}

    def is_taken(self, changes):
        with open(self.state, "wb") as file:
            file.write(with_checksum(state_content(changes)))
        done = run("-s", self.state)
        if done.returncode == 0:
            self.assertIn(b"blocked: %d\n" % changes.get("connections", 3),
                          done.stdout)
            return True
        self.assertIn(b"is damaged", done.stderr)
        return False

    def check(self, good, bad):
        for taken, cases in (True, good), (False, bad):
            for changes in cases:
                with self.subTest(**changes):
                    self.assertEqual(self.is_taken(changes), taken)

    @staticmethod
    def key(msec, rest=b"01234567"):
        return msec.to_bytes(8, "big") + rest

    def test_nothing(self):
        self.check([{}, self.NOTHING], [
            {**self.NOTHING, **change} for change in (
                {"hosts": [b"host" * 4]}, {"days": ["0 1 0"]},
                {"days": ["0 0 0"]}, {"bins": ["0 1"]}, {"bins": ["0 0"]},
                {"length": 1}, {"lines": [self.key(0)]})])

    def test_times(self):
        first, last, days = self.FIRST, self.FIRST + 5000, [
            "%d 3 6000" % (self.END // 86400000)]
        self.check([
            {"length": 4000, "days": ["%d 3 4000" % self.DAY]},
            {"longest": 5000},
            {"longest": 0, "last": first, "lines": []},
            {"first": 0, "last": 5000, "days": ["0 3 6000"], "lines": []},
            {"first": self.END - 5000, "last": self.END, "days": days,
             "lines": []},
            self.lasting(self.LENGTH_MAX),
        ], [
            {"length": 3999, "days": ["%d 3 3999" % self.DAY]},
            {"longest": 5001}, {"longest": -1},
            {"longest": 0, "last": first - 1, "lines": []},
            {"first": last + 1, "last": last, "longest": 0},
            {"first": -1, "last": 5000, "days": ["0 3 6000"], "lines": []},
            {"first": self.END - 5000, "last": self.END + 1, "days": days,
             "lines": []},
            self.lasting(self.LENGTH_MAX + 1), self.lasting(2 ** 63),
        ])

    def lasting(self, length):
        """Three holds, of so many ms together."""
        return {"length": length, "days": ["%d 3 %d" % (self.DAY, length)]}

    def test_no_more_time_than_fits(self):
        """The holds beyond are counted, and their time is not."""
        with open(self.state, "wb") as file:
            file.write(with_checksum(state_content(
                self.lasting(self.LENGTH_MAX - 1000))))
        facts = json.loads(self.stats(
            "-s", self.state, "-f", "json", text="".join(
                line("192.0.2.1", self.FIRST + 10, length)
                for length in (1000, 1, 2))), parse_float=str)
        seconds = "%d.%03d" % divmod(self.LENGTH_MAX, 1000)
        self.assertEqual(facts["emails_blocked"], 6)
        self.assertEqual(facts["seconds_in_tarpit"], seconds)
        self.assertEqual([day["seconds"] for day in facts["days"]], [seconds])
        self.assertEqual(self.feed(""), 6)

    def test_bins(self):
        self.check([
            {"bins": ["0 3"]}, {"bins": ["%d 3" % self.BIN]},
            {"bins": ["0 1", "1 1", "2 1"]},
        ], [
            {"bins": bins} for bins in (
                [], ["7 1"], ["7 1", "9 1"], ["7 1", "9 3"], ["7 4"],
                ["7 1", "7 2"], ["9 1", "7 2"], ["7 0", "9 3"],
                ["7 -1", "9 3"], ["-1 3"], ["%d 3" % (self.BIN + 1)],
                ["7"], ["7 3 "], ["7 3 0"], ["7  3"], ["x 3"], ["7 3x"],
                [" 7 3"], ["7 99999999999999999999"])])

    def test_days(self):
        day, late = self.DAY, 4294967296 + self.DAY
        self.check([
            {"days": ["%d 3 6000" % (day - 1)]},
            {"days": ["%d 3 6000" % (day + 1)]},
            {"days": ["%d 1 0" % (day - 1), "%d 2 6000" % day]},
            {"days": ["%d 1 6000" % day, "%d 2 0" % (day + 1)]},
            {"first": 0, "last": 5000, "days": ["-1 3 6000"], "lines": []},
        ], [
            {"days": days} for days in (
                [], ["%d 3 6000" % (day - 2)], ["%d 3 6000" % (day + 2)],
                ["%d 3 5999" % day], ["%d 3 6001" % day],
                ["%d 2 6000" % day], ["%d 4 6000" % day],
                ["%d 1 0" % day, "%d 2 6000" % day],
                ["%d 1 0" % day, "%d 2 6000" % (day - 1)],
                ["%d 0 0" % (day - 1), "%d 3 6000" % day],
                ["%d -1 0" % (day - 1), "%d 4 6000" % day],
                ["%d 1 -1" % (day - 1), "%d 2 6001" % day],
                ["%d 3" % day], ["%d 3 6000 0" % day], ["%d 3 6000" % late])
        ] + [{"first": 0, "last": 5000, "days": ["-2 3 6000"], "lines": []}])

    def test_hosts(self):
        hosts = [bytes([i]) * 16 for i in range(4)]
        self.check([{"hosts": hosts[:1]}, {"hosts": hosts[:3]}],
                   [{"hosts": []}, {"hosts": hosts}, {"hosts": hosts[:1] * 2},
                    {"hosts": -1}, {"hosts": 10 ** 18}])

    def test_lines(self):
        last = self.FIRST + 5000
        ends = [self.key(last, b"%08d" % i) for i in range(4)]
        self.check([
            {"lines": []}, {"lines": ends[:3]},
            {"lines": [], "forgotten": last},
            {"lines": ends[:1], "forgotten": last - 1},
        ], [
            {"lines": ends}, {"lines": ends[:1] * 2},
            {"lines": [self.key(last + 1)]},
            {"lines": ends[:1] + [self.key(last + 1)]},
            {"lines": [], "forgotten": last + 1},
            {"lines": ends[:1], "forgotten": last},
        ])

    def test_connections(self):
        most = 2 ** 63 - 1
        self.check([{"connections": most, "bins": ["7 %d" % most],
                     "days": ["%d %d 6000" % (self.DAY, most)]}],
                   [{"connections": n} for n in (-1, 0, 2, 4)])

    def test_lines_of_text(self):
        for rest in b"", b"cursor", b"cursor\n", b"\0cursor \n":
            self.refused(with_checksum(b"tarpit-stats state 1\n" + rest),
                         b"is damaged")
        self.check([{"cursor": 511 * "x"}],
                   [{"cursor": 600 * "x"}, {"cursor": "\n\0"}])

    def test_names_and_numbers(self):
        """Of nothing, too: there no number could be missed later on."""
        for changes in {}, self.NOTHING:
            content = state_content(changes)
            for name in map(str.encode, FORGED):
                for other in (name[:-1] + b"x ", name + b"x ", name + b"\t",
                              *([name + b" x"] * (name != b"cursor"))):
                    with self.subTest(other=other):
                        self.refused(with_checksum(content.replace(
                            name + b" ", other, 1)), b"is damaged")


if __name__ == "__main__":
    unittest.main()
