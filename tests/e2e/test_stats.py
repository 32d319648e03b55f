# SPDX-License-Identifier: GPL-2.0-or-later
"""tarpit-stats: from log lines to numbers."""

import calendar
import errno
import json
import os
import random
import re
import resource
import shutil
import subprocess
import unittest

from tests.lib.failing import FAILING_STATS, failing
from tests.lib.sandbox import needs_root
from tests.lib.stats import (BERLIN, GOLDEN, MADE, STATS, StatsTest, line,
                             lines, moment, run)
from tests.lib.tarpit import needs_seal

HOUR = 3600000
START = 1158865740000       # 21st September 2006, 19:09 UTC


def golden(name):
    with open(os.path.join(GOLDEN, name)) as file:
        return file.read()


class Text(StatsTest):
    def test_to_the_letter(self):
        text = "".join(
            line("192.0.2.1", START + i,
                 2 * HOUR if i > 1 else 20 * HOUR + 522000)
            for i in range(3)) + line("192.0.2.2", START + 9, 0)
        self.assertEqual(self.stats(text=text, tz=BERLIN), (
            "Stats since: 21st September 2006 @ 21:09\n"
            "Emails blocked: 4\n"
            "Hours in Tar Pit: 42.29\n"
            "Unique SMTP Hosts: 2\n"))

    def test_nothing_yet(self):
        self.assertEqual(self.stats(), (
            "Stats since: never\nEmails blocked: 0\n"
            "Hours in Tar Pit: 0.00\nUnique SMTP Hosts: 0\n"))

    def since(self, text, tz):
        """The first line of the text for a time in UTC, in a time zone."""
        seconds = calendar.timegm(
            tuple(map(int, re.split("[- :]", text))) + (0, 0, 0, 0))
        return self.report(text=line("192.0.2.1", 1000 * seconds, 1000),
                           tz=tz)["Stats since"]

    def test_ordinals(self):
        endings = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd",
                   31: "st"}
        for day in range(1, 32):
            self.assertEqual(
                self.since("2025-12-%02d 05:06" % day, "UTC"),
                "%d%s December 2025 @ 05:06" % (day, endings.get(day, "th")))

    def test_months_whatever_the_locale(self):
        os.environ["LC_ALL"] = "de_DE.UTF-8"
        self.addCleanup(os.environ.pop, "LC_ALL")
        for month in range(1, 13):
            self.assertEqual(
                self.since("2025-%02d-01 00:00" % month, "UTC"),
                "1st %s 2025 @ 00:00" % calendar.month_name[month])

    def test_leap_day(self):
        for text, tz, said in (
                ("2024-02-29 12:00", "UTC", "29th February 2024 @ 12:00"),
                ("2024-02-28 23:30", BERLIN, "29th February 2024 @ 00:30"),
                ("2025-02-28 23:30", BERLIN, "1st March 2025 @ 00:30")):
            self.assertEqual(self.since(text, tz), said)

    def test_daylight_saving(self):
        for text, tz, said in (
                ("2026-03-29 00:59", BERLIN, "29th March 2026 @ 01:59"),
                ("2026-03-29 01:00", BERLIN, "29th March 2026 @ 03:00"),
                ("2026-10-25 00:59", BERLIN, "25th October 2026 @ 02:59"),
                ("2026-10-25 01:00", BERLIN, "25th October 2026 @ 02:00"),
                ("2026-11-21 20:00", "Asia/Kathmandu",
                 "22nd November 2026 @ 01:45"),
                ("2026-01-01 04:59", "America/New_York",
                 "31st December 2025 @ 23:59")):
            self.assertEqual(self.since(text, tz), said)

    def test_earliest_counts_not_first(self):
        text = line("::1", START + HOUR, 0) + line("::1", START, 3 * HOUR)
        self.assertIn("19:09", self.report(text=text)["Stats since"])

    def test_hours_are_rounded(self):
        for msec, hours in ((17999, "0.00"), (18000, "0.01"),
                            (HOUR - 18001, "0.99"), (HOUR - 18000, "1.00")):
            self.assertEqual(self.report(text=line("::1", START, msec))
                             ["Hours in Tar Pit"], hours)

    def test_hosts(self):
        text = "".join(line(ip, START, 0) for ip in (
            "192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1",
            "2001:db8:0::1", "2001:db8::2", "::", "0.0.0.0"))
        self.assertEqual(self.report(text=text)["Unique SMTP Hosts"], "4")

    def test_many_hosts_are_exact(self):
        dice = random.Random(1)
        addresses = ["%d.%d.%d.%d" % (dice.randrange(1, 224),
                                      dice.randrange(256),
                                      dice.randrange(2), dice.randrange(256))
                     for _ in range(100000)]
        addresses += ["2001:db8:%x::%x" % (i, i) for i in range(1, 20000)]
        text = "".join(line(ip, START, 1) for ip in addresses)
        self.assertEqual(self.report(text=text), {
            "Stats since": "21st September 2006 @ 19:09",
            "Emails blocked": str(len(addresses)),
            "Hours in Tar Pit": "0.03",
            "Unique SMTP Hosts": str(len(set(addresses)))})

    @needs_seal     # the sanitizers and valgrind take more memory
    def test_little_memory(self):
        """Whatever memory is short for, the program says so."""
        log = self.write("log", "".join(
            line("2001:db8:%x::%x" % (i % 9999, i), START, 1)
            for i in range(40000)))
        said = set()
        for limit in range(1 << 20, 16 << 20, 1 << 16):
            def inherit():
                resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

            if run("/dev/null", preexec_fn=inherit).returncode != 0:
                continue        # too little to start any program
            done = run(log, preexec_fn=inherit)
            if done.returncode == 0:
                break
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertRegex(done.stderr, rb"Cannot allocate memory\n\Z")
            said.add(done.stderr)
        self.assertEqual(done.returncode, 0)
        # Memory ran out at more than one number of addresses.
        self.assertGreater(len(said), 1)

    def test_same_line_twice_counts_twice_without_state(self):
        self.assertEqual(self.blocked(text=2 * lines(0, 10)), 20)


