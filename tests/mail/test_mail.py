# SPDX-License-Identifier: GPL-2.0-or-later
"""Will I lose mail?  Real servers send to a domain whose MX records name a
tarpit.

Time is compressed: a server that has a deadline for a whole reply waits
PATIENCE seconds for it, each server tries again after RETRY, and a hold ends
after CAP at most, or after twice PATIENCE where the server is to leave before.
OpenSMTPD, whose timers cannot be set, has a clock that runs SPEED times as
fast.  The numbers in the names of the tests only order them.

A line that begins with "figure:" is for whoever reads the output.
"""

import os
import re
import secrets
import tempfile
import time
import unittest

from tests.lib import mailers
from tests.lib.moment import SLACK
from tests.lib.process import wait_for
from tests.mail.lab import Log, Receiver, Tarpit, Wire

MAIL, BACKUP, SENDER = "192.0.2.10", "192.0.2.11", "192.0.2.12"
TARPITS = TARPIT, TARPIT6 = "192.0.2.20", "2001:db8::20"
HOSTS = {
    "mail.example": [MAIL],
    "backup.example": [BACKUP],
    "mail.sender.example": [SENDER],
    "tarpit.example": [TARPIT],
    "tarpits.example": [TARPIT, TARPIT6],
}
MX = {
    "last.example": [(10, "mail.example"), (20, "backup.example"),
                     (90, "tarpit.example")],
    "first.example": [(10, "tarpit.example"), (20, "mail.example")],
    "last2.example": [(10, "mail.example"), (20, "backup.example"),
                      (90, "tarpits.example")],
    "first2.example": [(10, "tarpits.example"), (20, "mail.example")],
    "other.example": [(10, "mail.sender.example")],
    "sender.example": [(10, "mail.sender.example")],
}

PATIENCE = 5        # longer than the real servers take, on any machine
RETRY = 2
SPEED = 60
CAP = 4
# Two holds of CAP are shorter than WATCHDOG, and two of BEYOND are longer.
# Postfix counts thirds of it, in whole seconds.
WATCHDOG = 21
BEYOND = 15
LONG = 200          # seconds: what takes so long does not happen
MANY = 20


def setUpModule():
    """Queues go where nothing is left when the sandbox ends."""
    tempfile.tempdir = "/run/tmp"
    os.mkdir(tempfile.tempdir)
    os.chmod(tempfile.tempdir, 0o755)


class Message:
    """Nobody else's words in its sender, recipient, subject and body."""

    def __init__(self, domain):
        self.words = [secrets.token_hex(8) for _ in range(4)]
        sender, recipient, subject, body = self.words
        self.sender = "from%s@sender.example" % sender
        self.recipient = "to%s@%s" % (recipient, domain)
        self.text = "Subject: about %s\n\nThis is %s.\n" % (subject, body)

    def is_in(self, text):
        """And not only in what came back to its sender."""
        return (self.words[3] in text and
                "\nDelivered-To: %s\n" % self.recipient in text)


