# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests share."""

import os

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
