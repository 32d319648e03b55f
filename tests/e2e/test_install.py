# SPDX-License-Identifier: GPL-2.0-or-later
"""make install and make uninstall, in the /usr and /etc of the sandbox."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from tests.lib import TOP
from tests.lib.sandbox import needs_root

PROGRAM = {
    "usr/local/sbin/tarpit", "usr/local/share/man/man8/tarpit.8",
    "usr/local/sbin/tarpit-stats", "usr/local/share/man/man8/tarpit-stats.8",
    "usr/local/sbin/tarpit-mx", "usr/local/share/man/man8/tarpit-mx.8",
    "usr/local/lib/tarpit/stats-update"}
SYSTEMD = {
    "usr/local/lib/systemd/system/tarpit.socket",
    "usr/local/lib/systemd/system/tarpit@.service",
    "usr/local/lib/systemd/system/tarpit.slice",
    "usr/local/lib/systemd/system/tarpit-nft.service",
    "usr/local/lib/systemd/system/tarpit-stats.service",
    "usr/local/lib/systemd/system/tarpit-stats.timer",
    "usr/local/lib/sysusers.d/tarpit.conf"}
DOC = "usr/local/share/doc/tarpit/"
DOCS = {DOC + name for name in (
    "README.md", "NEWS", "OPERATING.md", "LICENSE", "stats/page.png",
    "examples/xinetd/tarpit", "examples/nftables/tarpit.nft",
    "examples/inetd/inetd.conf", "examples/tcpserver/run",
    "examples/tcpsvd/run", "examples/systemd/hardened.conf",
    "examples/systemd/bind.conf", "examples/systemd/options.conf",
    "examples/rsyslog/tarpit.conf",
    "examples/logrotate/tarpit", "examples/cron/tarpit-stats")}


def make(*args):
    return subprocess.run(["make", "-C", TOP] + list(args), check=True,
                          capture_output=True, text=True).stdout


def files(root):
    return {os.path.relpath(os.path.join(directory, name), root)
            for directory, _, names in os.walk(root) for name in names}


def others():
    """The files of /etc, without those that useradd makes."""
    return {name for name in files("/etc") if not re.fullmatch(
        r"\.pwd\.lock|(passwd|group)-|g?shadow-?", name)}


class Install(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = directory.name

    def test_into_a_package(self):
        self.assertNotRegex(make("install", "DESTDIR=" + self.root), "(?m)^#")
        self.assertEqual(files(self.root), PROGRAM | SYSTEMD | DOCS)
        self.assertTrue(os.access(self.path(DOC + "examples/tcpsvd/run"),
                                  os.X_OK))
        make("uninstall", "DESTDIR=" + self.root)
        self.assertEqual(files(self.root), set())
        for directory in "lib/systemd", "lib/sysusers.d", "share/doc/tarpit":
            self.assertFalse(os.path.exists(
                self.path("usr/local/" + directory)))

    def path(self, name):
        return os.path.join(self.root, name)

    def test_links_of_the_readme_lead_somewhere(self):
        make("install", "DESTDIR=" + self.root)
        with open(self.path(DOC + "README.md")) as file:
            links = re.findall(r"\]\((\w[^):]*)\)", file.read())
        self.assertIn("OPERATING.md", links)
        for link in links:
            self.assertTrue(os.path.exists(self.path(DOC + link)), link)

    def test_under_another_prefix(self):
        make("install", "DESTDIR=" + self.root, "PREFIX=/opt")
        self.assertIn("opt/sbin/tarpit", files(self.root))
        with open(self.path("opt/lib/systemd/system/"
                            "tarpit-stats.service")) as file:
            self.assertIn("=/opt/lib/tarpit/stats-update\n", file.read())
        for name in ("opt/lib/systemd/system/tarpit@.service",
                     "opt/lib/tarpit/stats-update",
                     "opt/share/doc/tarpit/examples/xinetd/tarpit",
                     "opt/share/doc/tarpit/examples/tcpsvd/run"):
            with open(self.path(name)) as file:
                self.assertIn("/opt/sbin/tarpit", file.read(), name)
        for name in files(self.root):
            with open(self.path(name), "rb") as file:
                self.assertNotIn(b"/usr/local", file.read(), name)
        make("uninstall", "DESTDIR=" + self.root, "PREFIX=/opt")
        self.assertEqual(files(self.root), set())

    def test_where_xinetd_is(self):
        """The file is switched off at first, and an operator's changes stay."""
        os.makedirs(self.path("etc/xinetd.d"))
        said = make("install", "DESTDIR=" + self.root)
        with open(self.path("etc/xinetd.d/tarpit")) as file:
            self.assertRegex(file.read(), r"disable\s+= yes\n")
        self.assertIn("systemctl restart xinetd", said)
        with open(self.path("etc/xinetd.d/tarpit"), "w") as file:
            file.write("mine")
        make("install", "DESTDIR=" + self.root)
        with open(self.path("etc/xinetd.d/tarpit")) as file:
            self.assertEqual(file.read(), "mine")
        self.assertIn("\n    %s\n" % self.path("etc/xinetd.d/tarpit"),
                      make("uninstall", "DESTDIR=" + self.root))
        self.assertEqual(files(self.root), {"etc/xinetd.d/tarpit"})

    def test_uninstall_takes_what_nobody_edited(self):
        """A file that was only switched on does not count as edited."""
        for directory in "etc/xinetd.d", "etc/cron.d":
            os.makedirs(self.path(directory))
        make("install", "DESTDIR=" + self.root)
        subprocess.run(["sed", "-i", "/disable/s/yes/no/",
                        self.path("etc/xinetd.d/tarpit")], check=True)
        self.copy("cron/tarpit-stats", "etc/cron.d/tarpit-stats")
        said = make("uninstall", "DESTDIR=" + self.root)
        self.assertNotIn("yours", said)
        self.assertIn("systemctl restart xinetd", said)
        self.assertEqual(files(self.root), set())

    def test_uninstall_lists_what_remains(self):
        make("install", "DESTDIR=" + self.root)
        for example, name in (
                ("rsyslog/tarpit.conf", "etc/rsyslog.d/30-tarpit.conf"),
                ("cron/tarpit-stats", "etc/cron.d/tarpit-stats"),
                ("nftables/tarpit.nft", "etc/tarpit.nft"),
                ("systemd/bind.conf",
                 "etc/systemd/system/tarpit.socket.d/bind.conf"),
                ("inetd/inetd.conf", "etc/inetd.conf")):
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            self.copy(example, name)
        with open(self.path("etc/cron.d/tarpit-stats"), "a") as file:
            file.write("#\n")
        before = files(self.path("etc"))
        said = make("uninstall", "DESTDIR=" + self.root)
        self.assertEqual(files(self.path("etc")), before)
        for name in ("/rsyslog.d/30-tarpit.conf", "/cron.d/tarpit-stats",
                     "/tarpit.nft", "/systemd/system/tarpit.socket.d"):
            self.assertIn("    %s/etc%s\n" % (self.root, name), said)
        self.assertIn("    lines in %s/etc/inetd.conf\n" % self.root, said)

    def copy(self, example, name):
        shutil.copy(self.path(DOC + "examples/" + example), self.path(name))

    @needs_root
    def test_for_real(self):
        before = files("/usr/local"), others()
        said = make("install")
        self.assertIn("systemd-sysusers tarpit.conf\n", said)
        self.assertIn("systemctl enable --now tarpit.socket\n", said)
        self.assertEqual(
            subprocess.run(["/usr/local/sbin/tarpit", "-V"]).returncode, 0)
        subprocess.run(["systemd-sysusers", "tarpit.conf"], check=True,
                       capture_output=True)
        self.assertEqual(subprocess.run(["id", "tarpit"],
                                        capture_output=True).returncode, 0)
        self.assertIn("userdel tarpit", make("uninstall"))
        subprocess.run(["userdel", "tarpit"], check=True)
        self.assertEqual(before, (files("/usr/local"), others()))


if __name__ == "__main__":
    unittest.main()
