# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: python3 -m tests.lib.limited [-f] test ...

As python3 -m unittest -v, but a test that hangs fails, and the next one
follows.  The limit is there for nothing else: no machine is so slow.  It is
ten minutes, or as many seconds as TEST_SECONDS says.  Each result is also
added to the file that TEST_RESULTS names, if it does, as soon as it is known:
"passed", "failed" or "skipped", and the test.
"""

import os
import signal
import unittest

SECONDS = int(os.environ.get("TEST_SECONDS", 600))
RESULTS = os.environ.get("TEST_RESULTS", os.devnull)


class Hangs(Exception):
    pass


def stop(*_):
    raise Hangs("not over after %d s" % SECONDS)


class Result(unittest.TextTestResult):
    def startTest(self, test):
        signal.alarm(SECONDS)
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        signal.alarm(SECONDS)   # for what belongs to a class or a module

    def note(self, result, test):
        with open(RESULTS, "a") as results:
            print(result, test.id(), file=results)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note("passed", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note("skipped", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note("failed", test)

    def addError(self, test, err):
        super().addError(test, err)
        self.note("failed", test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note("failed", test)


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    unittest.main(module=None, verbosity=2, testRunner=unittest.TextTestRunner(
        verbosity=2, resultclass=Result))
