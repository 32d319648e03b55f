# SPDX-License-Identifier: GPL-2.0-or-later
"""tarpit-stats -s: each line counts once, whatever happens."""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
import unittest

from tests.lib.sandbox import needs_root
from tests.lib.stats import STATS, StatsTest, line, lines, moment, run

LINES_MAX = 2000000     # as many lines are remembered
DAY = 86400000
NOW = 1795348800000     # when reports are made: see tests/lib/stats.py


class Database(StatsTest):
    def setUp(self):
        super().setUp()
        self.db = self.path("db")

    def feed(self, text, *args):
        """Feed the text; returns the emails blocked by then."""
        return self.blocked("-s", self.db, *args, text=text)

    def ask(self, question):
        with contextlib.closing(sqlite3.connect(self.db)) as db, db:
            return db.execute(question).fetchall()

    def remember_for_ever(self):
        self.feed("", "-k", "0")

    def whole(self):
        """What a single run reports on all lines together."""
        return self.report("-s", self.db)


class Once(Database):
    def setUp(self):
        super().setUp()
        self.remember_for_ever()

    def test_again(self):
        for _ in range(3):
            self.assertEqual(self.feed(lines(0, 100)), 100)

    def test_twice_in_one_input(self):
        log = self.write("log", lines(0, 100))
        self.assertEqual(self.blocked("-s", self.db, log, log), 100)

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
                self.assertEqual(self.blocked("-s", self.db, *files), count)
            if turn % 2:
                os.rename(log, old)
            else:
                shutil.copy(log, old)
                os.truncate(log, 0)

    def test_line_that_is_not_yet_whole(self):
        text = lines(0, 10)
        done = run("-s", self.db, text=text[:-20])
        self.assertIn(b"blocked: 9\n", done.stdout)
        self.assertEqual(self.feed(text[:-1]), 10)
        self.assertEqual(self.feed(text), 10)

    def test_same_times_of_another_process(self):
        for pid, count in (1, 1), (2, 2), (1, 2):
            self.assertEqual(self.feed(line("::1", 10 ** 12, 500, pid)), count)
        # A line without a process id is a third line.
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
            self.assertEqual(self.stats("-f", form, "-s", self.db),
                             self.stats("-f", form, text=text))


class Together(Database):
    def setUp(self):
        super().setUp()
        self.remember_for_ever()

    def test_each_line_once(self):
        logs = [self.write("log%d" % i, lines(100 * i, 100 * i + 200))
                for i in range(12)]
        processes = [subprocess.Popen([STATS, "-s", self.db, log],
                                      stdout=subprocess.DEVNULL)
                     for log in logs + logs]
        self.assertEqual([process.wait(300) for process in processes],
                         24 * [0])
        self.assertEqual(self.feed(""), 1300)
        self.assertEqual(sorted(name for name in os.listdir(self.directory)
                                if name.startswith("db")), ["db"])


class Killed(Database):
    def setUp(self):
        super().setUp()
        self.remember_for_ever()

    def test_at_any_moment(self):
        """However often that happens, each line counts once, and no later run
        refuses the file.
        """
        dice = random.Random(5)
        log, count = self.path("log"), 0
        base = self.write("base", lines(10 ** 6, 10 ** 6 + 20000))
        began = time.monotonic()
        self.assertEqual(self.blocked("-s", self.db, base), 20000)
        length = time.monotonic() - began
        killed = finished = 0
        while killed < 80 or finished < 10:
            with open(log, "a") as file:
                file.write(lines(count, count + 5))
            count += 5
            process = subprocess.Popen(
                [STATS, "-s", self.db, "-o", self.path("page"), log],
                stderr=subprocess.PIPE)
            time.sleep(dice.uniform(0, 1.3 * length))
            process.kill()
            self.assertEqual(process.communicate(timeout=600)[1], b"")
            if process.returncode == 0:
                finished += 1
            else:
                killed += 1
                self.assertEqual(process.returncode, -signal.SIGKILL)
            # Aim at the time that a run takes: longer if this run was killed.
            length *= 1.1 if process.returncode else 0.9
            if killed % 10 == 0:
                self.assertLessEqual(self.feed(""), 20000 + count)
        self.assertEqual(self.blocked("-s", self.db, log), 20000 + count)
        self.assertEqual(self.whole()["Unique SMTP Hosts"], "97")


