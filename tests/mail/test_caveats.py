# SPDX-License-Identifier: GPL-2.0-or-later
"""What CAVEATS of tarpit(8) says of single programs: why the tarpit wants an
address of its own, and why a hold ends with a FIN.
"""

import glob
import os
import socket
import socketserver
import struct
import subprocess
import threading
import unittest

from tests.lib import mailers
from tests.lib.files import read
from tests.lib.process import running, wait_for
from tests.mail.lab import Tarpit
from tests.mail.test_later import World
from tests.mail.test_mail import setUpModule    # noqa: F401 for unittest
from tests.mail.test_mail import LONG, RETRY, TARPIT

PATIENCE = 60       # seconds: longer than the hold
SPINNING = 1        # seconds of CPU: a hundred times what a delivery takes
MAIL_FROM = rb"MAIL FROM:<[a-z0-9@.]*>"


class Server(socketserver.ThreadingTCPServer):
    """Speaks a dialogue on the tarpit's address, before there is a tarpit."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, dialogue):
        mailers.add_address(TARPIT)
        super().__init__((TARPIT, 25), dialogue)
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    def __exit__(self, *exc):
        self.shutdown()
        self.thread.join()
        super().__exit__(*exc)


class Pipelines(socketserver.StreamRequestHandler):
    """A mail server that allows all commands in one packet with EHLO."""

    def handle(self):
        self.wfile.write(b"220 mail.example ESMTP\r\n")
        for line in self.rfile:
            if line.startswith(b"EHLO"):
                self.wfile.write(b"250-mail.example\r\n250-PIPELINING\r\n"
                                 b"250 PIPECONNECT\r\n")
            elif line.startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.wfile.write(b"250 taken\r\n")
                self.server.taken.set()
            elif line.startswith(b"QUIT"):
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class Resets(socketserver.StreamRequestHandler):
    """A tarpit that ends its hold with a RST in the middle of a line."""

    def handle(self):
        self.wfile.write(b"220 tarpit.example ESMTP\r\n")
        self.rfile.readline()
        self.wfile.write(b"250-tarp")
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))

    def finish(self):
        """Without the shutdown(2) that would send a FIN."""
        self.connection.close()


class EximPipelines(World, unittest.TestCase):
    """Exim remembers what a host allows."""

    class Sender(mailers.Exim):
        CONFIG = mailers.Exim.CONFIG.replace(
            "  hosts_avoid_tls = *\n",
            "  hosts_avoid_tls = *\n  hosts_pipe_connect = *\n")

    def test_at_an_address_that_was_a_mail_server_s(self):
        server = self.enter(self.Sender(timeout=PATIENCE, retry=RETRY))
        with Server(Pipelines) as before:
            before.taken = threading.Event()
            self.server = server
            message = self.send("first.example")
            self.assertTrue(before.taken.wait(LONG), server.log())
            self.assertTrue(wait_for(lambda: not server.queue()))
            self.messages.remove(message)
        told = len(self.wire.told(TARPIT))
        self.enter(Tarpit({TARPIT: self.cap}))
        self.send("first.example")
        self.held()
        self.arrive(*self.messages)
        self.wire.catch_up()
        self.assertRegex(self.wire.told(TARPIT)[told],
                         rb"\AEHLO client.example\r\n" + MAIL_FROM)
        self.assertEqual(server.bounces(), 0)


class EximCounts(World, unittest.TestCase):
    """Exim has a limit on the bytes of one reply."""

    LIMIT = 4096

    def test_leaves_after_4096_bytes(self):
        self.enter(Tarpit({TARPIT: 100 * LONG}, interval=10))
        self.server = self.enter(mailers.Exim(timeout=100 * LONG, retry=RETRY))
        self.send("first.example")
        self.held()
        self.arrive(*self.messages)
        self.nothing_is_lost()
        reply, = self.wire.replies(TARPIT)
        self.assertGreaterEqual(len(reply.split(b"\r\n", 1)[1]), self.LIMIT)
        self.assertEqual(self.server.deferrals(), 0, self.server.log())


class DmaReset(World, unittest.TestCase):
    """dma returns a message when a connection is reset."""

    def test_is_final(self):
        self.enter(Server(Resets))
        self.server = self.enter(mailers.Dma(retry=RETRY))
        message = self.send("first.example")
        self.assertTrue(wait_for(
            lambda: any("Return-Path: <>" in text and message.words[0] in text
                        for text in self.home.messages()), LONG))
        self.assertEqual(self.copies(message), 0)


class DmaSpins(World, unittest.TestCase):
    """dma reads the end of the connection over and over."""

    cap = 1

    def spins(self, program):
        """Whether a process of the program does, once the hold is over."""
        self.assertTrue(wait_for(lambda: self.log.holds, LONG))
        return wait_for(lambda: any(
            self.cpu(pid) > SPINNING for pid in running(program)), LONG)

    @staticmethod
    def cpu(pid):
        """Seconds of CPU that the process has used."""
        fields = read("/proc/%d/stat" % pid).rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def test_after_the_end_of_a_hold(self):
        self.enter(Tarpit({TARPIT: self.cap}))
        self.server = self.enter(mailers.Dma())
        self.send("first.example")
        self.assertTrue(self.spins(self.server.program))


class Symfony(World, unittest.TestCase):
    """A library of PHP: its error comes after MAIL FROM."""

    SCRIPT = """
spl_autoload_register(function ($class) {
    $file = '/usr/share/php/' . str_replace('\\\\', '/', $class) . '.php';
    if (file_exists($file)) require $file;
});
require 'Symfony/Component/Mailer/autoload.php';
$transport = new Symfony\\Component\\Mailer\\Transport\\Smtp\\EsmtpTransport(
    'tarpit.example', 25, false);
$transport->getStream()->setTimeout(%d);
$email = (new Symfony\\Component\\Mime\\Email())->from('a@sender.example')
    ->to('b@first.example')->subject('test')->text('test');
try {
    $transport->send($email);
} catch (Symfony\\Component\\Mailer\\Exception\\TransportException $e) {
    exit(3);
}
""" % LONG

    def test_says_mail_from_after_the_hold_and_then_fails(self):
        self.enter(Tarpit({TARPIT: 1}))
        php, = glob.glob("/usr/bin/php[0-9]*")
        done = subprocess.run(
            [php, "-dextension=mbstring", "-r", self.SCRIPT],
            capture_output=True, text=True, timeout=LONG)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.wire.catch_up()
        told, = self.wire.told(TARPIT)
        self.assertRegex(told, rb"\AEHLO [^\r]*\r\n" + MAIL_FROM)


if __name__ == "__main__":
    unittest.main()
