# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package on a fresh machine: from its installation to its purge.

./deb boots the machine that these run on; DEBS has the package in 1, and in 2
the same with a higher version.
"""

import glob
import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import unittest

from tests.lib.machine import (PORT, Clients, cursor, holds, instances, pids,
                               show, sources, systemctl)
from tests.lib.process import run, wait_for

DEBS = os.environ["DEBS"]
TARPIT = "/usr/sbin/tarpit"
TOP = "/var/lib/tarpit"
UNITS = {"tarpit.socket", "tarpit@.service", "tarpit.slice",
         "tarpit-nft.service",
         "tarpit-stats.service", "tarpit-stats.timer"}
METRICS = "/var/lib/prometheus/node-exporter"

# What any package, user or service leaves, and what does not stay.
ELSEWHERE = re.compile(
    r"/(dev|proc|sys|run|tmp|out|tarpit|root)(/|$)|/var/(tmp|log)/"
    r"|/var/(lib/(dpkg|apt)|cache)/|/etc/\.pwd\.lock$"
    r"|/etc/(passwd|shadow|group|gshadow)-$"
    r"|/var/lib/systemd/(?!deb-systemd-helper)|.*__pycache__")


def deb(which):
    return os.path.realpath(
        glob.glob("%s/%s/tarpit_*.deb" % (DEBS, which))[0])


def apt(*arguments):
    """What it says on the terminal."""
    return subprocess.run(
        ("apt-get", "-y") + arguments, check=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=dict(os.environ, DEBIAN_FRONTEND="noninteractive")).stdout


def install(which=1):
    return apt("install", deb(which))


def purge():
    """Whatever of it is there."""
    subprocess.run(["dpkg", "--purge", "tarpit"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def files():
    """All of the machine, as far as a package may touch it."""
    found = set()
    for directory, names, others in os.walk("/"):
        paths = {os.path.join(directory, name) for name in names + others}
        found |= {path for path in paths if not ELSEWHERE.match(path)}
        names[:] = [name for name in names
                    if not ELSEWHERE.match(os.path.join(directory, name))]
    return found


def text_of(name):
    with (gzip.open if name.endswith(".gz") else open)(name, "rb") as file:
        return file.read().decode(errors="replace")


def commands(said):
    return [line.split() for line in said.splitlines()
            if line.startswith("    systemctl ")]


def enabled(unit):
    return subprocess.run(["systemctl", "is-enabled", unit], text=True,
                          capture_output=True, check=False).stdout.strip()


def failed():
    return systemctl("--failed", "--plain", "--no-legend")


def closed():
    try:
        socket.create_connection(("127.0.0.1", PORT)).close()
    except ConnectionRefusedError:
        return True
    return False


def program(pid):
    """Which file it runs, whatever its name is by now."""
    return os.stat("/proc/%d/exe" % pid).st_ino


class Lab(unittest.TestCase):
    def setUp(self):
        # systemd's own, at the first start of anything that has one.
        os.makedirs("/var/lib/private", exist_ok=True)
        self.before = files()
        self.clients = Clients()
        self.addCleanup(self.clients.__exit__)
        self.addCleanup(purge)
        # This test's lines are the only ones.
        run("journalctl", "--quiet", "--rotate", "--vacuum-time=1us")
        self.said = install()
        self.cursor = cursor()

    def switch_on(self):
        for command in commands(self.said):
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

    def lines(self, count):
        self.assertTrue(wait_for(lambda: len(holds(self.cursor)) >= count))
        found = holds(self.cursor)
        self.assertEqual(len(found), count)
        return found

    def all_live(self, clients):
        self.assertEqual(self.clients.still_dribble(clients), len(clients))

    def counted(self):
        facts = json.loads(run("tarpit-stats", "-f", "json", "-s",
                               TOP + "/tarpit.db", "/dev/null"))
        return facts["emails_blocked"]

    def count(self):
        systemctl("start", "tarpit-stats.service")
        return self.counted()


class Install(Lab):
    def test_switches_nothing_on(self):
        self.assertTrue(closed())
        for unit in ("tarpit.socket", "tarpit-nft.service",
                     "tarpit-stats.timer"):
            self.assertEqual(enabled(unit), "disabled")
            self.assertEqual(show(unit, "ActiveState"), "inactive")
        self.assertEqual(failed(), "")
        self.assertFalse(os.path.exists("/etc/xinetd.d"))
        self.assertFalse(os.path.exists(TOP))
        with open("/etc/passwd") as passwd:
            self.assertRegex(passwd.read(), "(?m)^tarpit:.*/nologin$")

    def test_says_the_two_commands_once(self):
        self.assertEqual(commands(self.said), [
            "systemctl enable --now tarpit.socket".split(),
            "systemctl enable --now tarpit-stats.timer".split()])
        self.assertNotIn("arning", self.said)
        self.assertEqual(commands(install(2)), [])

    def test_files_have_the_paths_of_the_package(self):
        names = run("dpkg", "--listfiles", "tarpit").splitlines()
        self.assertLessEqual(
            {"/usr/sbin/tarpit", "/usr/sbin/tarpit-stats",
             "/usr/sbin/tarpit-mx", "/usr/share/man/man8/tarpit-mx.8.gz",
             "/usr/lib/tarpit/stats-update",
             "/usr/lib/sysusers.d/tarpit.conf",
             "/usr/share/man/man8/tarpit.8.gz",
             "/usr/share/man/man8/tarpit-stats.8.gz",
             "/usr/share/doc/tarpit/README.md.gz"}, set(names))
        self.assertEqual({os.path.basename(name) for name in names
                          if "/systemd/system/" in name}, UNITS)
        self.assertEqual({name.split("/")[6] for name in names
                          if "/examples/" in name},
                         {"inetd", "xinetd", "tcpserver", "tcpsvd", "rsyslog",
                          "logrotate", "cron", "systemd", "nftables"})
        for name in names:
            if os.path.isfile(name):
                self.assertNotIn("/usr/local", text_of(name), name)
        self.assertEqual(run("dpkg", "--verify", "tarpit"), "")

    def test_names_what_is_linked_in(self):
        """In Built-Using: musl, in tarpit alone."""
        for name in "tarpit", "tarpit-stats", "tarpit-mx":
            with open("/usr/sbin/" + name, "rb") as file:
                dynamic = b"/ld-linux" in file.read()
            self.assertEqual(dynamic, name != "tarpit", name)
        self.assertRegex(run("dpkg-deb", "--field", deb(1), "Built-Using"),
                         r"^musl \(= [^,]*\)$")

    def test_the_two_commands_do(self):
        self.switch_on()
        clients = self.clients.hold([None])
        clients += self.clients.hold([None], address="::1")
        self.assertTrue(self.clients.until(
            lambda: all(b" ESMTP\r\n250-" in c.got for c in clients)))
        self.assertEqual({os.readlink("/proc/%d/exe" % pid)
                          for pid in pids()}, {TARPIT})
        self.clients.close(clients)
        self.lines(2)
        self.assertEqual(show("tarpit-stats.timer", "ActiveState"), "active")
        self.assertEqual(show("tarpit-stats.timer", "Triggers"),
                         "tarpit-stats.service")
        self.assertEqual(self.count(), 2)
        self.assertTrue(os.path.exists(TOP + "/www/index.html"))

    def test_passes_the_test_of_the_package(self):
        run("/tarpit/packaging/debian/tests/hold")


class Upgrade(Lab):
    COUNT = 100

    def knock(self, during):
        """Connect again and again until that has ended; how often each came
        out as it did."""
        served = refused = 0
        while during.poll() is None:
            with socket.socket() as client:
                client.settimeout(300)
                client.bind(("127.0.3.%d" % (1 + served % 250), 0))
                try:
                    client.connect(("127.0.0.1", PORT))
                    served += client.recv(4) == b"220 "
                except (ConnectionRefusedError, ConnectionResetError):
                    refused += 1
        return served, refused

    def test_with_live_holds(self):
        self.switch_on()
        live = self.clients.hold(sources(1, self.COUNT))
        before = pids()
        old = program(min(before))
        since = show("tarpit.socket", "ActiveEnterTimestampMonotonic")
        with subprocess.Popen(["dpkg", "--install", deb(2)],
                              stdout=subprocess.DEVNULL) as upgrade:
            served, refused = self.knock(upgrade)
        self.assertEqual(upgrade.returncode, 0)
        print("    upgrade: %d served, %d refused" % (served, refused))
        self.assertGreater(served, 0)
        self.assertEqual(refused, 0)

        self.assertLessEqual(before, pids())
        self.assertEqual({program(pid) for pid in before}, {old})
        self.all_live(live)
        # Whoever knocked is gone.
        self.assertTrue(wait_for(lambda: pids() == before))
        self.clients.hold(sources(2, 20))
        self.assertEqual({program(pid) for pid in pids() - before},
                         {os.stat(TARPIT).st_ino})
        self.assertNotEqual(os.stat(TARPIT).st_ino, old)

        self.assertEqual(
            show("tarpit.socket", "ActiveEnterTimestampMonotonic"), since)
        for unit in "tarpit.socket", "tarpit-stats.timer":
            self.assertEqual(enabled(unit), "enabled")
            self.assertEqual(show(unit, "ActiveState"), "active")
            self.assertEqual(show(unit, "NeedDaemonReload"), "no")
        self.assertEqual(enabled("tarpit-nft.service"), "disabled")
        self.assertEqual(failed(), "")

    def test_of_what_is_off_switches_nothing_on(self):
        self.assertEqual(commands(install(2)), [])
        self.assertTrue(closed())
        self.assertEqual(enabled("tarpit.socket"), "disabled")

    def test_back(self):
        install(2)
        self.switch_on()
        live = self.clients.hold(sources(1, 10))
        apt("install", "--allow-downgrades", deb(1))
        self.all_live(live)
        self.clients.hold(sources(2, 10))


class Remove(Lab):
    COUNT = 50

    def test_ends_the_holds_with_their_lines(self):
        self.switch_on()
        live = self.clients.hold(sources(1, self.COUNT))
        before = pids()
        apt("remove", "tarpit")
        self.assertTrue(self.clients.until(
            lambda: all(c.ended for c in live)))
        self.assertEqual({hold.pid for hold in self.lines(self.COUNT)},
                         before)
        self.assertTrue(closed())
        self.assertEqual(pids(), set())
        self.assertTrue(wait_for(lambda: instances() == []))
        self.assertEqual(failed(), "")
        self.assertEqual(systemctl("list-units", "--plain", "--no-legend",
                                   *UNITS), "")
        self.assertFalse(os.path.exists(TARPIT))

    def test_and_install_goes_on_as_before(self):
        self.switch_on()
        self.clients.close(self.clients.hold(sources(1, 10)))
        self.lines(10)
        self.assertEqual(self.count(), 10)
        apt("remove", "tarpit")
        self.assertTrue(os.path.exists(TOP + "/tarpit.db"))
        self.said = install()
        # Neither was switched off.
        for unit in "tarpit.socket", "tarpit-stats.timer":
            self.assertEqual(enabled(unit), "enabled")
            self.assertEqual(show(unit, "ActiveState"), "active")
        self.clients.close(self.clients.hold(sources(1, 10)))
        self.lines(20)
        self.assertEqual(self.count(), 20)

    def test_and_what_was_off_stays_off(self):
        apt("remove", "tarpit")
        install()
        self.assertTrue(closed())
        self.assertEqual(enabled("tarpit.socket"), "disabled")

    def test_purge_leaves_nothing(self):
        self.switch_on()
        os.makedirs(METRICS)
        self.addCleanup(shutil.rmtree, os.path.dirname(METRICS), True)
        self.clients.hold(sources(1, 10))
        systemctl("start", "tarpit-stats.service")
        self.assertNotEqual(os.listdir(METRICS), [])
        apt("purge", "tarpit")
        after = files() - {METRICS, os.path.dirname(METRICS)}
        self.assertEqual(after ^ self.before, set())
        self.assertEqual(pids(), set())
        self.assertEqual(failed(), "")
        # And once more.
        self.said = install()
        self.assertEqual(len(commands(self.said)), 2)
        self.switch_on()
        self.clients.hold([None])


if __name__ == "__main__":
    unittest.main()
