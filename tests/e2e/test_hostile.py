# SPDX-License-Identifier: GPL-2.0-or-later
"""Hostile surroundings: whatever surroundings tarpit is started in, it must
hold its client as well as ever.
"""

import contextlib
import ctypes
import itertools
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from unittest import mock

from tests.e2e.test_rsyslog import Rsyslogd, terminate
from tests.lib.log import Hold, Syslog
from tests.lib.net import tcp_pair
from tests.lib.sandbox import needs_root, needs_user_namespaces
from tests.lib.tarpit import GREETING, NAME, TARPIT, Tarpit, needs_seal

NOBODY = 65534
KB = 1024
PTRACE_TRACEME = 0
PTRACE_DETACH = 17
ALL_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


def limit(what, value):
    return lambda: resource.setrlimit(what, (value, value))


def is_static():
    with open(TARPIT, "rb") as program:
        return b"/ld-linux" not in program.read()


class Holds(unittest.TestCase):
    def program_for_all(self):
        """A copy that any user can run; the tree may be for root only."""
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        os.chmod(directory.name, 0o755)
        return shutil.copy(TARPIT, os.path.join(directory.name, "tarpit"))

    def holds(self, t):
        """The client is greeted, and the reply goes on."""
        self.assertEqual(t.greeting(), GREETING)
        t.client.sendall(b"EHLO client.example\r\n")
        self.assertEqual(t.expect(5), b"250-m")

    def check(self, *args, **more):
        """Check a whole hold, with its log line."""
        with Tarpit("-i", "10", *args, **more) as t:
            self.holds(t)
            t.signal(signal.SIGTERM)
            self.assertEqual(t.line().ip, "127.0.0.1")
            self.assertEqual(t.wait(), 0)

    def check_silent(self, *args, **more):
        """Check a whole hold, which ends although its line has nowhere to go.
        """
        with Tarpit("-i", "10", *args, syslog=True, **more) as t:
            self.holds(t)
            time.sleep(0.5)
            self.assertEqual(len(t.expect(20)), 20)
            t.signal(signal.SIGTERM)
            self.assertEqual(t.wait(300), 0)
            self.assertEqual(t.output(), "")


class Descriptors(Holds):
    def start(self, closed, open_to, *args):
        """Start tarpit with standard descriptors closed, or open to a file."""
        def close():
            for fd in closed:
                os.close(fd)
        return subprocess.Popen(
            [TARPIT, "-n", NAME, "-i", "10", *args], stdin=open_to[0],
            stdout=open_to[1], stderr=open_to[2], preexec_fn=close)

    def test_closed_beside_the_client(self):
        """The socket for the log line then gets the number of a closed one."""
        for closed in (), (1,), (2,), (1, 2):
            client, server = tcp_pair()
            with self.subTest(closed=closed), client, Syslog() as syslog:
                with server:
                    process = self.start(closed, [server] * 3)
                self.assertEqual(client.recv(len(GREETING)), GREETING)
                client.sendall(b"EHLO x\r\n")
                self.assertEqual(client.recv(1), b"2")
                process.terminate()
                rest = b""
                while len(rest) < 4096:
                    got = client.recv(4096)
                    if not got:
                        break
                    rest += got
                self.assertRegex(rest, rb"\A50-[a-z. ]*\Z")
                self.assertEqual(process.wait(300), 0)
                line, = syslog.collect()
                self.assertEqual(Hold(line).ip, "127.0.0.1")

    def test_no_client(self):
        for count in range(3):
            for others in itertools.combinations((1, 2), count):
                with self.subTest(closed=(0,) + others), \
                        tempfile.TemporaryFile() as error:
                    process = self.start(
                        (0,) + others, [subprocess.DEVNULL, error, error])
                    self.assertEqual(process.wait(300), 64)
                    error.seek(0)
                    said = error.read()
                    if 2 in others:
                        self.assertEqual(said, b"")
                    else:
                        self.assertIn(b"not a connected TCP socket", said)

    def test_d_with_standard_error_closed(self):
        """The line does not go to whatever file has number 2 by then."""
        client, server = tcp_pair()
        with client, Syslog() as syslog:
            with server:
                process = self.start((2,), [server] * 3, "-d")
            self.assertEqual(client.recv(len(GREETING)), GREETING)
            process.terminate()
            self.assertEqual(client.recv(100), b"")
            self.assertEqual(process.wait(300), 0)
            self.assertEqual(syslog.collect(0), [])

    def test_inherited_junk_is_closed(self):
        with contextlib.ExitStack() as stack:
            read, write = os.pipe()
            stack.callback(os.close, read)
            junk = [write] + [os.dup(write) for _ in range(200)]
            for fd in junk:
                stack.callback(os.close, fd)
            listener = stack.enter_context(socket.create_server(
                ("127.0.0.1", 0)))
            with Tarpit("-i", "10",
                        pass_fds=junk + [listener.fileno()]) as t:
                self.holds(t)
                self.assertEqual(
                    sorted(map(int, os.listdir("/proc/%d/fd" % t.pid))),
                    [0, 1, 2])
                t.signal(signal.SIGTERM)
                t.line()
            os.set_blocking(read, False)
            with self.assertRaises(BlockingIOError):
                os.read(read, 1)

    def test_nonblocking_client(self):
        client, server = tcp_pair()
        server.setblocking(False)
        self.check(pair=(client, server))


