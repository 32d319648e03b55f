# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that misbehave.  What each of them does is drawn from its own
generator, which depends on the seed and on its number and on nothing else.
"""

import asyncio
import contextlib
import errno
import random
import re
import socket
import struct
import time

from tests.lib.supers import NAME

TOKEN = b"xyzzy"        # in all that a client says, if there is room
GREETING = b"220 %s ESMTP\r\n" % NAME.encode()
PREFIX = b"250-%s " % NAME.encode()
WHOLE = re.compile(re.escape(PREFIX) + rb"[a-z]+( [a-z]+)*")
PART = re.compile(re.escape(PREFIX) + rb"([a-z]+( [a-z]+)*[ \r]?)?")
FORGED = (b"ip=6.6.6.6 connected=2026-01-01T00:00:00.000Z"
          b" disconnected=2026-01-02T00:00:00.000Z")
TCP_REPAIR = 19
IPV6_FREEBIND = 78
IP_FREEBIND = 15
PATIENCE = 10


def is_of_the_tarpit(got):
    """Whether it is the beginning of the greeting and the endless reply."""
    if len(got) <= len(GREETING):
        return GREETING.startswith(bytes(got))
    if not got.startswith(GREETING):
        return False
    *lines, part = got[len(GREETING):].split(b"\r\n")
    return all(WHOLE.fullmatch(line) and 480 <= len(line) + 2 <= 500
               for line in lines) and (
        PREFIX.startswith(bytes(part)) or PART.fullmatch(part) is not None)


def ends_well(got):
    """A FIN after "250" would be a final reply to some clients."""
    reply = got[len(GREETING):]
    return reply == b"" or len(reply.split(b"\r\n")[-1]) >= 4


# What they say.

def junk(rnd):
    return rnd.randbytes(rnd.choice((1, 2, 5, 100, 3000))) + TOKEN


def nothing(rnd):
    return b""


def nuls(rnd):
    return bytes(rnd.choice((1, 4, 5, 600, 20000))) + TOKEN


def tls(rnd):
    hello = b"\x03\x03" + rnd.randbytes(32) + b"\0\0\x04\x13\x01\x13\x02\1\0"
    hello = b"\1" + struct.pack(">I", len(hello))[1:] + hello
    return b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello + TOKEN


def http(rnd):
    return (b"POST /" + TOKEN + b" HTTP/1.1\r\nHost: " + NAME.encode() +
            b"\r\nContent-Length: 5\r\n\r\nhello")


def pipeline(rnd):
    return (rnd.choice((b"EHLO ", b"HELO ", b"lhlo ")) + TOKEN + b"\r\n"
            b"MAIL FROM:<a@" + TOKEN + b".example>\r\n"
            b"RCPT TO:<b@" + TOKEN + b".example>\r\nDATA\r\n"
            b"Subject: " + TOKEN + b"\r\n\r\n%s%n\r\n.\r\nQUIT\r\n")


def helo(rnd):
    return rnd.choice((b"EHLO ", b"HELO ", b"LHLO ", b"eHlO\t")) + TOKEN + \
        rnd.choice((b"\r\n", b"\n", b"\r\r\n"))


def part_of_helo(rnd):
    return (b"EHLO " + TOKEN)[:rnd.randint(1, 9)]


def auth(rnd):
    return b"AUTH PLAIN " + TOKEN + b"\r\n"


def forged(rnd):
    return rnd.choice((b"EHLO ", b"", b"EHLO x\r\n", b"\n")) + FORGED + \
        rnd.choice((b"", b"\n", b"\r\n")) + TOKEN


def no_newline(rnd):
    return b"EHLO " + TOKEN * (1 << 18)         # above 1 MB


def flood(rnd):
    return b"EHLO x\r\n" + (b"NOOP " + TOKEN + b"\r\n") * (1 << 16)


def proxy(rnd):
    return b"PROXY TCP4 6.6.6.6 6.6.6.6 1 25\r\nEHLO " + TOKEN + b"\r\n"


def telnet(rnd):
    return b"\xff\xf4\xff\xfd\x06\xff\xfb\x18" + TOKEN + b"\r\n"


WORDS = ([helo, pipeline] * 3 +
         [junk, nothing, nuls, tls, http, part_of_helo, auth, forged,
          no_newline, flood, proxy, telnet])


class Client:
    """One connection, and what came of it."""

    def __init__(self, seed, number, server, address, vanishes=False):
        rnd = self.rnd = random.Random("%d %d" % (seed, number))
        self.number = number
        self.server = server
        self.address = address
        self.vanishes = vanishes
        self.words = rnd.choice(WORDS)
        self.when = rnd.choice(("early", "greeted", "late"))
        self.pace = rnd.choice(("at once",) * 3 + ("slowly", "urgent", "parts"))
        self.window = rnd.choice(("open",) * 4 + ("tiny", "clamped"))
        self.reads = self.window == "open" or rnd.random() < 0.5
        self.leaves = rnd.choice(("close", "close", "reset", "reset",
                                  "shut", "shut and wait", "forget"))
        if rnd.random() < 0.03:
            self.leaves = "wait"
        self.stays = 0 if rnd.random() < 0.2 else rnd.expovariate(1 / 3)
        self.got = bytearray()
        self.ended = None       # "fin" or "reset", if it was the other side
        self.began = self.connected = self.last = self.left = None
        self.shut = False
        self.fault = None

    def __str__(self):
        return ("client %d %s: %s %s %s, window %s, stays %.1f s, %s, got %d"
                " bytes, ended by %s" % (
                    self.number, self.address, self.when, self.words.__name__,
                    self.pace, self.window, self.stays, self.leaves,
                    len(self.got), self.ended))

    async def run(self, sock):
        """From connect(2) to the end, on a socket of its own."""
        self.loop = asyncio.get_running_loop()
        self.sock = sock
        try:
            with sock:
                await asyncio.wait_for(self.connect(), PATIENCE)
                reader = asyncio.create_task(self.read())
                with contextlib.suppress(OSError):  # it is ended from there
                    await self.misbehave()
                await self.leave()
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
        except (OSError, asyncio.TimeoutError) as error:
            self.fault = repr(error)
        finally:
            self.left = self.left or time.time()

    async def connect(self):
        self.sock.setblocking(False)
        if self.sock.family == socket.AF_INET6:
            self.sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        self.sock.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        if self.window == "tiny":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self.sock.bind((self.address, 0))
        if self.window == "clamped":
            self.sock.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, 100)
        self.began = time.time()
        await self.loop.sock_connect(self.sock, self.server)
        self.connected = time.time()

    async def read(self):
        """All of it, unless this is one that does not read."""
        if not self.reads:
            await asyncio.Event().wait()
        try:
            while True:
                got = await self.loop.sock_recv(self.sock, 65536)
                if got == b"":
                    self.ended = "fin"
                    return
                self.last = time.time()
                self.got += got
        except OSError:
            self.ended = "reset"

    async def misbehave(self):
        end = time.monotonic() + self.stays
        if self.when != "early" and self.reads:
            await self.until(lambda: len(self.got) >= len(GREETING), end)
        if self.when == "late":
            await asyncio.sleep(self.rnd.random())
        await self.say(self.words(self.rnd), end)
        while time.monotonic() < end and self.ended is None:
            await asyncio.sleep(max(0, min(0.3, end - time.monotonic())))

    async def until(self, condition, end):
        while not condition() and self.ended is None and \
                time.monotonic() < end:
            await asyncio.sleep(0.05)

    async def say(self, words, end):
        if self.pace == "slowly":
            for i in range(len(words)):
                if time.monotonic() > end:
                    return
                await self.send(words[i:i + 1], end)
                await asyncio.sleep(0.02 + 0.1 * self.rnd.random())
        elif self.pace == "parts":
            while words:
                size = self.rnd.randint(1, 5000)
                await self.send(words[:size], end)
                words = words[size:]
                if time.monotonic() > end:
                    return
                await asyncio.sleep(0.05 * self.rnd.random())
        else:
            at = self.rnd.randrange(6)
            if self.pace == "urgent" and words:
                await self.send(words[:at], end)
                self.sock.send(words[at:at + 1] or b"!", socket.MSG_OOB)
                words = words[at + 1:]
            await self.send(words, end)

    async def send(self, words, end):
        """What the other side takes until then."""
        if words:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(
                    self.loop.sock_sendall(self.sock, words),
                    max(0.01, end - time.monotonic()))

    async def leave(self):
        """In one way or the other; .left is when it was no more there."""
        try:
            if self.leaves.startswith("shut"):
                self.shut = True
                self.sock.shutdown(socket.SHUT_WR)
                if self.leaves == "shut and wait":
                    await asyncio.sleep(self.rnd.random() * 3)
            if self.leaves == "wait" or self.vanishes:
                await self.until(lambda: False, time.monotonic() + 40)
            if self.leaves == "reset":
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                     struct.pack("ii", 1, 0))
            if self.leaves == "forget":         # as a machine that reboots
                self.sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except OSError as error:
            if error.errno not in (errno.ENOTCONN, errno.EPERM):
                raise
        self.sock.close()
        self.left = time.time()


def make_socket(address):
    return socket.socket(
        socket.AF_INET6 if ":" in address else socket.AF_INET)


def addresses(rnd, kind):
    """One after the other, all different: each connection is known by its.
    """
    first = rnd.randrange(1 << 16)
    for number in range(1 << 16):
        n = (first + number) % (1 << 16)
        yield kind % ((n >> 8, n & 255) if "." in kind else n)
