# SPDX-License-Identifier: GPL-2.0-or-later
"""The installed units under a real systemd, in numbers.

./systemd boots the machine that these run on, where make install was run and
tarpit.socket was enabled.
"""

import collections
import os
import shutil
import signal
import socket
import subprocess
import time
import unittest

from tests.lib.files import read
from tests.lib.machine import (BACKLOG, PER_SOURCE, PORT, Clients, connections,
                               cursor, drop_in, exposure, holds, instances,
                               journal, pids, show, sources, start_over,
                               systemctl)
from tests.lib.process import run, wait_for

MAX = 1500      # MaxConnections=
# A client in a flood tries to connect once more after 1, 2, 4, ... 32 s.
FLOOD_SECONDS = 400
TARPIT = "/usr/local/sbin/tarpit"
EXAMPLES = "/usr/local/share/doc/tarpit/examples/systemd"
TREE = "/tarpit"

# What the manual says that the journal adds to the line.
METADATA = {
    "MESSAGE", "PRIORITY", "SYSLOG_FACILITY", "SYSLOG_IDENTIFIER",
    "SYSLOG_PID", "SYSLOG_RAW", "_BOOT_ID", "_GID", "_HOSTNAME",
    "_MACHINE_ID", "_PID", "_RUNTIME_SCOPE", "_SOURCE_REALTIME_TIMESTAMP",
    "_TRANSPORT", "_UID", "__CURSOR", "__MONOTONIC_TIMESTAMP",
    "__REALTIME_TIMESTAMP"}
# What newer versions of journalctl say of the place in the journal.
PLACE = {"__SEQNUM", "__SEQNUM_ID"}
# Journald looks for these; it finds none if the process is gone by then.
OF_THE_LIVING = {
    "_CAP_EFFECTIVE", "_CMDLINE", "_COMM", "_EXE", "_SELINUX_CONTEXT",
    "_SYSTEMD_CGROUP", "_SYSTEMD_INVOCATION_ID", "_SYSTEMD_SLICE",
    "_SYSTEMD_UNIT"}


def figure(text):
    print("    " + text, flush=True)


def descriptors(pid):
    return len(os.listdir("/proc/%s/fd" % pid))


def journald():
    return show("systemd-journald.service", "MainPID")


class Lab(unittest.TestCase):
    def setUp(self):
        start_over()
        self.clients = Clients()
        self.addCleanup(self.clients.__exit__)
        self.addCleanup(start_over)
        self.cursor = cursor()

    def lines(self, count):
        """The holds since the test began, once there are so many."""
        self.assertTrue(wait_for(lambda: len(holds(self.cursor)) >= count))
        found = holds(self.cursor)
        self.assertEqual(len(found), count)
        return found

    def all_live(self, clients):
        self.assertEqual(self.clients.still_dribble(clients), len(clients))

    def one_more_is_served(self):
        self.clients.hold(["127.0.100.1"])


class Service(Lab):
    def test_is_enabled_and_listens(self):
        self.assertEqual(show("tarpit.socket", "UnitFileState"), "enabled")
        self.assertEqual(show("tarpit.socket", "ActiveState"), "active")

    def test_holds_on_ipv4_and_ipv6(self):
        clients = self.clients.hold([None])
        clients += self.clients.hold([None], address="::1")
        self.assertTrue(self.clients.until(
            lambda: all(b" ESMTP\r\n250-" in c.got for c in clients)))
        self.clients.close(clients)
        found = self.lines(2)
        self.assertEqual({hold.ip for hold in found}, {"127.0.0.1", "::1"})
        for hold in found:
            self.assertGreater(hold.length, 3)

    def test_one_line_for_each_and_none_of_systemd(self):
        self.clients.close(self.clients.hold(sources(1, 50)))
        self.lines(50)
        self.assertTrue(wait_for(lambda: connections() == 0))
        self.assertEqual(collections.Counter(
            e.get("SYSLOG_IDENTIFIER", e["_TRANSPORT"])
            for e in journal(self.cursor)), {"tarpit": 50})

    def test_no_memory_controller_for_each(self):
        """Where there is one at all."""
        self.clients.hold(sources(1, 5))
        self.assertNotIn("memory", read(
            "/sys/fs/cgroup/tarpit.slice/cgroup.subtree_control").split())
        self.assertEqual(show("tarpit.socket", "MemoryAccounting"), "no")

    def test_journal_adds_what_the_manual_says(self):
        self.clients.close(self.clients.hold(sources(1, 50)))
        self.lines(50)
        for entry in journal("-t", "tarpit", "-n", "50"):
            fields = set(entry) - PLACE
            self.assertLessEqual(METADATA, fields)
            self.assertLessEqual(fields, METADATA | OF_THE_LIVING)
            self.assertEqual(entry["PRIORITY"], "5")
            self.assertEqual(entry["SYSLOG_FACILITY"], "2")
            self.assertEqual(entry.get("_CAP_EFFECTIVE", "0"), "0")


