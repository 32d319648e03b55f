# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test does at some moment, and when a program says that was."""

import time

# Between two calls of a program, on a machine with much else to do.  Whatever
# a program could take for the moment by mistake must be further away.
SLACK = 5   # seconds


class Moment:
    """with Moment() as left: client.close()"""

    def __enter__(self):
        self.before = time.time()
        return self

    def __exit__(self, *exc):
        self.after = time.time()

    def __repr__(self):
        return "%.3f to %.3f" % (self.before, self.after)

    def check(self, said):
        """That it is what the program says, in seconds since 1970."""
        if not self.before - SLACK < said < self.after + SLACK:
            raise AssertionError("%.3f is not within %d s of %r" % (
                said, SLACK, self))
