# SPDX-License-Identifier: GPL-2.0-or-later
"""Honest hours: a hold ends when the client was last there, not when tarpit
notices that the client has left.
"""

import os
import signal
import socket
import time
import unittest

from tests.lib.failing import held
from tests.lib.moment import SLACK, Moment
from tests.lib.process import wait_for
from tests.lib.tarpit import BUILD, Tarpit


class Departure(unittest.TestCase):
    """tarpit notices a departure some four seconds late, where it matters."""

    @staticmethod
    def leave(t):
        with Moment() as left:
            t.client.close()
        return left

    @staticmethod
    def stalls(t, command=b"EHLO x\r\n"):
        """Whether tarpit has read the command and waits to send a byte."""
        t.greeting()
        t.client.sendall(command)
        if not wait_for(t.heard):
            raise AssertionError("it does not hear")

    def test_fin_between_two_bytes(self):
        """The RST that answers the next byte shows it; the FIN is logged."""
        with Tarpit("-i", "5000") as t, \
                Tarpit("-i", "5000", family=socket.AF_INET6) as t6:
            for each in t, t6:
                self.stalls(each)
            for each in t, t6:
                self.assertEqual(each.expect(1), b"2")
                left = self.leave(each)
                left.check(each.line().disconnected)

    def test_fin_before_the_first_byte(self):
        with Tarpit("-i", "5000") as t:
            self.stalls(t)
            left = self.leave(t)
            left.check(t.line().disconnected)

    def test_fin_with_words_unread(self):
        with Tarpit("-i", "5000") as t:
            t.stuck(b"EHLO x\r\nMAIL FROM:<a@example.org>\r\n")
            t.client.sendall(b"QUIT\r\n")
            left = self.leave(t)
            left.check(t.line().disconnected)

    def test_fin_before_helo(self):
        """Noticed at once: nothing else would wake tarpit up before the cap."""
        for words in b"", b"EHLO x":
            with self.subTest(words=words), Tarpit() as t:
                t.greeting()
                t.client.sendall(words)
                self.assertTrue(wait_for(lambda: t.unread() == 0))
                left = self.leave(t)
                left.check(t.line().disconnected)

    def check_reset(self, t):
        """A RST out of the blue is noticed and logged at once, not at the next
        byte or the cap.
        """
        t.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            b"\1\0\0\0\0\0\0\0")
        left = self.leave(t)
        left.check(t.line().disconnected)

    def test_reset_before_helo(self):
        for words in b"", b"EHLO x":
            with self.subTest(words=words), Tarpit("-i", "60000") as t:
                t.greeting()
                t.client.sendall(words)
                self.check_reset(t)

    def test_reset_between_two_bytes(self):
        with Tarpit("-i", "6000") as t:
            t.stuck()
            self.check_reset(t)

    def test_fin_and_then_a_signal(self):
        """The signal comes before the byte that would have shown the FIN."""
        with Tarpit("-i", "60000") as t:
            self.stalls(t)
            left = self.leave(t)
            time.sleep(2 * SLACK)
            t.signal(signal.SIGTERM)
            left.check(t.line().disconnected)

    def test_signal_right_after_a_byte(self):
        """The byte's acknowledgement is still on its way."""
        with Tarpit("-i", "6000") as t:
            t.stuck()
            with Moment() as ended:
                t.signal(signal.SIGTERM)
            ended.check(t.line().disconnected)

    def test_had_left_before_the_program_started(self):
        """No client is logged as leaving before it came."""
        def leave(client):
            client.close()
            time.sleep(1)

        with Tarpit(before=leave) as t:
            hold = t.line()
            self.assertEqual(hold.length, 0)
            self.assertTrue(
                t.started - 0.001 <= hold.connected < time.time())


class HalfClosed(unittest.TestCase):
    def test_is_held_on(self):
        with Tarpit("-i", "200") as t:
            t.stuck()
            t.client.shutdown(socket.SHUT_WR)
            self.assertEqual(len(t.expect(25)), 25)     # 4 seconds
            self.assertIsNone(t.process.poll())
            with Moment() as left:
                t.client.close()
            # Its acknowledgements after its FIN show that it was there.
            left.check(t.line().disconnected)

    def test_to_the_cap(self):
        with Tarpit("-i", "50", "-t", "2") as t:
            t.stuck()
            t.client.shutdown(socket.SHUT_WR)
            while t.client.recv(4096):
                pass
            length = t.line().length
            self.assertTrue(1.4 < length < time.time() - t.started, length)


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
                begun = time.time()
                time.sleep(2 * SLACK)
                t.client.close()
                hold = t.line()
                self.assertTrue(
                    t.started - 0.001 <= hold.connected < begun, hold)
                self.assertTrue(SLACK < hold.length <
                                time.time() - t.started + SLACK, hold.length)


class Failing(unittest.TestCase):
    """A system call fails."""

    def test_nothing_known_of_the_connection(self):
        """The whole length of the hold counts then."""
        with held("-i", "60000", call="getsockopt", after=1) as t:
            t.greeting()
            t.client.sendall(b"EHLO x\r\n")
            self.assertTrue(wait_for(t.heard))
            t.client.close()
            time.sleep(2 * SLACK)
            with Moment() as ended:
                t.signal(signal.SIGTERM)
            ended.check(t.line().disconnected)

    def test_clock_before_1970(self):
        """A log line cannot hold such a time, so none is written."""
        with held(call="1969") as t:
            t.stuck()
            t.client.close()
            self.assertEqual(t.output(), "")
            self.assertEqual(t.process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
