# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways to stall an SMTP client, by this tarpit and by others, each a server.

A way is a function that takes a Call, and returns when the client leaves.  It
gives times in seconds of life, which the Call shortens by its scale.
"""

import random
import select
import socket
import subprocess
import tempfile
import threading
import time


from tests.lib.log import Hold
from tests.lib.tarpit import GREETING, NAME, TARPIT

PORT = 25
BYTE_SECONDS = 4        # between two bytes, tarpit's default
LINE_SECONDS = 10       # between two lines, as in other tarpits
NO_CAP = 86400          # the benchmark ends its holds
FILLER = NAME.encode() + b" lorem ipsum" * 39 + b"\r\n"


class Left(Exception):
    """The client has closed the connection."""


class Call:
    """A connection to be stalled; arrived and left are monotonic."""

    def __init__(self, connection, scale):
        self.connection = connection
        self.scale = scale
        self.said = b""
        self.process = None
        self.thread = None
        self.left = None
        self.arrived = time.monotonic()
        self.clock = time.time()

    @property
    def held(self):
        """Seconds held so far, or in all."""
        return (self.left or time.monotonic()) - self.arrived

    def say(self, data):
        try:
            self.connection.sendall(data)
        except OSError:
            raise Left from None

    def pause(self, seconds):
        end = time.monotonic() + seconds * self.scale
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return
            if select.select([self.connection], [], [], left)[0]:
                self.listen()

    def hear(self):
        """Wait until another line has come from the client."""
        lines = self.said.count(b"\n")
        while self.said.count(b"\n") == lines:
            self.listen()

    def listen(self):
        try:
            data = self.connection.recv(4096)
        except OSError:
            raise Left from None
        if not data:
            raise Left
        self.said += data

    def end(self):
        """Hang up, which counts as the client leaving."""
        if self.process is not None:
            self.process.terminate()
            return
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Staller:
    """A way on an address of its own."""

    def __init__(self, address, way, scale):
        self.way = way
        self.scale = scale
        self.calls = []
        self.listener = socket.create_server((address, PORT))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            call = Call(connection, self.scale)
            call.thread = threading.Thread(target=self.stall, args=(call,),
                                           daemon=True)
            call.thread.start()
            self.calls.append(call)

    def stall(self, call):
        with call.connection:
            try:
                self.way(call)
            except Left:
                pass
            call.left = call.left or time.monotonic()

    def close(self):
        if self.listener.fileno() != -1:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
        for call in self.calls:
            if call.left is None:
                call.end()
            call.thread.join()


# Ways to stall.

def tarpit(call):
    """tarpit itself; its log line says when the client left."""
    with tempfile.TemporaryFile("w+") as stderr:
        call.process = subprocess.Popen(
            [TARPIT, "-d", "-n", NAME, "-t", str(NO_CAP), "-i",
             str(max(10, round(BYTE_SECONDS * 1000 * call.scale)))],
            stdin=call.connection, stdout=call.connection, stderr=stderr)
        call.process.wait()
        stderr.seek(0)
        call.left = call.arrived + (
            Hold(stderr.read()).disconnected - call.clock)


def silence(call):
    call.say(GREETING)
    call.hear()
    for_ever(call)


def for_ever(call):
    while True:
        call.pause(3600)


def no_greeting(call):
    """sendmail's greet_pause, without an end."""
    for_ever(call)


def teaser(call):
    """The first line of a greeting, and postscreen's pause, without an end."""
    call.say(b"220-" + NAME.encode() + b" ESMTP\r\n")
    for_ever(call)


def lines(call):
    call.say(GREETING)
    call.hear()
    while True:
        call.pause(LINE_SECONDS)
        call.say(b"250-" + NAME.encode() + b" lorem ipsum\r\n")


def slow_greeting(seconds):
    """A greeting byte by byte, complete after some seconds; then as tarpit."""
    def way(call):
        trickle(call, b"220-" + FILLER + GREETING, seconds)
        call.hear()
        dribble(call)
    return way


def refuse_ehlo(seconds):
    """A refusal byte by byte, complete after some seconds; then the client
    tries HELO, for a second deadline.
    """
    def way(call):
        call.say(GREETING)
        call.hear()
        trickle(call, b"502-" + FILLER + b"502 no EHLO here\r\n", seconds)
        dribble(call)
    return way


def trickle(call, reply, seconds):
    """Send byte by byte, and then the rest at once."""
    count = int(seconds / BYTE_SECONDS)
    for byte in reply[:count]:
        call.pause(BYTE_SECONDS)
        call.say(bytes([byte]))
    call.pause(seconds - count * BYTE_SECONDS)
    call.say(reply[count:])


def dribble(call):
    """Send a reply without an end, as tarpit does."""
    while True:
        for byte in b"250-" + FILLER:
            call.pause(BYTE_SECONDS * random.uniform(0.8, 1.2))
            call.say(bytes([byte]))
