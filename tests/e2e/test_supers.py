# SPDX-License-Identifier: GPL-2.0-or-later
"""Each super-server, for real, with the file from units/ that starts it.

The files are used as installed.  Only what they start is not quite: in the
place of tarpit stands a script that runs it with a short -i, since a byte in
four seconds would make this last minutes.
"""

import contextlib
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from tests.lib import TOP
from tests.lib.log import Hold, Syslog
from tests.lib.net import listen, listens
from tests.lib.process import running, wait_for
from tests.lib.sandbox import mapped_ids
from tests.lib.tarpit import SEALED, TARPIT

UNITS = os.path.join(TOP, "units")
SBINDIR = "/usr/local/sbin"
INSTALLED = os.path.join(SBINDIR, "tarpit")
PROGRAM = "/usr/local/libexec/tarpit"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
PORT = 25
PER_SOURCE = 20
FLOOD = 300
# None of these defaults may come through.
LOUD_XINETD = """
defaults
{
	log_type = SYSLOG daemon info
	log_on_success = PID HOST EXIT DURATION
	log_on_failure = HOST
	passenv = PATH
	cps = 5 10
	instances = 5
	per_source = 5
}
includedir /etc/xinetd.d
"""
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


def install(name, path, *edits, mode=0o644):
    """A file from units/ in its place, as make install would put it there."""
    with open(os.path.join(UNITS, name)) as source:
        text = source.read()
    for old, new in edits:
        if old not in text:
            raise AssertionError("%s has no %r" % (name, old))
        text = text.replace(old, new)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def setUpModule():
    if mapped_ids() == 1:
        raise unittest.SkipTest("no user but root in this sandbox")
    os.makedirs(os.path.dirname(PROGRAM), exist_ok=True)
    shutil.copy(TARPIT, PROGRAM)
    os.makedirs(SBINDIR, exist_ok=True)
    with open(INSTALLED, "w") as script:
        script.write("#!/bin/sh\nexec %s -i 50 \"$@\"\n" % PROGRAM)
    os.chmod(INSTALLED, 0o755)
    subprocess.run(
        ["systemd-sysusers", os.path.join(UNITS, "systemd/tarpit.sysusers")],
        check=True, capture_output=True)


def live():
    """Process ids of the tarpits that a super-server has started here."""
    return running(PROGRAM)


def status(pid, key):
    with open("/proc/%d/status" % pid) as lines:
        for line in lines:
            if line.startswith(key + ":"):
                return line.split()[1:]
    return None


def connect(family=socket.AF_INET, source=None):
    client = socket.socket(family)
    client.settimeout(300)
    if source is not None:
        client.bind((source, 0))
    try:
        client.connect((LOOPBACK[family], PORT))
    except OSError:
        client.close()
        raise
    return client


def greeted(client):
    """Whether it gets a greeting, and not the end of the connection."""
    try:
        return client.recv(100).startswith(b"220 ")
    except ConnectionError:
        return False


class Server:
    """A super-server in the foreground, from start to its last tarpit."""

    def __init__(self, command, syslog, last_word=""):
        self.command = command
        self.syslog = syslog
        self.last_word = last_word
        self.output = tempfile.TemporaryFile("w+")

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self.output,
            stderr=self.output, cwd="/", env={"PATH": PATH})
        if not wait_for(self.ready):
            self.__exit__()
            raise AssertionError("%s does not listen" % self.command[0])
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        for pid in live():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        wait_for(self.over)
        self.process.kill()
        self.process.wait()
        self.output.close()

    def ready(self):
        """It listens, and has said its last word on the way to there."""
        said = self.last_word == ""
        for line in self.heard():
            said = said or self.last_word in line
        self.last_word = "" if said else self.last_word
        return said and listens(PORT)

    def over(self):
        """Nothing is left of it, not even one that waits to log its end."""
        for _ in self.heard():
            pass
        return self.process.poll() is not None and not live()

    def heard(self):
        """What is in the queue of syslog, for whose end others wait."""
        while select.select([self.syslog.socket], [], [], 0)[0]:
            yield self.syslog.socket.recv(8192).decode()

    def said(self):
        self.output.seek(0)
        return self.output.read()


