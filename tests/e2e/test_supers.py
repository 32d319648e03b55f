# SPDX-License-Identifier: GPL-2.0-or-later
"""Each super-server, for real, with the file from units/ that starts it.

The files are used as installed.  Only what they start is not quite: in the
place of tarpit stands a script that runs it with a short -i, since a byte in
four seconds would make this last minutes.
"""

import os
import pwd
import select
import socket
import subprocess
import tempfile
import unittest

from tests.lib.files import install, write
from tests.lib.log import Hold, Syslog
from tests.lib.net import listen, listens
from tests.lib.process import status
from tests.lib.sandbox import mapped_ids
from tests.lib.supers import (PROGRAM, UNITS, Foreground, install_program,
                              live, put)
from tests.lib.tarpit import SEALED

INSTALLED = "/usr/local/sbin/tarpit"
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


def setUpModule():
    if mapped_ids() == 1:
        raise unittest.SkipTest("no user but root in this sandbox")
    install_program()
    install(INSTALLED, "#!/bin/sh\nexec %s -i 50 \"$@\"\n" % PROGRAM, 0o755)
    subprocess.run(
        ["systemd-sysusers", os.path.join(UNITS, "systemd/tarpit.sysusers")],
        check=True, capture_output=True)


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


class Server(Foreground):
    """Listens once it has said its last word on the way to there."""

    def __init__(self, command, syslog, last_word):
        self.syslog = syslog
        self.last_word = last_word
        self.output = tempfile.TemporaryFile("w+")
        super().__init__(command, self.ready, self.output, cwd="/",
                         env={"PATH": PATH})

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
        self.output.close()

    def ready(self):
        said = self.last_word == ""
        for line in self.heard():
            said = said or self.last_word in line
        self.last_word = "" if said else self.last_word
        return said and listens(PORT)

    def idle(self):
        """No tarpit waits in vain to log its end."""
        for _ in self.heard():
            pass

    def heard(self):
        """The lines that are in the queue of syslog."""
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
            its = status(pid)
            self.assertEqual(its["Uid"].split(), [str(user.pw_uid)] * 4)
            self.assertEqual(its["Gid"].split(), [str(user.pw_gid)] * 4)
            self.assertIn(its["Groups"], ("", str(user.pw_gid)))
            self.assertEqual(its["Seccomp"], SEALED)
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
        write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
        self.start()
        self.assertTrue(greeted(self.client()))
        self.assertEqual(select.select([resolver, ident], [], [], 0)[0], [])

    def test_a_flood_does_not_switch_it_off(self):
        server = self.start()
        lines = []
        for i in range(FLOOD):
            with connect(source="127.0.1.%d" % (i % 250 + 1)) as client:
                self.assertTrue(greeted(client), "client %d" % i)
            # A tarpit waits for room in the queue, but not for ever.
            lines += server.heard()
        self.assertTrue(greeted(self.client()))
        lines += self.syslog.collect(FLOOD - len(lines))
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
        write("/etc/xinetd.conf", LOUD_XINETD)
        put("xinetd/tarpit", "/etc/xinetd.d/tarpit", *edits)
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
                put("inetd/inetd.conf", "/etc/inetd.conf")]


class Tcpserver(Supers, unittest.TestCase):
    families = socket.AF_INET,

    def command(self, *edits):
        return [put("tcpserver/run", "/etc/sv/tarpit/run", *edits,
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
        return [put("tcpsvd/run", "/etc/sv/tarpit/run", *edits,
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
        path = put("systemd/" + unit, os.path.join(units, unit))
        with open(path) as lines:
            for line in lines:
                if line.startswith(key + "="):
                    return line.strip().split("=", 1)[1]
        return None


def knows_offline():
    """Debian 11's looks only at units of the machine that it runs on."""
    return "--offline" in subprocess.run(
        ["systemd-analyze", "--help"], capture_output=True, text=True).stdout


needs_offline = unittest.skipUnless(
    knows_offline(), "systemd-analyze has no --offline: older than 250")


class Units(unittest.TestCase):
    NAMES = "tarpit.socket", "tarpit@.service", "tarpit.slice"

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        self.paths = [self.put(name, name) for name in self.NAMES]

    def put(self, name, place):
        return put("systemd/" + name, os.path.join(self.directory, place))

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

    @needs_offline
    def test_have_nothing_that_systemd_does_not_know(self):
        self.assertEqual(
            self.analyze("verify", "--man=no", *self.paths), (0, ""))

    @needs_offline
    def test_nor_have_the_drop_ins(self):
        self.put_drop_ins()
        self.assertEqual(
            self.analyze("verify", "--man=no", *self.paths), (0, ""))

    @needs_offline
    def test_plain_exposure(self):
        self.exposure(70)

    @needs_offline
    def test_hardened_exposure(self):
        self.put_drop_ins()
        self.exposure(15)

    def test_user_owns_nothing_and_cannot_log_in(self):
        user = pwd.getpwnam("tarpit")
        self.assertEqual(user.pw_shell, "/usr/sbin/nologin")
        self.assertEqual(user.pw_dir, "/")


if __name__ == "__main__":
    unittest.main()
