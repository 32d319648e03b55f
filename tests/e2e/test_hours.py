# SPDX-License-Identifier: GPL-2.0-or-later
"""Honest hours: a hold ends when the client was last there, not when that was
noticed.
"""

import os
import signal
import socket
import time
import unittest

from tests.lib.tarpit import BUILD, Tarpit


class Departure(unittest.TestCase):
    def test_fin_between_two_bytes(self):
        """Noticed by the RST that answers the next byte, logged at the FIN."""
        for family in socket.AF_INET, socket.AF_INET6:
            with self.subTest(family=family), \
                    Tarpit("-i", "2000", family=family) as t:
                t.stuck()
                time.sleep(0.7)
                left = time.time()
                t.client.close()
                hold = t.line()
                self.assertGreater(time.time() - left, 0.5)
                self.assertAlmostEqual(hold.disconnected, left, delta=0.1)

    def test_fin_before_the_first_byte(self):
        with Tarpit("-i", "1500") as t:
            t.greeting()
            t.client.sendall(b"EHLO x\r\n")
            time.sleep(0.3)
            left = time.time()
            t.client.close()
            self.assertAlmostEqual(t.line().disconnected, left, delta=0.1)

    def test_fin_with_words_unread(self):
        with Tarpit("-i", "1500") as t:
            t.stuck(b"EHLO x\r\nMAIL FROM:<a@example.org>\r\n")
            time.sleep(0.3)
            t.client.sendall(b"QUIT\r\n")
            left = time.time()
            t.client.close()
            self.assertAlmostEqual(t.line().disconnected, left, delta=0.1)

    def test_fin_before_helo(self):
        for words in b"", b"EHLO x":
            with self.subTest(words=words), Tarpit() as t:
                t.greeting()
                t.client.sendall(words)
                time.sleep(0.5)
                left = time.time()
                t.client.close()
                self.assertAlmostEqual(t.line().disconnected, left, delta=0.1)
                self.assertLess(time.time() - left, 0.5)

    def check_reset(self, t):
        """A RST that nobody asked for is noticed and logged at once."""
        time.sleep(0.4)
        left = time.time()
        t.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            b"\1\0\0\0\0\0\0\0")
        t.client.close()
        hold = t.line()
        self.assertLess(time.time() - left, 0.5)
        self.assertAlmostEqual(hold.disconnected, left, delta=0.1)

    def test_reset_before_helo(self):
        for words in b"", b"EHLO x":
            with self.subTest(words=words), Tarpit("-i", "60000") as t:
                t.greeting()
                t.client.sendall(words)
                self.check_reset(t)

    def test_reset_between_two_bytes(self):
        with Tarpit("-i", "3000") as t:
            t.stuck()
            self.check_reset(t)

    def test_fin_and_then_a_signal(self):
        """The signal comes before the byte that would have told."""
        with Tarpit("-i", "5000") as t:
            t.greeting()
            t.client.sendall(b"EHLO x\r\n")
            time.sleep(0.3)
            left = time.time()
            t.client.close()
            time.sleep(0.8)
            t.signal(signal.SIGTERM)
            self.assertAlmostEqual(t.line().disconnected, left, delta=0.1)

    def test_signal_right_after_a_byte(self):
        """Its acknowledgement is still on the way."""
        with Tarpit("-i", "1500") as t:
            t.stuck()
            t.signal(signal.SIGTERM)
            ended = time.time()
            self.assertAlmostEqual(t.line().disconnected, ended, delta=0.1)


class HalfClosed(unittest.TestCase):
    def test_is_held_on(self):
        with Tarpit("-i", "100") as t:
            t.stuck()
            t.client.shutdown(socket.SHUT_WR)
            self.assertEqual(len(t.expect(20)), 20)
            self.assertIsNone(t.process.poll())
            left = time.time()
            t.client.close()
            # What it acknowledged after its FIN shows that it was there.
            self.assertAlmostEqual(t.line().disconnected, left, delta=0.3)

    def test_to_the_cap(self):
        with Tarpit("-i", "50", "-t", "2") as t:
            t.stuck()
            t.client.shutdown(socket.SHUT_WR)
            while t.client.recv(4096):
                pass
            self.assertTrue(1.4 < t.line().length < 2.2)


class SteppedClock(unittest.TestCase):
    def tarpit(self, step, after):
        return Tarpit("-i", "20", env={"STEP": step, "AFTER": after},
                      binary=os.path.join(BUILD, "tarpit-stepped"))

    def test_before_1970_is_not_logged(self):
        with self.tarpit("-3000000000", "0") as t:
            self.assertEqual(t.stuck(), b"250-")
            t.client.close()
            self.assertEqual(t.output(), "")
            self.assertEqual(t.wait(), 0)

    def test_does_not_bend_the_length(self):
        for step in "-3600", "3600":
            with self.subTest(step=step), self.tarpit(step, "1") as t:
                t.stuck()
                time.sleep(2.5)
                t.client.close()
                hold = t.line()
                self.assertAlmostEqual(hold.connected, t.started, delta=0.2)
                self.assertTrue(2.4 < hold.length < 3.0, hold.length)


if __name__ == "__main__":
    unittest.main()
