# SPDX-License-Identifier: GPL-2.0-or-later
"""The greeting, and the command with which the client answers."""

import os
import socket
import subprocess
import unittest

from tests.lib.failing import FAILING, failing
from tests.lib.leaping import Leaping
from tests.lib.net import tcp_pair
from tests.lib.process import wait_for
from tests.lib.tarpit import GREETING, TARPIT, Tarpit


class Greeting(unittest.TestCase):
    def test_at_once_on_ipv4_and_ipv6(self):
        """The greeting waits for nothing."""
        for family in socket.AF_INET, socket.AF_INET6:
            with self.subTest(family=family), Leaping(family=family) as t:
                self.assertEqual(t.greeting(), GREETING)
                self.assertEqual(t.waits(), [])

    def test_in_one_segment(self):
        with Tarpit() as t:
            self.assertEqual(t.greeting(), GREETING)
            self.assertEqual(t.tcp("data_segs_out"), 1)

    def test_names_this_host_unless_told(self):
        client, server = tcp_pair()
        with server, subprocess.Popen(
                [TARPIT, "-d"], stdin=server, stderr=subprocess.PIPE), client:
            server.close()
            self.assertEqual(
                client.recv(4096),
                b"220 %s ESMTP\r\n" % os.uname().nodename.encode())

    def test_comes_to_a_client_that_speaks_first(self):
        for words in b"EHLO early.example\r\n", b"\x16\x03\x01\x02", b"X":
            with self.subTest(words=words), Tarpit(
                    before=lambda client: client.sendall(words)) as t:
                self.assertEqual(t.greeting(), GREETING)

    def test_no_host_name(self):
        client, server = tcp_pair()
        with client, server, subprocess.Popen(
                [FAILING, "-d"], stdin=server, stderr=subprocess.PIPE,
                env=failing("gethostname")) as process:
            server.close()
            self.assertEqual(client.recv(100), b"220 localhost ESMTP\r\n")
            client.close()
            self.assertEqual(process.wait(300), 0)

    def test_is_greeted_by_an_address(self):
        client, server = tcp_pair()
        with client, server, subprocess.Popen(
                [TARPIT, "-d", "-n", "[192.0.2.1]"], stdin=server,
                stderr=subprocess.DEVNULL) as process:
            server.close()
            self.assertEqual(client.recv(100), b"220 [192.0.2.1] ESMTP\r\n")
            client.close()
            self.assertEqual(process.wait(300), 0)


class Command(unittest.TestCase):
    """How much of the client's first words is read, seen from outside: the
    rest stays in the receive queue of the socket.
    """

    MAIL = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"

    def reads(self, sent, nbytes):
        with self.subTest(sent=sent[:40]), Tarpit("-i", "10") as t:
            self.assertEqual(t.greeting(), GREETING)
            t.client.sendall(sent)
            self.assertEqual(t.expect(4), b"250-")
            self.assertEqual(len(sent) - t.unread(), nbytes)

    def test_helo_is_read_to_the_end_of_its_line(self):
        for line in (b"HELO client.example\r\n", b"EHLO client.example\r\n",
                     b"LHLO client.example\r\n", b"ehlo [192.0.2.1]\r\n",
                     b"hElO\tx\r\n", b"EHLO\r\n", b"HELO\n", b"EHLO x\n",
                     b"EHLO \0\xff\r\r\n"):
            self.reads(line + self.MAIL, len(line))

    def test_long_helo_is_read_to_512_bytes(self):
        self.reads(b"EHLO " + 505 * b"x" + b"\r\n" + self.MAIL, 512)
        self.reads(b"EHLO " + 506 * b"x" + b"\r\n" + self.MAIL, 512)
        self.reads(b"EHLO " + 3000 * b"x", 512)

    def test_anything_else_is_read_no_further_than_its_verb(self):
        for sent, nbytes in (
                (self.MAIL, 1),
                (b"AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n", 1),
                (b"STARTTLS\r\n", 1),
                (b"QUIT\r\n", 1),
                (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 1),
                (b"\r\n" + self.MAIL, 1),
                (b"\n", 1),
                (b"\0\0\0\0\0\0\0\0", 1),
                (b" EHLO x\r\n", 1),
                (b"HE\0LO x\r\n", 3),
                (b"HEAD / HTTP/1.0\r\n\r\n", 3),
                (b"EHL\r\n", 4),
                (b"HELP me\r\n", 4),
                (b"EXPN list\r\n", 2),
                (b"EHLLO x\r\n", 4),
                (b"EHLOX x\r\n", 5),
                (b"HELO\0x\r\n", 5),
                (b"LHLO:x\r\n", 5)):
            self.reads(sent, nbytes)

    def test_byte_by_byte(self):
        with Tarpit("-i", "10") as t:
            t.greeting()
            for byte in b"EHLO x\r":
                t.client.send(bytes([byte]))
                self.assertTrue(wait_for(lambda: t.unread() == 0))
                self.assertEqual(t.status("Seccomp"), "0")
            t.client.send(b"\n")
            self.assertEqual(t.expect(4), b"250-")


if __name__ == "__main__":
    unittest.main()
