# SPDX-License-Identifier: GPL-2.0-or-later
"""xinetd and openbsd-inetd as Debian's own services, and rsyslog beside
journald, with the installed files and in numbers.

./check-others boots the machine that these run on, and runs make install there.
"""

import contextlib
import glob
import grp
import gzip
import json
import os
import re
import shutil
import stat
import subprocess
import time
import unittest

from tests.lib import TOP
from tests.lib.files import install, read
from tests.lib.log import Hold
from tests.lib.machine import (PER_SOURCE, PORT, Clients, cursor, drop_in,
                               holds, journal, pids, show, sources, systemctl)
from tests.lib.net import listens
from tests.lib.process import is_ready, run, wait_for

EXAMPLES = "/usr/local/share/doc/tarpit/examples"
LIVE = 1000
FLOOD = 2000
AT_A_TIME = 50      # xinetd has a backlog of 64


def figure(text):
    print("    " + text, flush=True)


def switch_on_xinetd():
    """As make install says."""
    said = run("make", "-C", "/tarpit", "install").splitlines()
    at = said.index(
        "To switch it on under xinetd, once the user tarpit exists:")
    for command in said[at + 1:at + 3]:
        run("sh", "-c", command)


def switch_on_inetd():
    shutil.copy(EXAMPLES + "/inetd/inetd.conf", "/etc/inetd.conf")
    # On a busy machine it may be silent for the five seconds that it has.
    install("/etc/systemd/system/inetd.service.d/patient.conf",
            "[Service]\nWatchdogSec=0\n")
    systemctl("daemon-reload")
    systemctl("enable", "--now", "inetd")


def leave_held(service):
    """A thousand, with clients that stay until the machine is off."""
    {"xinetd": switch_on_xinetd, "inetd": switch_on_inetd}[service]()
    drop_in(service + ".service", "[Service]\nKillMode=control-group\n")
    run("systemd-run", "--quiet", "--property=DefaultDependencies=no",
        "--property=LimitNOFILE=4096", "--working-directory=" + TOP,
        "python3", "-c", "from tests.systemd.test_others import stay; stay()")
    # Whoever is not ready to be ended yet would leave no line.
    if not wait_for(lambda: sum(map(is_ready, pids())) == LIVE):
        raise AssertionError("%d are held" % len(pids()))


def stay():
    with Clients() as clients:
        come(clients, sources(1, LIVE))
        clients.listen(3600)


def come(clients, froms):
    """As fast as the service takes them; returns who is held."""
    new, waiting = [], []
    for source in froms:
        new += clients.connect([source])
        waiting.append(new[-1])
        while len(waiting) >= AT_A_TIME:
            clients.listen(0.001)
            waiting = [c for c in waiting if not (c.got or c.ended)]
    return clients.settle(new)


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


@contextlib.contextmanager
def no_process(pid):
    """Every fork(2) of this process fails."""
    strace = subprocess.Popen(
        ["strace", "-p", str(pid), "-e", "trace=clone,clone3",
         "-e", "inject=clone,clone3:error=EAGAIN"],
        stderr=subprocess.PIPE, text=True)
    try:
        strace.stderr.readline()    # "Process 1 attached"
        yield
    finally:
        strace.terminate()
        strace.communicate()


