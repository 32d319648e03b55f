# SPDX-License-Identifier: GPL-2.0-or-later
"""A primary that is up and says "later": what that costs genuine mail, with
the nftables rule and without.

See test_mail.py for the time, which is compressed.  An attempt is a session
of the primary in which a message got as far as the answer in question.
"""

import os
import signal
import socket
import time
import unittest

from tests.lib import mailers
from tests.lib.moment import SLACK
from tests.lib.process import wait_for
from tests.mail.lab import Log, Tarpit, Wire
from tests.mail.primary import DATA, GREETING, NEVER, RCPT, Primary
from tests.mail.rules import Rules
from tests.mail.test_mail import setUpModule    # noqa: F401 for unittest
from tests.mail.test_mail import (CAP, LONG, MAIL, PATIENCE, RETRY, SENDER,
                                  SPEED, TARPIT, TARPIT6, Lab)

MAIL6 = "2001:db8::10"
HOSTS = {
    "mail.example": [MAIL],
    "mail6.example": [MAIL6],
    "mail46.example": [MAIL, MAIL6],
    "mail.sender.example": [SENDER],
    "tarpit.example": [TARPIT],
    "tarpit6.example": [TARPIT6],
    "tarpits.example": [TARPIT, TARPIT6],
}
MX = {
    "alone.example": [(10, "mail.example")],
    "last.example": [(10, "mail.example"), (90, "tarpit.example")],
    "last2.example": [(10, "mail.example"), (90, "tarpits.example")],
    "last6.example": [(10, "mail6.example"), (90, "tarpit6.example")],
    "last46.example": [(10, "mail46.example"), (90, "tarpits.example")],
    "only6.example": [(10, "mail46.example"), (90, "tarpit6.example")],
    "first.example": [(10, "tarpit.example"), (20, "mail.example")],
    "sender.example": [(10, "mail.sender.example")],
}


class World(Lab):
    """A primary and a home that can say "later"."""

    @classmethod
    def setUpClass(cls):
        cls.figures = []
        for name, context in (("dns", mailers.Dns(MX, HOSTS)),
                              ("primary", Primary(MAIL, MAIL6)),
                              ("home", Primary(SENDER))):
            cls.addClassCleanup(context.__exit__, None, None, None)
            setattr(cls, name, context)

    def setUp(self):
        self.primary.refuse(NEVER)
        super().setUp()