class Flood(Lab):
    def test_thousand_live_and_two_thousand_more(self):
        live = self.clients.hold(sources(1, 1000))
        before = pids()
        began = time.monotonic()
        flood = self.clients.connect(sources(2, 2000))
        held = self.clients.settle(flood, FLOOD_SECONDS)
        figure("flood: 2000 connects over in %.1f s" %
               (time.monotonic() - began))
        self.assertEqual(len(held), MAX - len(live))
        # Whoever is turned away sees it.
        self.assertEqual(sum(c.ended and not c.got for c in flood),
                         len(flood) - len(held))
        self.assertTrue(wait_for(lambda: connections() == MAX))
        self.assertEqual(show("tarpit.socket", "ActiveState"), "active")
        self.assertLessEqual(before, pids())
        self.all_live(live)
        self.clients.close(held)
        self.assertTrue(wait_for(lambda: connections() == len(live)))
        self.one_more_is_served()
        self.no_word_of_systemd()

    def test_one_address(self):
        live = self.clients.hold(sources(1, 100))
        for source, address in ("127.0.2.1", "127.0.0.1"), (None, "::1"):
            flood = self.clients.connect(1000 * [source], address=address)
            held = self.clients.settle(flood, FLOOD_SECONDS)
            self.assertEqual(len(held), PER_SOURCE)
            self.assertEqual(sum(c.ended for c in flood),
                             len(flood) - PER_SOURCE)
        self.assertEqual(show("tarpit.socket", "ActiveState"), "active")
        self.all_live(live)
        self.one_more_is_served()
        self.clients.close(held[:1])
        self.assertTrue(wait_for(
            lambda: connections() == len(live) + 2 * PER_SOURCE))
        self.clients.hold([None], address="::1")
        self.no_word_of_systemd()

    def no_word_of_systemd(self):
        self.assertEqual([e["MESSAGE"] for e in journal(self.cursor, "_PID=1")
                          if e.get("UNIT") != "tarpit.slice"], [])


class Killed(Lab):
    def test_leaves_no_unit_and_frees_its_place(self):
        self.clients.hold(20 * ["127.0.1.1"])
        before = pids()
        signals = [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT,
                   signal.SIGSYS]
        for signo, pid in zip(signals, sorted(before)):
            os.kill(pid, signo)
        self.assertTrue(wait_for(lambda: connections() == 16))
        self.assertEqual(len(pids()), 16)
        self.assertTrue(wait_for(lambda: len(instances()) == 16))
        self.assertEqual(systemctl("--failed", "--plain", "--no-legend"), "")
        # The places of that address, too.
        self.clients.hold(4 * ["127.0.1.1"])
        self.assertEqual([e["MESSAGE"] for e in journal(self.cursor)], [])


class Stop(Lab):
    COUNT = 1000

    def test_of_the_socket_and_of_the_slice(self):
        live = self.clients.hold(sources(1, self.COUNT))
        systemctl("stop", "tarpit.socket")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", PORT))
        self.all_live(live)
        before = pids()
        began = time.monotonic()
        systemctl("stop", "tarpit.slice")
        figure("stop tarpit.slice: %d ended in %.1f s" %
               (len(live), time.monotonic() - began))
        self.assertTrue(self.clients.until(
            lambda: all(c.ended for c in live)))
        self.assertEqual({hold.pid for hold in self.lines(self.COUNT)},
                         before)
        self.assertTrue(wait_for(lambda: instances() == []))


