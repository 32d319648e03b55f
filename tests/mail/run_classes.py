# SPDX-License-Identifier: GPL-2.0-or-later
"""See check-mail."""

import sys

from tests.lib.runner import run_all

CLASSES = ["OpenSmtpd", "Postfix", "PatientExim", "Exim", "PostfixWatchdog"]


def main():
    names = sys.argv[1:] or CLASSES
    return run_all({name: ["tests.mail.test_mail." + name] for name in names},
                   len(names))


if __name__ == "__main__":
    sys.exit(main())
