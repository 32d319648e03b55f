# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is stuck right now: tarpit-stats counts the real processes."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import unittest

from tests.lib.process import wait_for
from tests.lib.sandbox import needs_root
from tests.lib.stats import STATS, run
from tests.lib.supers import USER, Tcpserver, Xinetd, install_program
from tests.lib.tarpit import TARPIT

TICK = 0.01     # s, the unit of /proc/PID/stat


def name_user(number):
    """Give the user tarpit this id, or remove the user for None."""
    with open("/etc/passwd") as file:
        others = [line for line in file if not line.startswith("tarpit:")]
    with open("/etc/passwd", "w") as file:
        file.writelines(others)
        if number is not None:
            file.write("tarpit:x:%d:%d::/:/usr/sbin/nologin\n" % (
                number, number))


def report(form, *args, wrap=(), **environment):
    done = subprocess.run(
        [*wrap, STATS, "-f", form, *args], input=b"", capture_output=True,
        timeout=300, env={"TZ": "UTC", "PATH": os.environ["PATH"],
                         **environment})
    if (done.returncode, done.stderr) != (0, b""):
        raise AssertionError(done.stderr.decode())
    return done.stdout.decode()


def held(**more):
    """How many clients are stuck, and the longest for how many seconds."""
    facts = json.loads(report("json", **more))
    return facts["held_now"], facts["longest_held_now_seconds"]


class NobodyKnown(unittest.TestCase):
    def test_without_the_user(self):
        name_user(None)
        self.assertEqual(held(), (None, None))
        self.assertNotIn("tarpit_connections_held", report("prometheus"))
        self.assertNotIn("right now", report("html"))
        self.assertIn("\nStuck right now: unknown\n", report("text", "-n"))

    def test_another_moment(self):
        name_user(USER)
        self.assertEqual(held(SOURCE_DATE_EPOCH="1795348800"), (None, None))

    def test_bad_moment(self):
        for text, said in (("", "invalid"), ("now", "invalid"),
                           ("-1", "too small"),
                           ("253402300800", "too large")):
            done = subprocess.run(
                [STATS], input=b"", capture_output=True, timeout=300,
                env={"SOURCE_DATE_EPOCH": text})
            self.assertEqual(
                (done.returncode, done.stderr.decode()),
                (64, "tarpit-stats: SOURCE_DATE_EPOCH %s: %s"
                     " (0 to 253402300799)\n" % (text, said)))

    @needs_root
    def test_hidden_processes(self):
        name_user(USER)
        subprocess.run(["mount", "-t", "proc", "-o", "hidepid=2", "proc",
                        "/proc"], check=True)
        self.addCleanup(subprocess.run, ["umount", "/proc"], check=True)
        self.assertEqual(held(), (0, 0))
        self.assertEqual(
            held(wrap=["setpriv", "--reuid", "1", "--regid", "1",
                       "--clear-groups"]),
            (None, None))

    @needs_root
    def test_no_proc(self):
        os.makedirs("/run/root/etc", exist_ok=True)
        shutil.copy(STATS, "/run/root/tarpit-stats")
        for name in filter(os.path.exists, ("/usr", "/lib", "/lib64")):
            os.mkdir("/run/root" + name)
            subprocess.run(["mount", "--bind", name, "/run/root" + name],
                           check=True)
        for passwd in False, True:
            if passwd:
                shutil.copy("/etc/passwd", "/run/root/etc/passwd")
            done = subprocess.run(
                ["chroot", "/run/root", "/tarpit-stats", "-n"], input=b"",
                capture_output=True, timeout=300)
            self.assertIn(b"\nStuck right now: unknown\n", done.stdout)


