# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs tests in sandboxes of their own, several at a time, and says how many
of each have passed.
"""

import collections
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from tests.lib import TOP, limited

SANDBOX = os.path.join(TOP, "tests", "setup", "sandbox")
# A sandbox that does not even notice that a test hangs.
SECONDS = 2 * limited.SECONDS

Done = collections.namedtuple(
    "Done", "name status seconds passed failed skipped output")
UNSUPPORTED = 77    # the sandbox says so


def run(name, tests, *options):
    """Those of unittest's names, in one sandbox."""
    start = time.monotonic()
    with tempfile.NamedTemporaryFile("w+") as results, \
            tempfile.TemporaryFile("w+", errors="replace") as output:
        # With us, whatever is left of it is killed as well.
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", SANDBOX, sys.executable,
             "-m", "tests.lib.limited", *options, *tests],
            cwd=TOP, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env=dict(os.environ, TEST_RESULTS=results.name))
        wait(process, results.name)
        passed, failed, skipped = count(results.read())
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        failed = max(1, failed)
    return Done(name, process.returncode, time.monotonic() - start, passed,
                failed, skipped, text)


def wait(process, results):
    """Until it ends, or nothing has come of it for too long."""
    last = time.time()
    while True:
        try:
            process.wait(min(10, SECONDS))
            return
        except subprocess.TimeoutExpired:
            last = max(last, os.path.getmtime(results))
            if time.time() > last + SECONDS:
                process.kill()


def count(results):
    """Tests passed, failed and skipped."""
    tests = {key: set(re.findall(r"^%s (.*)$" % key, results, re.M))
             for key in ("passed", "failed", "skipped")}
    return (len(tests["passed"] - tests["failed"]), len(tests["failed"]),
            len(tests["skipped"]))


def run_all(suites, at_a_time, fail_fast=False):
    """Suites: by name, what run() takes.  Returns an exit status."""
    # At once, and with us all that we have started.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    everything = []
    with concurrent.futures.ThreadPoolExecutor(at_a_time) as pool:
        options = ["-f"] * fail_fast
        for future in concurrent.futures.as_completed(
                [pool.submit(run, name, suites[name], *options)
                 for name in suites]):
            done = future.result()
            everything.append(done)
            show(done)
            if fail_fast and done.status != 0:
                pool.shutdown(cancel_futures=True)
                break
    print("%d passed, %d failed, %d skipped" % tuple(
        sum(getattr(done, key) for done in everything)
        for key in ("passed", "failed", "skipped")))
    statuses = {done.status for done in everything} - {0}
    if statuses == {UNSUPPORTED}:
        return UNSUPPORTED
    return 1 if statuses else 0


def show(done):
    if done.status != 0:
        print(done.output)
    for figure in re.findall(r"^figure: (.*)$", done.output, re.M):
        print(figure)
    print("%-20s %3d passed, %d failed, %d skipped %6.1f s" % (
        done.name, done.passed, done.failed, done.skipped, done.seconds),
        flush=True)
