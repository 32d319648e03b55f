# SPDX-License-Identifier: GPL-2.0-or-later
"""The endless reply."""

import re
import socket
import time
import unittest

from harness import NAME, Tarpit

LINE = re.compile(rb"250-" + re.escape(NAME.encode()) + rb" [a-z]+( [a-z]+)*")


class Stall(unittest.TestCase):
    def test_lines(self):
        for family in socket.AF_INET, socket.AF_INET6:
            with self.subTest(family=family), \
                    Tarpit("-i", "10", family=family) as t:
                t.greeting()
                t.client.sendall(b"EHLO x\r\n")
                data = t.expect(520)
                line, rest = data.split(b"\r\n")
                self.assertTrue(480 <= len(line) + 2 <= 500)
                self.assertRegex(line, rb"\A%s\Z" % LINE.pattern)
                self.assertTrue(rest.startswith(b"250-" + NAME.encode()))

    def test_byte_by_byte_within_a_fifth_of_the_interval(self):
        with Tarpit("-i", "100") as t:
            t.greeting()
            t.client.sendall(b"EHLO x\r\n")
            last, gaps = time.monotonic(), []
            for _ in range(60):
                self.assertEqual(len(t.client.recv(4096)), 1)
                now = time.monotonic()
                gaps.append(now - last)
                last = now
        self.assertGreater(min(gaps), 0.070)
        self.assertLess(max(gaps), 0.150)
        mean = sum(gaps) / len(gaps)
        self.assertTrue(0.090 < mean < 0.112, mean)
        self.assertGreater(max(gaps) - min(gaps), 0.015)

    def test_answers_nothing_that_the_client_sends(self):
        with Tarpit("-i", "20") as t:
            t.stuck()
            data = b""
            for words in (b"NOOP\r\n", b"RSET\r\n", b"HELO x\r\n",
                          b"MAIL FROM:<a@b.example>\r\n", b"QUIT\r\n"):
                t.client.sendall(words)
                data += t.expect(12)
            self.assertRegex(b"2" + data, rb"\A%s" % LINE.pattern)

    def test_two_replies_differ(self):
        replies = set()
        for _ in range(2):
            with Tarpit("-i", "10") as t:
                t.greeting()
                t.client.sendall(b"EHLO x\r\n")
                replies.add(t.expect(60))
        self.assertEqual(len(replies), 2)

    def test_one_wakeup_a_byte(self):
        with Tarpit("-i", "10") as t:
            t.stuck()
            before = int(t.status("voluntary_ctxt_switches"))
            t.expect(100)
            wakeups = int(t.status("voluntary_ctxt_switches")) - before
        self.assertLessEqual(wakeups, 105)

    def test_unread_megabytes_stay_outside(self):
        """The receive buffer is small, and so is what we let a client park."""
        for family in socket.AF_INET, socket.AF_INET6:
            with self.subTest(family=family), \
                    Tarpit("-i", "10", family=family) as t:
                t.stuck()
                t.client.setblocking(False)
                sent, end = 0, time.monotonic() + 1.5
                while time.monotonic() < end:
                    try:
                        sent += t.client.send(65536)
                    except (BlockingIOError, TypeError):
                        time.sleep(0.01)
                self.assertLess(t.receive_memory(), 16 * 1024)


if __name__ == "__main__":
    unittest.main()
