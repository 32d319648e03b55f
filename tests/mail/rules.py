# SPDX-License-Identifier: GPL-2.0-or-later
"""The nftables rules as they are installed, for the lab's addresses."""

import json
import os
import re

from tests.lib import TOP
from tests.lib.files import read
from tests.lib.process import run

FILE = os.path.join(TOP, "units/nftables/tarpit.nft")


class Rules:
    def __init__(self, primary, tarpit):
        """Lists of addresses of both families."""
        text = read(FILE)
        # Some senders come from the address that they connect to, since the
        # machine of this lab has it.
        for here in " ip saddr != $primary4", " ip6 saddr != $primary6":
            if here not in text:
                raise AssertionError("%s: no%s" % (FILE, here))
            text = text.replace(here, "")
        for name, addresses in (("primary", primary), ("tarpit", tarpit)):
            for family in "46":
                ours = [a for a in addresses if (":" in a) == (family == "6")]
                if ours:
                    text, count = re.subn(
                        "(?m)^define %s%s = .*$" % (name, family),
                        "define %s%s = { %s }" % (
                            name, family, ", ".join(ours)), text)
                    if count != 1:
                        raise AssertionError("%s: no %s" % (FILE, name))
        run("nft", "-f", "-", input=text)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        run("nft", "delete", "table", "inet", "tarpit")

    @staticmethod
    def resets():
        """How often somebody who came to the primary first was refused."""
        listed = json.loads(run("nft", "-j", "list", "chain", "inet",
                                "tarpit", "call"))
        return sum(part["counter"]["packets"] for item in listed["nftables"]
                   if "rule" in item and "@came" in str(item["rule"])
                   for part in item["rule"]["expr"] if "counter" in part)
