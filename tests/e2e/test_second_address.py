# SPDX-License-Identifier: GPL-2.0-or-later
"""A second address beside that of a mail server, as README.md and OPERATING.md
say: outgoing mail stays on the first, and Postfix and tarpit share port 25.
"""

import json
import re
import unittest

from tests.lib import postfix
from tests.lib.process import run, wait_for
from tests.lib.sandbox import needs_root

FIRST, SECOND = "2001:db8:1:2::10", "2001:db8:1:2::25"
ELSEWHERE = "2001:db8:1:2::25:1"       # more like the second than the first
SMTPD = "smtp inet n - n - - smtpd\n"


def listeners():
    """The addresses on which a program listens on port 25."""
    return set(re.findall(r"\[?([0-9a-f.:]+)\]?:25\s",
                          run("ss", "-Hltn", "sport", "=", ":25")))


class SecondAddress(unittest.TestCase):
    def setUp(self):
        run("ip", "link", "add", "eth0", "type", "veth", "peer", "eth1")
        self.addCleanup(run, "ip", "link", "del", "eth0")
        for link in "eth0", "eth1":
            run("ip", "link", "set", link, "up")
        self.add(FIRST)

    @staticmethod
    def add(address, *lifetime):
        run("ip", "-6", "addr", "add", address + "/64", "dev", "eth0",
            *lifetime, "nodad")

    @staticmethod
    def source():
        """The source address of a connection to another network."""
        return json.loads(run("ip", "-6", "-j", "route", "get",
                              ELSEWHERE))[0]["prefsrc"]

    def test_is_the_source_of_outgoing_mail(self):
        self.add(SECOND)
        self.assertEqual(self.source(), SECOND)

    def test_is_not_with_preferred_lft_0(self):
        self.add(SECOND, "preferred_lft", "0")
        self.assertEqual(self.source(), FIRST)

    @needs_root
    def test_postfix_wants_a_restart(self):
        main = "inet_protocols = all\ninet_interfaces = %s\n"
        self.add(SECOND, "preferred_lft", "0")
        with postfix.Instance(main % "all", SMTPD) as server:
            self.assertTrue(wait_for(lambda: "::" in listeners() or
                                     "*" in listeners(), 60), listeners())
            run("postconf", "-c", server.config, "-e",
                "inet_interfaces = 127.0.0.1, " + FIRST)
            server.run("postfix", "-c", server.config, "reload")
            self.assertTrue(wait_for(lambda: "inet_interfaces" in server.log(),
                                     60), server.log())
            self.assertTrue(listeners() & {"::", "*"})
            server.run("postfix", "-c", server.config, "stop")
            server.run("postfix", "-c", server.config, "start")
            self.assertTrue(wait_for(
                lambda: listeners() == {"127.0.0.1", FIRST}, 60),
                listeners())


if __name__ == "__main__":
    unittest.main()
