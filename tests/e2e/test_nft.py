# SPDX-License-Identifier: GPL-2.0-or-later
"""The nftables rules: whoever came to the mail server first is not held, and
nobody can take all connections.

The loopback interface stands for the network, with every address of CLIENTS a
client.  One listener stands for the mail server, and another for the tarpit.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import unittest

from tests.lib import TOP
from tests.lib.net import OtherHost
from tests.lib.process import run, wait_for

RULES = os.path.join(TOP, "units/nftables/tarpit.nft")
INSTALLED = "/etc/tarpit.nft"
PRIMARY4, TARPIT4 = "192.0.2.10", "192.0.2.25"
PRIMARY6, TARPIT6 = "2001:db8::10", "2001:db8::25"
TARPIT = {4: TARPIT4, 6: TARPIT6}
PRIMARY = {4: PRIMARY4, 6: PRIMARY6}
# A client of the mail server, its neighbour in the /24 or /64, a stranger.
GUEST = {4: "10.1.2.3", 6: "2001:db8:1:2::3"}
NEIGHBOUR = {4: "10.1.2.200", 6: "2001:db8:1:2:ffff::1"}
STRANGER = {4: "10.1.3.3", 6: "2001:db8:1:3::3"}
CLIENTS = ("local 10.0.0.0/8", "local 2001:db8:1::/48")
BURST = 20
IP_FREEBIND = 15
# Debian's file begins with "flush ruleset"; this firewall drops the packet.
FIREWALL = """
flush ruleset
table inet filter {
	chain input {
		type filter hook input priority filter; policy accept;
		ip daddr %s tcp dport 25 drop
	}
}
""" % PRIMARY4


def nft(text):
    run("nft", "-f", "-", input=text)


def elements(name):
    """The elements of a set, as the kernel lists them."""
    listed = json.loads(run("nft", "-j", "list", "set", "inet", "tarpit",
                            name))
    return [element for item in listed["nftables"] if "set" in item
            for element in item["set"].get("elem", [])]


def setUpModule():
    if shutil.which("nft") is None:
        raise unittest.SkipTest("no nft")
    if subprocess.run(["nft", "add", "table", "inet", "try"],
                      capture_output=True).returncode != 0:
        raise unittest.SkipTest("no nftables in this kernel, or in a "
                                "namespace")
    run("nft", "delete", "table", "inet", "try")
    for route in CLIENTS:
        run("ip", *(["-6"] if ":" in route else []), "route", "add",
            *route.split(), "dev", "lo")
    for address in PRIMARY4, TARPIT4:
        run("ip", "address", "add", address + "/32", "dev", "lo")
    for address in PRIMARY6, TARPIT6:
        run("ip", "address", "add", address + "/128", "dev", "lo", "nodad")


class Rules(unittest.TestCase):
    def setUp(self):
        shutil.copy(RULES, INSTALLED)
        self.addCleanup(run, "nft", "flush", "ruleset")
        run("nft", "-f", INSTALLED)
        self.listeners = {}
        for address in PRIMARY4, PRIMARY6, TARPIT4, TARPIT6:
            self.listen(address)

    def listen(self, address, port=25):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(128)
        self.addCleanup(listener.close)
        self.listeners[address] = listener

    def connects(self, source, address, port=25):
        """Whether a connection succeeds; it stays until the test is over."""
        client = socket.socket(
            socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.client = client
        self.addCleanup(client.close)
        client.settimeout(300)
        client.setsockopt(socket.SOL_IP, IP_FREEBIND, 1)
        client.bind((source, 0))
        try:
            client.connect((address, port))
        except ConnectionRefusedError:
            return False
        return True

    def came(self, source=GUEST, number=None):
        """A client comes to the primary; returns whether the primary is up."""
        source = source[self.family]
        return self.connects(source if number is None else source % number,
                             PRIMARY[self.family])

    def held(self, source):
        return self.connects(source[self.family], TARPIT[self.family])

    def load_changed(self, *pairs):
        """Load the rules anew, with each old text of the pairs replaced."""
        with open(RULES) as file:
            text = file.read()
        for old, new in zip(pairs[::2], pairs[1::2]):
            self.assertIn(old, text)
            text = text.replace(old, new)
        run("nft", "delete", "table", "inet", "tarpit")
        nft(text)


class FirstToPrimary:
    """The tests that are the same for IPv4 and IPv6."""

    def test_straight_to_the_tarpit_is_held(self):
        self.assertTrue(self.held(GUEST))

    def test_who_came_to_the_primary_is_refused(self):
        self.came()
        self.assertFalse(self.held(GUEST))

    def test_so_is_another_host_of_the_same_sender(self):
        self.came()
        self.assertFalse(self.held(NEIGHBOUR))

    def test_everybody_else_is_held(self):
        self.came()
        self.assertTrue(self.held(STRANGER))

    def test_who_is_held_stays_when_it_comes_to_the_primary(self):
        self.assertTrue(self.held(GUEST))
        client = self.client
        held, _ = self.listeners[TARPIT[self.family]].accept()
        with held:
            self.came()
            self.assertFalse(self.held(GUEST))
            client.sendall(b"x")
            held.settimeout(300)
            self.assertEqual(held.recv(1), b"x")

    def test_the_first_packet_counts_where_no_program_listens(self):
        self.listeners[PRIMARY[self.family]].close()
        self.assertFalse(self.came())
        self.assertFalse(self.held(GUEST))

    def test_other_ports_do_not_count(self):
        self.assertFalse(self.connects(
            GUEST[self.family], PRIMARY[self.family], port=587))
        self.assertTrue(self.held(GUEST))

    def test_no_connection_to_the_primary_is_refused(self):
        for _ in range(2 * BURST):
            self.assertTrue(self.came())

    def test_is_forgotten_in_the_end(self):
        self.load_changed("timeout 8h", "timeout 2s")
        self.came()
        self.assertTrue(wait_for(lambda: self.held(GUEST), 300))

    def test_a_full_set_notes_no_newcomer(self):
        self.load_changed("size 32768", "size 3")
        for number in range(5):
            self.came({4: "10.9.%d.1", 6: "2001:db8:1:%d::1"}, number)
        self.assertEqual(len(elements("came%d" % self.family)), 3)
        self.assertTrue(self.held({4: "10.9.4.1", 6: "2001:db8:1:4::1"}))
        self.assertFalse(self.held({4: "10.9.2.1", 6: "2001:db8:1:2::1"}))


class FirstToPrimary4(FirstToPrimary, Rules):
    family = 4


class FirstToPrimary6(FirstToPrimary, Rules):
    family = 6


class BeforeTheFirewall(Rules):
    """The client is on another machine: its packets come from outside."""

    def setUp(self):
        super().setUp()
        self.other = OtherHost()
        self.other.__enter__()
        self.addCleanup(self.other.__exit__)
        run("ip", "-n", "client", "route", "add", "default", "via",
            OtherHost.ADDRESS)
        self.assertTrue(self.from_outside(TARPIT4))

    @staticmethod
    def from_outside(address):
        """Whether the client outside can connect."""
        return subprocess.run(
            ["ip", "netns", "exec", "client", sys.executable, "-c",
             "import socket; socket.create_connection(('%s', 25), 3)" %
             address], stderr=subprocess.DEVNULL).returncode == 0

    def test_a_mail_server_behind_a_translated_address(self):
        self.listeners[PRIMARY4].close()
        nft("table ip nat { chain pre { type nat hook prerouting priority "
            "dstnat;\nip daddr %s tcp dport 25 dnat to %s:2500\n}\n}" %
            (PRIMARY4, OtherHost.ADDRESS))
        self.listen(OtherHost.ADDRESS, 2500)
        self.assertTrue(self.from_outside(PRIMARY4))
        self.assertFalse(self.from_outside(TARPIT4))

    def test_a_packet_that_the_firewall_drops(self):
        nft(FIREWALL.replace("flush ruleset", ""))
        self.assertFalse(self.from_outside(PRIMARY4))
        self.assertFalse(self.from_outside(TARPIT4))


class AtOnce(Rules):
    """A client may have 20 connections, and one more for each minute."""

    def setUp(self):
        super().setUp()
        self.since = time.monotonic()

    def most(self):
        return BURST + 1 + int((time.monotonic() - self.since) / 60)

    def count(self, sources, address):
        return sum(self.connects(source, address) for source in sources)

    def in_bounds(self, count):
        self.assertGreaterEqual(count, BURST)
        self.assertLessEqual(count, self.most())

    def test_one_ipv6_network(self):
        self.in_bounds(self.count(
            ["2001:db8:1:2:%x::1" % n for n in range(2 * BURST)], TARPIT6))
        self.assertTrue(self.connects(STRANGER[6], TARPIT6))

    def test_one_ipv4_address(self):
        self.in_bounds(self.count(2 * BURST * [GUEST[4]], TARPIT4))
        self.assertTrue(self.connects(NEIGHBOUR[4], TARPIT4))


class Loading(Rules):
    family = 6

    def test_again_keeps_who_came(self):
        self.came()
        before = run("nft", "-s", "list", "ruleset")
        run("nft", "-f", INSTALLED)
        self.assertFalse(self.held(GUEST))
        self.assertEqual(
            len(run("nft", "-s", "list", "ruleset").splitlines()),
            len(before.splitlines()))

    def test_with_all_rules_of_the_machine(self):
        """The file says that its include goes at the end of nftables.conf."""
        with open(RULES) as file:
            include, = [line.split("with:")[1].strip() for line in file
                        if "include " in line]
        with open("/etc/nftables.conf", "w") as file:
            file.write(FIREWALL + include + "\n")
        for _ in range(2):
            run("nft", "-f", "/etc/nftables.conf")
            self.assertIn("chain input", run("nft", "list", "ruleset"))
        self.came()
        self.assertFalse(self.held(GUEST))
        self.assertTrue(self.held(STRANGER))

    def test_several_addresses(self):
        self.load_changed("{ 192.0.2.10 }", "{ 192.0.2.10, 192.0.2.11 }",
                          "{ 2001:db8::25 }",
                          "{ 2001:db8::25, 2001:db8::26 }")
        self.came()
        self.assertFalse(self.held(GUEST))

    def test_nothing_tracks_connections(self):
        path = "/proc/sys/net/netfilter/nf_conntrack_count"
        if not os.path.exists(path):
            self.skipTest("no connection tracking in this kernel")
        with open(path) as file:
            before = int(file.read())   # the translation test left some
        for number in range(1, 9):
            self.came(STRANGER)
            self.held({6: "2001:db8:1:4::%x" % number})
        with open(path) as file:
            self.assertLessEqual(int(file.read()), before)


if __name__ == "__main__":
    unittest.main()