class Lab(unittest.TestCase):
    """One service that starts tarpits, from its start to its last hold."""

    def setUp(self):
        self.clients = Clients()
        self.addCleanup(self.end)
        systemctl("restart", self.service)
        self.assertTrue(wait_for(lambda: listens(PORT)))
        self.cursor = cursor()

    def end(self):
        self.clients.__exit__()
        systemctl("stop", self.service)
        subprocess.run(["pkill", "-x", "-u", "tarpit", "tarpit"], check=False)
        self.assertTrue(wait_for(lambda: not pids()))

    def come(self, froms):
        return come(self.clients, froms)

    def thousand(self):
        live = self.come(sources(1, LIVE))
        self.assertEqual(len(live), LIVE)
        return live

    def all_live(self, clients):
        self.assertEqual(self.clients.still_dribble(clients), len(clients))

    def one_more_is_served(self):
        self.assertEqual(len(self.come(["127.0.100.1"])), 1)

    def lines(self, count):
        """The holds since the test began, one for each of so many."""
        self.assertTrue(wait_for(lambda: len(holds(self.cursor)) >= count))
        found = holds(self.cursor)
        self.assertEqual(len(found), count)
        self.assertEqual(len({hold.pid for hold in found}), count)
        return found

    def no_address_but_in_the_line(self):
        for entry in journal(self.cursor):
            if entry.get("SYSLOG_IDENTIFIER") == "tarpit":
                Hold("tarpit[%(SYSLOG_PID)s]: %(MESSAGE)s" % entry)
                del entry["MESSAGE"]
                entry.pop("SYSLOG_RAW", None)
            self.assertNotIn("127.0.", json.dumps(entry))


