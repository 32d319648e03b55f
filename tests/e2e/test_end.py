# SPDX-License-Identifier: GPL-2.0-or-later
"""How a hold ends: with a FIN in mid-line, one log line and status 0."""

import signal
import socket
import struct
import subprocess
import time
import unittest

from tests.lib.leaping import Leaping
from tests.lib.log import Hold, Syslog
from tests.lib.moment import SLACK, Moment
from tests.lib.net import tcp_pair
from tests.lib.process import wait_for
from tests.lib.tarpit import GREETING, TARPIT, Tarpit, needs_seal

ENDING = signal.SIGTERM, signal.SIGINT, signal.SIGHUP


def reset(client):
    """Close the connection so that the other end gets a RST."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
    client.close()


class Signals(unittest.TestCase):
    def silent(self, t):
        self.assertEqual(t.greeting(), GREETING)

    def halfway(self, t):
        t.greeting()
        t.client.sendall(b"EHLO x")
        self.assertTrue(wait_for(lambda: t.unread() == 0))

    def stuck(self, t):
        t.stuck()

    def test_at_any_stage(self):
        for signo in ENDING:
            for stage in self.silent, self.halfway, self.stuck:
                with self.subTest(signo=signo, stage=stage.__name__), \
                        Tarpit("-i", "100") as t:
                    stage(t)
                    with Moment() as ended:
                        t.signal(signo)
                    self.assertEqual(t.wait(), 0)
                    hold = t.line()
                    ended.check(hold.disconnected)
                    self.assertTrue(t.started - 0.001 <= hold.connected <
                                    ended.after)

    def test_blocked_or_ignored_by_the_parent(self):
        """A super-server may hand down any signal mask and dispositions."""
        def inherit():
            for signo in ENDING:
                signal.signal(signo, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)

        for signo in ENDING:
            with self.subTest(signo=signo), \
                    Tarpit("-i", "100", preexec_fn=inherit) as t:
                t.stuck()
                t.signal(signo)
                self.assertEqual(t.wait(300), 0)
                t.line()

    def test_sigpipe_ends_nothing(self):
        with Tarpit("-i", "20") as t:
            t.greeting()
            t.signal(signal.SIGPIPE)
            t.client.sendall(b"EHLO x\r\n")
            t.expect(5)
            t.signal(signal.SIGPIPE)
            self.assertEqual(len(t.expect(20)), 20)
            t.signal(signal.SIGTERM)
            t.line()

    def test_while_the_client_reads_nothing(self):
        """The client's window is closed, and our send buffer is full."""
        def small(client):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)

        with Tarpit("-i", "10", before=small) as t:
            t.greeting()
            t.client.sendall(b"EHLO x\r\n")
            time.sleep(1)
            t.signal(signal.SIGTERM)
            self.assertEqual(t.wait(300), 0)


class Farewell(unittest.TestCase):
    """What the client sees at the end of a hold."""

    def ends_in_mid_line(self, t):
        data = b""
        while True:
            got = t.client.recv(4096)
            if not got:         # a FIN; a RST would raise
                break
            data += got
        self.assertNotIn(b"\n", data)
        return data

    def test_fin_after_a_signal(self):
        for signo in ENDING:
            with self.subTest(signo=signo), Tarpit("-i", "20") as t:
                self.assertEqual(t.stuck(), b"250-")
                t.client.settimeout(300)
                t.signal(signo)
                while t.client.recv(4096):
                    pass
                self.assertEqual(t.wait(), 0)

    def test_never_after_a_code_without_its_hyphen(self):
        """Python's smtplib takes "250" and a FIN for a good reply, which not
        even SIGKILL may leave it with.
        """
        for signo in signal.SIGKILL, signal.SIGTERM:
            with self.subTest(signo=signo), Tarpit("-i", "50") as t:
                t.greeting()
                t.client.sendall(b"EHLO x\r\n")
                first = t.client.recv(1)
                t.signal(signo)
                self.assertEqual(
                    (first + self.ends_in_mid_line(t))[:4], b"250-")
                t.wait()

    def test_no_line_begins_with_a_part_of_its_code(self):
        """The process may be killed after any piece."""
        with Tarpit("-i", "10") as t:
            t.greeting()
            t.client.sendall(b"EHLO x\r\n")
            data = b""
            while data.count(b"\n") < 2 or len(data) < 970:
                data += t.client.recv(4096)
                self.assertNotRegex(data, rb"(\A|\n)25?0?\Z")

    def test_nothing_after_a_signal(self):
        # The signal comes long before the next byte's time.
        with Tarpit("-i", "5000") as t:
            t.greeting()
            t.client.sendall(b"EHLO x\r\n")
            self.assertEqual(t.expect(4), b"250-")
            t.signal(signal.SIGTERM)
            self.assertEqual(self.ends_in_mid_line(t), b"")
            t.line()

    def test_fin_at_the_cap(self):
        with Tarpit("-i", "50", "-t", "1") as t:
            t.greeting()
            t.client.sendall(b"EHLO x\r\n")
            self.assertGreater(len(self.ends_in_mid_line(t)), 5)
            t.line()

    def test_fin_to_a_silent_client(self):
        with Tarpit("-t", "1") as t:
            t.greeting()
            self.assertEqual(self.ends_in_mid_line(t), b"")
            t.line()

    def test_fin_also_where_inetd_passed_three_descriptors(self):
        client, server = tcp_pair()
        with client, server, Syslog() as syslog:
            process = subprocess.Popen(
                [TARPIT, "-i", "60000", "-t", "1"], stdin=server,
                stdout=server, stderr=server)
            server.close()
            client.recv(4096)
            client.sendall(b"EHLO x\r\n")
            self.assertEqual(client.recv(4096), b"")
            self.assertEqual(process.wait(300), 0)
            self.assertEqual(len(syslog.collect(1)), 1)

    def test_fin_does_not_wait_for_a_slow_syslog(self):
        with Syslog() as syslog, Tarpit("-i", "50", syslog=True) as t:
            t.stuck()
            syslog.fill()
            t.signal(signal.SIGTERM)
            while t.client.recv(4096):
                pass
            self.assertIsNone(t.process.poll())
            syslog.collect(100, 1)
            self.assertEqual(t.wait(), 0)


