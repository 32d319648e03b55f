# SPDX-License-Identifier: GPL-2.0-or-later
"""make and make run, as the README describes them."""

import glob
import os
import platform
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from tests.lib import TOP
from tests.lib.log import Hold
from tests.lib.process import wait_for
from tests.lib.sandbox import needs_initial_namespace
from tests.lib.tarpit import Tarpit


class Build(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = directory.name
        for name in "tests", "tests/fuzz", "stats", "mx":
            os.mkdir(os.path.join(self.root, name))
        for pattern in ("*.c", "*.h", "stats/*.c", "stats/*.h", "stats/*.css",
                        "mx/*.c", "mx/*.h", "Makefile", "tests/tests.mk",
                        "tests/fuzz/fuzz.mk"):
            for path in glob.glob(os.path.join(TOP, pattern)):
                shutil.copy(path, os.path.join(
                    self.root, os.path.relpath(path, TOP)))

    def make(self, *args, env=None):
        """Its output; the variables of a make that runs the tests, such as
        LDSTATIC=, are not for this one.
        """
        outer = {name: value for name, value in os.environ.items()
                 if not name.startswith("MAKE") and name != "MFLAGS"}
        return subprocess.run(
            ["make", "-C", self.root] + list(args), check=True,
            env=dict(outer, **(env or {})),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout

    def is_static(self):
        """Whether tarpit is static; tarpit-stats, with SQLite, never is."""
        static = []
        for name in "tarpit", "tarpit-stats":
            program = os.path.join(self.root, name)
            self.assertEqual(subprocess.run([program, "-V"]).returncode, 0)
            with open(program, "rb") as file:
                static.append(b"/ld-linux" not in file.read())
        self.assertFalse(static[1])
        return static[0]

    def test_static_where_the_libraries_are(self):
        self.assertNotIn("warning", self.make())
        self.assertTrue(self.is_static())

    def test_with_flags_of_the_environment(self):
        """A distribution's own flags may ask for fortification already."""
        for name in "CFLAGS", "CPPFLAGS":
            self.make("clean")
            said = self.make(
                env={name: "-O1 -Wp,-D_FORTIFY_SOURCE=3 -DOF_THE_ENVIRONMENT"})
            self.assertIn("-DOF_THE_ENVIRONMENT", said)
            self.assertNotIn("-D_FORTIFY_SOURCE=2", said)
            self.assertNotIn("warning", said)

    @needs_initial_namespace
    def test_dynamic_where_they_are_not(self):
        libraries = glob.glob("/usr/lib/*/libc.a")
        self.assertNotEqual(libraries, [])
        for library in libraries:
            os.rename(library, library + ".away")
        try:
            self.assertIn("linking dynamically", self.make())
        finally:
            for library in libraries:
                os.rename(library + ".away", library)
        self.assertFalse(self.is_static())

    def test_dynamic_if_asked(self):
        self.make("LDSTATIC=")
        self.assertFalse(self.is_static())

    def test_small(self):
        self.assertNotIn("warning", self.make("small"))
        self.assertTrue(self.is_static())
        with open(os.path.join(self.root, "tarpit"), "rb") as file:
            self.assertNotIn(b"glibc", file.read())
        self.assertIn("Build ID: ", self.readelf("-n", "tarpit"))
        self.make("-q", "all")

    @unittest.skipUnless(platform.machine() == "x86_64", "elsewhere it is not")
    def test_small_is_near_its_stack(self):
        """Both are in the same 512 GB, which one page table covers."""
        self.make("small")
        with Tarpit(binary=os.path.join(self.root, "tarpit")) as t:
            t.stuck()
            with open("/proc/%d/maps" % t.pid) as file:
                maps = file.read().splitlines()
        places = {line.split()[-1]: int(line.split("-")[0], 16) >> 39
                  for line in maps}
        self.assertEqual(places[os.path.join(self.root, "tarpit")],
                         places["[stack]"])

    def readelf(self, option, name):
        return subprocess.run(
            ["readelf", option, os.path.join(self.root, name)], check=True,
            capture_output=True, text=True).stdout

    def check_hardening(self, symbols_of):
        symbols = self.readelf("-sW", symbols_of)
        self.assertIn("__stack_chk_fail", symbols)
        self.assertEqual("__snprintf_chk" in symbols,
                         symbols_of == "tarpit.o")
        self.assertRegex(self.readelf("-hW", "tarpit"), r"Type: +EXEC")
        segments = self.readelf("-lW", "tarpit")
        self.assertRegex(segments, r"GNU_STACK .* RW ")
        self.assertIn("GNU_RELRO", segments)

    def test_hardening(self):
        """bench/README.md has the list; only tarpit.o is looked at, since
        glibc's own objects may use functions that are not fortified.
        """
        self.make()
        self.check_hardening("tarpit.o")
        self.make("small")
        self.check_hardening("tarpit")

    def test_small_without_musl(self):
        with self.assertRaises(subprocess.CalledProcessError) as caught:
            self.make("small", "MUSL_CC=no-musl-gcc")
        self.assertIn("no-musl-gcc: ", caught.exception.stdout)

    def test_is_the_same_wherever_and_whenever(self):
        programs = []
        for name, days in ("one", 0), ("another/place", 400):
            tree = os.path.join(self.root, "copies", name)
            shutil.copytree(self.root, tree, ignore=shutil.ignore_patterns(
                "copies"))
            for target in "all", "small":
                subprocess.run(
                    ["make", "-C", tree, target], check=True,
                    capture_output=True, env=dict(
                        os.environ, FAKETIME="+%dd" % days, LD_PRELOAD=glob.
                        glob("/usr/lib/*/faketime/libfaketime.so.1")[0]))
                for program in "tarpit", "tarpit-stats":
                    with open(os.path.join(tree, program), "rb") as file:
                        programs.append(file.read())
        self.assertEqual(programs[:4], programs[4:])

    def test_clean(self):
        before = os.listdir(self.root)
        self.make()
        self.make("clean")
        self.assertEqual(sorted(os.listdir(self.root)), sorted(before))


class Dist(unittest.TestCase):
    def test_is_the_same_again_and_builds(self):
        with tempfile.TemporaryDirectory() as directory:
            tarballs = []
            for name, mask in ("one", 0o22), ("two", 0o77):
                done = subprocess.run(
                    [os.path.join(TOP, "packaging/tarball"),
                     os.path.join(directory, name)], check=True, text=True,
                    stdout=subprocess.PIPE, umask=mask)
                with open(done.stdout.strip(), "rb") as file:
                    tarballs.append(file.read())
            self.assertEqual(*tarballs)
            subprocess.run(["tar", "-xf", done.stdout.strip(), "-C",
                            directory], check=True)
            tree, = glob.glob(directory + "/tarpit-*")
            subprocess.run(["make", "-C", tree, "all", "check-units"],
                           check=True, stdout=subprocess.DEVNULL)


class Run(unittest.TestCase):
    def setUp(self):
        self.output = tempfile.TemporaryFile("w+")
        self.addCleanup(self.output.close)
        self.process = subprocess.Popen(
            ["make", "-C", TOP, "run"], stdin=subprocess.DEVNULL,
            stdout=self.output, stderr=self.output, start_new_session=True)
        self.addCleanup(self.end, signal.SIGTERM)

    def end(self, signo):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signo)
            self.process.wait(300)

    def said(self):
        self.output.seek(0)
        return self.output.read()

    def line(self):
        return [text for text in self.said().splitlines()
                if "connected=" in text]

    def test_shows_the_line_of_each_hold(self):
        with wait_for(self.connect) as client:
            self.assertTrue(client.recv(100).startswith(b"220 "))
            client.sendall(b"EHLO me\r\n")
            self.assertEqual(client.recv(100), b"250-")
        self.assertTrue(wait_for(self.line))
        self.assertEqual(Hold(self.line()[0]).ip, "127.0.0.1")

    def test_ends_with_control_c_and_no_word_of_make(self):
        with wait_for(self.connect) as client:
            self.assertTrue(client.recv(100).startswith(b"220 "))
            before = self.said()
            self.end(signal.SIGINT)
            self.assertTrue(wait_for(self.line))
        self.assertEqual(self.said(), before + self.line()[0] + "\n")

    @staticmethod
    def connect():
        try:
            return socket.create_connection(("127.0.0.1", 2525), 10)
        except ConnectionRefusedError:
            return None


if __name__ == "__main__":
    unittest.main()