class Cursor(Database):
    def cursor(self):
        return self.stats("-c", "-s", self.db)[:-1]

    def test_none_yet(self):
        self.assertEqual(self.cursor(), "")
        self.assertEqual(os.listdir(self.directory), [])

    def test_is_saved_with_the_lines(self):
        self.feed(lines(0, 5))
        self.assertEqual(self.cursor(), "")
        self.feed(lines(5, 6) + "-- cursor: s=4a;i=1\n" + lines(6, 7) +
                  "-- cursor: s=4a;i=34\n")
        self.assertEqual(self.cursor(), "s=4a;i=34")
        self.feed(lines(7, 8))
        self.assertEqual(self.cursor(), "s=4a;i=34")
        self.feed("-- cursor: s=4a;i=35\n")
        self.assertEqual(self.cursor(), "s=4a;i=35")
        self.assertEqual(self.feed(""), 8)

    def test_too_long_is_left_out(self):
        for length in 511, 512, 600:
            self.feed("-- cursor: %s\n" % (length * "x"))
            self.assertEqual(self.cursor(), 511 * "x")


class ProcessId(Database):
    """Lines that differ only in their process ids are different lines."""

    HOLD = line("192.0.2.1", 10 ** 12, 0).split(": ", 1)[1]

    def count(self, *before):
        if os.path.exists(self.db):
            os.unlink(self.db)
        return self.feed("".join(text + self.HOLD for text in before))

    def test_tells_lines_apart(self):
        self.assertEqual(self.count("t[1]: ", "t[2]: ", "[2]: "), 2)

    def test_is_the_same_in_any_form(self):
        for text in ("<21>1 2026-11-01T10:18:00.000Z vps tarpit 7 - - ",
                     "<21>1 - - tarpit 7 - [meta sequenceId=\"1\"] ",
                     "<21>1 - vps tarpit 7 - - \ufeff", "t[7]:", "t[7]:\t",
                     "t[7]: \ufeff", "<21>tarpit[7]: "):
            self.assertEqual(self.count("t[7]: ", text), 1, text)
            self.assertEqual(self.count("t[8]: ", text), 2, text)

    def test_none(self):
        self.assertEqual(self.count(
            "]: ", "t]: ", "1]: ", "2]: ", "t1]: ", "t2]: ", "t[]: ", "",
            "t[4294967297]: ", "t[0]: ", "<21>1 - vps tarpit x - - ",
            "<21>1 - vps tarpit - - - ", "<21>2 - vps tarpit 7 - - ",
            "7 7 7 7 7 "), 1)


