# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients, logs and states that hardly anybody has."""

import json
import os
import signal
import socket
import subprocess
import time
import unittest

from harness import TARPIT, OtherHost, Tarpit, needs_root, tcp_pair
from stats import STATS, StatsTest, line, lines, run

TIME_MAX = 253402300799999
LENGTH_MAX = 2 ** 62 - 1
DAY = 86400000
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
            self.assertAlmostEqual(hold.connected, t.started, delta=0.3)

    def test_is_greeted_by_an_address(self):
        client, server = tcp_pair()
        with client, server, subprocess.Popen(
                [TARPIT, "-d", "-n", "[192.0.2.1]"], stdin=server,
                stderr=subprocess.DEVNULL) as process:
            server.close()
            self.assertEqual(client.recv(100), b"220 [192.0.2.1] ESMTP\r\n")
            client.close()
            self.assertEqual(process.wait(10), 0)

    @needs_root
    def test_cannot_be_reached_for_a_second(self):
        """Our kernel's buffer is full then; no octet is lost."""
        with OtherHost() as other, \
                socket.create_server((other.ADDRESS, 0)) as listener:
            client, server = other.connect(listener)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
            with Tarpit("-i", "10", pair=(client, server)) as t:
                self.assertEqual(t.stuck(), b"2")
                other.cut()
                time.sleep(1)
                self.assertIsNone(t.process.poll())
                other.mend()
                self.assertRegex(
                    t.expect(30), rb"\A50-mx.example.org [a-z ]{12}\Z")

    @needs_root
    def test_vanished_before_it_said_a_word(self):
        """Only keepalives have asked for it, and then comes a signal."""
        with OtherHost() as other, \
                socket.create_server((other.ADDRESS, 0)) as listener, \
                Tarpit("-i", "1000", pair=other.connect(listener)) as t:
            t.greeting()
            time.sleep(1.5)
            other.cut()
            cut = time.time()
            time.sleep(4)
            t.signal(signal.SIGTERM)
            hold = t.line()
            self.assertLess(hold.disconnected, cut + 0.1)
            self.assertGreater(hold.disconnected, cut - 2)


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

    def test_state_that_is_a_link_to_itself(self):
        state = self.path("state")
        os.symlink(state, state)
        self.fails(b"state: Too many levels of symbolic links", "-s", state,
                   text=lines(0, 10))
        self.assertEqual(os.listdir(self.directory), ["state"])

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

    def test_process_id(self):
        """A line whose process is another one's is another line."""
        def count(*before):
            state = self.path("state")
            if os.path.exists(state):
                os.unlink(state)
            return self.blocked("-s", state, text="".join(
                text + HOLD + "\n" for text in before))

        self.assertEqual(count("t[1]: ", "t[2]: ", "[2]: "), 2)
        # These have none.
        self.assertEqual(count("]: ", "t]: ", "1]: ", "2]: ", "t1]: ", "t2]: ",
                               "t[]: ", ""), 1)
        self.assertEqual(count("t[1]: ", "t[4294967297]: ", "t[0]: "), 3)

    def test_same_cursor_again(self):
        """Nothing is new, so the file stays."""
        text = lines(0, 5) + "-- cursor: s=1\n"
        state = self.path("state")
        self.stats("-s", state, text=text)
        before = os.stat(state)
        self.stats("-s", state, text=text)
        self.assertEqual(os.stat(state).st_ino, before.st_ino)


def keys(*ended):
    """Those of lines, by the time; or of as many hosts."""
    return b"%d\n" % len(ended) + b"".join(
        msec.to_bytes(8, "big") + b"01234567" for msec in ended)


