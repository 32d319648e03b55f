# SPDX-License-Identifier: GPL-2.0-or-later
"""A system call fails that hardly ever does; see ../doubles/failing.c."""

import errno
import os
import signal
import socket
import subprocess
import time
import unittest

from tests.lib.log import Syslog
from tests.lib.moment import SLACK, Moment
from tests.lib.net import tcp_pair
from tests.lib.process import wait_for
from tests.lib.stats import StatsTest, lines
from tests.lib.tarpit import BUILD, Tarpit

FAILING = os.path.join(BUILD, "tarpit-failing")
FAILING_STATS = os.path.join(BUILD, "tarpit-stats-failing")


def failing(call, error=errno.EIO, after=0, more=0):
    """An environment in which it fails once, after it went well so often, and
    more often then.
    """
    return {"FAIL": call, "ERRNO": str(error), "AFTER": str(after),
            "MORE": str(more), "TZ": "UTC"}


class Tarpits(unittest.TestCase):
    def held(self, *args, **more):
        return Tarpit("-i", "10", *args, binary=FAILING, env=failing(**more))

    def test_sealing_without_no_new_privs(self):
        """No user but root can, and root has become nobody: the hold goes on
        unsealed.
        """
        with self.held(call="prctl", error=errno.EINVAL) as t:
            t.stuck()
            self.assertEqual(t.status("Seccomp"), "0")
            self.assertEqual(t.status("NoNewPrivs"), "0")
            self.assertEqual(len(t.expect(20)), 20)
            t.client.close()
            t.line()

    def test_no_random_seed_yet(self):
        """Two that start together differ all the same."""
        replies = set()
        for _ in range(2):
            with self.held(call="getrandom", error=errno.EAGAIN) as t:
                t.stuck()
                replies.add(t.expect(60))
        self.assertEqual(len(replies), 2)

    def test_full_send_buffer_loses_no_byte(self):
        for after in 0, 2:
            with self.held(call="sendfile", error=errno.EAGAIN, after=after) as t:
                self.assertEqual(t.stuck() + t.expect(5), b"250-mx.ex")
                t.signal(signal.SIGTERM)
                t.line()

    def test_program_that_cannot_be_sent_from(self):
        """Its bytes are copied then, at any moment, and for good."""
        for call, after, more in (("pread", 0, 0), ("pipe2", 0, 0),
                                  ("splice", 0, 0), ("sendfile", 0, 0),
                                  ("sendfile", 3, 0), ("sendfile", 0, 999)):
            with self.subTest(call=call, after=after, more=more), \
                    self.held(call=call, error=errno.EINVAL, after=after,
                              more=more) as t:
                self.assertEqual(t.stuck() + t.expect(5), b"250-mx.ex")
                t.signal(signal.SIGTERM)
                self.assertEqual(t.line().ip, "127.0.0.1")
                self.assertEqual(t.process.returncode, 0)

    def test_no_host_name(self):
        client, server = tcp_pair()
        with client, server, subprocess.Popen(
                [FAILING, "-d"], stdin=server, stderr=subprocess.PIPE,
                env=failing("gethostname")) as process:
            server.close()
            self.assertEqual(client.recv(100), b"220 localhost ESMTP\r\n")
            client.close()
            self.assertEqual(process.wait(60), 0)

    def test_no_name_of_its_own_socket(self):
        with Syslog() as syslog, socket.socket() as unconnected:
            done = subprocess.run([FAILING], stdin=unconnected, timeout=60,
                                  env=failing("getsockname"))
            self.assertEqual(done.returncode, 64)
            self.assertIn("not a connected TCP", syslog.collect(1)[0])

    def test_nothing_known_of_the_connection(self):
        """Its whole length counts then."""
        with self.held("-i", "60000", call="getsockopt", after=1) as t:
            t.greeting()
            t.client.sendall(b"EHLO x\r\n")
            self.assertTrue(wait_for(t.heard))
            t.client.close()
            time.sleep(2 * SLACK)
            with Moment() as ended:
                t.signal(signal.SIGTERM)
            ended.check(t.line().disconnected)

    def test_no_file_of_its_own_left(self):
        """For the message to syslog, at the first of several tries."""
        with Syslog() as syslog, Tarpit(
                syslog=True, binary=FAILING,
                env=failing("socket", errno.ENFILE)) as t:
            t.greeting()
            t.client.close()
            self.assertEqual(t.wait(), 0)
            self.assertEqual(len(syslog.collect(1)), 1)

    def test_clock_before_1970(self):
        """No such line can be written."""
        with self.held(call="1969") as t:
            t.stuck()
            t.client.close()
            self.assertEqual(t.output(), "")
            self.assertEqual(t.process.returncode, 0)

    def test_not_run_for_a_second(self):
        """The next octet's time is over before it is waited for."""
        for after in range(4, 10):
            with self.held(call="late", after=after) as t:
                self.assertEqual(t.stuck() + t.expect(5), b"250-mx.ex")


class Stats(StatsTest):
    def failing(self, *args, text="", **more):
        failed = self.path("failed")
        done = subprocess.run(
            [FAILING_STATS, *args], input=text.encode(), capture_output=True,
            timeout=60, env=failing(**more) | {"FAILED": failed})
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
        """Made again if it was interrupted; else said, and the rest told."""
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
        """It is opened again."""
        for call in "fstat", "st_dev":
            done = self.failing("-o", self.path("page"), call=call,
                                text=lines(0, 10))
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertIn(b"Emails blocked: 10\n", self.read("page"))
            self.assertEqual(os.listdir(self.directory), ["page"])


if __name__ == "__main__":
    unittest.main()
