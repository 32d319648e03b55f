# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes, and waiting for what they do."""

import os
import time


def wait_for(condition, seconds=60):
    """Poll until condition() is true; return its value, false at the end."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.01)


def running(program):
    """Process ids of all that run the file."""
    pids = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink("/proc/%s/exe" % pid) == program:
                pids.append(int(pid))
        except OSError:
            pass
    return pids
