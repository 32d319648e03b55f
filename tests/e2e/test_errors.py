# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors: a clear message on the right channel, and exit status 64."""

import os
import socket
import subprocess
import unittest

from tests.lib.failing import FAILING, failing
from tests.lib.log import Syslog
from tests.lib.net import listen, tcp_pair
from tests.lib.sandbox import needs_root
from tests.lib.tarpit import GREETING, NAME, TARPIT, Tarpit

BAD_ARGUMENTS = {
    ("-i", "9"): "-i 9: too small (10 to 60000)",
    ("-i", "60001"): "-i 60001: too large (10 to 60000)",
    ("-i", "4s"): "-i 4s: not a number (10 to 60000)",
    ("-i", ""): "-i : not a number",
    ("-t", "0"): "-t 0: too small (1 to 86400)",
    ("-t", "86401"): "-t 86401: too large",
    ("-t", "99999999999999999999"): "-t 99999999999999999999: too large",
    ("-n", "my_host"): "-n my_host: not a host name or an [address]",
    ("-n", "mx\r\n250 ok"): ": not a host name",
    ("-n", ""): "-n : not a host name",
    ("-n", "x" * 1000): "xxx: not a host name",
    ("-n", "[192.0.2.256]"): "-n [192.0.2.256]: not a host name",
    ("-i",): "-i: unknown, or incomplete",
    ("-x",): "-x: unknown, or incomplete",
    ("mail",): "mail: unexpected",
}


def run(*args, stdin=subprocess.DEVNULL, **popen):
    return subprocess.run([TARPIT] + list(args), stdin=stdin, timeout=300,
                          capture_output=True, text=True, **popen)


class Terminal(unittest.TestCase):
    """Without a socket on standard input, messages go to standard error."""

    def test_bad_arguments(self):
        for args, message in BAD_ARGUMENTS.items():
            with self.subTest(args=args):
                result = run(*args)
                self.assertEqual(result.returncode, 64)
                self.assertIn(message, result.stderr)
                self.assertEqual(result.stdout, "")

    def test_usage_follows_what_getopt_refuses(self):
        for arg in "-x", "-i", "mail":
            self.assertIn(
                "usage: tarpit [-dV] [-i milliseconds] [-n name] "
                "[-t seconds]", run(arg).stderr)

    def test_limits_are_allowed(self):
        for args in (("-i", "10"), ("-i", "60000"), ("-t", "1"),
                     ("-t", "86400")):
            with self.subTest(args=args):
                self.assertIn("not a connected TCP", run(*args).stderr)

    def test_no_connection(self):
        for stdin in subprocess.DEVNULL, subprocess.PIPE:
            result = run(stdin=stdin)
            self.assertEqual(result.returncode, 64)
            self.assertIn("standard input is not a connected TCP socket",
                          result.stderr)

    def test_standard_input_closed(self):
        result = subprocess.run(
            ["sh", "-c", 'exec "$0" <&-', TARPIT], capture_output=True,
            text=True, timeout=300)
        self.assertEqual(result.returncode, 64)
        self.assertIn("not a connected TCP socket", result.stderr)

    def test_version(self):
        result = run("-V")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"\Atarpit \d+\.\d+\nseal: .*\n\Z")
        self.assertEqual(result.stderr, "")

    def test_version_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            self.assertEqual(subprocess.run(
                [TARPIT, "-V"], stdout=full, timeout=300).returncode, 1)


