# SPDX-License-Identifier: GPL-2.0-or-later
"""Honest hours of a client that vanishes."""

import signal
import socket
import time
import unittest

from tests.lib.moment import SLACK, Moment
from tests.lib.net import OtherHost
from tests.lib.sandbox import needs_root
from tests.lib.tarpit import GREETING, Tarpit


class Vanished(unittest.TestCase):
    def test_noticed_within_a_minute_logged_at_its_last_sign_of_life(self):
        """Within two minutes if bytes are a minute apart."""
        with OtherHost() as other, \
                socket.create_server((other.ADDRESS, 0)) as listener:
            silent, halfway, stuck, ended = [
                Tarpit("-i", "1000", pair=other.connect(listener))
                for _ in range(4)]
            slow = Tarpit("-i", "10000", pair=other.connect(listener))
            with silent, halfway, stuck, ended, slow:
                self.assertEqual(silent.greeting(), GREETING)
                halfway.greeting()
                halfway.client.sendall(b"EHLO x")
                stuck.stuck()
                ended.stuck()
                slow.greeting()
                slow.client.sendall(b"EHLO x\r\n")
                time.sleep(2 * SLACK)
                with Moment() as gone:
                    other.cut()
                # A signal before tarpit notices changes nothing.
                time.sleep(2 * SLACK)
                ended.signal(signal.SIGTERM)
                for t, interval in ((ended, 1), (silent, 1), (halfway, 1),
                                    (stuck, 1), (slow, 10)):
                    with self.subTest(args=t.process.args):
                        hold = t.line(180)
                        self.assertEqual(hold.ip, other.THEIRS)
                        self.assertTrue(
                            gone.before - interval - SLACK <
                            hold.disconnected < gone.after + SLACK)

    @needs_root
    def test_vanished_before_it_said_a_word(self):
        """Only keepalives have asked for the client when a signal comes."""
        with OtherHost() as other, \
                socket.create_server((other.ADDRESS, 0)) as listener, \
                Tarpit("-i", "1000", pair=other.connect(listener)) as t:
            t.greeting()
            time.sleep(2 * SLACK)
            with Moment() as gone:
                other.cut()
            time.sleep(2 * SLACK)
            t.signal(signal.SIGTERM)
            # The last answer to a keepalive may be a second old.
            gone.before -= 1
            gone.check(t.line().disconnected)


class ClosedWindow(unittest.TestCase):
    def test_that_still_answers_is_there_to_the_end(self):
        """The client is let go after 45 s, at a time when the last probe, ever
        further apart, was long ago.
        """
        def small(client):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)

        with Tarpit("-i", "10", before=small) as t:
            t.greeting()
            t.client.sendall(b"EHLO x\r\n")
            hold = t.line(300)
            ended = time.time()
        self.assertGreater(hold.length, 40)
        self.assertLess(ended - hold.disconnected, 2 * SLACK)


if __name__ == "__main__":
    unittest.main()