class Golden(StatsTest):
    LOG = os.path.join(GOLDEN, "holds.log")

    def test_every_format(self):
        for name in "text", "json", "prometheus", "html":
            self.assertEqual(
                self.stats("-f", name, self.LOG, tz=BERLIN),
                golden("page.html" if name == "html" else "report." + name))

    def test_nothing_yet(self):
        for name in "json", "prometheus":
            self.assertEqual(self.stats("-f", name, tz=BERLIN),
                             golden("nothing." + name))

    def test_no_address_in_any(self):
        with open(self.LOG) as log:
            addresses = set(re.findall(r"ip=(\S+)", log.read()))
        for name in "text", "json", "prometheus", "html":
            report = self.stats("-f", name, self.LOG)
            for address in addresses:
                self.assertNotIn(address, report)


class Json(StatsTest):
    def facts(self, text, **more):
        return json.loads(self.stats("-f", "json", text=text, **more))

    def test_same_facts(self):
        facts = self.facts(lines(0, 5000))
        self.assertEqual(facts["emails_blocked"], 5000)
        self.assertEqual(facts["unique_hosts"], 97)
        self.assertEqual(facts["since"], moment(1000000000000))
        self.assertEqual(facts["longest_seconds"], 4999)
        self.assertEqual(facts["seconds_in_tarpit"], 4999 * 2500)
        self.assertEqual(sum(d["connections"] for d in facts["days"]), 5000)
        self.assertEqual(sum(d["seconds"] for d in facts["days"]),
                         facts["seconds_in_tarpit"])

    def test_day_is_a_local_one_and_that_of_the_beginning(self):
        text = (line("::1", 1000 * 1767221999, HOUR) +
                line("::1", 1000 * 1767222000, HOUR))
        for tz, days in (("UTC", ["2025-12-31"]),
                         (BERLIN, ["2025-12-31", "2026-01-01"])):
            self.assertEqual([day["date"] for day in
                              self.facts(text, tz=tz)["days"]], days)

    def test_days_are_in_order_and_once(self):
        text = lines(0, 20000).splitlines(True)
        random.Random(2).shuffle(text)
        days = [day["date"] for day in self.facts("".join(text))["days"]]
        self.assertEqual(days, sorted(set(days)))

    def test_still_held(self):
        held = {step["after_seconds"]: step["connections"] for step in
                self.facts("".join(line("::1", START, 1000 * s) for s in
                                   (0, 1, 2, 60, 61, 86400)))["still_held"]}
        self.assertEqual(held[1], 4)
        self.assertEqual(held[2], 3)
        self.assertEqual(held[60], 2)
        self.assertEqual(min(held.values()), 0)
        self.assertEqual(self.facts(line("::1", START, 86401000))
                         ["still_held"], [])


