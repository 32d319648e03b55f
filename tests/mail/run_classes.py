# SPDX-License-Identifier: GPL-2.0-or-later
"""See check-mail."""

import sys

from tests.lib.runner import run_all

CLASSES = {
    "test_mail": ["OpenSmtpd", "Postfix", "PatientExim", "Exim",
                  "PostfixWatchdog"],
    "test_later": ["OpenSmtpdLater", "PostfixLater", "EximLater",
                   "SendmailLater", "SendmailKilled", "DmaLater",
                   "NullmailerLater", "Bot"],
    "test_caveats": ["EximPipelines", "EximCounts", "DmaReset", "DmaSpins",
                     "Symfony"],
}


def main():
    wanted = sys.argv[1:]
    suites = {name: ["tests.mail.%s.%s" % (module, name)]
              for module, names in CLASSES.items() for name in names
              if not wanted or name in wanted}
    if len(suites) < len(wanted):
        sys.exit("check-mail: there is no such class")
    return run_all(suites, len(suites))


if __name__ == "__main__":
    sys.exit(main())
