# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes, and waiting for what they do."""

import contextlib
import os
import signal
import subprocess
import time

LIMIT = 300     # seconds: nothing takes that long, but for what hangs


class Failed(subprocess.CalledProcessError):
    """Says what the command wrote, too."""

    def __str__(self):
        return "%s: %s%s" % (super().__str__(), self.stdout, self.stderr)


def run(*command, **kwargs):
    """Run a command to its end; its standard output."""
    done = subprocess.run(command, capture_output=True, text=True,
                          timeout=LIMIT, **kwargs)
    if done.returncode != 0:
        raise Failed(done.returncode, command, done.stdout, done.stderr)
    return done.stdout


def wait_for(condition, seconds=LIMIT):
    """Poll until condition() is true; return its value, false at the end."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.01)


def running(program):
    """Process ids of all processes that run the file."""
    pids = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink("/proc/%s/exe" % pid) == program:
                pids.append(int(pid))
        except OSError:
            pass
    return pids


def kill(pid, signo):
    """Send a signal to a process that may have ended by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signo)


def group(leader):
    """Process ids of the processes that live in the group of that leader."""
    pids = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as stat:
                state, _, pgrp = stat.read().rsplit(")", 1)[1].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(pgrp) == leader and state not in "ZX":
            pids.append(int(pid))
    return pids


def status(pid):
    """/proc/PID/status as a dictionary; empty when the process is gone."""
    try:
        with open("/proc/%d/status" % pid) as lines:
            return {key: value.strip() for key, value in
                    (line.split(":", 1) for line in lines)}
    except (FileNotFoundError, ProcessLookupError):
        return {}


def is_ready(pid):
    """Whether a tarpit catches SIGTERM by now.  Before its main() has said so,
    and it can be seen for a while before that, a signal ends it without a log
    line.
    """
    caught = int(status(pid).get("SigCgt", "0"), 16)
    return bool(caught & 1 << (signal.SIGTERM - 1))
