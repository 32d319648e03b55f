# SPDX-License-Identifier: GPL-2.0-or-later
"""tarpit-mx: TARPIT_MX names the binary."""

import os

from tests.lib import TOP

MX = os.path.abspath(os.environ.get(
    "TARPIT_MX", os.path.join(TOP, "tarpit-mx")))