class Prometheus(StatsTest):
    def test_times_from_the_first_connection_on(self):
        for count in 0, 1, 2:
            text = self.stats("-f", "prometheus",
                              text=count * line("::1", START + 7, 1000))
            for name, seconds in (("first_connection", "1158865740.007"),
                                  ("last_disconnection", "1158865741.007")):
                sample = "\ntarpit_%s_timestamp_seconds %s\n" % (
                    name, seconds)
                self.assertEqual(sample in text, count > 0)
                self.assertEqual(name in text, count > 0)

    def test_histogram(self):
        text = "".join(line("::1", START, msec) for msec in
                       (0, 1000, 1001, 7200000, 7200001, 86460000))
        found = dict(re.findall(r'bucket\{le="(.*)"\} (\d+)',
                                self.stats("-f", "prometheus", text=text)))
        self.assertEqual({le: int(found[le]) for le in
                          ("1", "2", "3600", "7200", "14400", "+Inf")},
                         {"1": 2, "2": 3, "3600": 3, "7200": 4, "14400": 5,
                          "+Inf": 6})


class Input(StatsTest):
    def test_files_in_turn_and_standard_input(self):
        one = self.write("one", lines(0, 10))
        two = self.write("two", lines(10, 30))
        for args, count in (((one,), 10), ((one, two), 30), ((), 5),
                            (("-",), 5), ((one, "-", two), 35)):
            self.assertEqual(self.blocked(*args, text=lines(30, 35)), count)

    def test_whatever_stands_before(self):
        hold = ("ip=192.0.2.1 connected=2026-11-21T19:40:12.345Z "
                "disconnected=2026-11-21T21:12:40.018Z")
        for before in (
                "", "Nov  1 21:12:40 mx tarpit[2481]: ",
                "<21>Nov  1 21:12:40 tarpit[2481]: ",
                "2026-11-21T21:12:40.018123+00:00 mx tarpit[2481]: ",
                "<21>1 2026-11-21T21:12:40.018Z mx tarpit 2481 - - ",
                "Sun 2026-11-22 01:01:58 UTC mx tarpit[38]: ",
                "1795309318.252964 mx tarpit[38]: ", "\0\0\0tarpit[1]: "):
            for end in "\n", "\r\n", "":
                self.assertEqual(self.blocked(text=before + hold + end), 1)

    def test_journal_entries_count_once(self):
        hold = ("ip=192.0.2.1 connected=2026-11-21T19:40:12.345Z "
                "disconnected=2026-11-21T21:12:40.018Z")
        raw = "<21>tarpit[2481]: " + hold
        verbose = ("Sun 2026-11-22 01:01:58.252964 UTC [s=4a;i=34]\n"
                   "    _UID=0\n    SYSLOG_RAW=%s\n    MESSAGE=%s\n"
                   % (raw, hold))
        entry = {"_UID": "0", "SYSLOG_RAW": raw, "MESSAGE": hold, "_PID": "1"}
        for text in (verbose, verbose.replace("    ", "") + "\n",
                     json.dumps(entry) + "\n",
                     json.dumps(entry, separators=(",", ":")) + "\n",
                     json.dumps(entry, indent="\t",
                                separators=(",", " : ")) + "\n",
                     "data: " + json.dumps(entry) + "\n\n"):
            out = run(text=text).stdout.decode()
            self.assertIn("Emails blocked: 1\n", out, text)

    def test_remarks_of_the_journal_are_no_bad_lines(self):
        self.assertEqual(self.blocked(
            text="-- Boot 1bbf9ccb --\n" + lines(0, 2) +
            "-- No entries --\n-- \n-- cursor: s=1;i=2\n"), 2)

    def test_bad_lines_are_skipped_and_counted(self):
        good = lines(0, 1)
        bad = [good[:-2] + "\n", good.replace("connected", "konnected", 1),
               good.replace("ip=", "ip=x"), "\n", "\0\n", "ip=\n",
               "mail for postfix[1]: connect from unknown\n", 70000 * "x" +
               good, 1000000 * "\xff" + "\n",
               good.replace("T", " ")]
        text = "".join(good + one for one in bad)
        done = run(text=text.encode("latin-1"))
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"Emails blocked: %d\n" % len(bad), done.stdout)
        self.assertEqual(done.stderr.count(b"\n"), 1)
        self.assertIn(b"%d of %d lines" % (len(bad), 2 * len(bad)),
                      done.stderr)

    def test_random_bytes(self):
        dice = random.Random(3)
        done = run(text=dice.randbytes(3000000) + b"\n" +
                   lines(0, 3).encode())
        self.assertIn(b"Emails blocked: 3\n", done.stdout)

    def test_missing_file_after_the_others(self):
        good = self.write("good", lines(0, 10))
        done = run(self.path("none"), good, self.directory, good)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"Emails blocked: 20\n", done.stdout)
        self.assertIn(b"none: No such file", done.stderr)
        self.assertIn(b"Is a directory", done.stderr)

    def test_lines_over_the_ends_of_what_is_read_at_a_time(self):
        process = subprocess.Popen([STATS], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        text = lines(0, 500).encode()
        for i in range(0, len(text), 997):
            process.stdin.write(text[i:i + 997])
            process.stdin.flush()
        out = process.communicate(timeout=300)[0]
        self.assertIn(b"Emails blocked: 500\n", out)


class Options(StatsTest):
    def test_bad_ones(self):
        for args, said in ((("-x",), b"usage: tarpit-stats "),
                           (("-f", "xml"), b"-f xml: not text"),
                           (("-f",), b"usage: ")):
            done = run(*args)
            self.assertEqual((done.returncode, done.stdout), (64, b""))
            self.assertIn(said, done.stderr)

    def test_version(self):
        self.assertRegex(self.stats("-V"), r"^tarpit-stats \d+\.\d+\n$")


class Output(StatsTest):
    def test_is_replaced_as_a_whole(self):
        page = self.write("page", "old")
        old = os.open(page, os.O_RDONLY)
        self.assertEqual(self.stats("-o", page, text=lines(0, 5)), "")
        self.assertIn(b"Emails blocked: 5\n", self.read("page"))
        self.assertEqual(os.read(old, 10), b"old")
        os.close(old)
        self.assertEqual(os.listdir(self.directory), ["page"])

    def test_no_reader_sees_half_a_page(self):
        page = self.path("page")
        log = self.write("log", lines(0, 20))
        self.stats("-f", "html", "-o", page, log)
        whole = self.read("page")
        writers = [subprocess.Popen(
            ["sh", "-c", 'for i in 1 2 3 4 5 6 7 8 9 10; do '
             '"$0" -f html -o "$1" "$2" || exit 1; done', STATS, page, log],
            env={**os.environ, **MADE, "TZ": "UTC"})
            for _ in range(4)]
        while any(writer.poll() is None for writer in writers):
            self.assertEqual(self.read("page"), whole)
        self.assertEqual([writer.returncode for writer in writers], 4 * [0])
        self.assertEqual(sorted(os.listdir(self.directory)), ["log", "page"])

    def test_left_over_file_of_a_killed_one_is_taken_over(self):
        self.write("page.new", 100000 * "x")
        self.stats("-o", self.path("page"), text=lines(0, 5))
        self.assertIn(b"Emails blocked: 5\n", self.read("page"))
        self.assertNotIn(b"x", self.read("page"))

    def test_that_cannot_be_written(self):
        for path in "none/page", "":
            done = run("-o", self.path(path), text=lines(0, 5))
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertNotEqual(done.stderr, b"")
        self.assertEqual(os.listdir(self.directory), [])
        with open("/dev/full", "w") as full:
            done = subprocess.run([STATS], stdin=subprocess.DEVNULL,
                                  stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left", done.stderr)

    @needs_root
    def test_directory_that_cannot_be_read(self):
        """The page is in place, but may not survive a crash: an error."""
        nobody = 65534
        program = shutil.copy(STATS, "/run/tarpit-stats")
        self.addCleanup(os.unlink, program)
        os.chmod(self.directory, 0o333)
        done = subprocess.run([program, "-o", self.path("page")],
                              stdin=subprocess.DEVNULL, capture_output=True,
                              user=nobody, group=nobody, extra_groups=[])
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"page: Permission denied", done.stderr)
        self.assertEqual(os.listdir(self.directory), ["page"])

    @needs_root
    def test_full_disk_leaves_the_old_one(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs",
                        self.directory], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.directory])
        page = self.path("page")
        self.stats("-o", page, text=lines(0, 100))
        before = self.read("page")
        filler = os.open(self.path("filler"), os.O_WRONLY | os.O_CREAT)
        self.addCleanup(os.close, filler)
        with self.assertRaises(OSError):
            while True:
                os.write(filler, 4096 * b"x")
        done = run("-f", "html", "-o", page, text=lines(0, 5000))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.read("page"), before)
        self.assertEqual(sorted(os.listdir(self.directory)),
                         ["filler", "page"])