@needs_seal     # the sanitizers and valgrind exceed limits
class Limits(Holds):
    def test_small(self):
        for name, what, value in (
                ("stack", resource.RLIMIT_STACK, 64 * KB),
                ("data", resource.RLIMIT_DATA, 512 * KB),
                ("core", resource.RLIMIT_CORE, 0),
                ("memlock", resource.RLIMIT_MEMLOCK, 0),
                ("sigpending", resource.RLIMIT_SIGPENDING, 0),
                ("fsize", resource.RLIMIT_FSIZE, 0)):
            with self.subTest(name=name):
                self.check(preexec_fn=limit(what, value))

    def test_no_room_in_the_file_that_d_writes_to(self):
        client, server = tcp_pair()
        with client, server, tempfile.TemporaryFile() as log, \
                subprocess.Popen(
                    [TARPIT, "-d"], stdin=server, stderr=log,
                    preexec_fn=limit(resource.RLIMIT_FSIZE, 0)) as process:
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(process.wait(300), 0)

    @unittest.skipUnless(is_static(), "a dynamic program maps libraries")
    def test_small_address_space(self):
        self.check(preexec_fn=limit(resource.RLIMIT_AS, 2048 * KB))

    @unittest.skipUnless(is_static(), "a dynamic program opens libraries")
    def test_no_descriptor_left(self):
        """The line goes out through the descriptor that was the client's."""
        with Syslog() as syslog:
            self.check_silent(preexec_fn=limit(resource.RLIMIT_NOFILE, 3))
            self.assertEqual(len(syslog.collect()), 1)

    @unittest.skipUnless(is_static(), "a dynamic program opens libraries")
    def test_no_descriptor_left_and_the_cap(self):
        with Tarpit("-i", "10", "-t", "1", syslog=True,
                    preexec_fn=limit(resource.RLIMIT_NOFILE, 3)) as t:
            self.holds(t)
            while t.client.recv(4096):
                pass
            self.assertGreater(time.time() - t.started, 0.7)
            self.assertEqual(t.wait(300), 0)

    @needs_root
    def test_no_process(self):
        def inherit():
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            limit(resource.RLIMIT_NPROC, 0)()

        self.check(binary=self.program_for_all(), preexec_fn=inherit)