class Super:
    """What each of them must do."""

    def test_a_flood_upon_a_thousand(self):
        live = self.thousand()
        froms = [source for net in range(2, 10)
                 for source in sources(net, FLOOD // 8, each=1)]
        start = time.monotonic()
        held = self.come(froms)
        figure("%s: %d of %d served in %.1f s" % (
            self.service, len(held), FLOOD, time.monotonic() - start))
        self.assertEqual(len(held), self.room)
        self.assertEqual(len(pids()), LIVE + self.room)

        self.clients.close(held)
        self.assertTrue(wait_for(lambda: len(pids()) == LIVE))
        # The service may take a moment longer to notice that there is room.
        self.assertTrue(wait_for(lambda: self.come(["127.0.100.1"])))
        self.all_live(live)
        self.clients.close(list(self.clients.clients.values()))
        self.lines(LIVE + self.room + 1)
        self.no_address_but_in_the_line()

    def end_is_for(self, whom):
        """Of the service: for its main process, or for all of them."""
        drop_in(self.service, "[Service]\nKillMode=%s\n" % whom)
        self.addCleanup(drop_in, self.service, "")

    def test_stop_leaves_the_holds_and_pkill_ends_them(self):
        self.end_is_for("process")
        live = self.thousand()
        systemctl("stop", self.service)
        self.assertFalse(listens(PORT))
        self.assertEqual(len(pids()), LIVE)
        self.all_live(live)
        run("pkill", "-x", "-u", "tarpit", "tarpit")
        self.lines(LIVE)

    def test_restart_leaves_the_holds(self):
        self.end_is_for("process")
        live = self.come(sources(1, 100))
        systemctl("restart", self.service)
        self.assertTrue(wait_for(lambda: listens(PORT)))
        self.all_live(live)
        self.one_more_is_served()

    def test_restart_ends_the_holds_of_a_control_group(self):
        self.end_is_for("control-group")
        self.thousand()
        systemctl("restart", self.service)
        self.lines(LIVE)
        self.assertTrue(wait_for(lambda: listens(PORT)))
        self.one_more_is_served()

    def test_kill_ends_the_holds(self):
        self.thousand()
        systemctl("kill", self.service)
        self.lines(LIVE)

    def test_without_a_process_to_be_had(self):
        # As at TasksMax=: who comes is turned away, and the service goes on.
        live = self.come(sources(1, 10))
        pid = self.server()
        before = descriptors(pid)
        with no_process(pid):
            late = self.clients.connect(
                sources(2, self.turned_away, each=1))
            self.clients.until(lambda: all(c.ended for c in late))
            self.assertEqual([c.got for c in late if c.ended],
                             [b""] * len(late))
            # Its own to syslog may be new.
            self.assertLessEqual(descriptors(pid), before + 1)
        self.one_more_is_served()
        self.all_live(live)
        self.no_address_but_in_the_line()

    def test_the_limit_of_systemd_can_be_lifted(self):
        figure("%s: TasksMax=%s LimitNOFILE=%s LimitNPROC=%s KillMode=%s" %
               tuple([self.service] + [show(self.service, key) for key in (
                   "TasksMax", "LimitNOFILESoft", "LimitNPROC", "KillMode")]))
        drop_in(self.service, "[Service]\nTasksMax=infinity\n")
        self.addCleanup(drop_in, self.service, "")
        systemctl("restart", self.service)
        self.assertEqual(show(self.service, "TasksMax"), "infinity")


class Xinetd(Super, Lab):
    service = "xinetd.service"
    room = 500          # of its 1500 instances
    turned_away = 50

    @classmethod
    def setUpClass(cls):
        # Debian's has no log_type, and then nothing could be said at all.
        run("sed", "-i", r"/^defaults/,/^}/s/^{/{\nlog_type = SYSLOG daemon"
            r"\nlog_on_success = HOST\nlog_on_failure = HOST/",
            "/etc/xinetd.conf")
        switch_on_xinetd()

    @staticmethod
    def server():
        return int(run("pgrep", "-x", "xinetd"))

    def test_one_source_too_many(self):
        source = ["127.0.1.1"]
        self.assertEqual(len(self.come(source * 30)), PER_SOURCE)
        self.one_more_is_served()
        self.no_address_but_in_the_line()


class Inetd(Super, Lab):
    service = "inetd.service"
    room = FLOOD        # it has no limit
    turned_away = 3     # it sleeps for a second after each

    @classmethod
    def setUpClass(cls):
        switch_on_inetd()
        cls.addClassCleanup(os.unlink, "/etc/inetd.conf")

    @staticmethod
    def server():
        return int(show("inetd.service", "MainPID"))


class Rsyslog(Lab):
    """tarpit's lines in a file of their own, and its rotation."""

    service = "xinetd.service"
    CONFIG = "/etc/rsyslog.d/30-tarpit.conf"
    ROTATION = "/etc/logrotate.d/tarpit"
    LOG = "/var/log/tarpit.log"

    @classmethod
    def setUpClass(cls):
        switch_on_xinetd()
        shutil.copy(EXAMPLES + "/rsyslog/tarpit.conf", cls.CONFIG)
        shutil.copy(EXAMPLES + "/logrotate/tarpit", cls.ROTATION)
        systemctl("restart", "rsyslog")
        cls.addClassCleanup(systemctl, "stop", "rsyslog", "syslog.socket")

    def setUp(self):
        super().setUp()
        for path in glob.glob(self.LOG + "*"):
            os.unlink(path)
        systemctl("kill", "-s", "HUP", "rsyslog")
        self.assertTrue(wait_for(self.has_closed_old_files))

    def has_closed_old_files(self):
        """Whether rsyslog would write a line to LOG: for a moment after the
        signal, it still writes to a file that was renamed or deleted.
        """
        for path in glob.glob("/proc/%s/fd/*" % show("rsyslog", "MainPID")):
            with contextlib.suppress(FileNotFoundError):
                to = os.readlink(path)
                if to.startswith(self.LOG) and to != self.LOG:
                    return False
        return True

    def rotate(self):
        return subprocess.Popen(["logrotate", "-f", self.ROTATION])

    def logged(self, path):
        """The holds in one of its files."""
        opener = gzip.open if path.endswith(".gz") else open
        with opener(path, "rt") as lines:
            return [Hold(line.rstrip("\n")) for line in lines]

    def in_all(self):
        return [hold for path in glob.glob(self.LOG + "*")
                for hold in self.logged(path)]

    def update_stats(self):
        """As cron does; returns what has been counted so far."""
        with open(EXAMPLES + "/cron/tarpit-stats") as crontab:
            command = crontab.read().splitlines()[-1].split(" root ")[1]
        subprocess.run(["sh", "-c", command], check=True)
        return int(re.search(r"^Emails blocked: (\d+)", run(
            "tarpit-stats", "-s", "/var/lib/tarpit/tarpit.db", "/dev/null"),
            re.MULTILINE)[1])

    def only_root_and_adm_read(self):
        for path in glob.glob(self.LOG + "*"):
            status = os.stat(path)
            self.assertEqual(stat.S_IMODE(status.st_mode), 0o640, path)
            self.assertEqual(status.st_uid, 0, path)
            self.assertEqual(grp.getgrgid(status.st_gid).gr_name, "adm", path)

    def test_both_files_are_understood(self):
        for command in (["rsyslogd", "-N1"], ["logrotate", "-d",
                                              "/etc/logrotate.conf"]):
            done = subprocess.run(command, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertNotRegex(done.stdout, r"error:|tarpit\.conf")

    def test_the_line_goes_there_and_nowhere_else(self):
        run("logger", "-p", "mail.notice", "-t", "other", "hello")
        self.clients.close(self.come(["127.0.1.1"]))
        self.assertTrue(wait_for(self.in_all))
        self.assertEqual([hold.ip for hold in self.in_all()], ["127.0.1.1"])
        self.only_root_and_adm_read()
        self.assertTrue(wait_for(
            lambda: "hello" in read("/var/log/mail.log")))
        for path in "/var/log/syslog", "/var/log/mail.log":
            self.assertNotIn("tarpit[", read(path))

    def test_no_line_is_lost_by_rotation(self):
        # Four parts of 150 end in little more than a second each, if the
        # machine has the time, and it rotates during three of them.
        froms = [source for net in range(1, 4)
                 for source in sources(net, 200, each=1)]
        self.come(froms)
        crowd = list(self.clients.clients.values())
        for part in range(4):
            rotation = self.rotate() if part else None
            for at in range(150 * part, 150 * part + 120, 10):
                self.clients.close(crowd[at:at + 10])
                time.sleep(0.1)
            if rotation is not None:
                self.assertEqual(rotation.wait(), 0)
            # Each file gets some lines, the newest too.
            self.assertTrue(wait_for(self.has_closed_old_files))
            self.clients.close(crowd[150 * part + 120:150 * part + 150])
            self.assertTrue(wait_for(
                lambda: len(self.in_all()) >= 150 * (part + 1)))
        self.lines(len(froms))

        self.assertEqual(sorted(hold.ip for hold in self.in_all()),
                         sorted(froms))
        files = ["", ".1", ".2.gz", ".3.gz"]
        self.assertEqual(sorted(glob.glob(self.LOG + "*")),
                         [self.LOG + name for name in files])
        for name in files:
            self.assertGreater(len(self.logged(self.LOG + name)), 0, name)
        self.only_root_and_adm_read()

    def test_stats_count_each_line_once(self):
        shutil.rmtree("/var/lib/tarpit", ignore_errors=True)
        self.assertEqual(self.update_stats(), 0)
        count = 0
        for _ in range(3):
            for _ in range(2):
                self.clients.close(self.clients.hold(sources(1, 10)))
                count += 10
                self.assertTrue(wait_for(
                    lambda: self.update_stats() == count))
                self.assertEqual(self.update_stats(), count)
            self.assertEqual(self.rotate().wait(), 0)
            self.assertEqual(self.update_stats(), count)
        with open("/var/lib/tarpit/www/index.html") as page:
            self.assertIn(">%d<" % count, page.read())

    def test_nothing_is_kept_beyond_thirty_days(self):
        self.clients.close(self.come(["127.0.1.1"]))
        self.assertTrue(wait_for(self.in_all))
        for _ in range(29):
            self.assertEqual(self.rotate().wait(), 0)
        self.assertEqual(len(glob.glob(self.LOG + "*")), 30)
        self.assertEqual(len(self.in_all()), 1)
        self.assertEqual(self.rotate().wait(), 0)
        self.assertEqual(len(glob.glob(self.LOG + "*")), 30)
        self.assertEqual(self.in_all(), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