class Later(World):
    """What must be true of each server that sends.

    waits: whether it goes on to the tarpit then, and waits there.
    """

    waits = True

    def deliver(self, domain, later):
        """One message; the attempts that it takes."""
        self.primary.refuse(later)
        begun, start = len(self.log.holds), time.monotonic()
        self.send(domain)
        self.arrive(*self.messages)
        seconds = time.monotonic() - start
        self.assertTrue(wait_for(lambda: not self.server.queue(), LONG))
        # Nothing is held any longer, or it is another message's.
        self.assertTrue(wait_for(lambda: not self.tarpit.live(), LONG))
        self.log.catch_up()
        held = self.log.holds[begun:]
        for hold in held:
            self.assertLess(hold.length, self.cap + SLACK)
        return self.primary.attempts, seconds, held

    def report(self, later, how, seconds, held):
        self.figure("%s, %s: %s; delivered after" % (
            later, how, "held " + " and ".join(
                "%.1f" % hold.length for hold in held) if held else
            "not held"), seconds)

    def compare(self, later):
        """Without a tarpit, with the rule, and without."""
        self.start()
        alone, seconds, held = self.deliver("alone.example", later)
        self.report(later, "no tarpit", seconds, held)
        with Rules([MAIL, MAIL6], [TARPIT, TARPIT6]):
            attempts, seconds, held = self.deliver("last.example", later)
        self.report(later, "rule", seconds, held)
        self.assertEqual(held, [])
        self.wire.catch_up()
        self.assertEqual(self.wire.told(TARPIT), [])
        self.assertLessEqual(attempts, alone + 1)
        _, seconds, held = self.deliver("last.example", later)
        self.report(later, "no rule", seconds, held)
        self.assertTrue(held or not self.waits)
        self.nothing_is_lost()

    def test_1_at_the_greeting(self):
        self.compare(GREETING)

    def test_1_to_rcpt(self):
        self.compare(RCPT)

    def test_1_after_data(self):
        self.compare(DATA)

    def test_1_two_addresses_and_no_rule(self):
        self.start()
        _, seconds, held = self.deliver("last2.example", RCPT)
        self.report(RCPT, "no rule, two addresses", seconds, held)
        self.nothing_is_lost()

    def with_rule(self):
        self.start()
        return self.enter(Rules([MAIL, MAIL6], [TARPIT, TARPIT6]))

    def never_held(self):
        self.nothing_is_lost()
        self.log.catch_up()
        self.assertEqual(self.log.holds, [])
        self.assertEqual(self.tarpit.live(), [])
        self.assertEqual(self.wire.told(TARPIT, TARPIT6), [])

    def test_2_stopped_while_its_machine_is_up(self):
        rules = self.with_rule()
        self.primary.stop()
        self.send("last.example")
        self.assertTrue(wait_for(lambda: rules.resets() > 0, LONG),
                        self.server.log())
        self.all_wait()
        self.primary.start()
        self.figure("its program stopped, rule; from its return to delivery",
                    self.arrive(*self.messages))
        self.never_held()

    def test_3_over_ipv6(self):
        self.with_rule()
        self.deliver("last6.example", RCPT)
        self.never_held()

    def test_3_primary_with_both_and_tarpit_with_ipv6(self):
        self.with_rule()
        self.deliver("only6.example", RCPT)
        self.never_held()

    def test_3_over_both(self):
        self.with_rule()
        self.deliver("last46.example", RCPT)
        self.never_held()

    def test_4_straight_to_the_tarpit_is_held(self):
        self.with_rule()
        self.send("first.example")
        self.held()
        self.arrive(*self.messages)
        self.nothing_is_lost()


class PostfixLater(Later, unittest.TestCase):
    def sender(self, **settings):
        return mailers.Postfix(timeout=LONG, retry=RETRY, **settings)

    def test_3_a_tarpit_with_a_family_that_the_primary_has_not(self):
        """Nobody can have come to the primary over IPv6."""
        self.with_rule()
        _, _, held = self.deliver("last2.example", RCPT)
        self.assertEqual([hold.ip for hold in held], [mailers.ADDRESS6])


class EximLater(Later, unittest.TestCase):
    cap = 2 * PATIENCE

    def sender(self, **settings):
        return mailers.Exim(timeout=PATIENCE, retry=RETRY, **settings)


class OpenSmtpdLater(Later, unittest.TestCase):
    waits = False
    cap = 8
    speed = SPEED

    def sender(self, **settings):
        return mailers.OpenSmtpd(speed=SPEED, **settings)


class OneFamily(Later):
    """Comes to a primary with both families over IPv6 only, so that it is a
    stranger over IPv4.
    """

    def test_3_over_both(self):
        self.with_rule()
        _, _, held = self.deliver("last46.example", RCPT)
        self.assertEqual([":" in hold.ip for hold in held], [False])
        self.nothing_is_lost()


class SendmailLater(OneFamily, unittest.TestCase):
    cap = 2 * PATIENCE

    def sender(self, **settings):
        return mailers.Sendmail(timeout=PATIENCE, retry=RETRY, **settings)

    def test_5_a_persistent_queue_runner_sends_nothing_else(self):
        self.start(runner="-qp%ds", mode="q")
        self.send("first.example")
        self.being_held()
        self.send("alone.example")
        self.arrive(*self.messages)
        self.held()
        self.log.catch_up()
        self.assertEqual(len(self.log.holds), 1)
        self.nothing_is_lost()
        last = self.messages[-1]
        self.assertGreater(self.primary.taken_at(last.recipient),
                           self.log.holds[0].disconnected)


