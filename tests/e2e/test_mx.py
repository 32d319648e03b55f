# SPDX-License-Identifier: GPL-2.0-or-later
"""tarpit-mx with a real name server, and with each rule broken once."""

import errno
import os
import re
import shutil
import subprocess
import unittest

from tests.lib import TOP, mx, postfix
from tests.lib.mailers import Dns, add_address, write
from tests.lib.mx import Full, NameServer, Service, look, sections
from tests.lib.process import wait_for
from tests.lib.sandbox import needs_root
from tests.lib.tarpit import BUILD

MAIL, MAIL6 = "203.0.113.10", "2001:db8::10"
TARPIT, TARPIT6 = "203.0.113.25", "2001:db8::25"
NOT_HERE, NOT_HERE6 = "198.51.100.1", "2001:db8:1::1"
UNREACHABLE, PROHIBITED = "198.51.100.2", "198.51.100.3"

# What listens on port 25 of each address.
SERVICES = {
    MAIL: mx.mail(),
    MAIL6: mx.mail(),
    TARPIT: mx.tarpit("-n", "tarpit.example.org"),
    TARPIT6: mx.tarpit("-n", "tarpit.example.org"),
    "203.0.113.31": mx.says(),
    "203.0.113.32": mx.closes,
    "203.0.113.33": mx.says(b"SSH-2.0-OpenSSH_9.2p1\r\n"),
    "203.0.113.34": mx.mail(b"554 mail.example.org go away\r\n"),
    "203.0.113.35": mx.says(b"220 mail.example.org\r\n"),
    "203.0.113.36": mx.cuts_off,
    "203.0.113.37": mx.mail(reply=b"250-mail.example.org SIZE\r\n"),
    "203.0.113.38": mx.tarpit("-n", "localhost"),
    "203.0.113.39": mx.tarpit("-n", "nowhere.example.org"),
    "203.0.113.40": mx.tarpit("-n", "[203.0.113.40]"),
    "203.0.113.41": mx.mail(b"220 \x1b[31m\r\n", b"25"),
    "203.0.113.42": mx.mail(b"220-mail.example.org\r\n220 ESMTP\r\n",
                            b"502 what?\r\n"),
    "203.0.113.43": mx.floods,
    "203.0.113.44": mx.by_bytes,
    "203.0.113.45": mx.mail(b"220\r\n", b"25"),
    "203.0.113.46": mx.resets,
    "203.0.113.47": mx.mail(b"220 " + 300 * b"x" + b"\r\n", b"25"),
    "203.0.113.48": mx.says(b"220?\r\n"),
    "203.0.113.49": mx.mail(b"220-a.example\r\n220-b.example\r\n220 \r\n",
                            goodbye=100000 * b"2"),
    "203.0.113.50": mx.tarpit("-n", "broken.example"),
}
FULL = "203.0.113.30"
CLOSED = "203.0.113.29"

HOSTS = {
    "mail.example.org": [MAIL, MAIL6],
    "tarpit.example.org": [TARPIT, TARPIT6],
    "tarpit4.example.org": [TARPIT],
    "closed.example.org": [CLOSED],
    "full.example.org": [FULL],
}
HOSTS.update(("h%s.example.org" % address.split(".")[3], [address])
             for address in SERVICES if address > "203.0.113.3")
NO_HOSTS = {
    "far.example.org": NOT_HERE + "," + NOT_HERE6,
    "unreachable.example.org": UNREACHABLE,
    "prohibited.example.org": PROHIBITED,
    "private.example.org": "10.1.2.3",
    "loopback.example.org": "127.0.0.1,::1",
}
OPTIONS = ["--host-record=%s,%s" % pair for pair in NO_HOSTS.items()] + [
    "--cname=alias.example.org,tarpit.example.org",
    "--dns-rr=null.example,15,000000",
    "--dns-rr=nulls.example,15,000000",
    "--host-record=own.example," + MAIL,
    "--txt-record=bare.example,nothing",
    "--server=/broken.example/127.0.0.2",
]
# An option of dnsmasq takes only one address of each family.
OPTIONS += ["--host-record=%s.example.org,%s" % pair for pair in [
    ("half", TARPIT), ("half", CLOSED), ("both", MAIL), ("both", TARPIT)]]
