# SPDX-License-Identifier: GPL-2.0-or-later
"""tarpit-stats -o: what it writes into, and what it replaces."""

import json
import os
import stat
import subprocess
import unittest

from tests.lib.sandbox import needs_initial_namespace, needs_root
from tests.lib.stats import STATS, StatsTest, lines, run


class Output(StatsTest):
    def test_device_stays_one(self):
        for path in "/dev/null", "/dev/stdout":
            before = os.stat("/dev/null")
            done = run("-s", self.path("db"), "-o", path, text=lines(0, 5))
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertEqual(b"blocked: 5\n" in done.stdout,
                             path == "/dev/stdout")
            self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))
            self.assertEqual(os.stat("/dev/null").st_ino, before.st_ino)
        self.assertEqual(os.listdir(self.directory), ["db"])

    @needs_initial_namespace
    def test_null_device_of_root(self):
        null = self.path("null")
        os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        run("-o", null, text=lines(0, 5))
        self.assertTrue(stat.S_ISCHR(os.stat(null).st_mode))
        self.assertEqual(os.listdir(self.directory), ["null"])

    def test_device_that_is_full(self):
        done = run("-o", "/dev/full", text=lines(0, 5))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"/dev/full: No space left", done.stderr)

    def test_pipe(self):
        pipe = self.path("pipe")
        os.mkfifo(pipe)
        with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as cat:
            self.stats("-o", pipe, text=lines(0, 5))
            self.assertIn(b"blocked: 5\n", cat.communicate(timeout=600)[0])
        self.assertEqual(os.listdir(self.directory), ["pipe"])

    def test_standard_output(self):
        self.assertIn("blocked: 5\n", self.stats("-o", "-", text=lines(0, 5)))

    def test_directory(self):
        done = run("-o", self.directory, text=lines(0, 5))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"Is a directory", done.stderr)

    def test_link_is_followed(self):
        os.mkdir(self.path("there"))
        target, link = self.path("there/page"), self.path("link")
        os.symlink("there/page", link)
        for count in 3, 5:      # at first the link leads to nothing
            self.stats("-o", link, text=lines(0, count))
            self.assertTrue(os.path.islink(link))
            self.assertIn(b"blocked: %d\n" % count, self.read("there/page"))
        self.assertEqual(os.listdir(self.path("there")), ["page"])
        os.unlink(target)
        os.symlink(link, target)
        done = run("-o", link, text=lines(0, 5))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"Too many levels", done.stderr)

    def test_mode_stays(self):
        page = self.path("page")
        old = os.umask(0o022)
        self.addCleanup(os.umask, old)
        self.stats("-o", page, text=lines(0, 5))
        self.assertEqual(os.stat(page).st_mode & 0o7777, 0o644)
        for mode in 0o600, 0o664:
            os.chmod(page, mode)
            self.stats("-o", page, text=lines(0, 5))
            self.assertEqual(os.stat(page).st_mode & 0o7777, mode)

    @needs_root
    def test_owner_stays(self):
        page = self.write("page", "")
        os.chown(page, 65534, 65533)
        self.stats("-o", page, text=lines(0, 5))
        self.assertEqual((os.stat(page).st_uid, os.stat(page).st_gid),
                         (65534, 65533))
        self.assertIn(b"blocked: 5\n", self.read("page"))

    def test_several_reports(self):
        page, metrics = self.path("page"), self.path("metrics")
        out = self.stats("-f", "html", "-o", page, "-f", "prometheus", "-o",
                         metrics, "-f", "json", text=lines(0, 5))
        self.assertEqual(json.loads(out)["emails_blocked"], 5)
        self.assertIn(b"<html", self.read("page"))
        self.assertIn(b"tarpit_connections_total 5\n", self.read("metrics"))
        out = self.stats("-o", page, "-o", metrics, "-f", "html",
                         text=lines(0, 7))
        self.assertEqual(out, "")
        self.assertIn(b"<html", self.read("page"))
        self.assertIn(b"blocked: 7\n", self.read("metrics"))

    def test_too_many_reports(self):
        for option, value in ("-o", "/dev/null"), ("-f", "text"):
            self.assertEqual(run(*17 * (option, value)).returncode, 64)


class Files(StatsTest):
    def fails(self, said, *args, **more):
        done = run(*args, **more)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(said, done.stderr)

    def test_version_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [STATS, "-V"], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output: No space left", done.stderr)

    def test_database_that_is_a_link_to_itself(self):
        db = self.path("db")
        os.symlink(db, db)
        self.fails(b"db: unable to open database file", "-s", db,
                   text=lines(0, 5))
        self.assertEqual(os.listdir(self.directory), ["db"])

    def test_new_file_that_is_a_pipe(self):
        os.mkfifo(self.path("page.new"))
        reader = os.open(self.path("page.new"), os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.fails(b"page: Invalid argument", "-o", self.path("page"))
        self.assertFalse(os.path.exists(self.path("page")))


if __name__ == "__main__":
    unittest.main()