class Supers:
    """What each of them must do."""

    families = socket.AF_INET, socket.AF_INET6
    last_word = ""      # of its start, in syslog
    talks = False       # on its standard error

    def setUp(self):
        self.syslog = self.enter(Syslog())
        os.chmod(Syslog.PATH, 0o666)

    def enter(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def start(self, *edits):
        return self.enter(Server(self.command(*edits), self.syslog,
                                 self.last_word))

    def client(self, *args, **kwargs):
        client = connect(*args, **kwargs)
        self.addCleanup(client.close)
        return client

    def test_holds_two_at_a_time_as_the_user_tarpit(self):
        server = self.start()
        clients = [self.client(family)
                   for family in self.families for _ in range(2)]
        for client in clients:
            self.assertTrue(greeted(client))
            client.sendall(b"EHLO client.example\r\nMAIL FROM:<>\r\n")
        reply = b"250-" + os.uname().nodename.encode() + b" "
        for client in clients:
            got = b""
            while len(got) < len(reply):
                nbytes = client.recv(1)
                self.assertNotEqual(nbytes, b"", got)
                got += nbytes
            self.assertEqual(got, reply)

        self.assertEqual(len(live()), len(clients))
        for pid in live():
            user = pwd.getpwnam("tarpit")
            self.assertEqual(status(pid, "Uid"), [str(user.pw_uid)] * 4)
            self.assertEqual(status(pid, "Gid"), [str(user.pw_gid)] * 4)
            self.assertIn(status(pid, "Groups"), ([], [str(user.pw_gid)]))
            self.assertEqual(status(pid, "Seccomp"), [SEALED])
            self.assertEqual(sorted(os.listdir("/proc/%d/fd" % pid)),
                             ["0", "1", "2"])

        for client in clients:
            client.close()
        holds = [Hold(line) for line in self.syslog.collect(len(clients))]
        self.assertEqual(
            sorted(hold.ip for hold in holds),
            sorted(LOOPBACK[family] for family in self.families * 2))
        if not self.talks:
            self.assertEqual(server.said(), "")

    def test_serves_ipv6_or_not_as_its_header_says(self):
        self.start()
        if socket.AF_INET6 in self.families:
            self.assertTrue(greeted(self.client(socket.AF_INET6)))
        else:
            with self.assertRaises(ConnectionRefusedError):
                self.client(socket.AF_INET6)

    def test_asks_nobody_about_the_client(self):
        resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.enter(resolver).bind(("127.0.0.1", 53))
        ident = self.enter(listen(port=113))
        with open("/etc/resolv.conf", "w") as conf:
            conf.write("nameserver 127.0.0.1\n")
        self.start()
        self.assertTrue(greeted(self.client()))
        self.assertEqual(select.select([resolver, ident], [], [], 0)[0], [])

    def test_a_flood_does_not_switch_it_off(self):
        self.start()
        for i in range(FLOOD):
            with connect(source="127.0.1.%d" % (i % 250 + 1)) as client:
                self.assertTrue(greeted(client), "client %d" % i)
        self.assertTrue(greeted(self.client()))
        lines = self.syslog.collect(FLOOD)
        self.assertEqual(len(lines), FLOOD)
        for line in lines:
            Hold(line)

    def refuses_one_source_too_many(self):
        self.start()
        for _ in range(PER_SOURCE):
            self.assertTrue(greeted(self.client()))
        self.assertFalse(greeted(self.client()))
        self.assertTrue(greeted(self.client(source="127.0.0.2")))
        self.assertEqual(self.syslog.collect(0), [])

    def third_client(self, *edits):
        """Start with a limit of two, and come third."""
        self.start(*edits)
        first, second, third = [self.client() for _ in range(3)]
        self.assertTrue(greeted(first))
        self.assertTrue(greeted(second))
        return first, third

    def defers_one_too_many(self, *edits):
        first, third = self.third_client(*edits)
        third.settimeout(0.3)
        with self.assertRaises(socket.timeout):
            greeted(third)
        first.close()
        third.settimeout(300)
        self.assertTrue(greeted(third))


class Xinetd(Supers, unittest.TestCase):
    last_word = "Started working: 1 available service"

    def command(self, *edits):
        with open("/etc/xinetd.conf", "w") as conf:
            conf.write(LOUD_XINETD)
        install("xinetd/tarpit", "/etc/xinetd.d/tarpit", *edits)
        return ["xinetd", "-dontfork"]

    def test_refuses_one_source_too_many(self):
        self.refuses_one_source_too_many()

    def test_refuses_one_too_many(self):
        _, third = self.third_client(("instances\t= 1500", "instances\t= 2"))
        self.assertFalse(greeted(third))
        self.assertEqual(self.syslog.collect(0), [])


class Inetd(Supers, unittest.TestCase):
    def command(self):
        return ["inetd", "-i",
                install("inetd/inetd.conf", "/etc/inetd.conf")]


class Tcpserver(Supers, unittest.TestCase):
    families = socket.AF_INET,

    def command(self, *edits):
        return [install("tcpserver/run", "/etc/sv/tarpit/run", *edits,
                        mode=0o755)]

    def test_defers_one_too_many(self):
        self.defers_one_too_many(("-c 1500", "-c 2"))


class WithoutTheUser(unittest.TestCase):
    """No service rather than one of root's."""

    def test_run_scripts_fail(self):
        for name in "tcpserver", "tcpsvd":
            with self.subTest(name=name), tempfile.NamedTemporaryFile(
                    "w", suffix="run") as script:
                with open(os.path.join(UNITS, name, "run")) as original:
                    script.write(original.read().replace(
                        "tarpit)", "nosuchuser)").replace(
                        "-u tarpit", "-u nosuchuser"))
                script.flush()
                done = subprocess.run(
                    ["sh", script.name], capture_output=True, timeout=300)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(b"nosuchuser", done.stdout)


class Tcpsvd(Supers, unittest.TestCase):
    families = socket.AF_INET,

    def command(self, *edits):
        return [install("tcpsvd/run", "/etc/sv/tarpit/run", *edits,
                        mode=0o755)]

    def test_refuses_one_source_too_many(self):
        self.refuses_one_source_too_many()

    def test_defers_one_too_many(self):
        self.defers_one_too_many(("-c 1500", "-c 2"))


class SocketActivate(Supers, unittest.TestCase):
    """What the units ask of systemd, as far as it can be had without it."""

    talks = True

    def command(self):
        with tempfile.TemporaryDirectory() as units:
            listen = self.setting(units, "tarpit.socket", "ListenStream")
            start = self.setting(units, "tarpit@.service", "ExecStart")
            user = self.setting(units, "tarpit@.service", "User")
        return ["systemd-socket-activate", "--accept", "--inetd",
                "--listen=" + listen, "setpriv", "--reuid=" + user,
                "--regid=" + user, "--clear-groups", "--no-new-privs",
                start.lstrip("-").split()[0]]

    @staticmethod
    def setting(units, unit, key):
        path = install("systemd/" + unit, os.path.join(units, unit))
        with open(path) as lines:
            for line in lines:
                if line.startswith(key + "="):
                    return line.strip().split("=", 1)[1]
        return None


class Units(unittest.TestCase):
    NAMES = "tarpit.socket", "tarpit@.service", "tarpit.slice"

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.paths = [self.put(name, name) for name in self.NAMES]

    def put(self, name, place):
        return install("systemd/" + name, os.path.join(self.directory, place))

    def put_drop_ins(self):
        self.put("hardened.conf", "tarpit@.service.d/hardened.conf")
        self.put("options.conf", "tarpit@.service.d/options.conf")
        self.put("bind.conf", "tarpit.socket.d/bind.conf")

    def analyze(self, *args):
        done = subprocess.run(
            ["systemd-analyze", "--no-pager"] + list(args),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def exposure(self, most):
        """Whether the score, from 0.0 to 10.0, is at most so many tenths."""
        code, output = self.analyze(
            "security", "--offline=true", "--threshold=%d" % most,
            os.path.join(self.directory, "tarpit@.service"))
        self.assertEqual(code, 0, output)

    def test_have_nothing_that_systemd_does_not_know(self):
        self.assertEqual(
            self.analyze("verify", "--man=no", *self.paths), (0, ""))

    def test_nor_have_the_drop_ins(self):
        self.put_drop_ins()
        self.assertEqual(
            self.analyze("verify", "--man=no", *self.paths), (0, ""))

    def test_plain_exposure(self):
        self.exposure(70)

    def test_hardened_exposure(self):
        self.put_drop_ins()
        self.exposure(15)

    def test_user_owns_nothing_and_cannot_log_in(self):
        user = pwd.getpwnam("tarpit")
        self.assertEqual(user.pw_shell, "/usr/sbin/nologin")
        self.assertEqual(user.pw_dir, "/")


if __name__ == "__main__":
    unittest.main()