class Crafted(StatsTest):
    """States whose checksum is right."""

    def crafted(self, content, *args, **more):
        total = 0xcbf29ce484222325
        for octet in content:
            total = (total ^ octet) * 0x100000001b3 % 2 ** 64
        with open(self.path("state"), "wb") as file:
            file.write(content + b"checksum %016x\n" % total)
        return run("-s", self.path("state"), *args, **more)

    def state(self, *args, text="", **changes):
        """One hold, of a second from 1970 on, but for these fields; each is a
        line and what follows.
        """
        fields = dict(cursor=b"", connections=b"1", length=b"1000", first=b"0",
                      last=b"1000", longest=b"1000", forgotten=b"-1",
                      bins=b"1\n19 1", days=b"1\n0 1 1000", hosts=keys(1),
                      lines=keys(1000))
        content = b"tarpit-stats state 1\n"
        for name, value in (fields | changes).items():
            self.assertIn(name, fields)
            if isinstance(value, int):
                value = b"%d" % value
            content += name.encode() + b" " + value
            content += b"" if name in ("hosts", "lines") else b"\n"
        return self.crafted(content, *args, text=text)

    def check(self, good, cases):
        for changes in cases:
            with self.subTest(**changes):
                done = self.state(**changes)
                if good:
                    self.assertEqual((done.returncode, done.stderr), (0, b""))
                    continue
                self.assertEqual((done.returncode, done.stdout), (1, b""))
                self.assertIn(b"state is damaged; it is left as it was",
                              done.stderr)

    def test_good(self):
        self.check(True, (
            dict(), dict(days=b"1\n-1 1 1000"), dict(days=b"1\n1 1 1000"),
            dict(bins=b"1\n0 1"), dict(bins=b"1\n340 1"),
            dict(longest=0), dict(forgotten=999), dict(cursor=511 * b"x"),
            dict(lines=keys()), dict(lines=keys(), forgotten=1000),
            dict(last=TIME_MAX), dict(lines=keys(0)),
            dict(connections=0, length=0, bins=b"0", days=b"0", hosts=keys(),
                 longest=0, lines=keys()),
            dict(connections=2, bins=b"2\n18 1\n19 1", days=b"1\n0 2 1000"),
            dict(connections=2, bins=b"1\n19 2", hosts=keys(1, 2),
                 days=b"2\n0 1 500\n1 1 500", lines=keys(999, 1000)),
            dict(connections=2 ** 63 - 1, bins=b"1\n19 9223372036854775807",
                 days=b"1\n0 9223372036854775807 1000")))

    def test_not_as_they_are_written(self):
        self.check(False, (
            dict(longest=b""), dict(longest=b"-2"), dict(longest=b"1 1"),
            dict(length=2 ** 63), dict(bins=b"-1"), dict(bins=b"1\n19"),
            dict(bins=b"1\n19 1 1"), dict(bins=b"1\n19 x"),
            dict(days=b"1\n0 1"), dict(days=b"2\n0 1 1000"),
            dict(hosts=b"-1\n"), dict(lines=b"1\n"),
            dict(cursor=b"\n\0"), dict(cursor=600 * b"x")))
        for text in b"\0cursor \n", b"cursor\n", b"cursor", b"":
            self.assertIn(b"is damaged", self.crafted(
                b"tarpit-stats state 1\n" + text).stderr)

    def test_sums_that_are_wrong(self):
        two = dict(connections=2, bins=b"1\n19 2", days=b"1\n0 2 1000")
        self.check(False, (
            dict(connections=-1), dict(connections=0), dict(connections=2),
            dict(bins=b"0"), dict(bins=b"1\n-1 1"), dict(bins=b"1\n341 1"),
            dict(bins=b"1\n19 0"), dict(bins=b"1\n19 2"),
            two | dict(bins=b"2\n19 1\n19 1"),
            two | dict(bins=b"2\n19 1\n18 1"),
            dict(days=b"0"), dict(days=b"1\n0 0 1000"),
            dict(days=b"1\n0 2 1000"), dict(days=b"1\n0 1 -1"),
            dict(days=b"1\n0 1 999"), dict(days=b"1\n0 1 1001"),
            two | dict(days=b"2\n0 1 500\n0 1 500"),
            two | dict(days=b"2\n1 1 500\n0 1 500"),
            two | dict(days=b"2\n0 2 500\n1 1 500"),
            dict(days=b"1\n2147483648 1 1000")))

    def test_facts_that_cannot_be(self):
        self.check(False, (
            dict(first=-1), dict(first=1001, longest=0),
            dict(last=TIME_MAX + 1), dict(longest=-1), dict(longest=1001),
            dict(last=999, lines=keys(999)),
            dict(length=2000, days=b"1\n0 1 2000", last=3000, longest=2001),
            dict(hosts=keys()), dict(hosts=keys(1, 2)), dict(hosts=keys(1, 1)),
            dict(first=2 * DAY, last=2 * DAY + 1000),
            dict(days=b"1\n2 1 1000"),
            dict(lines=keys(1000, 1000)), dict(lines=keys(999, 1000)),
            dict(lines=keys(1001)), dict(forgotten=1000),
            dict(lines=keys(), forgotten=1001),
            dict(length=LENGTH_MAX + 1,
                 days=b"1\n0 1 %d" % (LENGTH_MAX + 1))))

    def test_no_more_time_than_fits(self):
        """The holds beyond are counted, and their time is not."""
        length = LENGTH_MAX - 1000
        done = self.state("-f", "json", "-", length=length,
                          days=b"1\n0 1 %d" % length,
                          text=line("192.0.2.1", 5000, 1000) +
                          line("192.0.2.2", 5000, 1) +
                          line("192.0.2.3", 6000, 0))
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        facts = json.loads(done.stdout, parse_float=str)
        self.assertEqual(facts["emails_blocked"], 4)
        seconds = "%d.%03d" % divmod(LENGTH_MAX, 1000)
        self.assertEqual(facts["seconds_in_tarpit"], seconds)
        self.assertEqual(facts["days"], [{
            "date": "1970-01-01", "connections": 4, "seconds": seconds}])
        self.assertEqual(self.blocked("-s", self.path("state")), 4)

    def test_large_numbers_are_smaller(self):
        """As large on the page as all three have room for."""
        def size(connections, hours):
            length = hours * 3600000
            done = self.state(
                "-f", "html", connections=connections, length=length,
                bins=b"1\n19 %d" % connections,
                days=b"1\n0 %d %d" % (connections, length))
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            return done.stdout.decode().split('<dl class="in-page ')[1][0]

        for limits, in_them, beyond in (((10 ** 7, 10 ** 5), "s", "m"),
                                        ((10 ** 10, 10 ** 8), "m", "l")):
            connections, hours = limits
            self.assertEqual(size(connections - 1, hours - 1), in_them)
            self.assertEqual(size(connections, hours - 1), beyond)
            self.assertEqual(size(connections - 1, hours), beyond)


if __name__ == "__main__":
    unittest.main()
