# SPDX-License-Identifier: GPL-2.0-or-later
"""The README and the manuals: what can be checked without a reader."""

import os
import re
import subprocess
import unittest

from tests.lib import TOP
from tests.lib.mx import MX
from tests.lib.stats import STATS
from tests.lib.tarpit import TARPIT


def read(name):
    with open(os.path.join(TOP, name)) as file:
        return file.read()


class Docs(unittest.TestCase):
    def test_usage_is_the_same_everywhere(self):
        usage = subprocess.run([TARPIT, "-x"], stdin=subprocess.DEVNULL,
                               capture_output=True, text=True).stderr
        options = re.findall(r"\[(-\w+)", usage)
        synopsis = read("tarpit.8").split(".Sh SYNOPSIS")[1].split(".Sh")[0]
        self.assertEqual(
            options, ["-" + flag for flag in
                      re.findall(r"^\.Op Fl (\w+)", synopsis, re.M)])

    def test_usage_of_stats_is_that_of_the_manual(self):
        usage = subprocess.run([STATS, "-x"], stdin=subprocess.DEVNULL,
                               capture_output=True, text=True).stderr
        synopsis = read("tarpit-stats.8").split(
            ".Sh SYNOPSIS")[1].split(".Sh")[0]
        self.assertEqual(
            re.findall(r"\[-(\w)", usage),
            re.findall(r"^\.Op Fl (\w)", synopsis, re.M))

    def test_usage_of_mx_is_that_of_the_manual(self):
        usage = subprocess.run([MX, "-x"], stdin=subprocess.DEVNULL,
                               capture_output=True, text=True).stderr
        synopsis = read("tarpit-mx.8").split(
            ".Sh SYNOPSIS")[1].split(".Sh")[0]
        self.assertEqual(
            re.findall(r"\[-(\w+)", usage),
            re.findall(r"^\.Op Fl (\w+)", synopsis, re.M))

    def test_limits_of_mx_are_those_of_the_manual(self):
        manual = read("tarpit-mx.8")
        times = {name: int(value) for name, value in re.findall(
            r"#define (\w+_SECONDS)\s+(\d+)",
            read("mx/probe.h") + read("mx/probe.c"))}
        self.assertIn(
            "at most %d seconds: %d to\nconnect, %d until the greeting has "
            "come, %d until the reply to EHLO begins, %d\nuntil it has "
            "ended, and %d for QUIT" % (
                sum(times.values()), times["CONNECT_SECONDS"],
                times["GREETING_SECONDS"], times["REPLY_SECONDS"],
                times["HANG_SECONDS"], times["QUIT_SECONDS"]), manual)
        limits = dict(re.findall(r"#define (\w+_MAX)\s+(\d+)",
                                 read("mx/domain.h") + read("mx/dns.h")))
        self.assertIn("At most %s MX records of a domain and %s addresses" % (
            limits["DNS_RECORDS_MAX"], limits["ADDRESSES_MAX"]), manual)
        timeout, = set(re.findall(r"timeout (\d+)h",
                                  read("units/nftables/tarpit.nft")))
        self.assertIn("a tarpit refuses for %s hours" % timeout, manual)

    def test_limits_of_the_database_are_those_of_the_manual(self):
        header, manual = read("stats/database.h"), read("tarpit-stats.8")
        lines = int(re.search(r"DATABASE_LINES_MAX (\d+)", header)[1])
        seconds = re.search(r"DATABASE_WAIT_SECONDS (\d+)", header)[1]
        self.assertIn("%d million" % (lines / 1000000), manual)
        self.assertIn("%s seconds" % seconds, manual)

    def test_version_is_the_same_everywhere(self):
        versions = {re.search(r'#define VERSION\s+"(.*)"',
                              read("version.h"))[1]}
        changelog = read("packaging/debian/changelog")
        versions.add(re.match(r"tarpit \((.*)-\d+\)", changelog)[1])
        self.assertEqual(len(versions), 1, versions)

    def test_defaults_and_limits_are_those_of_the_source(self):
        source = read("tarpit.c") + read("cap.h")
        manual = read("tarpit.8")
        for name in ("INTERVAL_MIN", "INTERVAL_MAX", "INTERVAL_DEFAULT",
                     "CAP_MIN", "CAP_MAX", "CAP_DEFAULT", "COMMAND_LEN_MAX",
                     "REPLY_LEN_MIN", "REPLY_LEN_MAX"):
            value = re.search(r"#define %s\s+(\d+)" % name, source)[1]
            said = value + " by\ndefault" * name.endswith("DEFAULT")
            self.assertRegex(manual, r"\b%s\b" % said.replace("\n", r"\s"),
                             name)

    def test_readme_lists_what_the_seal_allows(self):
        allowed = re.findall(r"^\t(?:ALLOW_CALL|RULE)\(__NR_(\w+)",
                             read("seal.c"), re.M)
        section = read("README.md").split("## Security")[1]
        listed = re.findall(r"^    (.*)$", section, re.M)[:3]
        self.assertEqual(
            set(re.findall(r"\w+", re.sub(r"\(.*?\)", "", " ".join(listed)))),
            set(allowed))

    def test_make_targets_of_the_readme_exist(self):
        makefiles = read("Makefile") + read("tests/tests.mk")
        targets = set(re.findall(r"^([a-z-]+):", makefiles, re.M))
        for command in re.findall(r"(?:^    |`)(?:sudo )?make ([a-z -]+)",
                                  read("README.md") + read("bench/README.md")
                                  + read("tests/README.md"), re.M):
            self.assertLessEqual(set(command.split()), targets, command)

    def test_files_of_the_readme_exist(self):
        text = read("README.md") + read("units/OPERATING.md")
        for path in re.findall(r"share/doc/tarpit/examples/([\w./-]+)", text):
            self.assertTrue(os.path.exists(
                os.path.join(TOP, "units", path)), path)
        for path in re.findall(r"\]\((\w[^):]*)\)", read("README.md")):
            self.assertTrue(os.path.exists(os.path.join(TOP, path)), path)

    def test_readme_table_of_limits_is_that_of_the_units(self):
        socket = read("units/systemd/tarpit.socket")
        limit = re.search(r"^MaxConnections=(\d+)", socket, re.M)[1]
        source = re.search(r"^MaxConnectionsPerSource=(\d+)", socket, re.M)[1]
        self.assertRegex(
            read("README.md"), r"%s connections at a time, %s from one address"
            % (limit, source))


if __name__ == "__main__":
    unittest.main()
