# SPDX-License-Identifier: GPL-2.0-or-later
"""Several tarpits, one page: rsyslog as the manual configures it."""

import os
import re
import socket
import subprocess
import unittest

from tests.lib import TOP
from tests.lib.process import wait_for
from tests.lib.stats import StatsTest, line

START = 1793527200000       # 1st November 2026, 10:00


def manual():
    """The manual's configurations of a sender and of the receiver."""
    with open(os.path.join(TOP, "tarpit-stats.8")) as file:
        section = file.read().split(".Ss Several machines\n")[1]
    return re.findall(r"\.Bd -literal -offset indent\n(.*?)\.Ed\n", section,
                      re.S)[:2]


class Rsyslogd:
    def __init__(self, directory, config):
        os.mkdir(directory)
        self.pid_file = os.path.join(directory, "pid")
        self.config = os.path.join(directory, "config")
        with open(self.config, "w") as file:
            file.write('global(workDirectory="%s")\n%s' % (directory, config))
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["rsyslogd", "-n", "-f", self.config, "-i", self.pid_file])

    def stop(self):
        self.process.terminate()
        self.process.wait(600)


class SeveralMachines(StatsTest):
    def setUp(self):
        super().setUp()
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        sender, receiver = manual()
        with open(os.path.join(TOP, "units/rsyslog/tarpit.conf")) as file:
            to_file = file.read().replace("/var/log/tarpit.log",
                                          self.path("tarpit.log")).replace(
                                              'fileGroup="adm" ', "")
        self.receiver = self.run_rsyslogd(
            "receiver", receiver.replace("10514", str(self.port)) + to_file)
        self.senders = [self.run_sender(name, sender) for name in ("a", "b")]
        self.sent = 0

    def run_rsyslogd(self, name, config):
        daemon = Rsyslogd(self.path(name), config)
        self.addCleanup(daemon.stop)
        return daemon

    def run_sender(self, name, config):
        """Run a sender; returns the socket to which a tarpit there logs."""
        path = self.path(name + ".socket")
        config = config.replace("10514", str(self.port)).replace(
            "stats.example.org", "127.0.0.1").replace(
            'resumeRetryCount="-1"',
            'resumeRetryCount="-1" action.resumeInterval="1"')
        self.assertIn("resumeInterval", config)
        self.run_rsyslogd(name, 'module(load="imuxsock" SysSock.Use="off")\n'
                          'input(type="imuxsock" Socket="%s")\n%s' %
                          (path, config))
        self.assertTrue(wait_for(lambda: os.path.exists(path)))
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(log.close)
        log.connect(path)
        return log

    def send(self, count):
        """Log on each machine, with the same process ids on both."""
        for _ in range(count):
            for machine, log in enumerate(self.senders):
                text = line("192.0.2.%d" % (1 + machine),
                            START + 1000 * self.sent, 1000,
                            100 + self.sent // 2)
                log.send(b"<21>" + text.split(" mx ")[1].strip().encode())
                self.sent += 1

    def received(self):
        try:
            return self.read("tarpit.log").count(b"\n")
        except FileNotFoundError:
            return 0

    def test_each_line_once(self):
        """Even though the receiver is down for a while."""
        self.send(50)
        self.assertTrue(wait_for(lambda: self.received() == 100, 300))
        self.receiver.stop()
        self.send(50)
        self.receiver.start()
        self.send(50)
        self.assertTrue(wait_for(lambda: self.received() >= 300, 300),
                        self.received())
        for _ in range(2):
            report = self.report("-s", self.path("db"),
                                 self.path("tarpit.log"))
            self.assertEqual(report["Emails blocked"], "300")
            self.assertEqual(report["Unique SMTP Hosts"], "2")
            self.assertEqual(report["Hours in Tar Pit"], "0.08")


if __name__ == "__main__":
    unittest.main()
