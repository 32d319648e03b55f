# SPDX-License-Identifier: GPL-2.0-or-later
"""The log line on its way to syslog: to a real rsyslogd, to a real journald,
and to a daemon that is slow, absent, dead or being restarted.
"""

import contextlib
import errno
import json
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from tests.lib.failing import FAILING, failing
from tests.lib.leaping import Leaping
from tests.lib.log import LINE, Hold, Syslog
from tests.lib.net import listen
from tests.lib.process import wait_for
from tests.lib.sandbox import needs_root
from tests.lib.tarpit import Tarpit

CONFIG = """
module(load="imuxsock")
template(name="parts" type="string" string=
    "%syslogfacility-text%.%syslogseverity-text% %syslogtag%%msg%\\n")
*.* action(type="omfile" file="{top}/parts" template="parts")
*.* action(type="omfile" file="{top}/messages"
    template="RSYSLOG_TraditionalFileFormat")
"""

# A line of /var/log/mail.log in the format of Debian 11 and earlier.
MESSAGE = re.compile(
    r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d sandbox tarpit\[\d+\]: ip=")


class Rsyslogd:
    """A real rsyslogd, at /dev/log."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.config = self.path("config")
        with open(self.config, "w") as f:
            f.write(CONFIG.format(top=self.directory.name))
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
        self.directory.cleanup()

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def start(self):
        self.process = subprocess.Popen(
            ["rsyslogd", "-n", "-f", self.config, "-i", self.path("pid")])
        if not wait_for(lambda: os.path.exists(Syslog.PATH)):
            raise AssertionError("no %s from rsyslogd" % Syslog.PATH)

    def stop(self):
        """A newer rsyslogd leaves its socket behind if its disk is full."""
        self.process.terminate()
        self.process.wait()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(Syslog.PATH)

    def lines(self, name="parts"):
        """All lines that the daemon has written, except those about itself."""
        try:
            with open(self.path(name)) as f:
                return [line for line in f.read().splitlines()
                        if "rsyslogd" not in line]
        except FileNotFoundError:
            return []

    def collect(self, count):
        """Wait for so many lines, and a moment longer for a line too many."""
        wait_for(lambda: len(self.lines()) >= count)
        time.sleep(0.3)
        return self.lines()


class Journald:
    """A real journald, with its journal in /run."""

    PATH = "/lib/systemd/systemd-journald"

    def __init__(self):
        os.makedirs("/run/systemd/journal")
        os.makedirs("/etc/systemd/journald.conf.d")
        with open("/etc/systemd/journald.conf.d/test.conf", "w") as f:
            f.write("[Journal]\nStorage=volatile\n")
        with open("/etc/machine-id", "w") as f:
            f.write("0123456789abcdef0123456789abcdef\n")
        os.symlink("/run/systemd/journal/dev-log", Syslog.PATH)
        self.process = subprocess.Popen(
            [self.PATH], stderr=subprocess.DEVNULL)
        if not wait_for(lambda: os.path.exists(Syslog.PATH)):
            raise AssertionError("no %s from journald" % Syslog.PATH)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait()
        os.unlink(Syslog.PATH)

    def entries(self):
        out = subprocess.run(
            ["journalctl", "-q", "-t", "tarpit", "-o", "json"],
            capture_output=True, text=True, check=True).stdout
        return [json.loads(line) for line in out.splitlines()]


@contextlib.contextmanager
def sealed(count=1):
    """Hold so many clients, until each has its process sealed."""
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(Tarpit("-i", "60000", syslog=True))
                 for _ in range(count)]
        for t in crowd:
            t.greeting()
            t.client.sendall(b"EHLO client.example\r\n")
        for t in crowd:
            if not wait_for(t.heard):
                raise AssertionError("not sealed")
        yield crowd


def terminate(crowd):
    for t in crowd:
        t.signal(signal.SIGTERM)


def stale_socket():
    """Leave the socket that a killed daemon leaves behind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(Syslog.PATH)


class SyslogCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        cls.addClassCleanup(resource.setrlimit, resource.RLIMIT_NOFILE,
                            (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def check_exits(self, crowd):
        end = time.monotonic() + 120
        for t in crowd:
            self.assertEqual(t.wait(max(0.01, end - time.monotonic())), 0)

    def check_lines(self, lines, crowd):
        """There is one line for each process, and no other line."""
        self.assertEqual(sorted(Hold(line).pid for line in lines),
                         sorted(t.pid for t in crowd))


class WithRsyslogd(SyslogCase):
    def test_every_line_of_2000_that_end_at_once(self):
        with Rsyslogd() as daemon, sealed(2000) as crowd:
            terminate(crowd)
            self.check_exits(crowd)
            lines = daemon.collect(len(crowd))
            self.check_lines(lines, crowd)
            for line in lines:
                self.assertRegex(line, r"\Amail\.notice tarpit\[\d+\]: ip=")
            for line in daemon.lines("messages"):
                self.assertRegex(line, MESSAGE)

    def test_the_daemon_restarted_during_the_hold(self):
        with Rsyslogd() as daemon, sealed() as crowd:
            daemon.stop()
            self.assertFalse(os.path.exists(Syslog.PATH))
            daemon.start()
            terminate(crowd)
            self.check_exits(crowd)
            self.check_lines(daemon.collect(1), crowd)

    def test_the_priority_of_an_error(self):
        with Rsyslogd() as daemon, Tarpit("-x", syslog=True) as t:
            self.assertEqual(t.wait(), 64)
            line, = daemon.collect(1)
            self.assertRegex(line, r"\Amail\.err tarpit\[%d\]: .*-x" % t.pid)


@needs_root
@unittest.skipUnless(os.path.exists(Journald.PATH)
                     and os.path.ismount("/sys/fs/cgroup"),
                     "journald needs systemd installed and cgroups mounted")
class WithJournald(SyslogCase):
    def test_every_line_of_100_that_end_at_once(self):
        with Journald() as daemon, sealed(100) as crowd:
            terminate(crowd)
            self.check_exits(crowd)
            wait_for(lambda: len(daemon.entries()) >= len(crowd))
            entries = daemon.entries()
            self.check_lines(["tarpit[%(SYSLOG_PID)s]: %(MESSAGE)s" % entry
                              for entry in entries], crowd)
            for entry in entries:
                self.assertEqual(entry["SYSLOG_FACILITY"], "2")
                self.assertEqual(entry["PRIORITY"], "5")


class WithAnyDaemon(SyslogCase):
    def tearDown(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(Syslog.PATH)

    def test_a_slow_daemon_loses_no_line(self):
        with Syslog() as daemon, sealed(100) as crowd:
            terminate(crowd)
            time.sleep(3)
            waiting = [t for t in crowd if t.process.poll() is None]
            self.assertGreater(len(waiting), len(crowd) / 2)
            self.check_lines(daemon.collect(len(crowd)), crowd)
            self.check_exits(crowd)

    def test_an_absent_daemon(self):
        with sealed() as crowd:
            terminate(crowd)
            self.check_exits(crowd)

    def test_it_tries_for_five_seconds(self):
        """The waits are seen by a clock that leaps."""
        with Leaping(syslog=True) as t:
            t.greeting()
            t.client.close()
            self.assertEqual(t.wait(), 0)
            tried = sum(t.waits(for_client=False))
            self.assertTrue(5000 <= tried < 6100, tried)

    def test_with_d_it_needs_no_daemon(self):
        """tarpit waits for no daemon, and its line is on standard error."""
        with Leaping() as t:
            t.greeting()
            t.client.close()
            self.assertEqual(t.line().ip, "127.0.0.1")
            self.assertEqual(t.wait(), 0)
            self.assertEqual(t.waits(for_client=False), [])

    def test_it_tries_for_longer_where_a_daemon_is(self):
        """For a stuck daemon: 30 seconds, or 8 after a signal."""
        for signo, msec in (None, 30000), (signal.SIGTERM, 8000):
            with self.subTest(signo=signo), Syslog() as daemon, \
                    Leaping(syslog=True) as t:
                t.greeting()
                daemon.fill()
                if signo is None:
                    t.client.close()
                else:
                    t.signal(signo)
                self.assertEqual(t.wait(), 0)
                tried = sum(t.waits(for_client=False))
                self.assertTrue(msec <= tried < msec + 1100, tried)

    def test_a_daemon_that_is_stuck(self):
        """tarpit gives up after 30 seconds, or 8 seconds after a signal that
        ended the hold or came later.  The client is gone long before.
        """
        with Syslog() as daemon, sealed(3) as crowd:
            left, told, ended = crowd
            daemon.fill()
            begin = time.monotonic()
            ended.signal(signal.SIGTERM)
            for t in left, told:
                t.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                    b"\1\0\0\0\0\0\0\0")
                t.client.close()
                self.assertTrue(wait_for(lambda t=t: not self.has_client(t)))
            told.signal(signal.SIGTERM)
            self.assertEqual(ended.expect(100), b"")
            seconds = {}
            while len(seconds) < len(crowd):
                for t in crowd:
                    if t not in seconds and t.process.poll() is not None:
                        seconds[t] = time.monotonic() - begin
                        self.assertEqual(t.process.returncode, 0)
                self.assertLess(time.monotonic(), begin + 150)
                time.sleep(0.05)
            self.assertGreaterEqual(seconds[left], 30)
            for t in told, ended:
                self.assertTrue(8 <= seconds[t] < seconds[left] - 10, seconds)

    @staticmethod
    def has_client(t):
        with contextlib.suppress(FileNotFoundError):
            return os.readlink("/proc/%d/fd/0" % t.pid).startswith("socket:")
        return False

    def test_it_wakes_up_twice_a_second_while_it_waits(self):
        with Syslog() as daemon, sealed(8) as crowd:
            daemon.fill()
            terminate(crowd)
            time.sleep(1.5)
            for t in crowd:
                self.assertIsNone(t.process.poll())
            begin = time.monotonic()
            before = self.wakeups(crowd)
            time.sleep(3)
            after = self.wakeups(crowd)
            self.assertGreater(after, before)
            self.assertLessEqual(
                after - before,
                len(crowd) * (2 * (time.monotonic() - begin) + 1))

    @staticmethod
    def wakeups(crowd):
        return sum(int(t.status("voluntary_ctxt_switches")) for t in crowd)

    def test_a_daemon_that_died(self):
        stale_socket()
        with sealed() as crowd:
            terminate(crowd)
            self.check_exits(crowd)

    def test_the_hold_goes_on_without_a_daemon(self):
        with Tarpit("-i", "10", syslog=True) as t:
            t.stuck()
            self.assertEqual(len(t.expect(20)), 20)

    def test_the_daemon_restarted_as_the_hold_ends(self):
        for before in lambda: None, stale_socket:
            with self.subTest(before=before), sealed() as crowd:
                before()
                terminate(crowd)
                time.sleep(1)
                self.tearDown()
                with Syslog() as daemon:
                    self.check_lines(daemon.collect(), crowd)
                self.check_exits(crowd)

    def test_the_daemon_restarted_while_lines_wait_for_it(self):
        with sealed(40) as crowd:
            with Syslog():
                terminate(crowd)
                time.sleep(0.3)
                waiting = [t for t in crowd if t.process.poll() is None]
                self.assertGreater(len(waiting), 0)
            time.sleep(1)
            with Syslog() as daemon:
                self.check_lines(daemon.collect(len(waiting)), waiting)
            self.check_exits(crowd)

    def test_a_bad_option(self):
        with Syslog() as daemon, Tarpit("-i", "x", syslog=True) as t:
            self.check_error(daemon, t, r".*-i ")
            self.assertEqual(t.client.recv(1), b"")

    def test_a_socket_that_is_not_connected(self):
        listener = listen()
        client = socket.create_connection(listener.getsockname())
        client.settimeout(300)
        with Syslog() as daemon, Tarpit(pair=(client, listener),
                                        syslog=True) as t:
            self.check_error(daemon, t, "standard input is not a ")
            with self.assertRaises(ConnectionResetError):
                client.recv(1)

    def check_error(self, daemon, t, message):
        """The error has facility mail and priority err; stderr has nothing."""
        self.assertEqual(t.output(), "")
        self.assertEqual(t.wait(), 64)
        line, = daemon.collect()
        self.assertRegex(line, r"\A<19>tarpit\[%d\]: %s" % (t.pid, message))

    def test_no_word_of_the_client(self):
        forged = (b"ip=6.6.6.6 connected=2026-01-01T00:00:00.000Z"
                  b" disconnected=2026-01-02T00:00:00.000Z")
        for words in (b"EHLO " + forged + b"\r\n",
                      b"EHLO x\n" + forged + b"\n",
                      b"EHLO x\r\n" + forged + b"\r\n" + forged + b"\r\n",
                      b"EHLO \0%s%n\r" + forged + b"\n", forged + b"\n"):
            with self.subTest(words=words), Syslog() as daemon, \
                    Tarpit("-i", "10", syslog=True) as t:
                t.stuck(words)
                t.signal(signal.SIGTERM)
                line, = daemon.collect()
                self.assertEqual(Hold(line).ip, "127.0.0.1")
                self.assertRegex(line, r"\A<21>" + LINE.pattern)

    def test_no_file_of_its_own_left(self):
        """No descriptor is left for the message to syslog, at the first try."""
        with Syslog() as syslog, Tarpit(
                syslog=True, binary=FAILING,
                env=failing("socket", errno.ENFILE)) as t:
            t.greeting()
            t.client.close()
            self.assertEqual(t.wait(), 0)
            self.assertEqual(len(syslog.collect(1)), 1)


if __name__ == "__main__":
    unittest.main()