class DmaLater(Later, unittest.TestCase):
    cap = 8
    speed = SPEED

    def sender(self, **settings):
        return mailers.Dma(speed=SPEED, retry=RETRY, **settings)

    def test_4_straight_to_the_tarpit_is_held(self):
        """And while the tarpit is there, it tries no host after it."""
        self.with_rule()
        self.send("first.example")
        self.held(2)
        self.assertEqual(self.copies(self.messages[0]), 0)
        self.tarpit.stop()
        self.arrive(*self.messages)
        self.nothing_is_lost()


class NullmailerLater(OneFamily, unittest.TestCase):
    """It takes the end of a hold for a success, and goes on."""

    MAIL_FROM = rb"MAIL FROM:<[a-z0-9@.]*>[^\r\n]*\r\n"

    def sender(self, **settings):
        return mailers.Nullmailer(timeout=LONG, retry=RETRY, **settings)

    def send(self, domain):
        self.server.remotes([host for _, host in MX[domain]])
        return super().send(domain)

    def nothing_was_told(self):
        """Nothing but HELO, and the sender when the hold was over."""
        for stream in self.wire.told(TARPIT, TARPIT6):
            self.assertRegex(stream, rb"\A((EHLO|HELO) [a-z.]+\r\n|QUIT\r\n|" +
                             self.MAIL_FROM + rb")*\Z")
        self.assertEqual(self.wire.drops(), 0)

    def test_4_straight_to_the_tarpit_is_held(self):
        super().test_4_straight_to_the_tarpit_is_held()
        self.assertRegex(b"".join(self.wire.told(TARPIT)), self.MAIL_FROM)


class SendmailKilled(World, unittest.TestCase):
    """sendmail takes "250" and the end of the connection for a final reply,
    and a process that is killed ends the connection wherever it is.
    """

    def replied(self):
        """How much of the reply to EHLO the last client has got."""
        return len(self.wire.replies(TARPIT)[-1].split(b"\r\n", 1)[-1])

    def test_at_every_byte_of_a_line_s_first_five(self):
        self.tarpit = self.enter(Tarpit({TARPIT: 100 * LONG}, interval=1000))
        self.server = self.enter(mailers.Sendmail(timeout=LONG, retry=RETRY))
        for number in range(1, 6):
            message = self.send("first.example")
            self.assertTrue(wait_for(
                lambda: len(self.wire.told(TARPIT)) == number, LONG))
            self.assertTrue(wait_for(
                lambda: self.replied() >= number, LONG))
            pid, = self.tarpit.live()
            os.kill(pid, signal.SIGKILL)
            self.arrive(message)
        self.nothing_is_lost()


class Bot(unittest.TestCase):
    """Spamware that goes straight to the last host, with the rule."""

    def test_is_held(self):
        for address in MAIL, MAIL6, mailers.ADDRESS, mailers.ADDRESS6:
            mailers.add_address(address)
        with Wire(), Log() as log, \
                Tarpit({TARPIT: CAP, TARPIT6: CAP}) as tarpit, \
                Rules([MAIL, MAIL6], [TARPIT, TARPIT6]):
            for source, address in ((mailers.ADDRESS, TARPIT),
                                    (mailers.ADDRESS6, TARPIT6)):
                with socket.create_connection(
                        (address, 25), LONG, (source, 0)) as bot:
                    self.assertEqual(bot.recv(4), b"220 ")
                    bot.sendall(b"EHLO bot.example\r\n")
                    while bot.recv(4096):
                        pass
            self.assertTrue(wait_for(lambda: len(log.holds) == 2, LONG))
            self.assertTrue(wait_for(lambda: not tarpit.live(), LONG))
        for hold, source in zip(log.holds, (mailers.ADDRESS,
                                            mailers.ADDRESS6)):
            self.assertEqual(hold.ip, source)
            self.assertGreater(hold.length, 0.75 * CAP - 0.2)


if __name__ == "__main__":
    unittest.main()
