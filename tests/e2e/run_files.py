# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the end-to-end tests, file by file; see run."""

import glob
import os
import sys

from tests.lib.runner import run_all

AT_A_TIME = 6
# The files that take longest begin first.
LONGEST = ["test_vanish", "test_mx", "test_build", "test_rsyslog",
           "test_database", "test_hours"]


def main():
    names = sys.argv[1:] or sorted(
        os.path.basename(path)[:-len(".py")] for path in
        glob.glob(os.path.join(os.path.dirname(__file__), "test_*.py")))
    names.sort(key=lambda name: name not in LONGEST)
    return run_all({name: ["tests.e2e." + name] for name in names},
                   AT_A_TIME, bool(os.environ.get("FAIL_FAST")))


if __name__ == "__main__":
    sys.exit(main())
