# SPDX-License-Identifier: GPL-2.0-or-later
"""The endless reply."""

import errno
import os
import re
import signal
import socket
import time
import unittest

from tests.lib.failing import held
from tests.lib.leaping import Leaping
from tests.lib.net import OtherHost, tcp_pair
from tests.lib.process import wait_for
from tests.lib.sandbox import needs_root
from tests.lib.tarpit import GREETING, NAME, TARPIT, Tarpit, needs_seal

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

    def test_bytes_come_within_a_fifth_of_the_interval(self):
        """By a clock that leaps; the first byte waits as well."""
        for interval in 10, 4000, 60000:
            with self.subTest(interval=interval), \
                    Leaping("-i", str(interval), "-t", "86400") as t:
                t.greeting()
                t.client.sendall(b"EHLO x\r\n")
                t.expect(1000)
                t.signal(signal.SIGTERM)
                t.line()
                # Three lines begin, and the code of each is one piece.
                waits = t.waits()[:990]
                self.assertEqual(len(waits), 990)
                self.assertGreaterEqual(min(waits), 0.8 * interval)
                self.assertLessEqual(max(waits), 1.2 * interval)
                # Waits are drawn uniformly: some are near either end.
                self.assertLess(min(waits), 0.81 * interval)
                self.assertGreater(max(waits), 1.19 * interval)
                mean = sum(waits) / len(waits)
                self.assertTrue(
                    0.97 * interval < mean < 1.03 * interval, mean)

    def test_byte_by_byte_and_none_too_early(self):
        """By the real clock, however busy the machine is."""
        with Tarpit("-i", "100") as t:
            t.greeting()
            begun = time.monotonic()
            t.client.sendall(b"EHLO x\r\n")
            self.assertEqual(t.expect(4), b"250-")      # in one piece
            for nbytes in range(2, 32):
                self.assertNotEqual(t.expect(1), b"")
                self.assertGreaterEqual(time.monotonic() - begun,
                                        nbytes * 0.08)
            sent = t.tcp("bytes_sent")      # before segments are counted
            self.assertGreaterEqual(
                t.tcp("data_segs_out") + len(GREETING) - 1 + 3, sent)

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
            sent = t.tcp("bytes_sent")
            before = int(t.status("voluntary_ctxt_switches"))
            t.expect(100)
            wakeups = int(t.status("voluntary_ctxt_switches")) - before
            sent = t.tcp("bytes_sent") - sent
        self.assertLessEqual(wakeups, 1.05 * sent)

    def test_no_byte_waits_for_the_acknowledgement_of_another(self):
        """A client that does not read acknowledges late, and Nagle's algorithm
        would send several bytes at a time.
        """
        with Tarpit("-i", "10") as t:
            t.stuck()
            self.assertTrue(wait_for(lambda: t.tcp("bytes_sent") > 150))
            nbytes = t.tcp("bytes_sent")    # before segments are counted
            # The greeting is one piece, and so is the code of a line.
            self.assertGreaterEqual(
                t.tcp("data_segs_out") + len(GREETING) - 1 + 3, nbytes)

    def test_two_packets_a_byte(self):
        """No keepalive is among the packets, although half of the waits are
        longer than the second after which a keepalive would go out.
        """
        with Tarpit("-i", "1000") as t:
            t.client.settimeout(300)
            t.stuck()
            self.assertEqual(len(t.expect(20)), 20)
            self.assertGreaterEqual(t.tcp("data_segs_out"), 22)
            # Two more are for the handshake and to acknowledge EHLO.
            self.assertLessEqual(
                t.tcp("segs_out") - t.tcp("data_segs_out"), 3)


@needs_seal     # the sanitizers and valgrind write files
class Copies(unittest.TestCase):
    """The kernel takes the bytes from the program's file: send(2) needs a
    buffer in the kernel, but sendfile(2), which counts as a write, does not.
    """

    def test_from_the_file_of_the_program(self):
        for family in socket.AF_INET, socket.AF_INET6:
            with self.subTest(family=family), \
                    Tarpit("-i", "10", family=family) as t:
                t.greeting()
                self.assertEqual(self.written(t), len(GREETING))
                self.assertEqual(
                    os.readlink("/proc/%d/fd/1" % t.pid), TARPIT)
                t.client.sendall(b"EHLO x\r\n")
                t.expect(50)
                self.assertGreaterEqual(
                    self.written(t), len(GREETING) + 50)

    @staticmethod
    def written(t):
        with open("/proc/%d/io" % t.pid) as io:
            return int(re.search(r"^wchar: (\d+)", io.read(), re.M)[1])


class Keepalives(unittest.TestCase):
    """The options of the socket, seen through the test's copy of it."""

    TIMES = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL,
             socket.TCP_USER_TIMEOUT)

    def test_before_the_reply_as_often_as_its_bytes(self):
        """The interval in whole seconds, rounded up; after 45 s without an
        answer, a client is given up.
        """
        for interval, seconds in ((10, 1), (1000, 1), (1001, 2), (60000, 60)):
            client, server = tcp_pair()
            with self.subTest(interval=interval), server.dup() as copy, \
                    Tarpit("-i", str(interval), pair=(client, server)) as t:
                t.greeting()
                self.assertEqual(self.keeps_alive(copy), 1)
                self.assertEqual(
                    [copy.getsockopt(socket.IPPROTO_TCP, option)
                     for option in self.TIMES], [seconds, seconds, 45000])
                t.client.sendall(b"EHLO x\r\n")
                self.assertTrue(wait_for(t.heard))
                self.assertTrue(wait_for(
                    lambda: self.keeps_alive(copy) == 0))

    @staticmethod
    def keeps_alive(connection):
        return connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@needs_seal     # the sanitizers and valgrind use more stack