OPTIONS += ["--host-record=many.example.org,198.51.100.%d" % number
            for number in range(100, 120)]
OPTIONS += ["--mx-host=long.example,long-name-of-a-host-%d.example.org,%d"
            % (number, number) for number in range(40)]


def mx_of(last, first="mail.example.org"):
    return [(10, first), (90, last)]


DOMAINS = {
    "good.example": mx_of("tarpit.example.org"),
    "only.example": [(10, "tarpit.example.org")],
    "lowest.example": [(10, "tarpit.example.org"), (20, "mail.example.org")],
    "equal.example": [(10, "tarpit.example.org"), (10, "mail.example.org")],
    "after.example": [(10, "mail.example.org"), (20, "tarpit.example.org"),
                      (30, "h42.example.org")],
    "shared.example": mx_of("both.example.org"),
    "alias.example": mx_of("alias.example.org"),
    "nowhere.example": mx_of("nowhere.example.org"),
    "half.example": mx_of("half.example.org"),
    "down.example": mx_of("closed.example.org"),
    "full.example": mx_of("full.example.org"),
    "alone.example": [(10, "full.example.org")],
    "far.example": mx_of("far.example.org"),
    "first-down.example": mx_of("tarpit.example.org", "closed.example.org"),
    "private.example": mx_of("private.example.org"),
    "nulls.example": mx_of("tarpit.example.org"),
    "many.example": mx_of("many.example.org"),
    "broken-host.example": mx_of("broken.example"),
    "unreachable.example": mx_of("unreachable.example.org"),
    "prohibited.example": mx_of("prohibited.example.org"),
}
DOMAINS.update(("d%s.example" % address.split(".")[3],
                mx_of("h%s.example.org" % address.split(".")[3]))
               for address in SERVICES if address > "203.0.113.3")
OTHERS = ["null.example", "own.example", "bare.example", "broken.example",
          "long.example", "missing.example"]


def setUpModule():
    for route in "unreachable " + UNREACHABLE, "prohibit " + PROHIBITED:
        subprocess.run(["ip", "route", "add", *route.split()], check=True)
    dns = Dns(DOMAINS, HOSTS, OPTIONS)
    unittest.addModuleCleanup(dns.stop)
    with open("/etc/resolv.conf", "a") as resolv_conf:
        resolv_conf.write("options timeout:1 attempts:1\n")


