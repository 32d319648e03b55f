# SPDX-License-Identifier: GPL-2.0-or-later
"""Real mail clients, held.

Each client speaks to the tarpit through a relay that records the conversation.
All clients start at once, and the tests look at one after another.
"""

import contextlib
import re
import select
import socket
import socketserver
import subprocess
import sys
import threading
import time
import unittest

from tests.lib.moment import SLACK
from tests.lib.net import Server, listen
from tests.lib.postfix import Postfix
from tests.lib.process import wait_for
from tests.lib.sandbox import needs_root
from tests.lib.tarpit import GREETING, SuperServer

SENDER = "alice@sender.example"
RECIPIENT = "bob@recipient.example"
ADDRESSES = re.compile(rb"alice|bob|sender|recipient", re.I)
# Everything that a held client ever says.
HELD = re.compile(
    rb"\A(EHLO [^\r\n]+\r\n)(HELO [^\r\n]+\r\n)?(QUIT\r\n)?\Z", re.I)

REPLY_LEN_MAX = 500

# Every client's timeout, in seconds: even a busy machine sends a byte in time.
TIMEOUT = 6
WAYS = {
    "held": ["-i", "200"],
    "long": ["-i", "10"],               # a whole line in some five seconds
    "cap": ["-i", "200", "-t", "4"],
    "slow": ["-i", "60000"],            # no byte within the timeout
}

# Clients that restart their timer at each read.
PER_READ = {
    "msmtp": [
        "msmtp", "--file=/dev/null", "--host=127.0.0.1", "--port=PORT",
        "--timeout=%d" % TIMEOUT, "--from=" + SENDER, RECIPIENT],
    "smtplib": [
        sys.executable, "-c",
        "import smtplib;"
        "c = smtplib.SMTP('127.0.0.1', PORT, timeout=%d);"
        "c.sendmail('%s', '%s', '')" % (TIMEOUT, SENDER, RECIPIENT)],
    "Net::SMTP": [
        "perl", "-MNet::SMTP", "-e",
        "$c = Net::SMTP->new('127.0.0.1', Port => PORT, Timeout => %d)"
        " or die; $c->mail('%s') and $c->to('%s')" % (
            TIMEOUT, SENDER, RECIPIENT)],
}

