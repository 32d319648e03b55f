# SPDX-License-Identifier: GPL-2.0-or-later
"""units/stats/update: the journal in, page and metrics out; no silent zero.

Here journalctl is made up; tests/systemd/test_timer.py has the real one.
"""

import json
import os
import stat
import subprocess
import unittest

from tests.lib import TOP
from tests.lib.stats import STATS, StatsTest, lines

WARNING = "No journal is kept on this machine, so nothing is counted."
# An entry of the made-up journal is a line: a cursor, a tab and a log line.
JOURNALCTL = r"""#!/bin/sh
echo "$*" >>$0.asked
[ ! -e $0.fails ] || { cat $0.fails >&2; exit 1; }
for arg; do
	case $arg in
	--cursor=*) from=${arg#--cursor=} ;;
	--output=export) export=1 ;;
	esac
done
awk -F '\t' -v "from=$from" -v "export=$export" '
	from == "" || $1 == from { begun = 1 }
	!begun { next }
	export { printf "__CURSOR=%s\nMESSAGE=%s\n\n", $1, $2; next }
	{ print $2; last = $1 }
	END {
		if (last != "")
			print "-- cursor: " last
		exit !(last != "" || export)
	}' $0.entries
"""


class Update(StatsTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path("bin"))
        with open(os.path.join(TOP, "units/stats/update")) as file:
            script = file.read()
        for old, new in (("/usr/local/sbin/tarpit-stats", STATS),
                         ("/var/lib/prometheus/node-exporter",
                          self.path("metrics")),
                         ("/var/lib/tarpit", self.path("lib")),
                         ("/run/log/journal /var/log/journal",
                          self.path("journals"))):
            self.assertIn(old, script)
            script = script.replace(old, new)
        self.program("update", script)
        self.program("journalctl", JOURNALCTL)
        self.program("id", "#!/bin/sh\necho 990\n")
        self.write("bin/journalctl.entries", "")
        os.mkdir(self.path("journals"))
        self.write("journals/system.journal", "")
        self.entries = []

    def program(self, name, text):
        os.chmod(self.write("bin/" + name, text), 0o755)

    def log(self, first, last, boot="a"):
        self.entries += ["s=%s;i=%d\t%s" % (boot, i, lines(i, i + 1))
                         for i in range(first, last)]
        self.write("bin/journalctl.entries", "".join(self.entries))

    def run_update(self, *logs, umask=0o022):
        return subprocess.run(
            [self.path("bin/update"), *logs], capture_output=True, text=True,
            timeout=600, umask=umask, stdin=subprocess.DEVNULL,
            env={"TZ": "UTC", "PATH": self.path("bin") + ":" +
                 os.environ["PATH"]})

    def update(self, *logs, **more):
        done = self.run_update(*logs, **more)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, "", ""))

    def counted(self):
        return json.loads(self.stats("-f", "json", "-s",
                                     self.path("lib/tarpit.db")))[
            "emails_blocked"]

    def test_each_line_once(self):
        self.update()
        self.assertEqual(self.counted(), 0)
        for last in 5, 5, 9:
            self.log(len(self.entries), last)
            self.update()
            self.assertEqual(self.counted(), last)
        self.assertIn("--cursor=s=a;i=8", self.asked()[-1])

    def asked(self):
        self.update()
        return self.read("bin/journalctl.asked").decode().splitlines()

    def test_only_the_lines_of_the_user(self):
        self.log(0, 2)
        self.update()
        for line in self.asked():
            self.assertIn("--identifier=tarpit _UID=990", line)

    def test_cursor_that_is_gone(self):
        self.log(0, 5)
        self.update()
        self.entries = []
        self.log(5, 8, "b")
        self.update()
        self.assertEqual(self.counted(), 8)

    def test_journalctl_that_fails(self):
        self.log(0, 5)
        self.update()
        self.write("bin/journalctl.fails", "Failed to open: no\n")
        done = self.run_update()
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stderr, "Failed to open: no\n")
        self.assertEqual(self.counted(), 5)

    def test_database_that_is_refused(self):
        os.mkdir(self.path("lib"))
        self.write("lib/tarpit.db", "mine\n")
        self.log(0, 5)
        done = self.run_update()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("not a database of tarpit-stats", done.stderr)

    def test_no_user(self):
        self.program("id", "#!/bin/sh\necho 'id: no such user' >&2\nexit 1\n")
        done = self.run_update()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no such user", done.stderr)

    def test_no_journal_is_said_once(self):
        os.unlink(self.path("journals/system.journal"))
        self.assertIn("no journal is kept here", self.run_update().stderr)
        self.update()
        self.assertIn(WARNING, self.read("lib/www/index.html").decode())
        self.write("journals/system.journal", "")
        self.update()
        self.assertNotIn(WARNING, self.read("lib/www/index.html").decode())
        os.unlink(self.path("journals/system.journal"))
        self.assertIn("no journal is kept here", self.run_update().stderr)

    def test_page_can_be_read_whatever_the_umask(self):
        os.mkdir(self.path("metrics"))
        self.log(0, 5)
        self.update(umask=0o077)
        for path, mode in (("lib", 0o755), ("lib/www", 0o755),
                           ("lib/www/index.html", 0o644),
                           ("lib/tarpit.db", 0o600),
                           ("metrics/tarpit.prom", 0o644)):
            self.assertEqual(
                stat.S_IMODE(os.stat(self.path(path)).st_mode), mode, path)
        self.assertIn(b"connections_total 5\n",
                      self.read("metrics/tarpit.prom"))

    def test_log_files(self):
        """The log before the last rotation need not exist."""
        log = self.write("log", lines(0, 5) + "foreign\n")
        done = self.run_update(self.path("log.1"), log)
        self.assertEqual(done.returncode, 0)
        self.assertIn("skipped 1 of 6 lines", done.stderr)
        self.update(self.path("log.1"), log)     # cron mails any output
        self.assertEqual(self.counted(), 5)


if __name__ == "__main__":
    unittest.main()
