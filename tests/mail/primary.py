# SPDX-License-Identifier: GPL-2.0-or-later
"""A mail server that is up, and tells each message once to come again later,
as greylists, filters and busy servers do.
"""

import threading
import time

from tests.lib.mailers import add_address
from tests.lib.net import Server, family_of, listen

PORT = 25
NEVER, GREETING, RCPT, DATA = "never", "421 greeting", "450 RCPT", "451 DATA"


class Primary:
    """Takes all mail at the given addresses.

    later: when it tells a message to come again; at the greeting it cannot
    know which, and tells whoever comes first.
    """

    def __init__(self, *addresses):
        self.addresses = addresses
        for address in addresses:
            add_address(address)
        self.lock = threading.Lock()
        self.taken = []
        self.times = {}
        self.servers = []
        self.refuse(NEVER)
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    def refuse(self, later):
        """From now on."""
        with self.lock:
            self.later = later
            self.told = set()
            self.attempts = 0

    def start(self):
        if not self.servers:
            self.servers = [
                Server(listen(family_of(address), port=PORT, address=address),
                       self.serve) for address in self.addresses]

    def stop(self):
        for server in self.servers:
            server.close()
        self.servers = []

    def serve(self, connection):
        with connection.makefile("rwb") as client:
            Session(self, client).run()

    def is_too_early(self, stage, whose):
        """Whether that is what this one is told now, and never again."""
        with self.lock:
            # An attempt is what gets as far as that.
            if stage == (RCPT if self.later == NEVER else self.later):
                self.attempts += 1
            if stage != self.later or whose in self.told:
                return False
            self.told.add(whose)
            return True

    def taken_at(self, recipient):
        """When the message was, in seconds since 1970."""
        with self.lock:
            return self.times[recipient]

    def messages(self):
        """The text of each that it has."""
        with self.lock:
            return list(self.taken)


class Session:
    """One, from greeting to QUIT."""

    def __init__(self, server, client):
        self.server = server
        self.client = client

    def run(self):
        if self.server.is_too_early(GREETING, None):
            self.say("421 mail.example too busy, come again later")
            return
        self.say("220 mail.example ESMTP")
        for line in self.client:
            words = line.decode(errors="replace").split()
            verb = words[0].upper() if words else ""
            if verb == "QUIT":
                self.say("221 bye")
                return
            self.answer(verb, line.decode(errors="replace"))

    def say(self, text):
        self.client.write(text.encode() + b"\r\n")
        self.client.flush()

    def answer(self, verb, line):
        if verb == "MAIL":
            self.sender, self.recipients = self.path(line), []
            self.say("250 ok")
        elif verb == "RCPT":
            self.rcpt(self.path(line))
        elif verb == "DATA":
            self.data()
        elif verb in ("HELO", "EHLO", "RSET", "NOOP"):
            self.say("250 mail.example")
        else:
            self.say("502 no such command")

    @staticmethod
    def path(line):
        return line.split("<", 1)[1].split(">")[0]

    def rcpt(self, recipient):
        if self.server.is_too_early(RCPT, recipient):
            self.say("450 4.7.1 greylisted, come again later")
            return
        self.recipients.append(recipient)
        self.say("250 ok")

    def data(self):
        if not self.recipients:
            self.say("554 5.5.1 no recipient")
            return
        self.say("354 go on")
        lines = []
        for line in self.client:
            if line == b".\r\n":
                break
            lines.append(line.decode(errors="replace").rstrip("\r\n"))
        else:
            return
        if self.server.is_too_early(DATA, tuple(self.recipients)):
            self.say("451 4.3.0 the filter is busy, come again later")
            return
        with self.server.lock:
            self.server.times.update(
                dict.fromkeys(self.recipients, time.time()))
            self.server.taken += [
                "Return-Path: <%s>\nDelivered-To: %s\n%s\n" % (
                    self.sender, recipient, "\n".join(lines))
                for recipient in self.recipients]
        self.say("250 taken")