# Clients with one deadline for a reply, and how many replies each waits for.
PER_REPLY = {
    # curl's deadline cannot be changed, so its clock runs faster.  The deadline
    # is 120 s, or 60 s in newer versions, less the moment that curl takes to
    # start and connect: both are between TIMEOUT and four times that.
    "curl": (["env", "LD_PRELOAD=/usr/$LIB/faketime/libfaketime.so.1",
              "FAKETIME=+0 x%d" % (36 // TIMEOUT),
              "curl", "smtp://127.0.0.1:PORT/client.example", "-T",
              "/dev/null", "--mail-from", SENDER, "--mail-rcpt", RECIPIENT],
             1),
    # swaks waits for replies to EHLO, to HELO and to QUIT.
    "swaks": (["swaks", "--server", "127.0.0.1:PORT", "--timeout",
               str(TIMEOUT), "--from", SENDER, "--to", RECIPIENT], 3),
}


class Call:
    """What a relay saw of a connection; times are monotonic."""

    def __init__(self):
        self.arrived = time.monotonic()
        self.spoke = None               # when the client first spoke
        self.nbytes = 0                 # sent by the server
        self.left = None
        self.said = b""


class Relay(Server):
    """Pass every byte on to a server's port, and back."""

    def __init__(self, port):
        self.server_port = port
        self.calls = []
        super().__init__(listen(), self.carry)

    def carry(self, client):
        call = Call()
        self.calls.append(call)
        with socket.create_connection(
                ("127.0.0.1", self.server_port)) as server:
            with contextlib.suppress(ConnectionError):
                while self.carry_some(client, server, call):
                    pass
            call.left = time.monotonic()

    def carry_some(self, client, server, call):
        """False when one of the two has closed."""
        ready = select.select([client, server], [], [])[0]
        if server in ready:
            data = server.recv(4096)
            call.nbytes += len(data)
            client.sendall(data)
        else:
            data = client.recv(4096)
            call.spoke = call.spoke or time.monotonic()
            call.said += data
            server.sendall(data)
        return data != b""

    def call(self, condition=lambda call: True):
        """The relay's only connection, once it meets the condition."""
        if not wait_for(lambda: self.calls and condition(self.calls[0])):
            raise AssertionError("waited in vain for a client")
        if len(self.calls) != 1:
            raise AssertionError("%d connections" % len(self.calls))
        return self.calls[0]


class Sink(socketserver.StreamRequestHandler):
    """A mail server that accepts everything, for comparison."""

    def handle(self):
        try:
            self.converse()
        except ConnectionError:
            pass

    def converse(self):
        self.wfile.write(b"220 sink.example ESMTP\r\n")
        for line in self.rfile:
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
            self.wfile.write(b"250 OK\r\n")


@needs_root
class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tarpits = {}
        cls.relays = {}
        cls.sink = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sink)
        cls.sink.daemon_threads = True
        cls.addClassCleanup(cls.sink.server_close)
        cls.addClassCleanup(cls.sink.shutdown)
        threading.Thread(target=cls.sink.serve_forever, args=(0.1,),
                         daemon=True).start()
        cls.start_postfix()
        for name, command in list(PER_READ.items()) + [
                (name, command) for name, (command, _) in PER_REPLY.items()]:
            for way in "held", "slow", "free":
                cls.start(command, cls.relay(name, way))
        for name, command in PER_READ.items():
            cls.start(command, cls.relay(name, "long"))

    @classmethod
    def start_postfix(cls):
        ports = {
            way + ".example": [cls.relay("Postfix", way).port]
            for way in ("held", "long", "slow", "free", "cap")}
        ports["two.example"] = [cls.relay("MX 10", "cap").port,
                                cls.relay("MX 20", "free").port]
        cls.postfix = Postfix(ports, TIMEOUT)
        cls.addClassCleanup(cls.postfix.__exit__)
        for domain in ports:
            cls.postfix.submit(SENDER, "bob@" + domain)

    @classmethod
    def relay(cls, name, way):
        """A relay to a server that treats its client in this way."""
        if way == "free":
            port = cls.sink.server_address[1]
        else:
            tarpit = SuperServer(*WAYS[way])
            cls.addClassCleanup(tarpit.__exit__)
            cls.tarpits[name, way] = tarpit
            port = tarpit.port
        relay = Relay(port)
        cls.addClassCleanup(relay.close)
        cls.relays[name, way] = relay
        return relay

    @classmethod
    def start(cls, command, relay):
        process = subprocess.Popen(
            [word.replace("PORT", str(relay.port)) for word in command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.kill)

    def gone(self, name, way):
        """What the relay saw of the client, once the client has left."""
        return self.relays[name, way].call(lambda call: call.left)

    def patience(self, name, way):
        """How long the client waited, from its first command on."""
        call = self.gone(name, way)
        return call.left - call.spoke

    def check_patience(self, name, way, seconds):
        """The client waited at least this many seconds, and then left."""
        self.assertGreater(self.patience(name, way), seconds - 0.1)
        self.assertLess(self.patience(name, way), 4 * seconds + SLACK)

    def check_silence(self, name, way):
        """The client greeted the tarpit, and said nothing about its mail."""
        said = self.relays[name, way].call().said
        self.assertRegex(said, HELD)
        self.assertNotRegex(said, ADDRESSES)

    def check_line(self, name, way):
        """The log has one line for the hold, as long as the relay saw it."""
        call = self.gone(name, way)
        tarpit = self.tarpits[name, way]
        self.assertTrue(wait_for(lambda: tarpit.live() == 0))
        hold, = tarpit.holds()
        self.assertEqual(hold.ip, "127.0.0.1")
        self.assertAlmostEqual(hold.length, call.left - call.arrived,
                               delta=SLACK)

    def check_outlives(self, name):
        """After three times its timeout, the client is still there."""
        call = self.relays[name, "held"].call(
            lambda call: call.spoke and
            time.monotonic() > call.spoke + 3 * TIMEOUT)
        nbytes = call.nbytes
        self.assertTrue(wait_for(lambda: call.nbytes > nbytes))
        self.check_ends_with_us(name, "held")
        # The bytes make the difference: without bytes, the timeout holds.
        self.check_patience(name, "slow", TIMEOUT)

    def check_reads_on(self, name):
        """After a whole line of the reply, the client waits for more."""
        self.relays[name, "long"].call(
            lambda call: call.nbytes > len(GREETING) + REPLY_LEN_MAX + 50)
        self.check_ends_with_us(name, "long")

    def check_ends_with_us(self, name, way):
        """The client is held until the tarpit hangs up in mid-line."""
        self.assertIsNone(self.relays[name, way].calls[0].left)
        for process in self.tarpits[name, way].processes:
            process.terminate()
        self.check_line(name, way)
        self.check_silence(name, way)

    def check_waits(self, name, timeouts):
        """The client waits for its whole deadline, bytes or no bytes."""
        for way in "held", "slow":
            self.check_patience(name, way, timeouts * TIMEOUT)
        self.check_line(name, "held")
        self.check_silence(name, "held")

    def check_mails(self, name):
        """With a real mail server, the same client sends its mail."""
        self.relays[name, "free"].call(
            lambda call: b"mail from:<alice@" in call.said.lower())

    def test_clients_whose_timer_restarts_at_each_read(self):
        for name in PER_READ:
            with self.subTest(client=name):
                self.check_outlives(name)
                self.check_reads_on(name)

    def test_clients_with_one_deadline_for_a_reply(self):
        for name in PER_REPLY:
            with self.subTest(client=name):
                self.check_waits(name, PER_REPLY[name][1])

    def test_the_same_clients_send_mail_elsewhere(self):
        for name in list(PER_READ) + list(PER_REPLY) + ["Postfix"]:
            with self.subTest(client=name):
                self.check_mails(name)

    def test_postfix(self):
        self.check_outlives("Postfix")
        self.check_reads_on("Postfix")

    def test_postfix_keeps_the_mail_when_the_cap_is_reached(self):
        self.check_line("Postfix", "cap")
        self.check_silence("Postfix", "cap")
        message = self.queued("cap.example")
        self.assertEqual(message["queue_name"], "deferred")
        self.assertEqual(message["sender"], SENDER)
        self.assertIn("lost connection",
                      message["recipients"][0]["delay_reason"])
        # If the mail had bounced, the bounce would be queued for the sender.
        self.assertIsNone(self.queued("sender.example"))

    def test_postfix_goes_on_to_the_next_mx(self):
        self.check_line("MX 10", "cap")
        self.check_silence("MX 10", "cap")
        self.check_mails("MX 20")
        self.assertTrue(wait_for(lambda: self.queued("two.example") is None))

    def queued(self, domain):
        """The message to the domain, once it has left the active queue."""
        def found():
            return [m for m in self.postfix.queue()
                    if m["recipients"][0]["address"].endswith("@" + domain)]
        wait_for(lambda: all(m["queue_name"] != "active" for m in found()))
        return found()[0] if found() else None


if __name__ == "__main__":
    unittest.main()
