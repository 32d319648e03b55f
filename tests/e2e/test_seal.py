# SPDX-License-Identifier: GPL-2.0-or-later
"""The seal: once the command is heard, the kernel refuses to read."""

import errno
import os
import signal
import socket
import subprocess
import time
import unittest

from tests.lib.failing import held
from tests.lib.log import Syslog
from tests.lib.tarpit import BUILD, TARPIT, Tarpit, needs_seal

ATTEMPTS = "read readv pread preadv2 recv recvmsg recvmmsg splice io_uring" \
    " open execve fork ptrace kill mprotect dup accept bind inet write" \
    " seccomp zerocopy connect fastopen sendto level stream".split() + [
        "sendfile to elsewhere", "sendfile of the client",
        "sendfile of another file", "sendfile of nothing",
        "sendfile of two bytes", "sendfile of a page",
        "sendfile of 4 GB and a byte", "blocking send", "low word",
        "high word", "SO_ERROR of TCP", "getsockopt of IP",
        "shutdown of another"]
MAIL = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"


@needs_seal
class Seal(unittest.TestCase):
    def test_from_the_command_on(self):
        for command in b"EHLO x\r\n", b"MAIL", b"\0":
            with self.subTest(command=command), Tarpit("-i", "10") as t:
                t.greeting()
                self.assertEqual(t.status("Seccomp"), "0")
                t.client.sendall(command)
                t.expect(1)
                self.assertEqual(t.status("Seccomp"), "2")
                self.assertEqual(t.status("Seccomp_filters"), "1")
                self.assertEqual(t.status("NoNewPrivs"), "1")

    def test_pipelined_mail_stays_in_the_kernel(self):
        for family in socket.AF_INET, socket.AF_INET6:
            with self.subTest(family=family), \
                    Tarpit("-i", "10", family=family) as t:
                t.greeting()
                t.client.sendall(b"EHLO x\r\n" + MAIL)
                for _ in range(10):
                    self.assertEqual(len(t.expect(10)), 10)
                    self.assertEqual(t.unread(), len(MAIL))
                t.signal(signal.SIGTERM)
                self.assertEqual(t.wait(), 0)

    def test_stops_whatever_is_not_needed(self):
        for attempt in ATTEMPTS:
            with self.subTest(attempt=attempt), Tarpit(
                    binary=os.path.join(BUILD, "tarpit-attempt"),
                    env={"ATTEMPT": attempt}) as t:
                t.greeting()
                t.client.sendall(b"EHLO x\r\n" + MAIL)
                self.assertEqual(t.wait(), -signal.SIGSYS)

    def test_the_attempts_would_show(self):
        with Tarpit(binary=os.path.join(BUILD, "tarpit-attempt"),
                    env={"ATTEMPT": "nothing"}) as t:
            t.greeting()
            t.client.sendall(b"EHLO x\r\n")
            self.assertEqual(t.wait(), 1)

    def test_lets_the_log_line_out(self):
        with Syslog() as syslog, Tarpit("-i", "10", syslog=True) as t:
            t.stuck()
            self.assertEqual(t.status("Seccomp"), "2")
            t.signal(signal.SIGTERM)
            self.assertEqual(t.wait(), 0)
            self.assertEqual(len(syslog.collect(1)), 1)

    def test_survives_stop_and_continue(self):
        with Tarpit("-i", "50") as t:
            t.stuck()
            t.signal(signal.SIGSTOP)
            time.sleep(0.3)
            t.signal(signal.SIGCONT)
            self.assertEqual(len(t.expect(20)), 20)
            t.signal(signal.SIGTERM)
            t.line()


class Version(unittest.TestCase):
    """tarpit -V tries the seal, and says whether it works."""

    def says(self, *command, **env):
        return subprocess.run(
            [*command, "-V"], env=env, capture_output=True, text=True,
            timeout=300, check=True).stdout.splitlines()[1]

    @needs_seal
    def test_works(self):
        self.assertEqual(self.says(TARPIT), "seal: works here")

    @needs_seal
    def test_works_under_an_outer_filter_that_kills_for_seccomp(self):
        self.assertEqual(
            self.says(os.path.join(BUILD, "no_seccomp"), TARPIT=TARPIT,
                      ATTEMPT="kill"), "seal: works here")

    def test_refused_by_the_kernel(self):
        self.assertEqual(
            self.says(os.path.join(BUILD, "no_seccomp"), TARPIT=TARPIT,
                      ATTEMPT="refuse"), "seal: does not work here")

    def test_build_without(self):
        self.assertEqual(
            self.says(os.path.join(BUILD, "tarpit-unsealed")),
            "seal: does not work here")


class Unsealed(unittest.TestCase):
    """A build for a system without seccomp, and a kernel that refuses it."""

    def holds(self, t, filters):
        self.assertEqual(t.stuck(), b"250-")
        self.assertEqual(len(t.expect(20)), 20)
        self.assertEqual(t.status("Seccomp_filters"), filters)
        t.client.close()
        self.assertEqual(t.line().ip, "127.0.0.1")

    def test_build_without_seccomp(self):
        with Tarpit("-i", "10",
                    binary=os.path.join(BUILD, "tarpit-unsealed")) as t:
            self.holds(t, "0")

    def test_kernel_that_refuses(self):
        with Tarpit("-i", "10", env={"TARPIT": TARPIT, "ATTEMPT": "refuse"},
                    binary=os.path.join(BUILD, "no_seccomp")) as t:
            self.holds(t, "1")

    @needs_seal
    def test_outer_filter_that_kills_for_seccomp(self):
        """The process is sealed all the same: it has two filters."""
        with Tarpit("-i", "10", env={"TARPIT": TARPIT, "ATTEMPT": "kill"},
                    binary=os.path.join(BUILD, "no_seccomp")) as t:
            self.holds(t, "2")

    def test_sealing_without_no_new_privs(self):
        """Without no_new_privs only root may set a filter, and root has become
        nobody: the hold goes on unsealed.
        """
        with held(call="prctl", error=errno.EINVAL) as t:
            t.stuck()
            self.assertEqual(t.status("Seccomp"), "0")
            self.assertEqual(t.status("NoNewPrivs"), "0")
            self.assertEqual(len(t.expect(20)), 20)
            t.client.close()
            t.line()


if __name__ == "__main__":
    unittest.main()
