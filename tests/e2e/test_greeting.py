# SPDX-License-Identifier: GPL-2.0-or-later
"""The greeting and the command that answers it."""

import os
import socket
import subprocess
import time
import unittest

from harness import GREETING, NAME, TARPIT, Tarpit, tcp_pair, wait_for


class Greeting(unittest.TestCase):
    def test_at_once_on_ipv4_and_ipv6(self):
        for family in socket.AF_INET, socket.AF_INET6:
            with self.subTest(family=family), Tarpit(family=family) as t:
                self.assertEqual(t.greeting(), GREETING)
                self.assertLess(time.time() - t.started, 1)

    def test_in_one_segment(self):
        with Tarpit() as t:
            time.sleep(0.3)
            self.assertEqual(t.client.recv(4096), GREETING)

    def test_names_this_host_unless_told(self):
        client, server = tcp_pair()
        with client, server, subprocess.Popen(
                [TARPIT, "-d"], stdin=server, stderr=subprocess.PIPE) as p:
            server.close()
            self.assertEqual(
                client.recv(4096),
                b"220 %s ESMTP\r\n" % os.uname().nodename.encode())
            client.close()
            p.communicate()

    def test_comes_to_a_client_that_speaks_first(self):
        for words in b"EHLO early.example\r\n", b"\x16\x03\x01\x02", b"X":
            with self.subTest(words=words), Tarpit(
                    before=lambda client: client.sendall(words)) as t:
                self.assertEqual(t.greeting(), GREETING)


if __name__ == "__main__":
    unittest.main()