class Lab:
    """Servers around one that sends, which sender() starts."""

    cap = CAP
    speed = 1       # of its clock
    ENDLESS = (rb"\A220 [a-z.]+ ESMTP\r\n(250-[a-z. ]*\r\n)*"
               rb"(250-[a-z. ]*\r?)?\Z")

    @classmethod
    def setUpClass(cls):
        cls.figures = []
        for name, context in (("dns", mailers.Dns(MX, HOSTS)),
                              ("primary", Receiver(MAIL, BACKUP)),
                              ("home", Receiver(SENDER))):
            cls.addClassCleanup(context.__exit__, None, None, None)
            setattr(cls, name, context)

    @classmethod
    def tearDownClass(cls):
        for what, seconds in cls.figures:
            print("figure: %-15s %-47s %5.1f s%s" % (
                cls.__name__, what, seconds, "" if cls.speed == 1 else
                ", %4.0f of its clock" % (seconds * cls.speed)))

    def setUp(self):
        self.messages = []
        self.wire = self.enter(Wire())
        self.log = self.enter(Log())
        self.primary.start()
        self.before = self.home.messages()

    def enter(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def start(self, cap=None, cap6=None, **settings):
        cap = cap or self.cap
        self.tarpit = self.enter(Tarpit({TARPIT: cap, TARPIT6: cap6 or cap}))
        self.server = self.enter(self.sender(**settings))

    def send(self, domain):
        message = Message(domain)
        self.messages.append(message)
        self.server.submit(message.sender, message.recipient, message.text)
        return message

    def figure(self, what, seconds):
        self.figures.append((what, seconds))

    def copies(self, message):
        return sum(map(message.is_in,
                       self.primary.messages() + self.home.messages()))

    def arrive(self, *messages):
        """Wait for them; seconds that it took."""
        start = time.monotonic()
        for message in messages:
            self.assertTrue(
                wait_for(lambda: self.copies(message), LONG),
                "not delivered\n" + self.server.log())
        return time.monotonic() - start

    def held(self, count=1):
        """Wait for the end of so many holds."""
        self.assertTrue(wait_for(lambda: len(self.log.holds) >= count, LONG),
                        self.server.log())
        return self.log.holds[:count]

    def being_held(self):
        """Wait until a client is held that has said its command."""
        self.assertTrue(wait_for(self.tarpit.holding, LONG),
                        self.server.log())

    def all_wait(self):
        """All messages are in the queue.  One that the server is just moving
        may be missed by whoever lists it; one that is lost stays away.
        """
        self.assertTrue(wait_for(
            lambda: len(self.server.queue()) == len(self.messages), LONG),
            self.server.log())

    def nothing_is_lost(self):
        """All are delivered, once each; nothing has come back."""
        self.wire.catch_up()
        self.assertTrue(wait_for(lambda: not self.server.queue(), LONG))
        for message in self.messages:
            self.assertEqual(self.copies(message), 1, self.server.log())
        self.nothing_came_back()
        self.nothing_was_told()
        self.no_reply_was_final()

    def nothing_came_back(self):
        self.assertEqual(self.server.bounces(), 0, self.server.log())
        self.assertEqual(
            [text for text in self.home.messages()
             if text not in self.before and
             not any(message.is_in(text) for message in self.messages)], [])

    def nothing_was_told(self):
        """Nothing but HELO has left for the tarpit."""
        told = self.wire.told(*TARPITS)
        for stream in told:
            self.assertRegex(
                stream, rb"\A((EHLO|HELO) [a-z.]+\r\n|QUIT\r\n)*\Z")
        for message in self.messages:
            for word in message.words:
                self.assertNotIn(word.encode(), b"".join(told))
        self.assertEqual(self.wire.drops(), 0)

    def no_reply_was_final(self):
        """The tarpit ended with a FIN, where the client did not, and never
        with a last line.
        """
        for stream in self.wire.replies(*TARPITS):
            self.assertRegex(stream, self.ENDLESS)
        self.assertEqual(self.wire.resets(*TARPITS), 0)


class Mail(Lab):
    """What must be true of each."""

    def holds(self):
        """How long one is, from and to seconds."""
        return 0.75 * self.cap, self.cap

    def as_long_as_expected(self, hold):
        least, most = self.holds()
        self.assertGreater(hold.length, least - 0.2)
        self.assertLess(hold.length, most + SLACK)

    def test_0_what_would_be_seen_if_mail_came_back(self):
        self.start(lifetime=1)
        self.primary.stop()
        self.tarpit.stop()
        self.send("last.example")
        self.assertTrue(wait_for(self.home_has_a_bounce, LONG),
                        self.server.log())
        # The server may write to its log a moment after that.
        self.assertTrue(wait_for(self.server.bounces, LONG))
        self.assertEqual(self.server.bounces(), 1, self.server.log())
        with self.assertRaises(AssertionError):
            self.nothing_came_back()

    def home_has_a_bounce(self):
        return any("Return-Path: <>" in text and
                   self.messages[0].words[2] in text
                   for text in self.home.messages())

    def test_1_primary_up_and_the_tarpit_is_never_touched(self):
        self.start()
        messages = [self.send("last.example") for _ in range(3)]
        self.figure("delivery, all servers up", self.arrive(*messages))
        self.nothing_is_lost()
        self.assertEqual(self.wire.told(*TARPITS), [])

    def test_2_primary_down_held_queued_and_delivered_when_it_is_back(self):
        self.start()
        self.primary.stop()
        self.send("last.example")
        hold, = self.held()
        self.as_long_as_expected(hold)
        self.all_wait()
        self.assertTrue(wait_for(self.server.deferrals, LONG),
                        self.server.log())
        self.nothing_came_back()
        self.primary.start()
        self.figure("from the primary's return to delivery",
                    self.arrive(*self.messages))
        self.nothing_is_lost()

    def test_2_primary_back_while_the_mail_is_held(self):
        self.start()
        self.primary.stop()
        self.send("last.example")
        self.being_held()
        self.primary.start()
        self.figure("the same, but held at its return",
                    self.arrive(*self.messages))
        self.nothing_is_lost()

    def test_3_tarpit_preferred_by_mistake(self):
        self.start()
        self.send("first.example")
        hold, = self.held()
        self.as_long_as_expected(hold)
        self.figure("from the hold's end to the second MX",
                    self.arrive(*self.messages))
        # In the same attempt.
        self.assertEqual(self.server.deferrals(), 0, self.server.log())
        self.nothing_is_lost()

    def test_4_tarpit_stopped_during_the_hold(self):
        self.start()
        self.primary.stop()
        self.send("last.example")
        self.being_held()
        self.tarpit.stop()
        self.assertEqual(len(self.held()), 1)
        self.all_wait()
        self.nothing_came_back()
        self.primary.start()
        self.figure("tarpit stopped; from the primary's return",
                    self.arrive(*self.messages))
        self.nothing_is_lost()

    def test_5_tarpit_of_two_addresses_preferred_by_mistake(self):
        self.start()
        self.send("first2.example")
        for hold in self.held(2):
            self.as_long_as_expected(hold)
        self.figure("two addresses, preferred; after the second hold",
                    self.arrive(*self.messages))
        self.nothing_is_lost()

    def test_5_tarpit_of_two_addresses_is_the_last(self):
        self.start()
        self.primary.stop()
        self.send("last2.example")
        self.held(2)
        self.primary.start()
        self.figure("two addresses; from the primary's return",
                    self.arrive(*self.messages))
        self.nothing_is_lost()

    def test_6_new_mail_while_one_is_held(self):
        self.start()
        self.primary.stop()
        self.send("last.example")
        self.being_held()
        self.primary.start()
        self.figure("new mail while one is held",
                    self.arrive(self.send("last.example")))
        self.arrive(*self.messages)
        self.nothing_is_lost()

    def test_6_twenty_at_once(self):
        self.start()
        self.primary.stop()
        for _ in range(MANY):
            self.send("last.example")
        self.being_held()
        self.held()
        self.all_wait()
        self.primary.start()
        self.figure("twenty: from the primary's return to the last",
                    self.arrive(*self.messages))
        self.nothing_is_lost()

    def test_6_new_mail_while_twenty_are_held(self):
        self.start()
        self.primary.stop()
        for _ in range(MANY):
            self.send("last.example")
        self.being_held()
        self.primary.start()
        self.figure("new mail while twenty are held",
                    self.arrive(self.send("last.example")))
        self.figure("and the last of the twenty",
                    self.arrive(*self.messages))
        self.nothing_is_lost()

    def test_7_nothing_of_the_mail_is_on_the_wire_to_the_tarpit(self):
        """But all of it is on the wire to the real server."""
        self.start()
        self.send("first.example")
        self.arrive(*self.messages)
        self.wire.catch_up()
        self.nothing_was_told()
        self.assertIn(b"EHLO client.example\r\n",
                      b"".join(self.wire.told(TARPIT)))
        real = b"".join(self.wire.told(MAIL))
        for word in self.messages[0].words:
            self.assertIn(word.encode(), real)


class Postfix(Mail, unittest.TestCase):
    """Restarts its timer at each byte, so it is held to the cap."""

    def sender(self, **settings):
        return mailers.Postfix(timeout=LONG, retry=RETRY, **settings)


class PostfixWatchdog(Lab, unittest.TestCase):
    """It ends a delivery that takes daemon_timeout, 18,000 s: not with an
    error but with the process that makes it, and with its queue manager, which
    waits just as long.
    """

    def sender(self, **settings):
        return mailers.Postfix(timeout=LONG, retry=RETRY,
                               watchdog=WATCHDOG, **settings)

    def was_killed(self, count):
        """Whether the watchdog has ended so many deliveries."""
        return self.server.log().count("fatal: watchdog timeout") >= count

    def killed(self):
        """Wait until the watchdog has ended the first delivery."""
        self.assertTrue(wait_for(lambda: self.was_killed(1), LONG),
                        self.server.log())

    def try_again(self, until):
        """By hand, until something comes of it: the new queue manager leaves
        alone what the old one had for a minute, which cannot be set, and it
        takes a moment to start.  Seconds that it took.
        """
        def flush():
            self.server.flush()
            return wait_for(until, 3)

        start = time.monotonic()
        self.assertTrue(wait_for(flush, LONG), self.server.log())
        return time.monotonic() - start

    def queue_manager_gave_up(self):
        """It ended itself, or saw before that what the watchdog had done."""
        queue_id = wait_for(self.server.queue)[0]["queue_id"]
        self.assertTrue(wait_for(lambda: re.search(
            "fatal: %s: timeout receiving delivery status"
            "|%s: .*status=deferred .*transport" % (queue_id, queue_id),
            self.server.log()), LONG), self.server.log())

    def test_5_within_the_rule_nothing_is_lost(self):
        self.start()
        self.send("first2.example")
        self.held(2)
        self.figure("within the rule, after the second hold",
                    self.arrive(*self.messages))
        self.nothing_is_lost()
        self.assertNotIn("fatal", self.server.log())
        self.assertNotIn("status=deferred", self.server.log())

    def test_5_beyond_it_mail_waits_until_the_cap_is_lowered(self):
        """It is not even given back when its lifetime is over."""
        self.start(cap=BEYOND, lifetime=1)
        self.send("first2.example")
        self.killed()
        self.queue_manager_gave_up()
        self.try_again(lambda: self.was_killed(2))
        self.assertEqual(self.copies(self.messages[0]), 0)
        self.all_wait()
        self.nothing_came_back()
        self.tarpit.stop()
        self.enter(Tarpit({TARPIT: 1, TARPIT6: 1}))
        self.try_again(lambda: self.copies(self.messages[0]))
        self.nothing_is_lost()

    def test_5_beyond_it_at_the_last_mx_nothing_is_lost(self):
        self.start(cap=BEYOND)
        self.primary.stop()
        self.send("last2.example")
        self.killed()
        self.primary.start()
        self.figure("beyond the rule, from the next attempt", self.try_again(
            lambda: self.copies(self.messages[0])))
        self.nothing_is_lost()


class Exim(Mail, unittest.TestCase):
    """Has one deadline for a reply, so it leaves by itself."""

    cap = 2 * PATIENCE

    def holds(self):
        return PATIENCE - 1, PATIENCE       # it counts whole seconds

    def sender(self, **settings):
        return mailers.Exim(timeout=PATIENCE, retry=RETRY, **settings)


class PatientExim(Mail, unittest.TestCase):
    """Exim with more patience than the cap: so it sees how a hold ends."""

    def sender(self, **settings):
        return mailers.Exim(timeout=LONG, retry=RETRY, **settings)


class OpenSmtpd(Mail, unittest.TestCase):
    """Waits 300 s of its clock for a reply, and restarts at each byte."""

    cap = 8             # which is longer than those
    speed = SPEED

    def sender(self, **settings):
        return mailers.OpenSmtpd(speed=SPEED, **settings)

    def test_5_tarpit_of_two_addresses_preferred_by_mistake(self):
        """It avoids a host for 15 s after a hold, and does not go on while
        another of the same preference keeps it waiting.  So it keeps
        alternating between the two, unless two holds end within 15 s, or until
        the tarpit is gone.
        """
        self.start(cap=4, cap6=2 * LONG)
        self.send("first2.example")
        self.held(5)
        self.assertEqual(self.copies(self.messages[0]), 0)
        self.all_wait()
        self.nothing_came_back()
        self.tarpit.stop()
        self.figure("two addresses, preferred; when they are gone",
                    self.arrive(*self.messages))
        self.nothing_is_lost()


if __name__ == "__main__":
    unittest.main()
