# SPDX-License-Identifier: GPL-2.0-or-later
"""What there is in the sandbox that the tests run in; see ../setup/sandbox."""

import subprocess
import unittest


def mapped_ids():
    """How many user ids there are in the sandbox."""
    with open("/proc/self/uid_map") as uid_map:
        return sum(int(line.split()[2]) for line in uid_map)


needs_root = unittest.skipUnless(
    mapped_ids() > 1, "no user but root in this sandbox: run as root")

needs_initial_namespace = unittest.skipUnless(
    mapped_ids() == 2 ** 32 - 1, "no device and no file of /usr can be made "
    "or moved in this sandbox: run as root")


def user_namespaces():
    """Whether one can be made in the sandbox: never in a chroot(2)."""
    return subprocess.run(["unshare", "--user", "true"],
                          capture_output=True).returncode == 0


needs_user_namespaces = unittest.skipUnless(
    user_namespaces(), "no user namespaces here: not in a chroot")
