# SPDX-License-Identifier: GPL-2.0-or-later
"""tarpit-stats: which lines it reads, in which forms, and which it skips."""

import bz2
import gzip
import lzma
import subprocess
import time
import unittest

from tests.lib.stats import STATS, StatsTest, line, lines, moment, run

START = 1793527200000       # 1st November 2026, 10:00
DAY = 86400000
HOLD = 18 * 60000
NOW = 1795348800000     # when reports are made: see tests/lib/stats.py
BOM = "\ufeff"


def message(i):
    """The line of hold i: nine holds of 18 minutes, one a day, five hosts."""
    connected = START + i * DAY
    return "ip=192.0.2.%d connected=%s disconnected=%s" % (
        1 + i % 5, moment(connected), moment(connected + HOLD))


def log(before="Nov  1 10:18:00 vps tarpit[%d]: ", after="\n"):
    return "".join(before % (100 + i) + message(i) + after for i in range(9))


class Forms(StatsTest):
    def nine(self, text):
        report = self.report(text=text)
        self.assertEqual(report, {
            "Stats since": "1st November 2026 @ 10:00", "Emails blocked": "9",
            "Hours in Tar Pit": "2.70", "Unique SMTP Hosts": "5"})

    def test_byte_order_mark(self):
        self.nine(log("<21>1 - vps tarpit %d - - " + BOM))
        self.nine(log("Nov  1 10:18:00 vps tarpit[%d]: " + BOM))
        self.nine(log(BOM + "%.0s"))

    def test_tabs(self):
        self.nine(log("2026-11-01\tvps\tmail.notice\ttarpit[%d]:\t"))

    def test_no_blank_before_the_message(self):
        self.nine(log("Nov  1 10:18:00 vps tarpit[%d]:"))

    def test_blanks_and_carriage_return_at_the_end(self):
        for after in "  \r\n", " \n", "\t\n", "\r\n", "\r\r\n":
            self.nine(log(after=after))

    def test_rfc_5424(self):
        self.nine(log("<21>1 2026-11-01T10:18:00.000Z vps tarpit %d - - "))
        self.nine(log("<21>1 - vps tarpit %d - [meta sequenceId=\"1\"] "))

    def test_word_that_only_ends_in_ip(self):
        done = run(text=line("192.0.2.1", START, 0).replace("ip=", "zip="))
        self.assertIn(b"blocked: 0\n", done.stdout)
        self.assertIn(b"skipped 1 of 1 lines: not tarpit's", done.stderr)


class Impossible(StatsTest):
    """Impossible holds are skipped, and counted as impossible."""

    def skipped(self, *bad):
        done = run(text=log() + "".join(bad))
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"since: 1st November 2026 @ 10:00\nEmails blocked: 9\n"
                      b"Hours in Tar Pit: 2.70\nUnique SMTP Hosts: 5\n",
                      done.stdout)
        self.assertEqual(
            done.stderr, b"tarpit-stats: skipped %d of %d lines: impossible "
            b"(longer than a day, before 2000 or in the future)\n" %
            (len(bad), 9 + len(bad)))

    def test_clock_that_starts_in_1970(self):
        self.skipped(line("198.51.100.7", 40000, 21000))
        self.skipped(line("198.51.100.7", 946684800000 - 1, 21000))

    def test_clock_ahead(self):
        self.skipped(line("198.51.100.8", 4070908800000, 1000))
        self.skipped(line("198.51.100.8", NOW + DAY + 60000, 1000))

    def test_longer_than_the_longest_cap(self):
        self.skipped(line("198.51.100.9", START, 10 * DAY))
        self.skipped(line("198.51.100.9", START, DAY + 60001),
                     line("198.51.100.9", START, DAY + 60002))

    def test_possible(self):
        for connected, length in ((946684800000, 0), (START, DAY + 60000),
                                  (NOW + DAY // 2, 0)):
            self.assertEqual(
                self.blocked(text=line("::1", connected, length)), 1)


class Compressed(StatsTest):
    def test_is_an_error_that_names_the_file(self):
        good = self.write("good", log())
        for name, content, program in (
                ("log.gz", gzip.compress(log().encode()), b"zcat"),
                ("log.xz", lzma.compress(log().encode()), b"xzcat"),
                ("log.bz2", bz2.compress(log().encode()), b"bzcat"),
                ("log.zst", b"\x28\xb5\x2f\xfd" + bytes(50), b"zstdcat"),
                ("log.lz4", b"\x04\x22\x4d\x18" + bytes(50), b"lz4cat"),
                ("system.journal", b"LPKSHHRH" + bytes(50),
                 b"journalctl --file")):
            with open(self.path(name), "wb") as file:
                file.write(content)
            done = run(self.path(name), good)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr, b"tarpit-stats: %s: compressed; use "
                             b"%s\n" % (self.path(name).encode(), program))
            self.assertIn(b"blocked: 9\n", done.stdout)

    def test_in_a_pipe_byte_by_byte(self):
        process = subprocess.Popen([STATS], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, bufsize=0)
        for byte in gzip.compress(log().encode())[:8]:
            process.stdin.write(bytes([byte]))
            time.sleep(0.01)
        out, said = process.communicate(timeout=600)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"standard input: compressed; use zcat", said)

    def test_text_that_begins_alike(self):
        self.assertIn(b"blocked: 9\n", run(text="BZ\n" + log()).stdout)
        self.assertIn(b"blocked: 0\n", run(text="\x1f").stdout)


class Messages(StatsTest):
    def test_name_the_file(self):
        bad = self.write("bad", "\n" + log())
        self.assertEqual(
            run(bad).stderr, b"tarpit-stats: %s: skipped 1 of 10 lines: not "
            b"tarpit's log lines\n" % bad.encode())
        self.assertEqual(
            run(bad, bad).stderr, b"tarpit-stats: skipped 2 of 20 lines: not "
            b"tarpit's log lines\n")


# The part of a line that tells of a hold.
ITS_HOLD = "ip=192.0.2.1 connected=%s disconnected=%s" % (
    "2026-11-21T19:40:12.345Z", "2026-11-21T21:12:40.018Z")


class Lines(StatsTest):
    def skipped(self, count, text, *args):
        """Check how many lines are skipped; the others are counted."""
        done = run(*args, text=text)
        self.assertEqual(done.returncode, 0)
        self.assertIn(b" %d of " % count, done.stderr)
        return done.stdout

    def test_long_last_line_without_its_end(self):
        for length in 65536, 70000, 200000:
            self.assertIn(b"blocked: 3\n", self.skipped(
                1, lines(0, 3) + length * "x"))

    def test_journal_entries_without_a_hold(self):
        for text in ("MESSAGE=hello", '{"MESSAGE":"hello"}',
                     '{"MESSAGE"%s"}' % ITS_HOLD, '{"MESSAGE" "%s"}' % ITS_HOLD,
                     '{"MESSAGE":%s"}' % ITS_HOLD, '{"MESSAGE":"%s}' % ITS_HOLD,
                     '{"MESSAGE', '{"MESSAGE"', '{"MESSAGE":',
                     '{"MESSAGE":"'):
            with self.subTest(text=text):
                self.assertIn(b"blocked: 2\n", self.skipped(
                    1, lines(0, 1) + text + "\n" + lines(1, 2)))


if __name__ == "__main__":
    unittest.main()
