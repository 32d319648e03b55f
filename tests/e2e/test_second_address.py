# SPDX-License-Identifier: GPL-2.0-or-later
"""A second address beside that of a mail server, as README.md and OPERATING.md
say: outgoing mail stays on the first, and Postfix and tarpit share port 25.
"""

import json
import os
import re
import unittest

from tests.lib import TOP, postfix
from tests.lib.files import read, write
from tests.lib.process import run, wait_for
from tests.lib.sandbox import needs_root

FIRST, SECOND = "2001:db8:1:2::10", "2001:db8:1:2::25"
ELSEWHERE = "2001:db8:1:2::25:1"       # more like the second than the first
SMTPD = "smtp inet n - n - - smtpd\n"


def command(program):
    """How README.md calls this program."""
    return re.search(r"^    (%s .*)$" % program,
                     read(os.path.join(TOP, "README.md")), re.M)[1]


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
        write("/proc/sys/net/ipv6/conf/eth0/accept_dad", "0")
        run("ip", "addr", "add", "192.0.2.10/24", "dev", "eth0")
        self.add(FIRST)

    @staticmethod
    def add(address):
        run("ip", "-6", "addr", "add", address + "/64", "dev", "eth0")

    @staticmethod
    def source():
        """The source address of a connection to another network."""
        return json.loads(run("ip", "-6", "-j", "route", "get",
                              ELSEWHERE))[0]["prefsrc"]

    def test_is_the_source_of_outgoing_mail(self):
        self.add(SECOND)
        self.assertEqual(self.source(), SECOND)

    def test_is_not_as_readme_adds_it(self):
        run("sh", "-c", command("ip"))
        self.assertIn(SECOND, run("ip", "-6", "addr", "show", "dev", "eth0"))
        self.assertEqual(self.source(), FIRST)

    @needs_root
    def test_postfix_wants_a_restart(self):
        main = "inet_protocols = all\ninet_interfaces = %s\n"
        run("sh", "-c", command("ip"))
        with postfix.Instance(main % "all", SMTPD) as server:
            self.assertTrue(wait_for(lambda: "::" in listeners() or
                                     "*" in listeners(), 60), listeners())
            run("sh", "-c", "MAIL_CONFIG=%s %s" % (
                server.config, command("postconf")))
            server.run("postfix", "-c", server.config, "reload")
            self.assertTrue(wait_for(lambda: "inet_interfaces" in server.log(),
                                     60), server.log())
            self.assertTrue(listeners() & {"::", "*"})
            server.run("postfix", "-c", server.config, "stop")
            server.run("postfix", "-c", server.config, "start")
            self.assertTrue(wait_for(
                lambda: listeners() == {"127.0.0.1", "192.0.2.10", FIRST}, 60),
                listeners())


if __name__ == "__main__":
    unittest.main()