class Failing(StatsTest):
    """A system call fails."""

    def failing(self, *args, text="", **more):
        failed = self.path("failed")
        done = subprocess.run(
            [FAILING_STATS, *args], input=text.encode(), capture_output=True,
            timeout=300, env=failing(**more) | {"FAILED": failed})
        os.unlink(failed)
        return done

    def ends(self, said, *args, **more):
        done = self.failing(*args, **more)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(said, done.stderr)
        self.assertEqual(done.stderr.count(b"\n"), 1)

    def test_no_memory(self):
        text = lines(0, 10)
        for call, said in (("calloc", b"0 addresses or lines: "),
                           ("reallocarray", b"0 days: ")):
            self.ends(said + b"Cannot allocate memory", call=call,
                      error=errno.ENOMEM, text=text)
        self.ends(b"0 addresses or lines: Cannot allocate memory",
                  call="reallocarray", error=errno.ENOMEM, after=1, text=text)

    def test_no_random_seed(self):
        self.ends(b"getrandom: Function not implemented", call="getrandom",
                  error=errno.ENOSYS, text=lines(0, 10))

    def test_read(self):
        """An interrupted read is repeated; another error is reported, and the
        rest is counted.
        """
        log = self.write("log", lines(0, 10))
        done = self.failing(log, call="read", error=errno.EINTR)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"Emails blocked: 10\n", done.stdout)
        done = self.failing(log, call="read", after=1)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"log: Input/output error\n", done.stderr)
        self.assertIn(b"Emails blocked: 10\n", done.stdout)

    def test_output_stays_as_it_was(self):
        page = self.write("page", "old")
        for call in "asprintf", "flock", "ftruncate", "fdopen", "fsync":
            with self.subTest(call=call):
                self.ends(b"page: No locks available\n", "-o", page,
                          call=call, error=errno.ENOLCK, text=lines(0, 10))
                self.assertEqual(self.read("page"), b"old")

    def test_write_that_failed_in_between(self):
        page = self.write("page", "old")
        self.ends(b"page: Input/output error", "-o", page, call="ferror",
                  text=lines(0, 10))
        self.assertEqual(self.read("page"), b"old")
        self.assertEqual(os.listdir(self.directory), ["page"])
        done = self.failing(call="ferror", text=lines(0, 10))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output: ", done.stderr)

    def test_directory_that_cannot_be_synced(self):
        self.ends(b"page: Input/output error", "-o", self.path("page"),
                  call="fsync", after=1, text=lines(0, 10))
        self.assertIn(b"Emails blocked: 10\n", self.read("page"))

    def test_new_file_that_is_not_what_was_locked(self):
        """Then the program opens the file again."""
        for call in "fstat", "st_dev":
            done = self.failing("-o", self.path("page"), call=call,
                                text=lines(0, 10))
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertIn(b"Emails blocked: 10\n", self.read("page"))
            self.assertEqual(os.listdir(self.directory), ["page"])


if __name__ == "__main__":
    unittest.main()
