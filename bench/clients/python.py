# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: python.py host seconds [threads]"""

import smtplib
import sys
import threading


def send():
    client = smtplib.SMTP(sys.argv[1], timeout=float(sys.argv[2]))
    client.sendmail("alice@sender.example", "bob@recipient.example",
                    "test\r\n")
    client.quit()


for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 1):
    threading.Thread(target=send).start()
