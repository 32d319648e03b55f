# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs with a system call that fails, though it hardly ever does; see
../doubles/failing.c.
"""

import errno
import os

from tests.lib.tarpit import BUILD, Tarpit

FAILING = os.path.join(BUILD, "tarpit-failing")
FAILING_STATS = os.path.join(BUILD, "tarpit-stats-failing")


def failing(call, error=errno.EIO, after=0, more=0):
    """An environment in which it fails once, after it went well so often, and
    more often then.
    """
    return {"FAIL": call, "ERRNO": str(error), "AFTER": str(after),
            "MORE": str(more), "TZ": "UTC"}


def held(*args, **more):
    """A tarpit in such an environment."""
    return Tarpit("-i", "10", *args, binary=FAILING, env=failing(**more))