class WithServices(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.services = {}
        for address in SERVICES:
            add_address(address)
            cls.services[address] = Service(address, SERVICES[address])
            cls.addClassCleanup(cls.services[address].close)


class Findings(WithServices):
    """One run for all domains, since each probe takes seconds."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(Full(FULL).close)
        cls.status, output, cls.errors = look(*DOMAINS, *OTHERS)
        cls.found = sections(output)
        cls.output = output

    def says(self, domain, *parts):
        """The domain has these findings, and no others except good ones."""
        lines = [line for line in self.found[domain + ".example"]
                 if not line.startswith((" ", "ok: "))]
        for part in parts:
            self.assertTrue([line for line in lines if part in line],
                            "not %s\nbut %s" % (part, lines))
        self.assertEqual(len(lines), len(parts), lines)

    def seen(self, domain, *what):
        lines = [re.sub(r"\d+\.\d s", "N s", line)
                 for line in self.found[domain + ".example"]
                 if line.startswith(" ")]
        for part in what:
            self.assertTrue([line for line in lines if line.endswith(part)],
                            lines)

    def test_all_well(self):
        self.says("good")
        self.seen("good",
                  "10  mail.example.org    203.0.113.10  mail server, "
                  "greeting in N s",
                  "10  mail.example.org    2001:db8::10  mail server, "
                  "greeting in N s")
        for line in self.found["good.example"][2:4]:
            self.assertRegex(
                line, r"^     90  tarpit\.example\.org  [0-9a-f.:]+  tarpit, "
                r"greeting in \d+\.\d s, first byte after \d+\.\d s$")
        self.assertEqual(
            self.found["good.example"][4:],
            ["ok: genuine mail tries mail.example.org first; the tarpit is "
             "last, and 2 addresses x 1800 s are below Postfix's 18,000 s"])

    def test_order(self):
        self.says("only", "has no mail server but tarpit.example.org")
        self.says("lowest", "has a lower number (10) than every mail server")
        self.says("equal", "has the same number as mail.example.org (10)")
        self.says("after", "h42.example.org (30) comes after tarpit.example."
                  "org, the tarpit (20)")
        for name in "only", "lowest", "equal", "after":
            self.assertNotIn("\nok: ", "\n".join(self.found[
                name + ".example"]))

    def test_addresses(self):
        self.says("shared", "203.0.113.10 is an address of both.example.org, "
                  "the tarpit, and of mail.example.org",
                  "203.0.113.10, an address of both.example.org, is answered "
                  "by a mail server")
        self.says("alias", "alias.example.org is an alias (CNAME)")
        self.says("nowhere", "nowhere.example.org has no address, and the "
                  "DNS has no such name", "no host of nowhere.example")
        self.says("private", "10.1.2.3, an address of private.example.org, "
                  "is private", "has no route to it", "no host of private")
        self.says("many", "more than 16 addresses",
                  *16 * ["has no route to it"], "no host of many.example")

    def test_port(self):
        self.says("half", "203.0.113.29, an address of half.example.org, "
                  "refuses connections: tarpit.socket is not started")
        self.says("down", "refuses connections: genuine mail goes on",
                  "no host of down.example answers as a tarpit does; name")
        self.says("first-down", "refuses connections: genuine mail goes on")
        self.says("full", "does not answer on port 25", "no host of full")
        self.says("unreachable", "cannot be reached", "no host of unreach")

    def test_what_cannot_be_found_out(self):
        self.says("alone", "unknown: no address answers on port 25",
                  "unknown: no host of alone.example")
        self.says("far", "unknown: 198.51.100.1, an address of far.example."
                  "org, could not be asked: this machine has no route",
                  "unknown: 2001:db8:1::1, an address of",
                  "unknown: no host of far.example")
        self.says("prohibited", "unknown: 198.51.100.3, an address of "
                  "prohibited.example.org, could not be asked: this machine "
                  "has no socket", "unknown: no host of prohibited.example")
        self.says("broken", "unknown: the DNS gives no answer for the MX")
        self.says("broken-host", "unknown: the DNS gives no answer for the "
                  "addresses of broken.example", "unknown: no host of")

    def test_what_else_listens(self):
        for number, seen in (
                (31, "does not greet"), (32, "closes without a greeting"),
                (33, "is no mail server"), (34, "turns clients away"),
                (35, "does not answer EHLO"), (36, "closes at EHLO"),
                (37, "stops in its reply"),
                (43, "is no mail server"), (44, "does not greet"),
                (46, "closes without a greeting"),
                (48, "is no mail server")):
            with self.subTest(number=number):
                name = "d%d" % number
                self.seen(name, seen)
                self.says(name, "203.0.113.%d, an address of" % number,
                          "no host of " + name)
        for name in "d42", "d49":
            self.says(name, "wrong: no host of " + name)
            self.seen(name, "mail server, greeting in N s")

    def test_greeting(self):
        self.says("d38", "h38.example.org greets as localhost")
        self.says("d39", "greets as nowhere.example.org, which has no addr")
        self.says("d40")
        for number in 41, 45, 47:
            self.says("d%d" % number, "greets without a host name")
        self.says("d50", "unknown: h50.example.org greets as broken.example")

    def test_mx(self):
        self.says("null", "null.example says that it takes no mail at all")
        self.says("nulls", "nulls.example has a null MX (RFC 7505) beside")
        self.says("own", "own.example has no MX record, so its mail goes to "
                  "its own address")
        self.seen("own", "0  own.example  203.0.113.10  mail server, greeting"
                  " in N s")
        self.says("bare", "bare.example has no MX record", "has no address "
                  "either")
        self.says("missing", "the DNS has no such name as missing.example")
        # These records do not fit into one packet.
        self.says("long", "long.example has more than 32 MX records",
                  *32 * ["has no address, and the DNS has no such name"],
                  "no host of long.example")

    def test_status_and_characters(self):
        self.assertEqual((self.status, self.errors), (1, ""))
        self.assertRegex(self.output, r"\A[ -~\n]*\Z")

    def test_says_ehlo_and_quit_and_nothing_else(self):
        for address, literal in (
                (MAIL, b"[203.0.113.10]"), (MAIL6, b"[IPv6:2001:db8::10]")):
            self.assertEqual(
                self.services[address].heard,
                [b"EHLO " + literal + b"\r\nQUIT\r\n"])
        for address, service in self.services.items():
            for heard in service.heard:
                self.assertRegex(
                    heard, rb"\A(EHLO \[[^]]*\]\r\n)?(QUIT\r\n)?\Z", address)


class Runs(WithServices):
    """A run for each set of arguments."""

    def test_all_well(self):
        status, output, errors = look("good.example.")
        self.assertEqual((status, errors), (0, ""), output)
        self.assertTrue(output.startswith("good.example\n"))

    def test_cap(self):
        status, output, _ = look(
            "-c", "9000", "good.example")
        self.assertEqual(status, 1)
        self.assertIn("wrong: 2 addresses of tarpits x 9000 s are not below "
                      "18,000 s", output)
        self.assertIn("below 9000 s\n", output)

    def test_one_family(self):
        for option, status in ("-4", 0), ("-6", 0):
            done = look(option, "good.example")
            self.assertEqual(done[0], status, done)
            self.assertEqual(done[1].count(" not asked\n"), 2)
            self.assertIn("2 addresses x 1800 s", done[1])

    @needs_root
    def test_ordinary_user(self):
        program = shutil.copy(mx.MX, "/run/tarpit-mx")
        done = subprocess.run(
            ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
             program, "good.example"], capture_output=True, timeout=300)
        self.assertEqual((done.returncode, done.stderr), (0, b""), done)

    def test_unknown(self):
        self.assertEqual(look("broken.example")[0], 2)

    def test_named(self):
        """With -t, the report says what is wrong with the host of that name."""
        for name, said in (
                ("closed", "tarpit.socket is not started, or bound to"),
                ("h31", "that is no tarpit, or its machine is overloaded"),
                ("h42", "is answered by a mail server, so nobody is held")):
            domain = "d%s.example" % name[1:]
            if name == "closed":
                domain = "down.example"
            status, output, _ = look("-t", name + ".example.org.", domain)
            self.assertEqual(status, 1)
            self.assertIn(said, output)
            self.assertNotIn("no host of", output)
        status, output, _ = look("-t", "elsewhere.example.org",
                                 "first-down.example")
        self.assertEqual(status, 1)
        self.assertIn("wrong: elsewhere.example.org is named with -t, but no "
                      "MX record of first-down.example leads to it", output)

    def test_only_on_loopback(self):
        service = Service("127.0.0.1", mx.tarpit())
        self.addCleanup(service.close)
        _, output, _ = look("down.example")
        self.assertIn("wrong: a tarpit listens on this machine, but on its "
                      "loopback address only", output)
        _, output, _ = look("-t", "closed.example.org", "down.example")
        self.assertIn("refuses connections, and a tarpit listens on this "
                      "machine's loopback address only", output)

    @needs_root
    def test_postfix(self):
        self.services[MAIL].close()
        self.addCleanup(self.services[MAIL].open_again)
        with postfix.Instance(
                "inet_interfaces = %s\nlocal_recipient_maps =\n" % MAIL,
                "%s:25 inet n - n - - smtpd\nanvil unix - - n - 1 anvil\n"
                % MAIL):
            status, output, _ = look("-4", "good.example")
        self.assertEqual(status, 0, output)
        self.assertRegex(output, MAIL + r"  mail server, greeting in")


class BehindTheRules(WithServices):
    """With the rules of units/nftables, which refuse whoever has been to the
    mail server.
    """

    def setUp(self):
        with open(os.path.join(TOP, "units/nftables/tarpit.nft")) as file:
            rules = file.read()
        for theirs, ours in ("192.0.2.10", MAIL), ("192.0.2.25", TARPIT):
            self.assertIn(theirs, rules)
            rules = rules.replace(theirs, ours)
        for address in MAIL6, TARPIT6:
            self.assertIn(address, rules)
        self.rules = rules
        self.load(rules)

    def load(self, rules):
        if subprocess.run(["nft", "-f", "-"], input=rules, text=True,
                          capture_output=True).returncode != 0:
            self.skipTest("no nftables in this kernel, or in a namespace")
        self.addCleanup(subprocess.run, ["nft", "flush", "ruleset"])

    def test_again_and_again_on_the_machine_of_both(self):
        for _ in range(2):
            status, output, _ = look("good.example")
            self.assertEqual(status, 0, output)

    def test_asks_the_tarpit_first(self):
        """A second run is refused, since the first has been to the mail server,
        and says that this may be why.
        """
        for family in "", "6":
            here = " ip%s saddr != $primary%s" % (family, family or "4")
            self.assertIn(here, self.rules)
            self.rules = self.rules.replace(here, "")
        self.load(self.rules)
        status, output, _ = look("good.example")
        self.assertEqual(status, 0, output)
        status, output, _ = look("-t", "tarpit.example.org", "good.example")
        self.assertEqual(status, 1)
        self.assertEqual(output.count(
            "or nftables' rule refuses this machine, which has been to the "
            "mail server before"), 2, output)


class FailingCalls(WithServices):
    """A system call fails: see ../doubles/failing.c."""

    @staticmethod
    def look(call, error, after, *args):
        return look(*args, program=os.path.join(BUILD, "tarpit-mx-failing"),
                    env={"FAIL": call, "ERRNO": str(error),
                         "AFTER": str(after), "MORE": "0"})

    def test_no_memory(self):
        for after in range(3):
            status, output, errors = self.look(
                "calloc", errno.ENOMEM, after, "own.example")
            self.assertEqual((status, output), (2, ""))
            self.assertRegex(errors, r"\Atarpit-mx\S*: .*: Cannot allocate "
                             r"memory\n\Z")

    def test_poll(self):
        status, output, errors = self.look(
            "poll", errno.EIO, 0, "own.example")
        self.assertEqual((status, output), (2, ""))
        self.assertIn("poll: ", errors)
        self.seen("poll", errno.EINTR, 0, "mail server, greeting")

    def seen(self, call, error, after, *said):
        """Check a domain whose host is a mail server."""
        _, output, errors = self.look(call, error, after, "own.example")
        self.assertEqual(errors, "")
        for part in said:
            self.assertIn(part, output)

    def test_socket(self):
        """The first socket is for finding out this machine's own addresses."""
        self.seen("socket", errno.EMFILE, 0, "mail server, greeting")
        self.seen("socket", errno.EMFILE, 1, "203.0.113.10  not asked",
                  "unknown: 203.0.113.10, an address of own.example, could "
                  "not be asked")

    def test_connection(self):
        self.seen("getsockopt", errno.EIO, 0, " not asked")
        self.seen("getsockopt", errno.ETIMEDOUT, 0, " does not answer")
        self.seen("getsockopt", errno.EADDRNOTAVAIL, 0, " no route from here")
        self.seen("send", errno.EPIPE, 0, " closes at EHLO")
        self.seen("send", errno.EPIPE, 1, "mail server, greeting")
        self.seen("recv", errno.EAGAIN, 0, "mail server, greeting")
        self.seen("recv", errno.EINTR, 0, "mail server, greeting")
        self.seen("recv", errno.EIO, 0, " closes without a greeting")
        heard = self.services[MAIL].heard
        del heard[:]
        self.seen("getsockname", errno.ENOBUFS, 0, "mail server, greeting")
        self.assertTrue(wait_for(lambda: heard))
        self.assertEqual(heard, [b"EHLO [IPv6:::1]\r\nQUIT\r\n"])


class HostileDns(unittest.TestCase):
    """A name server that may answer anything."""

    ANSWERS = {
        "servfail.example": NameServer.answer(status=2),
        "refused.example": NameServer.answer(status=5),
        "loop.example": NameServer.answer(
            (NameServer.OWNER, NameServer.CNAME, NameServer.OWNER)),
        "bad.example": NameServer.answer(
            (NameServer.OWNER, NameServer.MX, b"\0\1\xff\xff")),
        "dangling.example": NameServer.answer(
            (NameServer.OWNER, NameServer.CNAME, b"\1x" + NameServer.OWNER)),
        "control.example": NameServer.answer(
            (NameServer.OWNER, NameServer.MX,
             b"\0\1\x0a\x1b[31m\r\n\0\xff\xe2\0"),
            (NameServer.OWNER, NameServer.MX, b"\0\2\4loop"
             b"\7example\0"),
            (NameServer.OWNER, NameServer.MX, b"\0\3\5short"
             b"\7example\0")),
        "short.example": NameServer.answer((NameServer.OWNER, 1, b"abc")),
        "cut.example": lambda query: query[:2] + b"\x81\x80",
    }

    def test_each_is_said(self):
        with open("/etc/resolv.conf") as resolv_conf:
            self.addCleanup(write, "/etc/resolv.conf", resolv_conf.read())
        write("/etc/resolv.conf", "nameserver %s\noptions timeout:1 "
              "attempts:1\n" % NameServer.ADDRESS)
        server = NameServer(self.ANSWERS)
        self.addCleanup(server.close)
        status, output, _ = look(*self.ANSWERS, "silent.example")
        self.assertEqual(status, 1)
        self.assertRegex(output, r"\A[ -~\n]*\Z")
        found = sections(output)
        for name, said in (
                ("servfail", "unknown: the DNS gives no answer"),
                ("refused", "unknown: the DNS gives no answer"),
                ("silent", "unknown: the DNS gives no answer"),
                ("cut", "unknown: the DNS gives no answer"),
                ("loop", "wrong: loop.example is an alias (CNAME) that leads "
                 "in a circle"),
                ("bad", "unknown: the DNS's answer for the MX records of "
                 "bad.example is malformed")):
            self.assertEqual(len(found[name + ".example"]), 1, found)
            self.assertIn(said, found[name + ".example"][0])
        self.assertIn("has no MX record", found["dangling.example"][1])
        control = "\n".join(found["control.example"])
        self.assertIn("\\027[31m\\013\\010\\000\\255\\226", control)
        self.assertIn("wrong: loop.example is an alias (CNAME) that leads in "
                      "a circle, so nobody finds it", control)
        self.assertIn("unknown: the DNS's answer for the addresses of "
                      "short.example is malformed", control)


class Arguments(unittest.TestCase):
    def refused(self, said, *args):
        status, output, errors = look(*args)
        self.assertEqual((status, output), (64, ""))
        self.assertIn(said, errors)

    def test_bad(self):
        self.refused("usage: tarpit-mx ")
        self.refused("usage: tarpit-mx ", "-x")
        self.refused("-c 0: too small (1 to 86400)", "-c", "0", "a.example")
        self.refused("not a domain name: ", "")
        self.refused("not a domain name: ", ".")
        self.refused("not a domain name: ", "a..example")
        self.refused("not a domain name: -a.example", "--", "-a.example")
        self.refused("not a domain name: a_-", "a_-")
        self.refused("not a domain name: a b", "a b")
        self.refused("not a domain name: ", 64 * "a")
        self.refused("not a domain name: ", 127 * "a." + "a")
        self.refused("not an ASCII name", "m\u00fcnchen.example")

    def test_version(self):
        self.assertRegex(look("-V")[1], r"\Atarpit-mx \d+\.\d+\n\Z")

    def test_output_that_cannot_be_written(self):
        for args in ["-V"], ["broken.example"]:
            with open("/dev/full", "w") as full:
                done = subprocess.run(
                    [mx.MX, *args], stdout=full, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"standard output: No space", done.stderr)


if __name__ == "__main__":
    unittest.main()
