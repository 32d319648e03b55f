# SPDX-License-Identifier: GPL-2.0-or-later
"""A tarpit whose clock leaps over each wait, so that what it does in an hour
is seen at once, and to the millisecond on any machine; see
../doubles/leaping_clock.c.
"""

import os
import struct
import tempfile

from tests.lib.tarpit import BUILD, Tarpit

WAIT = struct.Struct("qq")
WAITS_MAX = 65536


class Leaping(Tarpit):
    """With silent, it leaps over the wait for the client's words as well."""

    def __init__(self, *args, silent=False, **more):
        self.file = tempfile.NamedTemporaryFile()
        self.file.truncate(WAITS_MAX * WAIT.size)
        environment = {"WAITS": self.file.name}
        if silent:
            environment["SILENT"] = "yes"
        super().__init__(*args, env=environment, **more,
                         binary=os.path.join(BUILD, "tarpit-leaping"))

    def __exit__(self, *exc):
        super().__exit__(*exc)
        self.file.close()

    def waits(self, for_client=True):
        """The milliseconds of each, of those for the client or of others."""
        self.file.seek(0)
        return [nsec / 1e6 for nsec, for_whom in
                WAIT.iter_unpack(self.file.read())
                if nsec != 0 and (for_whom != 0) == for_client]
