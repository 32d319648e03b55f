# SPDX-License-Identifier: GPL-2.0-or-later
"""The endless reply."""

import re
import socket
import time
import unittest

from tests.lib.net import OtherHost
from tests.lib.process import wait_for
from tests.lib.tarpit import GREETING, NAME, Tarpit, needs_seal

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
        # A machine with much else to do is late now and then, and what comes
        # next seems early: a tenth of them at either end says nothing.
        for _ in range(4):
            octets, gaps = self.gaps()
            mean = sum(gaps) / len(gaps)
            gaps = sorted(gaps)[6:-6]
            if (octets == 1 and gaps[0] > 0.078 and gaps[-1] < 0.125 and
                    gaps[-1] - gaps[0] > 0.015 and 0.090 < mean < 0.112):
                return
        self.fail((octets, mean, gaps))

    def gaps(self):
        """The most octets that come together, and the seconds between."""
        with Tarpit("-i", "100") as t:
            t.greeting()
            t.client.sendall(b"EHLO x\r\n")
            t.expect(4)         # the code, which comes in one piece
            most, last, gaps = 0, time.monotonic(), []
            for _ in range(60):
                most = max(most, len(t.client.recv(4096)))
                now = time.monotonic()
                gaps.append(now - last)
                last = now
        return most, gaps

    def test_answers_nothing_that_the_client_sends(self):
        with Tarpit("-i", "20") as t:
            t.stuck()
            data = b""
            for words in (b"NOOP\r\n", b"RSET\r\n", b"HELO x\r\n",
                          b"MAIL FROM:<a@b.example>\r\n", b"QUIT\r\n"):
                t.client.sendall(words)
                data += t.expect(12)
            self.assertRegex(b"250-" + data, rb"\A%s" % LINE.pattern)

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

    def test_no_byte_waits_for_the_acknowledgement_of_another(self):
        """A client that does not read acknowledges late, and Nagle's
        algorithm would send several at a time.
        """
        with Tarpit("-i", "10") as t:
            t.stuck()
            time.sleep(1.5)
            octets = t.tcp("bytes_sent")    # first: it goes on meanwhile
            self.assertGreater(octets, 100)
            # The greeting and the code at a line's start come in one piece.
            self.assertGreaterEqual(
                t.tcp("data_segs_out") + len(GREETING) - 1 + 3, octets)

    def test_two_packets_a_byte(self):
        """No keepalives among them, though half of the waits are longer than
        the second after which a keepalive would go out.
        """
        with Tarpit("-i", "1000") as t:
            t.client.settimeout(60)
            t.stuck()
            self.assertEqual(len(t.expect(20)), 20)
            self.assertGreaterEqual(t.tcp("data_segs_out"), 22)
            # Its part of the handshake, and the acknowledgement of EHLO.
            self.assertLessEqual(
                t.tcp("segs_out") - t.tcp("data_segs_out"), 3)


class Keepalives(unittest.TestCase):
    def test_before_the_reply_as_often_as_its_octets(self):
        """In whole seconds, rounded up.  ss(8) calls 1.996 s 1.996ms."""
        for interval, timer in (("10", r"(1sec|\d+ms)"),
                                ("1000", r"(1sec|\d+ms)"),
                                ("1001", r"(2sec|1\.\d+ms)"),
                                ("60000", r"(1min|5\dsec)")):
            with self.subTest(interval=interval), Tarpit("-i", interval) as t:
                t.greeting()
                self.assertRegex(t.socket_status(),
                                 r"timer:\(keepalive,%s," % timer)


@needs_seal     # what checks memory has a stack of its own
class Stack(unittest.TestCase):
    def test_what_only_the_start_needs_is_given_back(self):
        """Unless it ends in mid-page, as for a client or two of these."""
        shrunk = []
        for _ in range(8):
            with Tarpit("-i", "60000") as t:
                t.greeting()
                before = self.resident(t)
                t.client.sendall(b"EHLO x\r\n")
                self.assertTrue(wait_for(lambda: t.status("Seccomp") == "2"))
                shrunk.append(self.resident(t) < before)
        self.assertIn(True, shrunk)

    @staticmethod
    def resident(t):
        """Kilobytes of its stack."""
        with open("/proc/%d/smaps" % t.pid) as smaps:
            return int(re.search(r"\[stack\]\n(?:.*\n)*?Rss: +(\d+)",
                                 smaps.read())[1])


@needs_seal     # which shows that the buffer is as small as it will be
class ReceiveBuffer(unittest.TestCase):
    """What a client can park in our kernel, over a cable: loopback's packets
    are as large as a buffer.
    """

    def push(self, client):
        """Two megabytes, or as much as it can get rid of."""
        client.setblocking(False)
        end = time.monotonic() + 1
        sent = 0
        while time.monotonic() < end and sent < 2000000:
            try:
                sent += client.send(b"x" * 65536)
            except BlockingIOError:
                time.sleep(0.01)

    def parked(self, words, early, listener, other):
        def speak(client):
            client.sendall(words)
            self.push(client)

        with Tarpit("-i", "10", pair=other.connect(listener),
                    before=speak if early else None) as t:
            if not early:
                t.greeting()
                speak(t.client)
            self.assertTrue(wait_for(lambda: t.status("Seccomp") == "2"))
            return t.receive_memory()

    def test_is_small(self):
        with OtherHost() as other, \
                socket.create_server((other.ADDRESS, 0)) as listener:
            for words in b"EHLO x\r\n", b"MAIL", b"EHLO ":
                with self.subTest(words=words):
                    self.assertLess(
                        self.parked(words, False, listener, other), 20000)

    def test_is_small_from_the_start_where_the_super_server_says_so(self):
        """As ReceiveBuffer= does in tarpit.socket."""
        with OtherHost() as other, \
                socket.create_server((other.ADDRESS, 0)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.assertLess(
                self.parked(b"EHLO x\r\n", True, listener, other), 20000)


if __name__ == "__main__":
    unittest.main()