class Forgetting(Database):
    def remembered(self):
        return [self.ask("SELECT count(*) FROM " + table)[0][0]
                for table in ("lines", "hosts")]

    def later(self, days, *args, text=""):
        """The emails blocked that a run reports some days later."""
        done = subprocess.run(
            [STATS, "-s", self.db, *args], input=text.encode(),
            capture_output=True, check=True, timeout=600,
            env={"TZ": "UTC",
                 "SOURCE_DATE_EPOCH": str((NOW + days * DAY) // 1000)})
        return int(done.stdout.split(b"blocked: ")[1].split()[0])

    def test_after_35_days(self):
        old = line("192.0.2.1", NOW - DAY - 1000, 1000)
        self.feed(old + line("192.0.2.2", NOW - 1000, 1000))
        self.assertEqual(self.later(33), 2)
        self.assertEqual(self.remembered(), [2, 2])
        self.assertEqual(self.later(34), 2)
        self.assertEqual(self.remembered(), [1, 1])
        with open(self.db, "rb") as file:
            self.assertNotIn(b"192.0.2.1", file.read())
        # The line is forgotten, but does not count again.
        self.assertEqual(self.later(34, text=old), 2)
        self.assertEqual(self.later(36), 2)
        self.assertEqual(self.remembered(), [0, 0])
        with open(self.db, "rb") as file:
            self.assertNotIn(b"192.0.2.", file.read())

    def test_host_that_returns(self):
        def hosts():
            return self.whole()["Unique SMTP Hosts"]

        self.feed(line("192.0.2.1", NOW - 30 * DAY, 0))
        self.feed(line("192.0.2.1", NOW, 0))
        self.assertEqual(hosts(), "1")
        self.later(30, text=line("192.0.2.1", NOW + 30 * DAY, 0))
        self.assertEqual(hosts(), "1")
        # By now, the host was last seen longer ago than it is remembered.
        self.later(70, text=line("192.0.2.1", NOW + 70 * DAY, 0))
        self.assertEqual(self.remembered(), [1, 1])
        self.assertEqual(hosts(), "2")

    def test_as_many_days_as_are_asked_for(self):
        self.feed(line("192.0.2.1", NOW - DAY, 0), "-k", "3")
        self.assertEqual(self.later(1), 1)
        self.assertEqual(self.remembered(), [1, 1])
        self.later(3)       # without -k, which the file remembers
        self.assertEqual(self.remembered(), [0, 0])

    def test_never(self):
        self.feed(line("192.0.2.1", NOW - 9000 * DAY, 0), "-k", "0")
        self.later(9999)
        self.assertEqual(self.remembered(), [1, 1])
        self.later(9999, "-k", "35")
        self.assertEqual(self.remembered(), [0, 0])

    def test_old_logs_count_at_first(self):
        """Their order does not matter if they are read together."""
        self.assertEqual(self.feed(lines(0, 500)), 500)
        self.assertEqual(self.remembered(), [0, 0])
        self.assertEqual(self.feed(lines(0, 501)), 501)
        self.assertEqual(self.feed(lines(400, 501)), 501)

    def test_newest_of_two_million_and_more(self):
        log = self.path("log")
        with open(log, "w") as file:
            for i in range(LINES_MAX + 10):
                file.write("t[1]: ip=192.0.2.%d connected=%s disconnected=%s\n"
                           % (i % 97, moment(NOW - DAY), moment(NOW - DAY + i)))
        count = LINES_MAX + 10
        self.assertEqual(self.blocked("-s", self.db, log), count)
        self.assertEqual(self.remembered()[0], LINES_MAX)
        self.feed(line("::1", NOW - DAY, DAY - 1))
        self.assertEqual(self.remembered()[0], LINES_MAX)
        self.assertEqual(self.blocked("-s", self.db, log), count + 1)
        self.assertEqual(
            self.feed(line("::2", NOW - 2 * DAY, DAY + 1)), count + 1)


class Hosts(Database):
    def test_is_a_network_of_ipv6(self):
        text = "".join(line(ip, NOW, 0) for ip in (
            "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "192.0.2.1",
            "192.0.2.2", "::ffff:192.0.2.1"))
        for args in (), ("-s", self.db), ("-s", self.db):
            self.assertEqual(
                self.report(*args, text=text)["Unique SMTP Hosts"], "4")
        self.assertEqual(self.ask("SELECT host FROM hosts"), [
            ("192.0.2.1",), ("192.0.2.2",), ("2001:db8:0:1::/64",),
            ("2001:db8::/64",)])
        self.feed(line("2001:db8::3", NOW + 1, 0))
        self.assertEqual(self.whole()["Unique SMTP Hosts"], "4")


class Reset(Database):
    def test_old_lines_stay_forgotten(self):
        log = self.write("log", lines(0, 50))
        self.assertEqual(self.blocked("-s", self.db, log), 50)
        self.assertEqual(self.feed("", "-z"), 0)
        self.assertEqual(self.whole()["Unique SMTP Hosts"], "0")
        with open(log, "a") as file:
            file.write(line("192.0.2.1", NOW + 1, 0))
        self.assertEqual(self.blocked("-s", self.db, log), 1)

    def test_needs_a_database(self):
        for args in ("-z",), ("-k", "3"), ("-s", self.db, "-k", "-1"), (
                "-s", self.db, "-k", "x"):
            self.assertEqual(run(*args).returncode, 64)


class ByHand(Database):
    """The statements of SQL that the manual shows."""

    def test_frequent_networks(self):
        self.feed("".join(line(ip, NOW + i, 0) for i, ip in enumerate(
            ("192.0.2.1", "192.0.2.2", "198.51.100.1", "2001:db8::1"))))
        self.assertEqual(self.ask(self.sql("network")), [
            ("192.0.2.", 2), ("198.51.100.", 1), ("2001:db8::", 1)])

    def test_hours_of_the_day(self):
        os.environ["TZ"] = "UTC"
        self.addCleanup(os.environ.pop, "TZ")
        self.feed("".join(line("192.0.2.1", NOW + i * 3600000, 0)
                          for i in (0, 0, 1, 24)))
        self.assertEqual(self.ask(self.sql("hour")), [("12", 2), ("13", 1)])

    def test_day_that_is_wrong(self):
        self.feed(line("192.0.2.1", NOW, 5000) + line("192.0.2.1", NOW, 6000) +
                  line("192.0.2.1", NOW - 5 * DAY, 7000))
        log = line("192.0.2.1", NOW, 5000)
        self.ask(self.sql("UPDATE").replace("2026-11-21", "2026-11-22"))
        report = json.loads(self.stats("-f", "json", "-s", self.db, text=log))
        self.assertEqual(report["emails_blocked"], 1)
        self.assertEqual(report["seconds_in_tarpit"], 7)
        self.assertEqual(report["until"], moment(NOW - 5 * DAY + 7000))
        self.assertEqual([day["date"] for day in report["days"]],
                         ["2026-11-17"])

    @staticmethod
    def sql(word):
        """The statement in the manual that contains this word."""
        with open("tarpit-stats.8") as file:
            found = [part.split('"\n.Ed')[0] for part in
                     file.read().split('sqlite3 tarpit.db "\n')[1:]]
        statement, = [text for text in found if word in text]
        return statement

    def test_sums_that_do_not_add_up_are_refused(self):
        self.feed(lines(0, 5))
        self.ask("UPDATE days SET connections = connections + 1")
        done = run("-s", self.db)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"days and lengths", done.stderr)

    def test_days_that_cannot_be_are_refused(self):
        self.feed(line("192.0.2.1", NOW, 5000))
        good = self.read("db")
        for change in ("connections = 0", "connections = -1", "held_ms = -1",
                       "held_ms = 9223372036854775807", "day = 0",
                       "day = 99999999", "first_connected_ms = -1",
                       "last_disconnected_ms = 0", "longest_ms = -1",
                       "longest_ms = 5001",
                       "last_disconnected_ms = 253402300800000"):
            with open(self.db, "wb") as file:
                file.write(good)
            self.ask("UPDATE days SET " + change)
            done = run("-s", self.db)
            self.assertEqual((done.returncode, done.stdout), (1, b""), change)
            self.assertIn(b"impossible", done.stderr)
        for change in "up_to_ms = 7", "connections = -1":
            with open(self.db, "wb") as file:
                file.write(good)
            self.ask("UPDATE lengths SET " + change)
            self.assertEqual(run("-s", self.db).returncode, 1)


class File(Database):
    def refused(self, content, said):
        with open(self.db, "wb") as file:
            file.write(content)
        for text in lines(0, 5), "":
            done = run("-s", self.db, text=text)
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(said, done.stderr)
            self.assertEqual(self.read("db"), content)
            self.assertEqual(os.listdir(self.directory), ["db"])

    def test_is_for_its_owner_only(self):
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        self.feed(lines(0, 5))
        self.assertEqual(os.stat(self.db).st_mode & 0o7777, 0o600)

    def test_is_not_made_for_nothing(self):
        self.assertEqual(self.feed(""), 0)
        self.assertEqual(os.listdir(self.directory), [])

    def test_empty_is_as_good_as_none(self):
        self.write("db", "")
        self.assertEqual(self.feed(""), 0)
        self.assertEqual(self.feed(lines(0, 5)), 5)

    def test_stays_when_nothing_is_new(self):
        text = lines(0, 5) + "-- cursor: s=1\n"
        self.feed(text)
        before = os.stat(self.db)
        self.feed(text)
        self.assertEqual(os.stat(self.db).st_mtime_ns, before.st_mtime_ns)

    def test_foreign(self):
        for content in (b"\n", b"ELF\0\1", lines(0, 5).encode(), 5000 * b"x",
                        b"tarpit-stats state 1\ncursor \n"):
            self.refused(content, b"not a database of tarpit-stats; it is left")

    def test_of_another_program(self):
        self.ask("CREATE TABLE mine (x)")
        self.refused(self.read("db"), b"not a database of tarpit-stats; it is")

    def test_later(self):
        self.feed(lines(0, 5))
        self.ask("PRAGMA user_version = 2")
        self.refused(self.read("db"), b"made by a later version")

    def test_that_cannot_be_made(self):
        for path, said in (("none/db", b"none/db: No such file"),
                           (".", b": disk I/O error")):
            done = run("-s", self.path(path), text=lines(0, 5))
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(said, done.stderr)

    def test_copy_on_another_machine(self):
        self.feed(lines(0, 5))
        shutil.copy(self.db, self.path("copy"))
        self.assertEqual(
            self.blocked("-s", self.path("copy"), text=lines(0, 7)), 7)

    def test_back_up(self):
        self.feed(lines(0, 5))
        self.ask("VACUUM INTO '%s'" % self.path("copy"))
        self.assertEqual(
            self.blocked("-s", self.path("copy"), text=lines(0, 7)), 7)

    def test_waits_for_another_and_says_so(self):
        self.feed(lines(0, 5))
        with contextlib.closing(sqlite3.connect(self.db)) as db:
            db.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            self.assertEqual(self.feed(""), 5)      # this run only reads
            done = run("-s", self.db, text=lines(0, 6))
            self.assertGreater(time.monotonic() - began, 29)
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn(b"db: another process is writing it; waited for 30 "
                          b"seconds", done.stderr)
        self.assertEqual(self.feed(lines(0, 6)), 6)

    @needs_root
    def test_reader_need_not_be_able_to_write(self):
        self.feed(lines(0, 5))
        os.chmod(self.db, 0o644)
        os.chmod(self.directory, 0o755)
        program = shutil.copy(STATS, "/run/tarpit-stats-db")
        self.addCleanup(os.unlink, program)
        # The same holds if there are old lines to forget.
        self.ask("INSERT INTO lines SELECT 1, 1, '192.0.2.1', 1, 0, 1")
        before = self.read("db")
        done = subprocess.run([program, "-s", self.db], user=65534,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              group=65534, extra_groups=[], timeout=600)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"blocked: 5\n", done.stdout)
        self.assertEqual(self.read("db"), before)

    @needs_root
    def test_disk_that_is_read_only(self):
        self.mount("size=1m")
        self.feed(lines(0, 5))
        subprocess.run(["mount", "-o", "remount,ro", self.directory],
                       check=True)
        self.assertEqual(self.feed(""), 5)
        done = run("-s", self.db, text=lines(0, 6))
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"db: ", done.stderr)
        self.assertEqual(self.feed(""), 5)

    @needs_root
    def test_disk_that_is_full(self):
        self.mount("size=256k")
        text = "".join(line("192.0.2.%d" % (i % 97), NOW - DAY + i, 0)
                       for i in range(9000))
        part = "".join(text.splitlines(True)[:100])
        self.assertEqual(self.feed(part), 100)
        before = self.read("db")
        done = run("-s", self.db, text=text)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"full", done.stderr)
        self.assertEqual(self.read("db"), before)
        self.assertEqual(os.listdir(self.directory), ["db"])
        self.assertEqual(self.feed(part), 100)

    def mount(self, options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs",
                        self.directory], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.directory])


class Terminal(Database):
    def test_is_not_read(self):
        self.feed(lines(0, 5))
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        self.addCleanup(os.close, theirs)
        done = subprocess.run([STATS, "-s", self.db], stdin=theirs,
                              capture_output=True, timeout=600)
        self.assertIn(b"blocked: 5\n", done.stdout)


class Skipped(Database):
    def test_is_told_once(self):
        text = lines(0, 5) + "foreign\n"
        for said in b"skipped 1 of 6 lines: not tarpit's", b"", b"":
            done = run("-s", self.db, text=text)
            self.assertEqual(done.returncode, 0)
            self.assertIn(said, done.stderr)
            self.assertEqual(done.stderr == b"", said == b"")
        text += line("192.0.2.1", 0, 0)
        self.assertIn(b"skipped 1 of 7 lines: impossible",
                      run("-s", self.db, text=text).stderr)
        self.assertEqual(run("-s", self.db, text="").stderr, b"")
        self.assertEqual(run("-s", self.db, text=text).stderr, b"")


if __name__ == "__main__":
    unittest.main()
