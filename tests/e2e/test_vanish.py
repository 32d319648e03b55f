# SPDX-License-Identifier: GPL-2.0-or-later
"""Honest hours of a client that goes without a word."""

import ctypes
import socket
import subprocess
import threading
import time
import unittest

from harness import GREETING, Tarpit

CLONE_NEWNET = 0x40000000


class Vanished(unittest.TestCase):
    """A client on another host, whose cable is cut."""

    def setUp(self):
        for command in (
                "ip netns add client",
                "ip link add inside type veth peer name outside",
                "ip link set inside netns client",
                "ip addr add 192.0.2.1/24 dev outside",
                "ip link set outside up",
                "ip -n client addr add 192.0.2.2/24 dev inside",
                "ip -n client link set inside up"):
            subprocess.run(command.split(), check=True)
        self.addCleanup(subprocess.run, ["ip", "netns", "del", "client"])

    def connect(self, listener):
        """A socket belongs to the network of the thread that makes it."""
        client = []

        def inside():
            libc = ctypes.CDLL(None, use_errno=True)
            with open("/run/netns/client") as netns:
                if libc.setns(netns.fileno(), CLONE_NEWNET) == -1:
                    raise OSError(ctypes.get_errno(), "setns")
            client.append(socket.create_connection(listener.getsockname()))

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join(10)
        client[0].settimeout(10)
        return client[0], listener.accept()[0]

    def test_noticed_within_two_minutes_logged_at_its_last_sign_of_life(self):
        with socket.create_server(("192.0.2.1", 0)) as listener:
            silent = Tarpit("-i", "1000", pair=self.connect(listener))
            halfway = Tarpit("-i", "1000", pair=self.connect(listener))
            stuck = Tarpit("-i", "1000", pair=self.connect(listener))
            slow = Tarpit("-i", "10000", pair=self.connect(listener))
        with silent, halfway, stuck, slow:
            self.assertEqual(silent.greeting(), GREETING)
            halfway.greeting()
            halfway.client.sendall(b"EHLO x")
            stuck.stuck()
            slow.greeting()
            slow.client.sendall(b"EHLO x\r\n")
            time.sleep(5)
            subprocess.run("ip -n client link set inside down".split(),
                           check=True)
            cut = time.time()
            for t, interval in (silent, 1), (halfway, 1), (stuck, 1), \
                    (slow, 10):
                with self.subTest(args=t.process.args):
                    hold = t.line(120 - (time.time() - cut))
                    self.assertEqual(hold.ip, "192.0.2.2")
                    self.assertLess(hold.disconnected, cut + 0.1)
                    self.assertGreater(hold.disconnected, cut - interval - 1)


if __name__ == "__main__":
    unittest.main()
