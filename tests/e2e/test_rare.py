# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients, files and lines that hardly anybody has."""

import os
import signal
import socket
import subprocess
import time
import unittest

from tests.lib.moment import Moment
from tests.lib.net import OtherHost, tcp_pair
from tests.lib.sandbox import needs_root
from tests.lib.stats import STATS, StatsTest, lines, run
from tests.lib.tarpit import TARPIT, Tarpit

HOLD = "ip=192.0.2.1 connected=%s disconnected=%s" % (
    "2026-11-21T19:40:12.345Z", "2026-11-21T21:12:40.018Z")


class Clients(unittest.TestCase):
    def test_had_left_before_the_program_started(self):
        """It is not said to have left before it came."""
        def leave(client):
            client.close()
            time.sleep(1)

        with Tarpit(before=leave) as t:
            hold = t.line()
            self.assertEqual(hold.length, 0)
            self.assertTrue(
                t.started - 0.001 <= hold.connected < time.time())

    def test_is_greeted_by_an_address(self):
        client, server = tcp_pair()
        with client, server, subprocess.Popen(
                [TARPIT, "-d", "-n", "[192.0.2.1]"], stdin=server,
                stderr=subprocess.DEVNULL) as process:
            server.close()
            self.assertEqual(client.recv(100), b"220 [192.0.2.1] ESMTP\r\n")
            client.close()
            self.assertEqual(process.wait(60), 0)

    @needs_root
    def test_cannot_be_reached_for_a_second(self):
        """Our kernel's buffer is full then; no byte is lost."""
        with OtherHost() as other, \
                socket.create_server((other.ADDRESS, 0)) as listener:
            client, server = other.connect(listener)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
            with Tarpit("-i", "10", pair=(client, server)) as t:
                self.assertEqual(t.stuck(), b"250-")
                other.cut()
                time.sleep(1)
                self.assertIsNone(t.process.poll())
                other.mend()
                self.assertRegex(
                    t.expect(30), rb"\Amx.example.org [a-z ]{15}\Z")

    @needs_root
    def test_vanished_before_it_said_a_word(self):
        """Only keepalives have asked for it, and then comes a signal."""
        with OtherHost() as other, \
                socket.create_server((other.ADDRESS, 0)) as listener, \
                Tarpit("-i", "1000", pair=other.connect(listener)) as t:
            t.greeting()
            time.sleep(4)
            with Moment() as gone:
                other.cut()
            time.sleep(5)
            t.signal(signal.SIGTERM)
            # The last keepalive may have been answered a second before.
            gone.before -= 1
            gone.check(t.line().disconnected)


class Files(StatsTest):
    def fails(self, said, *args, **more):
        done = run(*args, **more)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(said, done.stderr)

    def test_version_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [STATS, "-V"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output: No space left", done.stderr)

    def test_database_that_is_a_link_to_itself(self):
        db = self.path("db")
        os.symlink(db, db)
        self.fails(b"db: unable to open database file", "-s", db, text=lines(0, 5))
        self.assertEqual(os.listdir(self.directory), ["db"])

    def test_new_file_that_is_a_pipe(self):
        os.mkfifo(self.path("page.new"))
        reader = os.open(self.path("page.new"), os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.fails(b"page: Invalid argument", "-o", self.path("page"))
        self.assertFalse(os.path.exists(self.path("page")))


class Lines(StatsTest):
    def skipped(self, count, text, *args):
        """Lines without a hold; all others have one, and are counted."""
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
                     '{"MESSAGE"%s"}' % HOLD, '{"MESSAGE" "%s"}' % HOLD,
                     '{"MESSAGE":%s"}' % HOLD, '{"MESSAGE":"%s}' % HOLD,
                     '{"MESSAGE', '{"MESSAGE"', '{"MESSAGE":',
                     '{"MESSAGE":"'):
            with self.subTest(text=text):
                self.assertIn(b"blocked: 2\n", self.skipped(
                    1, lines(0, 1) + text + "\n" + lines(1, 2)))


if __name__ == "__main__":
    unittest.main()
