# SPDX-License-Identifier: GPL-2.0-or-later
"""tarpit-stats.timer and what it runs, under a real systemd.

./systemd boots the machine that these run on, where make install was run and
tarpit.socket was enabled.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import unittest

from tests.lib.files import read, write
from tests.lib.machine import (drop_in, exposure, journal, show, sources,
                               systemctl)
from tests.lib.process import run, wait_for
from tests.systemd.test_systemd import Lab

TOP = "/var/lib/tarpit"
DATABASE = TOP + "/tarpit.db"
PAGE = TOP + "/www/index.html"
NODE_EXPORTER = "/var/lib/prometheus/node-exporter"
METRICS = NODE_EXPORTER + "/tarpit.prom"
STATS = "/usr/local/sbin/tarpit-stats"
SCORE_MAX = 2.0


class Stats(Lab):
    def setUp(self):
        super().setUp()
        # This test's lines are the only ones.
        run("journalctl", "--quiet", "--rotate", "--vacuum-time=1us")
        shutil.rmtree(TOP, ignore_errors=True)
        self.count = 0

    def end_some(self, count):
        """So many more lines in the journal."""
        self.clients.close(self.clients.hold(sources(1, count)))
        self.count += count
        self.lines(self.count)

    def update(self):
        systemctl("start", "tarpit-stats.service")

    def counted(self):
        return json.loads(run(STATS, "-f", "json", "-s", DATABASE,
                              "/dev/null"))["emails_blocked"]

    def test_page_and_database(self):
        self.end_some(30)
        self.update()
        self.assertIn(">30<", read(PAGE))
        self.assertEqual(stat.S_IMODE(os.stat(PAGE).st_mode), 0o644)
        for path in TOP, TOP + "/www":
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o755)
        self.assertEqual(stat.S_IMODE(os.stat(DATABASE).st_mode), 0o600)
        self.assertEqual(self.counted(), 30)

    def test_each_line_once(self):
        for more in 20, 0, 20, 5:
            if more:
                self.end_some(more)
            for _ in range(2):
                self.update()
                self.assertEqual(self.counted(), self.count)

    def test_before_the_first_line(self):
        self.update()
        self.assertIn("never", read(PAGE))
        self.end_some(3)
        self.update()
        self.assertEqual(self.counted(), 3)

    def test_journal_that_has_lost_what_was_read(self):
        """The line of the cursor among it."""
        self.end_some(20)
        self.update()
        run("journalctl", "--quiet", "--rotate", "--vacuum-time=1us")
        self.count = 0
        self.end_some(10)
        self.update()
        self.assertEqual(self.counted(), 30)

    def test_metrics_where_they_are_collected(self):
        self.end_some(3)
        self.update()
        self.assertFalse(os.path.exists(METRICS))
        os.makedirs(NODE_EXPORTER)
        self.addCleanup(shutil.rmtree, NODE_EXPORTER)
        self.update()
        self.assertRegex(read(METRICS), r"(?m)^tarpit_connections_total 3$")
        self.assertEqual(os.listdir(NODE_EXPORTER), ["tarpit.prom"])

    def test_who_is_stuck(self):
        """Before anybody has left, and with all protection."""
        os.makedirs(NODE_EXPORTER)
        self.addCleanup(shutil.rmtree, NODE_EXPORTER)
        self.clients.hold(sources(1, 7))
        self.update()
        self.assertIn("Stuck right now: <b>7</b>, the longest for ",
                      read(PAGE))
        self.assertRegex(read(METRICS), r"(?m)^tarpit_connections_held 7$")

    def test_title(self):
        drop_in("tarpit-stats.service",
                "[Service]\nEnvironment=\"TITLE=The pit & more\"\n")
        self.addCleanup(drop_in, "tarpit-stats.service", "")
        self.update()
        self.assertIn("<h1>Stuck in The pit &#38; more</h1>", read(PAGE))

    def test_timer(self):
        systemctl("enable", "--now", "tarpit-stats.timer")
        self.addCleanup(systemctl, "disable", "--now", "tarpit-stats.timer")
        self.assertEqual(show("tarpit-stats.timer", "ActiveState"), "active")
        self.assertTrue(wait_for(lambda: os.path.exists(PAGE)))
        self.assertTrue(wait_for(lambda: re.search(
            r"\b[45]min\b", run("systemctl", "list-timers", "--no-pager",
                                "tarpit-stats.timer"))))

    def test_is_silent(self):
        self.end_some(3)
        self.update()
        self.assertEqual(
            [entry["MESSAGE"] for entry in journal(self.cursor)
             if entry.get("SYSLOG_IDENTIFIER") != "tarpit"
             and "stats" in str(entry)], [])

    def test_error_is_heard(self):
        os.makedirs(TOP)
        write(DATABASE, "mine\n")
        with self.assertRaises(subprocess.CalledProcessError):
            self.update()
        systemctl("reset-failed", "tarpit-stats.service")
        self.assertEqual(read(DATABASE), "mine\n")
        self.assertTrue(wait_for(lambda: any(
            "not a database of tarpit-stats" in entry["MESSAGE"]
            for entry in journal(self.cursor))))

    def test_to_be_stopped_is_no_failure(self):
        unit = "tarpit-stats.service"
        drop_in(unit, "[Service]\nExecStart=\nExecStart=sleep 1000\n")
        self.addCleanup(drop_in, unit, "")
        systemctl("start", "--no-block", unit)
        self.assertTrue(wait_for(lambda: show(unit, "MainPID") != "0"))
        systemctl("stop", unit)
        self.assertEqual((show(unit, "ActiveState"), show(unit, "Result")),
                         ("inactive", "success"))

    def test_replaces_files_once_they_are_on_the_disk(self):
        self.end_some(3)
        trace = "/root/stats.trace"
        run("strace", "-f", "-o", trace, "-e",
            "trace=fsync,rename,openat,flock",
            "/usr/local/lib/tarpit/stats-update")
        for name in [PAGE]:
            calls = re.findall(
                r'(fsync|rename)\((?:"%s\.new"|\d)' % re.escape(name),
                read(trace).split('"%s.new"' % name, 1)[1])
            self.assertEqual(calls[:3], ["fsync", "rename", "fsync"])

    def test_can_do_little(self):
        self.assertLessEqual(exposure("tarpit-stats.service"), SCORE_MAX)


if __name__ == "__main__":
    unittest.main()