class Program(Holds):
    """Bytes are sent from the program's file, if the file can be opened."""

    def sends_from(self, *args, **more):
        """The path of the file that the process sends from, or None, once it
        holds a client.
        """
        with Tarpit("-i", "10", *args, **more) as t:
            self.holds(t)
            self.assertEqual(t.expect(len(NAME)), NAME[1:].encode() + b" ")
            with contextlib.suppress(FileNotFoundError):
                return os.readlink("/proc/%d/fd/1" % t.pid)
        return None

    def test_by_a_relative_name(self):
        path = self.program_for_all()
        self.assertEqual(self.sends_from(
            binary="./tarpit", cwd=os.path.dirname(path)), path)

    @needs_root
    def test_that_may_be_run_and_not_read(self):
        path = self.program_for_all()
        os.chmod(path, 0o711)
        self.assertIsNone(self.sends_from(
            binary=path, user=NOBODY, group=NOBODY, extra_groups=[]))

    def test_by_a_descriptor(self):
        """The descriptor is closed before the program can be opened by it."""
        with open(TARPIT, "rb") as file:
            self.assertIsNone(self.sends_from(
                binary="/proc/self/fd/%d" % file.fileno(),
                pass_fds=[file.fileno()]))

    def test_another_in_its_place(self):
        """A program with other bytes replaces the file before it is opened."""
        libc = ctypes.CDLL(None)
        path = self.program_for_all()
        with open(path, "rb") as file:
            program = file.read()
        with open(path + ".new", "wb") as file:
            file.write(program.replace(b"250-\r\n .:[]", b"251-\r\n .:[]"))
        with Tarpit("-i", "10", binary=path, preexec_fn=lambda: libc.ptrace(
                PTRACE_TRACEME, 0, 0, 0)) as t:
            self.assertTrue(os.WIFSTOPPED(os.waitpid(t.pid, 0)[1]))
            os.rename(path + ".new", path)
            libc.ptrace(PTRACE_DETACH, t.pid, 0, 0)
            self.holds(t)
            self.assertNotEqual(program, pathlib.Path(path).read_bytes())

    def test_replaced_during_the_hold(self):
        path = self.program_for_all()
        with Tarpit("-i", "10", binary=path) as t:
            self.holds(t)
            os.rename(shutil.copy("/bin/true", path + ".new"), path)
            self.assertEqual(t.expect(len(NAME)), NAME[1:].encode() + b" ")


class Inherited(Holds):
    def test_huge_environment(self):
        self.check(env={"HUGE%d" % i: "x" * 100 * KB for i in range(15)})

    def test_huge_argument(self):
        client, server = tcp_pair()
        with client, server, Syslog() as syslog:
            done = subprocess.run([TARPIT, "-n", "x" * 120 * KB],
                                  stdin=server, timeout=300)
            self.assertEqual(done.returncode, 64)
            line, = syslog.collect()
            self.assertIn("x: not a host name", line)
            self.assertLess(len(line), 400)

    def test_every_signal_ignored_and_blocked(self):
        def inherit():
            for signo in ALL_SIGNALS:
                signal.signal(signo, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, ALL_SIGNALS)

        self.check(preexec_fn=inherit)

    def test_signal_that_came_before_the_program(self):
        """A signal that the parent blocks stays pending across execve(2)."""
        def inherit():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
            os.kill(os.getpid(), signal.SIGTERM)

        with Tarpit(preexec_fn=inherit) as t:
            self.assertEqual(t.expect(1000), GREETING)
            t.line()    # long before the cap
            self.assertEqual(t.wait(), 0)

    def test_directory_that_is_gone(self):
        directory = tempfile.mkdtemp()
        self.check(preexec_fn=lambda: (os.chdir(directory),
                                       os.rmdir(directory), os.umask(0o777)))