class Stack(unittest.TestCase):
    def test_what_only_the_start_needs_is_given_back(self):
        """Some clients, but not all, have a stack that ends in mid-page."""
        self.assertTrue(any(self.gives_back() for _ in range(64)))

    def gives_back(self):
        with Tarpit("-i", "60000") as t:
            t.greeting()
            before = self.resident(t)
            t.client.sendall(b"EHLO x\r\n")
            self.assertTrue(wait_for(lambda: t.status("Seccomp") == "2"))
            return self.resident(t) < before

    @staticmethod
    def resident(t):
        """The resident stack of the process, in kilobytes."""
        with open("/proc/%d/smaps" % t.pid) as smaps:
            return int(re.search(r"\[stack\]\n(?:.*\n)*?Rss: +(\d+)",
                                 smaps.read())[1])


@needs_seal     # the seal shows that the buffer has its final size
class ReceiveBuffer(unittest.TestCase):
    """How much a client can leave unread in our kernel, over a cable, since a
    packet on the loopback interface is as large as the whole buffer.
    """

    def push(self, client):
        """Send two megabytes, or as much as the client can get rid of."""
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

    def test_is_left_alone_where_a_client_has_sent_already(self):
        """A buffer smaller than its content would make the kernel drop the
        client's acknowledgements as well.
        """
        def flood(client):
            client.sendall(b"EHLO x\r\n" + b"x" * 9000)

        for before, changed in (None, True), (flood, False):
            client, server = tcp_pair()
            size = server.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            with self.subTest(before=before), Tarpit(
                    "-i", "10", before=before, pair=(client, server)) as t:
                t.greeting()
                now = int(re.search(r"skmem:\(r\d+,rb(\d+),",
                                    t.socket_status())[1])
                self.assertEqual(now < size, changed)

    def test_is_small_from_the_start_where_the_super_server_says_so(self):
        """ReceiveBuffer= in tarpit.socket does the same."""
        with OtherHost() as other, \
                socket.create_server((other.ADDRESS, 0)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.assertLess(
                self.parked(b"EHLO x\r\n", True, listener, other), 20000)


class Failing(unittest.TestCase):
    """A system call fails."""

    def test_no_random_seed_yet(self):
        """Two processes that start together differ all the same."""
        replies = set()
        for _ in range(2):
            with held(call="getrandom", error=errno.EAGAIN) as t:
                t.stuck()
                replies.add(t.expect(60))
        self.assertEqual(len(replies), 2)

    def test_full_send_buffer_loses_no_byte(self):
        for after in 0, 2:
            with held(call="sendfile", error=errno.EAGAIN, after=after) as t:
                self.assertEqual(t.stuck() + t.expect(5), b"250-mx.ex")
                t.signal(signal.SIGTERM)
                t.line()

    def test_program_that_cannot_be_sent_from(self):
        """Bytes are then copied, from any moment on and for good."""
        for call, after, more in (("fcntl", 0, 0), ("pread", 0, 0),
                                  ("pipe2", 0, 0),
                                  ("splice", 0, 0), ("sendfile", 0, 0),
                                  ("sendfile", 3, 0), ("sendfile", 0, 999)):
            with self.subTest(call=call, after=after, more=more), \
                    held(call=call, error=errno.EINVAL, after=after,
                              more=more) as t:
                self.assertEqual(t.stuck() + t.expect(5), b"250-mx.ex")
                t.signal(signal.SIGTERM)
                self.assertEqual(t.line().ip, "127.0.0.1")
                self.assertEqual(t.process.returncode, 0)

    def test_connection_that_cannot_be_sent_to(self):
        """If sendfile(2), splice(2) and send(2) all fail, the hold ends."""
        for calls, after, sent in (("s", 0, b""), ("send", 0, GREETING),
                                   ("send", 3, GREETING + b"250-mx")):
            with self.subTest(calls=calls, after=after), \
                    held(call=calls, after=after, more=99) as t:
                t.client.sendall(b"EHLO x\r\n")
                self.assertEqual(t.expect(99), sent)
                self.assertEqual(t.line().ip, "127.0.0.1")
                self.assertEqual(t.process.returncode, 0)

    def test_not_run_for_a_second(self):
        """The time of the next byte is over before the wait begins."""
        for after in range(4, 10):
            with held(call="late", after=after) as t:
                self.assertEqual(t.stuck() + t.expect(5), b"250-mx.ex")


class Cable(unittest.TestCase):
    @needs_root
    def test_cannot_be_reached_for_a_second(self):
        """The buffer of our kernel fills up.  tarpit does not wait for room in
        send(2), where it would hear no signal, and no byte is lost.
        """
        with OtherHost() as other, \
                socket.create_server((other.ADDRESS, 0)) as listener:
            client, server = other.connect(listener)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
            with Tarpit("-i", "10", pair=(client, server)) as t:
                self.assertEqual(t.stuck(), b"250-")
                other.cut()
                time.sleep(1)
                before = self.wakeups(t)
                self.assertTrue(wait_for(lambda: (
                    t.process.poll() is not None or
                    self.wakeups(t) > before + 20)))
                self.assertIsNone(t.process.poll())
                other.mend()
                self.assertRegex(
                    t.expect(30), rb"\Amx.example.org [a-z ]{15}\Z")

    @staticmethod
    def wakeups(t):
        return int(t.status("voluntary_ctxt_switches"))


if __name__ == "__main__":
    unittest.main()
