# SPDX-License-Identifier: GPL-2.0-or-later
"""A tarpit on a real TCP connection, and a super-server that starts one for
each.

Run inside ../setup/sandbox, which gives the loopback network that these use.
TARPIT names the binary, TARPIT_BUILD the directory of those that are changed;
TARPIT_UNSEALED says that none of them has a seal.
"""

import os
import re
import socket
import subprocess
import tempfile
import time
import unittest

from tests.lib import TOP
from tests.lib.log import Hold
from tests.lib.net import Server, listen, tcp_pair

TARPIT = os.path.abspath(os.environ.get("TARPIT", os.path.join(TOP, "tarpit")))
BUILD = os.path.abspath(os.environ.get(
    "TARPIT_BUILD", os.path.join(TOP, "tests", "build")))
NAME = "mx.example.org"
GREETING = b"220 mx.example.org ESMTP\r\n"

# Built with NO_SEAL, where what checks memory makes system calls of its own.
UNSEALED = bool(os.environ.get("TARPIT_UNSEALED"))
SEALED = "0" if UNSEALED else "2"       # status("Seccomp") after the command

needs_seal = unittest.skipIf(UNSEALED, "TARPIT_UNSEALED: built without a seal")


class Tarpit:
    """The real program on one end of a real connection.

    Unless syslog is true, it runs with -d, and line() reads the log line from
    its standard error.
    """

    def __init__(self, *args, family=socket.AF_INET, syslog=False,
                 binary=TARPIT, before=None, pair=None, **popen):
        self.client, server = pair or tcp_pair(family)
        if before is not None:
            before(self.client)
        command = [binary, "-n", NAME] + ([] if syslog else ["-d"])
        self.started = time.time()
        with server:
            self.process = subprocess.Popen(
                command + list(args), stdin=server, stdout=server,
                stderr=subprocess.PIPE, **popen)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def expect(self, nbytes):
        """Read exactly so many bytes from the tarpit, or to its end."""
        data = b""
        while len(data) < nbytes:
            got = self.client.recv(nbytes - len(data))
            if not got:
                break
            data += got
        return data

    def greeting(self):
        return self.expect(len(GREETING))

    def stuck(self, command=b"EHLO client.example\r\n"):
        """Go on to where the endless reply has begun; return its code, which
        comes in one piece.
        """
        self.greeting()
        self.client.sendall(command)
        return self.expect(4)

    def signal(self, signo):
        self.process.send_signal(signo)

    def wait(self, seconds=300):
        return self.process.wait(seconds)

    def output(self, seconds=300):
        """All it wrote to standard error; it must end by then."""
        return self.process.communicate(timeout=seconds)[1].decode()

    def line(self, seconds=300):
        """Its only log line, as a Hold."""
        lines = self.output(seconds).splitlines()
        if len(lines) != 1:
            raise AssertionError("not one line: %r" % lines)
        return Hold(lines[0])

    def socket_status(self):
        """What ss(8) says of its socket."""
        port = self.client.getsockname()[1]
        return subprocess.run(
            ["ss", "-tinmoH", "dport", "=", ":%d" % port],
            capture_output=True, text=True, check=True).stdout

    def unread(self):
        """Bytes in its socket's receive queue."""
        return int(self.socket_status().split()[1])

    def receive_memory(self):
        """Bytes of kernel memory that the receive queue takes."""
        return int(re.search(r"skmem:\(r(\d+),", self.socket_status())[1])

    def tcp(self, key):
        """One of the counters of its end of the connection."""
        return int(re.search(r"\b%s:(\d+)" % key, self.socket_status())[1])

    def heard(self):
        """Whether it has read the command that was sent."""
        if UNSEALED:
            return self.unread() == 0
        return self.status("Seccomp") == SEALED

    def status(self, key):
        with open("/proc/%d/status" % self.pid) as status:
            for line in status:
                if line.startswith(key + ":"):
                    return line.split()[1]
        return None


class SuperServer(Server):
    """Starts a tarpit for each connection, as inetd does."""

    def __init__(self, *args, family=socket.AF_INET, port=0, syslog=False):
        self.command = [TARPIT, "-n", NAME] + (
            [] if syslog else ["-d"]) + list(args)
        self.stderr = tempfile.TemporaryFile("w+")
        self.processes = []
        super().__init__(listen(family, port=port), self.start,
                         has_threads=False)

    def start(self, connection):
        self.processes.append(subprocess.Popen(
            self.command, stdin=connection, stdout=connection,
            stderr=self.stderr))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.stderr.close()

    def live(self):
        return sum(p.poll() is None for p in self.processes)

    def holds(self):
        """One Hold for each log line so far."""
        self.stderr.seek(0)
        return [Hold(line) for line in self.stderr.read().splitlines()]