@needs_seal     # the sanitizers and valgrind stay root, to write files
class Root(Holds):
    @needs_root
    def test_becomes_nobody(self):
        with Tarpit("-i", "10", extra_groups=[0, 4, 27]) as t:
            self.holds(t)
            self.assertEqual(self.ids(t, "Uid"), {str(NOBODY)})
            self.assertEqual(self.ids(t, "Gid"), {str(NOBODY)})
            self.assertEqual(self.ids(t, "Groups"), set())
            for key in "CapPrm", "CapEff", "CapAmb":
                self.assertEqual(int(t.status(key), 16), 0)
            t.signal(signal.SIGTERM)
            self.assertEqual(t.line().ip, "127.0.0.1")

    @needs_root
    def test_another_user_stays(self):
        with Tarpit("-i", "10", binary=self.program_for_all(), user=1234,
                    group=1234, extra_groups=[]) as t:
            self.holds(t)
            self.assertEqual(self.ids(t, "Uid"), {"1234"})
            self.assertEqual(self.ids(t, "Gid"), {"1234"})

    @needs_root
    @needs_user_namespaces
    def test_root_that_cannot_become_nobody_serves_nobody(self):
        """In a user namespace that knows no user but root."""
        client, server = tcp_pair()
        with client, Syslog() as syslog:
            with server:
                status = subprocess.run(
                    ["unshare", "--user", "--map-root-user", TARPIT],
                    stdin=server, timeout=300).returncode
            self.assertEqual(status, 64)
            self.assertEqual(client.recv(100), b"")
            line, = syslog.collect()
            self.assertRegex(
                line, r"<19>tarpit\[\d+\]: started as root, .*65534")

    @staticmethod
    def ids(t, key):
        with open("/proc/%d/status" % t.pid) as status:
            return {word for line in status if line.startswith(key + ":")
                    for word in line.split()[1:]}


@needs_root
@unittest.skipUnless(is_static(), "a dynamic program needs its libraries")
class Chroot(Holds):
    """A directory that contains nothing but the program."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = directory.name
        os.chmod(self.root, 0o755)
        shutil.copy(TARPIT, os.path.join(self.root, "tarpit"))

    def jail(self):
        os.chroot(self.root)
        os.chdir("/")
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)

    def test_empty(self):
        self.check(binary="/tarpit", preexec_fn=self.jail)
        with Syslog() as syslog:
            self.check_silent(binary="/tarpit", preexec_fn=self.jail)
            self.assertEqual(syslog.collect(0), [])

    def test_with_a_log_socket(self):
        os.mkdir(os.path.join(self.root, "dev"))
        path = os.path.join(self.root, "dev/log")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.bind(path)
            log.settimeout(300)
            os.chmod(path, 0o666)
            with Tarpit("-i", "10", syslog=True, binary="/tarpit",
                        preexec_fn=self.jail) as t:
                self.holds(t)
                t.client.close()
                self.assertEqual(t.wait(), 0)
                self.assertEqual(
                    Hold(log.recv(8192).decode()).ip, "127.0.0.1")


class FullDisk(Holds):
    """A syslog daemon that cannot write the lines that it receives."""

    SIZE = 64 * KB

    def test_ends_no_hold_and_delays_none(self):
        with contextlib.ExitStack() as stack:
            daemon = stack.enter_context(self.daemon(stack))
            crowd = [stack.enter_context(Tarpit("-i", "100", syslog=True))
                     for _ in range(80)]
            for t in crowd:
                t.greeting()
                t.client.sendall(b"EHLO client.example\r\n")
            for t in crowd:
                self.assertEqual(t.expect(1), b"2")
            terminate(crowd)
            end = time.monotonic() + 120
            for t in crowd:
                self.assertEqual(
                    t.wait(max(0.01, end - time.monotonic())), 0)
            # Some lines still fit into the last page of the file.
            self.assertLess(len(daemon.lines()), len(crowd))

    def daemon(self, stack):
        """A daemon with its files on a file system that is then filled."""
        full = tempfile.mkdtemp()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d" % self.SIZE,
                        "tmpfs", full], check=True)
        stack.callback(subprocess.run, ["umount", "-l", full], check=True)
        with mock.patch.object(tempfile, "tempdir", full):
            daemon = Rsyslogd()
        with open(os.path.join(full, "ballast"), "wb", buffering=0) as file, \
                contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        return daemon


if __name__ == "__main__":
    unittest.main()