class Cap(unittest.TestCase):
    def test_drawn_from_three_quarters_to_the_whole(self):
        for cap in 2, 86400:
            lengths = []
            for _ in range(60):
                with Leaping("-t", str(cap), silent=True) as t:
                    lengths.append(t.line().length)
            self.assertGreaterEqual(min(lengths), 0.75 * cap)
            self.assertLessEqual(max(lengths), cap)
            # Caps are drawn uniformly: of sixty, some are near either end.
            self.assertLess(min(lengths), 0.8 * cap)
            self.assertGreater(max(lengths), 0.95 * cap)

    def test_ends_the_reply(self):
        """The hold ends at the cap, and does not wait for the next byte."""
        for interval in 10, 60000:
            with self.subTest(interval=interval), \
                    Leaping("-i", str(interval), "-t", "20") as t:
                t.greeting()
                t.client.sendall(b"EHLO x\r\n")
                self.assertTrue(15 <= t.line().length <= 20)

    def test_holds_a_silent_client_to_it(self):
        with Tarpit("-t", "2") as t:
            t.greeting()
            self.assertTrue(
                1.5 <= t.line().length < time.time() - t.started)

    def test_holds_a_client_that_never_ends_its_line(self):
        with Tarpit("-t", "1") as t:
            t.greeting()
            t.client.sendall(b"EHLO ")
            while t.process.poll() is None:
                try:
                    t.client.sendall(b"x")
                except OSError:
                    break
                time.sleep(0.1)
            self.assertTrue(
                0.75 <= t.line().length < time.time() - t.started)


class ClientLeaves(unittest.TestCase):
    """However the client leaves: one line, and status 0."""

    def test_by_fin_or_rst_at_any_stage(self):
        def at_once(t):
            pass

        def greeted(t):
            t.greeting()

        def halfway(t):
            t.greeting()
            t.client.sendall(b"EHL")

        def stuck(t):
            t.stuck()

        for leave in socket.socket.close, reset:
            for stage in at_once, greeted, halfway, stuck:
                for family in socket.AF_INET, socket.AF_INET6:
                    with self.subTest(leave=leave.__name__,
                                      stage=stage.__name__), \
                            Tarpit("-i", "50", family=family) as t:
                        stage(t)
                        leave(t.client)
                        hold = t.line()
                        self.assertEqual(t.process.returncode, 0)
                        self.assertIn(hold.ip, ("127.0.0.1", "::1"))

    def test_before_the_program_starts(self):
        """Even a connection that was reset in the backlog gets a line."""
        for leave in socket.socket.close, reset:
            for family in socket.AF_INET, socket.AF_INET6:
                with self.subTest(leave=leave.__name__), Tarpit(
                        family=family, before=leave) as t:
                    hold = t.line()
                    self.assertEqual(t.process.returncode, 0)
                    self.assertIn(hold.ip, ("127.0.0.1", "::1"))
                    self.assertLess(hold.length, SLACK)


class Line(unittest.TestCase):
    def test_facility_priority_and_tag(self):
        with Syslog() as syslog, Tarpit("-i", "10", syslog=True) as t:
            t.stuck()
            t.client.close()
            self.assertEqual(t.wait(), 0)
            lines = syslog.collect(1)
            self.assertEqual(len(lines), 1)
            self.assertRegex(lines[0], r"\A<21>tarpit\[%d\]: ip=" % t.pid)
            self.assertEqual(Hold(lines[0]).ip, "127.0.0.1")

    def test_mapped_address_is_written_as_ipv4(self):
        listener = socket.create_server(
            ("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        with listener:
            client = socket.create_connection(
                ("127.0.0.1", listener.getsockname()[1]))
            server, peer = listener.accept()
        self.assertEqual(peer[0], "::ffff:127.0.0.1")
        with Tarpit(pair=(client, server)) as t:
            t.client.close()
            self.assertEqual(t.line().ip, "127.0.0.1")

    def test_ipv6(self):
        with Tarpit(family=socket.AF_INET6) as t:
            t.client.close()
            self.assertEqual(t.line().ip, "::1")

    @needs_seal     # AddressSanitizer would map terabytes
    def test_keeps_nothing_of_the_client(self):
        words = b"ip=6.6.6.6 connected=secret\r\nMAIL FROM:<joe@example.org>"
        with Syslog() as syslog, Tarpit("-i", "10", syslog=True) as t:
            t.greeting()
            t.client.sendall(b"EHLO " + words + b"\r\n")
            t.expect(20)
            with open("/proc/%d/mem" % t.pid, "rb") as memory, \
                    open("/proc/%d/maps" % t.pid) as maps:
                for line in maps:
                    if "rw-p" not in line:
                        continue
                    start, end = (int(x, 16) for x in
                                  line.split()[0].split("-"))
                    memory.seek(start)
                    data = memory.read(end - start)
                    self.assertNotIn(b"6.6.6.6", data)
                    self.assertNotIn(b"joe@", data)
            t.client.close()
            t.wait()
            self.assertEqual(
                [Hold(line).ip for line in syslog.collect(1)], ["127.0.0.1"])


if __name__ == "__main__":
    unittest.main()