class Restart(Lab):
    COUNT = 500

    def test_of_what_is_around_it_ends_nothing(self):
        live = self.clients.hold(sources(1, self.COUNT))
        before = pids()
        for command in (("restart", "systemd-journald"), ("daemon-reload",),
                        ("restart", "tarpit.socket"), ("daemon-reexec",)):
            with self.subTest(command=command):
                systemctl(*command)
                self.assertEqual(pids(), before)
                self.assertTrue(wait_for(
                    lambda: connections() == len(live)))
                # These end while it restarts again.
                leaving, live = live[:20], live[20:]
                again = subprocess.Popen(("systemctl",) + command)
                self.clients.close(leaving)
                self.assertEqual(again.wait(), 0)
                self.assertTrue(wait_for(lambda: len(pids()) == len(live)))
                before = pids()
                self.lines(self.COUNT - len(live))
        self.all_live(live)
        # The limits count what was there before.
        new = self.clients.connect(30 * ["127.0.1.25"])
        self.assertEqual(self.clients.settle(new), [])
        self.one_more_is_served()


class Upgrade(Lab):
    OLD = "/usr/local/sbin/tarpit (deleted)"

    def another_build(self):
        """The source tree with another binary, as make would have left it."""
        tree = "/root/another"
        shutil.copytree(TREE, tree, ignore=shutil.ignore_patterns(
            ".git", "build"))
        with open(tree + "/tarpit", "ab") as binary:
            binary.write(b"\n")
        return tree

    def test_old_holds_stay_with_the_old_binary(self):
        live = self.clients.hold(sources(1, 100))
        before = pids()
        tree = self.another_build()
        run("strace", "-f", "-o", "/root/trace", "-e", "trace=%file,%desc",
            "make", "-C", tree, "install")
        self.assertEqual({self.program(pid) for pid in before}, {self.OLD})
        self.all_live(live)
        self.clients.hold(sources(2, 20))
        self.assertEqual({self.program(pid) for pid in pids() - before},
                         {TARPIT})
        with open("/root/trace") as trace:
            self.never_without(trace.read())

    @staticmethod
    def program(pid):
        return os.readlink("/proc/%d/exe" % pid)

    def never_without(self, trace):
        """No connection meets a file that is half written, or none."""
        changes = [line for line in trace.splitlines()
                   if '"%s"' % TARPIT in line and " = 0" in line and
                   ("unlink" in line or "rename" in line)]
        self.assertEqual([line.split()[1].split("(")[0][:6]
                          for line in changes], ["rename"], changes)