class Socket(unittest.TestCase):
    """With a socket on standard input, messages go to syslog."""

    def fails(self, message, *args, stdin, stderr=None, command=TARPIT):
        with Syslog() as syslog:
            result = subprocess.run(
                [command] + list(args), stdin=stdin, stdout=stdin,
                stderr=stderr or stdin, timeout=300)
            lines = syslog.collect(1)
        self.assertEqual(result.returncode, 64)
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], r"\A<19>tarpit\[\d+\]: ")
        self.assertIn(message, lines[0])

    def test_bad_arguments_never_reach_the_client(self):
        for args, message in BAD_ARGUMENTS.items():
            with self.subTest(args=args):
                client, server = tcp_pair()
                with client, server:
                    self.fails(message, *args, stdin=server)
                    server.close()
                    self.assertEqual(client.recv(4096), b"")

    def test_sockets_that_are_no_tcp_connection(self):
        pair = socket.socketpair()
        unconnected = socket.socket()
        datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagram.connect(("127.0.0.1", 9))
        for stdin in listen(), unconnected, datagram, pair[0]:
            with self.subTest(stdin=stdin), stdin:
                self.fails("standard input is not a connected TCP socket",
                           stdin=stdin)
        pair[1].close()

    def test_with_d_errors_go_to_standard_error(self):
        client, server = tcp_pair()
        with client, server:
            result = run("-d", "-i", "1", stdin=server)
            self.assertEqual(result.returncode, 64)
            self.assertIn("-i 1: too small", result.stderr)

    def test_nothing_reaches_a_client_that_is_not_standard_input(self):
        for args in (), ("-d",), ("-i", "1"), ("-d", "-i", "1"):
            for stdin in "</dev/null", "<&-":
                with self.subTest(args=args, stdin=stdin):
                    client, server = tcp_pair()
                    with client, server:
                        self.fails(
                            "", "-c", 'exec "$0" "$@" ' + stdin, TARPIT,
                            *args, stdin=server, command="sh")
                        server.close()
                        self.assertEqual(client.recv(4096), b"")

    def test_version_on_a_socket_that_is_no_client(self):
        """sshd gives such a socket to a command."""
        ours, its = socket.socketpair()
        with ours, its:
            subprocess.run([TARPIT, "-V"], stdin=its, stdout=its, check=True,
                           timeout=300)
            self.assertRegex(ours.recv(100), rb"\Atarpit \d+\.\d+\nseal: ")

    def test_version_never_reaches_the_client(self):
        for stdin in True, False:
            client, server = tcp_pair()
            with client, server, Syslog() as syslog:
                result = subprocess.run(
                    [TARPIT, "-V"], stdout=server, stderr=server, timeout=300,
                    stdin=server if stdin else subprocess.DEVNULL)
                self.assertEqual(result.returncode, 0)
                self.assertIn("version", syslog.collect(1)[0])
                server.close()
                self.assertEqual(client.recv(4096), b"")

    def test_d_never_writes_to_the_client(self):
        """Under inetd, standard error is the connection, too."""
        client, server = tcp_pair()
        with client, server, Syslog() as syslog:
            process = subprocess.Popen(
                [TARPIT, "-d", "-n", NAME], stdin=server, stdout=server,
                stderr=server)
            client.recv(len(GREETING))
            process.terminate()
            self.assertEqual(process.wait(300), 0)
            self.assertIn(" connected=", syslog.collect(1)[0])
            server.close()
            self.assertEqual(client.recv(4096), b"")


class Surroundings(unittest.TestCase):
    @needs_root
    def test_host_name_that_is_none(self):
        """gethostname(2) may return anything; the greeting has a valid name."""
        client, server = tcp_pair()
        with server, subprocess.Popen(
                ["unshare", "--uts", "python3", "-c",
                 "import os, socket, sys; socket.sethostname('my_host'); "
                 "os.execv(sys.argv[1], sys.argv[1:])",
                 TARPIT, "-d"], stdin=server, stderr=subprocess.PIPE), client:
            server.close()
            self.assertEqual(client.recv(4096), b"220 localhost ESMTP\r\n")

    def test_closed_standard_error(self):
        client, server = tcp_pair()
        with client, server, Syslog() as syslog:
            process = subprocess.Popen(
                ["sh", "-c", 'exec "$0" -n %s >&- 2>&-' % NAME, TARPIT],
                stdin=server)
            server.close()
            self.assertEqual(client.recv(4096), GREETING)
            client.close()
            self.assertEqual(process.wait(300), 0)
            self.assertEqual(len(syslog.collect(1)), 1)

    def test_empty_environment(self):
        with Tarpit(env={}) as t:
            self.assertEqual(t.greeting(), GREETING)

    def test_broken_standard_error(self):
        """If the log line has nowhere to go, nothing else changes."""
        with Tarpit() as t:
            t.greeting()
            t.process.stderr.close()
            t.client.close()
            self.assertEqual(t.process.wait(300), 0)
            t.process.stderr = open(os.devnull, "rb")

    def test_no_name_of_its_own_socket(self):
        with Syslog() as syslog, socket.socket() as unconnected:
            done = subprocess.run([FAILING], stdin=unconnected, timeout=300,
                                  env=failing("getsockname"))
            self.assertEqual(done.returncode, 64)
            self.assertIn("not a connected TCP", syslog.collect(1)[0])


if __name__ == "__main__":
    unittest.main()
