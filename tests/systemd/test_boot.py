# SPDX-License-Identifier: GPL-2.0-or-later
"""./boot leaves nothing behind, however it ends.

Run outside, as root, with the root that ./image made.
"""

import glob
import os
import signal
import subprocess
import unittest

from tests.lib import TOP
from tests.lib.process import LIMIT, wait_for

BOOT = os.path.join(TOP, "tests/systemd/boot")
ROOT = os.path.join(TOP, os.environ.get("LAB", "tests/build/lab"))
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def mounts():
    with open("/proc/mounts") as file:
        return sorted(file.read().splitlines())


def parents():
    """Of each process, by its id and the time of its start."""
    found = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        found[int(path.split("/")[2])] = int(fields[1]), fields[19]
    return found


def family(pid):
    """The process and all that came of it, as {(id, start)}."""
    everyone = parents()
    members = {pid}
    while True:
        more = {p for p, (parent, _) in everyone.items() if parent in members}
        if more <= members:
            return {(p, everyone[p][1]) for p in members if p in everyone}
        members |= more


def alive(members):
    everyone = parents()
    return {(p, start) for p, start in members
            if everyone.get(p, (0, 0))[1] == start}


class Boot(unittest.TestCase):
    def setUp(self):
        self.mounts = mounts()

    def groups(self, boot):
        return glob.glob("/sys/fs/cgroup/**/tarpit-lab.%d" % boot.pid,
                         recursive=True)

    def boot(self, command):
        # Whoever runs this may ignore a signal, as nohup(1) does, and a shell
        # cannot catch what it was told to ignore.
        boot = subprocess.Popen(
            [BOOT, ROOT, command], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, preexec_fn=lambda: [
                signal.signal(signo, signal.SIG_DFL) for signo in SIGNALS])
        self.addCleanup(self.end, boot)
        return boot

    @staticmethod
    def end(boot):
        boot.terminate()
        boot.wait(LIMIT)
        boot.stdout.close()

    def up(self):
        """A machine that has booted, with an empty group in it."""
        boot = self.boot("mkdir /sys/fs/cgroup/empty; echo up; sleep 600")
        self.assertEqual(boot.stdout.readline(), "up\n")
        return boot

    def nothing_is_left(self, boot, members):
        self.assertTrue(wait_for(lambda: not alive(members)))
        self.assertEqual(set(mounts()) - set(self.mounts), set())

    def interrupt(self, signo):
        boot = self.up()
        members = family(boot.pid)
        # boot, unshare, boot, tail, timeout, nspawn, systemd, journald ...
        self.assertGreater(len(members), 8)
        self.assertNotEqual(self.groups(boot), [])
        boot.send_signal(signo)
        self.assertNotEqual(boot.wait(LIMIT), 0)
        self.nothing_is_left(boot, members)
        return boot

    def test_that_ends(self):
        boot = self.boot("exit 0")
        self.assertEqual(boot.wait(LIMIT), 0)
        self.nothing_is_left(boot, set())
        self.assertEqual(self.groups(boot), [])

    def test_whose_command_fails(self):
        boot = self.boot("exit 3")
        self.assertNotEqual(boot.wait(LIMIT), 0)
        self.assertEqual(self.groups(boot), [])

    def test_that_is_interrupted(self):
        for signo in SIGNALS:
            with self.subTest(signo=signo):
                self.assertEqual(self.groups(self.interrupt(signo)), [])

    def test_that_is_killed(self):
        boot = self.interrupt(signal.SIGKILL)
        # Its groups are empty; the next one takes them away.
        self.assertEqual(self.boot("exit 0").wait(LIMIT), 0)
        self.assertEqual(self.groups(boot), [])

    def test_beside_another(self):
        boot = self.up()
        self.assertEqual(len(self.empty(boot)), 1)
        self.assertEqual(self.boot("exit 0").wait(LIMIT), 0)
        self.assertEqual(len(self.empty(boot)), 1)

    def empty(self, boot):
        return [group for group in self.groups(boot)
                if os.path.exists(os.path.join(group, "payload", "empty"))]