class Counted(unittest.TestCase):
    def setUp(self):
        name_user(USER)
        install_program()

    def test_nobody(self):
        self.assertEqual(held(), (0, 0))
        self.assertIn("\nStuck right now: 0\n", report("text", "-n"))
        self.assertIn("\ntarpit_connections_held 0\n", report("prometheus"))
        self.assertIn("Nobody is stuck right now.</p>", report("html"))

    def test_not_in_the_text_unless_asked(self):
        self.assertEqual(len(report("text").splitlines()), 4)
        self.assertEqual(len(report("text", "-n").splitlines()), 5)

    def check_super(self, kind):
        server = kind(2500)
        self.addCleanup(server.close)
        before = time.monotonic()
        clients = [self.connect(server.port)]
        after = time.monotonic()
        time.sleep(1.5)
        clients += [self.connect(server.port) for _ in range(2)]

        asked = time.monotonic()
        count, longest = held()
        answered = time.monotonic()
        self.assertEqual(count, 3)
        self.assertGreaterEqual(longest, asked - after - TICK)
        self.assertLessEqual(longest, answered - before + TICK)
        self.assertIn("\ntarpit_connections_held 3\n", report("prometheus"))
        self.assertRegex(report("prometheus"),
                         r"\ntarpit_longest_held_seconds \d+\.\d{3}\n")
        self.assertRegex(report("text", "-n"),
                         r"\nStuck right now: 3, the longest for \d+\S* \S+")
        self.assertRegex(
            report("html"),
            r"Stuck right now: <b>3</b>, the longest for \d[^<]* s\.</p>")

        for left, client in zip((2, 1, 0), clients):
            client.close()
            self.assertTrue(wait_for(lambda: held()[0] == left, 300))
            if left == 1:
                self.assertRegex(report("text", "-n"),
                                 r"\nStuck right now: 1, for \d")
                self.assertRegex(report("html"),
                                 r"Stuck right now: <b>1</b>, for \d[^<]* s")

    def connect(self, port):
        client = socket.create_connection(("127.0.0.1", port), 300)
        self.addCleanup(client.close)
        self.assertEqual(client.recv(4), b"220 ")
        # Its close is a reset, which the tarpit notices at once.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          b"\1\0\0\0\0\0\0\0")
        return client

    @needs_root
    def test_xinetd(self):
        self.check_super(Xinetd)

    @needs_root
    def test_tcpserver(self):
        self.check_super(Tcpserver)

    def other(self, path, user, program="/bin/sleep"):
        """Start a process that is not a tarpit, or not of the user tarpit."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(program, path)
        process = subprocess.Popen([path, "600"], user=user,
                                   stdin=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    @needs_root
    def test_others_of_that_name_are_not(self):
        self.other("/run/others/tarpit", 0)
        self.other("/run/others/of-daemon/tarpit", 1)
        self.assertEqual(held(), (0, 0))

    @needs_root
    def test_others_of_that_user_are_not(self):
        for name in "sleep", "tarpit-stats", "tarpi", "S (tarpit", "tarpit) S":
            self.other("/run/others/" + name, USER)
        self.assertEqual(held(), (0, 0))
        self.other("/run/others/tarpit", USER)
        self.assertEqual(held()[0], 1)

    @needs_root
    def test_those_that_ended_are_not(self):
        process = self.other("/run/others/tarpit", USER, TARPIT)

        def state():
            with open("/proc/%d/stat" % process.pid) as file:
                return re.search(r"\) (\w)", file.read())[1]

        self.assertTrue(wait_for(lambda: state() == "Z", 300))
        self.assertEqual(held(), (0, 0))


class Title(unittest.TestCase):
    def test_in_html(self):
        page = report("html", "-t", "<b> & 'Jo's \"pit\" \u00e9")
        said = "&#60;b&#62; &#38; &#39;Jo&#39;s &#34;pit&#34; \u00e9"
        self.assertIn("<title>%s: 0 emails blocked</title>" % said, page)
        self.assertIn("<h1>Stuck in %s</h1>" % said, page)

    def test_in_json(self):
        for title in "tarpit.example.org", "a\"b\\c / \u00e9\U0001f4e7":
            self.assertEqual(
                json.loads(report("json", "-t", title))["title"], title)
        self.assertEqual(json.loads(report("json"))["title"], None)

    def test_good(self):
        for title in ("a", "a" * 100, " ~", "\u00a0", "\u07ff", "\u0800",
                      "\ud7ff", "\ue000", "\uffff", "\U00010000",
                      "\U0010ffff"):
            self.assertEqual(
                json.loads(report("json", "-t", title))["title"], title)

    def test_bad(self):
        for title, said in (
                (b"", "too short (1 to 100 bytes)"),
                (b"a" * 101, "too long (1 to 100 bytes)"),
                *((bad, "not a line of UTF-8") for bad in (
                    b"\n", b"a\x1fb", b"\x7f", b"\x80", b"\xc1\xbf",
                    b"\xc2\x9f", b"\xc2", b"\xc3\x7f", b"\xc3\xc0",
                    b"\xe0\x9f\xbf", b"\xe1\x80", b"\xe1\x80\xc0",
                    b"\xed\xa0\x80", b"\xf0\x8f\xbf\xbf", b"\xf1\x80\x80a",
                    b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xff"))):
            done = run("-t", title)
            self.assertEqual(
                (done.returncode, done.stderr, done.stdout),
                (64, b"tarpit-stats: -t %s: %s\n" % (title, said.encode()),
                 b""))