class DropIns(Lab):
    """As they are installed, in the place that they name."""

    def use(self, name, unit, *edit):
        with open(os.path.join(EXAMPLES, name)) as file:
            text = file.read()
        if edit:
            self.assertIn(edit[0], text)
            text = text.replace(*edit)
        self.addCleanup(systemctl, "restart", "tarpit.socket")
        self.addCleanup(drop_in, unit, "")
        drop_in(unit, text)
        systemctl("restart", "tarpit.socket")

    def test_hardened(self):
        if subprocess.run(["unshare", "--user", "true"], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no user namespaces here, for PrivateUsers=")
        self.use("hardened.conf", "tarpit@.service")
        live = self.clients.hold(sources(1, 100))
        self.assertEqual(show(instances()[0], "ProtectSystem"), "strict")
        self.all_live(live)
        self.assertIn(b"\nStuck right now: 100, ", subprocess.run(
            ["tarpit-stats", "-n", "/dev/null"], check=True,
            capture_output=True).stdout)
        self.clients.close(live)
        self.lines(100)

    def test_options(self):
        self.use("options.conf", "tarpit@.service", "#Env", "Env")
        clients = self.clients.hold(sources(1, 20))
        self.assertEqual({client.got.split()[1] for client in clients},
                         {b"tarpit.example.org"})
        arguments = set()
        for pid in pids():
            with open("/proc/%d/cmdline" % pid) as file:
                arguments.add(file.read())
        self.assertEqual(arguments, {"\0".join([
            TARPIT, "-n", "tarpit.example.org", "-i", "4000", "-t", "7200",
            ""])})

    def test_bind(self):
        self.use("bind.conf", "tarpit.socket", "192.0.2.25", "127.0.0.2")
        live = self.clients.hold(sources(1, 20), address="127.0.0.2")
        for address in "127.0.0.1", "::1":
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection((address, PORT))
        self.all_live(live)

    def test_bind_on_ipv6(self):
        self.use("bind.conf", "tarpit.socket",
                 "ListenStream=192.0.2.25:25\n#ListenStream=[2001:db8::25]",
                 "ListenStream=[::1]")
        self.clients.hold(20 * [None], address="::1")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", PORT))


class Analyze(Lab):
    """What systemd-analyze says of the units, in the numbers of OPERATING.md
    and hardened.conf.
    """

    UNITS = ("tarpit.socket", "tarpit@x.service", "tarpit.slice",
             "tarpit-nft.service", "tarpit-stats.service",
             "tarpit-stats.timer")

    def nothing_is_wrong(self):
        done = subprocess.run(
            ["systemd-analyze", "--man=no", "verify", *self.UNITS],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def use(self, unit, text):
        self.addCleanup(drop_in, unit, "")
        drop_in(unit, text)
        self.nothing_is_wrong()

    def test_as_installed(self):
        self.nothing_is_wrong()
        self.assertEqual(exposure("tarpit@x.service"), 6.7)

    def test_hardened(self):
        hardened = read(EXAMPLES + "/hardened.conf")
        self.use("tarpit@.service", hardened)
        self.assertEqual(exposure("tarpit@x.service"), 0.8)
        self.use("tarpit@.service", hardened + "PrivateNetwork=yes\n")
        self.assertEqual(exposure("tarpit@x.service"), 0.4)

    def test_other_drop_ins(self):
        self.use("tarpit@.service", read(EXAMPLES + "/options.conf").replace(
            "#Env", "Env"))
        self.use("tarpit.socket", read(EXAMPLES + "/bind.conf"))


class Nft(Lab):
    """The rules of nftables outlast whatever flushes them all."""

    SERVICE = "tarpit-nft.service"
    RULES = "/etc/tarpit.nft"
    CONF = "/etc/nftables.conf"
    EXAMPLE = os.path.join(EXAMPLES, "../nftables/tarpit.nft")
    TARPIT, PRIMARY, GUEST, STRANGER = (
        "127.0.0.1", "127.0.0.99", "127.0.4.1", "127.0.5.1")

    def setUp(self):
        super().setUp()
        with open(self.EXAMPLE) as file:
            text = file.read()
        for old, new in (("192.0.2.10", self.PRIMARY),
                         ("192.0.2.25", self.TARPIT)):
            self.assertIn(old, text)
            text = text.replace(old, new)
        with open(self.RULES, "w") as file:
            file.write(text)
        with open(self.CONF) as file:
            self.conf = file.read()
        self.addCleanup(self.switch_off)
        systemctl("start", "nftables.service")

    def switch_off(self):
        systemctl("--quiet", "disable", "--now", self.SERVICE)
        systemctl("stop", "nftables.service")
        with open(self.CONF, "w") as file:
            file.write(self.conf)
        left = run("nft", "list", "ruleset")
        run("nft", "flush", "ruleset")
        self.assertEqual(left, "")

    def flushes(self):
        """That is what the distribution's own file does."""
        self.assertIn("flush ruleset", self.conf)
        run("nft", "add", "table", "inet", "flushed")
        self.addCleanup(lambda: self.assertNotIn(
            "flushed", run("nft", "list", "tables")))

    def in_force(self):
        """Who came to the primary is refused, and nobody else."""
        self.clients.close(self.clients.hold([self.STRANGER]))
        for address in self.PRIMARY, self.TARPIT:
            with socket.socket() as client:
                client.settimeout(300)
                client.bind((self.GUEST, 0))
                try:
                    client.connect((address, PORT))
                    self.assertEqual(address, self.PRIMARY)
                except ConnectionRefusedError:
                    self.assertEqual(address, self.TARPIT)

    def test_switched_on_and_off(self):
        self.clients.close(self.clients.hold([self.GUEST]))
        self.assertEqual(show(self.SERVICE, "UnitFileState"), "disabled")
        systemctl("--quiet", "enable", "--now", self.SERVICE)
        self.in_force()
        systemctl("--quiet", "disable", "--now", self.SERVICE)
        self.clients.hold([self.GUEST])

    def test_nftables_service_is_restarted_reloaded_stopped_started(self):
        systemctl("--quiet", "enable", "--now", self.SERVICE)
        for commands in ["restart"], ["reload"], ["stop", "start"]:
            self.flushes()
            for command in commands:
                systemctl(command, "nftables.service")
            self.assertTrue(wait_for(
                lambda: "tarpit" in run("nft", "list", "tables"), 300))
            self.in_force()

    def test_nftables_conf_is_loaded_by_hand_or_by_its_service(self):
        """With the line that the file names, and without the unit."""
        with open(self.CONF, "a") as file:
            file.write('include "%s"\n' % self.RULES)
        for command in (["nft", "-f", self.CONF],
                        ["systemctl", "restart", "nftables.service"]):
            self.flushes()
            run(*command)
            self.in_force()

    def test_both(self):
        with open(self.CONF, "a") as file:
            file.write('include "%s"\n' % self.RULES)
        systemctl("--quiet", "enable", "--now", self.SERVICE)
        systemctl("restart", "nftables.service")
        self.in_force()
        run("nft", "-f", self.CONF)
        self.in_force()

    def beside(self, *commands):
        """In force after each of these commands of a firewall."""
        self.addCleanup(run, "nft", "flush", "ruleset")
        systemctl("--quiet", "enable", "--now", self.SERVICE)
        for command in commands:
            with self.subTest(command=command):
                run(*command.split())
                self.in_force()

    def test_beside_ufw(self):
        self.beside("ufw allow 25/tcp", "ufw --force enable", "ufw reload",
                    "systemctl restart ufw", "ufw disable")

    def test_beside_firewalld(self):
        """The firewalld of Debian 12 and 13 stops nftables.service, and the
        rules with it, when it starts.
        """
        self.addCleanup(systemctl, "stop", "firewalld")
        systemctl("--quiet", "enable", "--now", self.SERVICE)
        systemctl("start", "firewalld")
        self.beside("systemctl restart firewalld",
                    "firewall-cmd --permanent --add-service=smtp",
                    "firewall-cmd --reload", "firewall-cmd --complete-reload",
                    "systemctl stop firewalld")

    def test_says_what_is_wrong_with_the_file(self):
        with open(self.RULES, "w") as file:
            file.write("define primary4 = {\n")
        self.assertNotEqual(subprocess.run(
            ["systemctl", "start", self.SERVICE], check=False,
            stderr=subprocess.DEVNULL).returncode, 0)
        self.assertTrue(wait_for(lambda: "syntax error" in run(
            "journalctl", "-u", self.SERVICE)))
        systemctl("reset-failed")


class Mistakes(Lab):
    """The reason is where OPERATING.md says, and what it says helps."""

    def make(self, line):
        self.addCleanup(drop_in, "tarpit@.service", "")
        drop_in("tarpit@.service", "[Service]\n%s\n" % line)

    def mend(self):
        drop_in("tarpit@.service", "")
        systemctl("restart", "tarpit.socket")
        self.one_more_is_served()

    def turned_away(self):
        self.assertEqual(self.clients.settle(self.clients.connect([None])),
                         [])

    @staticmethod
    def errors():
        run("journalctl", "--sync")
        return run("journalctl", "-q", "-o", "cat", "-t", "tarpit", "-p",
                   "err").splitlines()

    def test_in_an_option(self):
        self.make('Environment="CAP=-t 0"')
        self.turned_away()
        self.assertTrue(wait_for(lambda: any(
            "-t" in line and "too small" in line for line in self.errors())))
        self.assertEqual(show("tarpit.socket", "ActiveState"), "active")
        self.mend()

    def test_in_a_line_of_options(self):
        """One that is no option, and one that is no line at all."""
        before = len(self.errors())
        self.make("Environment=CAP=-t 3600 NAME\nCAP=3600")
        self.turned_away()
        self.assertEqual(show("tarpit.socket", "ActiveState"), "active")
        self.assertTrue(wait_for(lambda: len(self.errors()) > before))
        self.mend()

    def test_a_second_command(self):
        self.make("ExecStart=-%s -t 3600" % TARPIT)
        self.turned_away()
        self.assertTrue(wait_for(
            lambda: show("tarpit.socket", "ActiveState") == "failed"))
        reason = "ExecStart="
        self.assertTrue(wait_for(lambda: reason in run(
            "journalctl", "-q", "-o", "cat", "-p", "warning", "-u",
            "tarpit*")))
        verify = subprocess.run(
            ["systemd-analyze", "verify", "tarpit@x.service"],
            text=True, capture_output=True, check=False)
        self.assertIn(reason, verify.stderr)
        self.mend()


class Parked(Lab):
    """What an unread client can park in the kernel."""

    MOST = 16384

    def push(self, size):
        """Kernel memory of each of ten clients that send all they can."""
        clients = [socket.create_connection(("127.0.0.1", PORT))
                   for _ in range(10)]
        for client in clients:
            self.addCleanup(client.close)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32768)
            client.setblocking(False)
            try:
                while True:
                    client.send(size * b"x")
            except BlockingIOError:
                pass
        time.sleep(0.5)
        status = run("ss", "-tmnH", "sport", "=", ":%d" % PORT)
        memory = [int(part.split(",")[0]) for part in
                  status.split("skmem:(r")[1:]]
        self.assertEqual(len(memory), len(clients))
        return memory

    def measure(self, what):
        for size in 1, 512, 65536:
            memory = self.push(size)
            figure("%s, %d bytes a write: %d to %d bytes parked" %
                   (what, size, min(memory), max(memory)))
            self.assertLess(max(memory), self.MOST)
            start_over()

    def test_in_a_hold(self):
        self.measure("hold")

    def test_before_the_process_has_started(self):
        self.addCleanup(drop_in, "tarpit@.service", "")
        drop_in("tarpit@.service",
                "[Service]\nExecStart=\nExecStart=/bin/sleep 600\n")
        self.measure("not started")


class BeforeShutdown(Lab):
    """Run as the main process of its service; switches the machine off."""

    COUNT = 1000
    PIDS = "/var/tmp/pids"

    def setUp(self):
        self.clients = Clients()
        self.addCleanup(self.clients.__exit__)
        shutil.copy(Nft.EXAMPLE, Nft.RULES)
        systemctl("--quiet", "enable", Nft.SERVICE)

    def test_every_hold_is_ended(self):
        # Its clients are to outlive the holds.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        live = self.clients.hold(sources(1, self.COUNT))
        with open(self.PIDS, "w") as file:
            file.write(" ".join(map(str, pids())))
        began = time.monotonic()
        systemctl("--no-block", "poweroff")
        self.assertTrue(self.clients.until(
            lambda: all(c.ended for c in live)))
        figure("poweroff: %d ended in %.1f s" %
               (self.COUNT, time.monotonic() - began))


class AfterShutdown(unittest.TestCase):
    def test_every_hold_left_its_line(self):
        with open(BeforeShutdown.PIDS) as file:
            expected = sorted(map(int, file.read().split()))
        found = sorted(hold.pid for hold in holds("-b", "-1"))
        self.assertEqual(len(found), BeforeShutdown.COUNT)
        self.assertEqual(found, expected)

    def test_the_rules_of_nftables_are_there(self):
        self.assertIn("came4", run("nft", "list", "table", "inet", "tarpit"))
        self.assertEqual(show("tarpit.socket", "ActiveState"), "active")
        self.assertNotIn("ordering cycle", run("journalctl", "-b"))


class Limits(Lab):
    COUNT = 3000
    UNIT = "/etc/systemd/system/tarpit@.service"

    def setUp(self):
        super().setUp()
        self.addCleanup(systemctl, "restart", "tarpit.socket")
        self.addCleanup(drop_in, "tarpit.socket", "")
        self.addCleanup(drop_in, "tarpit@.service", "")
        # First of all: PID 1 is slow with thousands.
        self.addCleanup(start_over)

    def test_thousands(self):
        drop_in("tarpit.socket", "[Socket]\nMaxConnections=4000\n")
        systemctl("restart", "tarpit.socket")
        ours, theirs = descriptors(1), descriptors(journald())
        began = time.monotonic()
        live = self.clients.hold(sources(1, self.COUNT))
        figure("%d held after %.1f s; %d descriptors of PID 1, %d of journald"
               % (self.COUNT, time.monotonic() - began, descriptors(1),
                  descriptors(journald())))
        self.assertEqual(len(pids()), self.COUNT)
        # The socket, and with newer versions of systemd the process, twice.
        self.assertLessEqual(descriptors(1) - ours, 3 * self.COUNT + 5)
        self.assertLessEqual(descriptors(journald()) - theirs, 5)
        self.all_live(live)

    def test_new_maximum_holds_from_daemon_reload_on(self):
        live = self.clients.hold(sources(1, 5))
        drop_in("tarpit.socket", "[Socket]\nMaxConnections=8\n")
        new = self.clients.connect(sources(2, 10))
        self.assertEqual(len(self.clients.settle(new)), 3)
        self.all_live(live)

    def test_sixth_start_in_ten_seconds_is_refused(self):
        self.assertEqual(show("tarpit.socket", "StartLimitIntervalUSec"),
                         "10s")
        # A busy machine takes longer for six starts.
        drop_in("tarpit.socket", "[Unit]\nStartLimitIntervalSec=1h\n")
        with self.assertRaises(subprocess.CalledProcessError):
            for _ in range(6):
                systemctl("restart", "tarpit.socket")
        systemctl("reset-failed", "tarpit.socket")
        systemctl("start", "tarpit.socket")
        self.clients.hold([None])

    def test_backlog(self):
        waiting = run("ss", "-ltnH", "sport", "=", ":%d" % PORT).split()[2]
        self.assertEqual(waiting, str(BACKLOG))

    def test_processes_of_the_user(self):
        """As on a machine so small that its default is 10."""
        self.addCleanup(systemctl, "daemon-reexec")
        self.addCleanup(shutil.rmtree, "/etc/systemd/system.conf.d")
        os.mkdir("/etc/systemd/system.conf.d")
        with open("/etc/systemd/system.conf.d/small.conf", "w") as small:
            small.write("[Manager]\nDefaultLimitNPROC=10\n")
        systemctl("daemon-reexec")
        self.clients.hold(sources(1, 40))
        start_over()
        # Without its LimitNPROC= the unit would end there.
        with open("/usr/local/lib/systemd/system/tarpit@.service") as shipped:
            lines = [line for line in shipped if "LimitNPROC" not in line]
        with open(self.UNIT, "w") as other:
            other.writelines(lines)
        self.addCleanup(os.unlink, self.UNIT)
        systemctl("daemon-reload")
        few = self.clients.settle(self.clients.connect(sources(1, 40)))
        self.assertLess(len(few), 20)

    def test_descriptors_of_journald(self):
        drop_in("tarpit@.service", "[Service]\nStandardError=journal\n")
        before = descriptors(journald())
        self.clients.hold(sources(1, 100))
        figure("StandardError=journal: %d descriptors of journald for 100" %
               (descriptors(journald()) - before))
