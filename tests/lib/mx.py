# SPDX-License-Identifier: GPL-2.0-or-later
"""tarpit-mx, and what it may find on port 25.

TARPIT_MX names the binary.  Run inside ../setup/sandbox, whose loopback has the
addresses.
"""

import os
import socket
import struct
import subprocess
import threading
import time

from tests.lib import TOP
from tests.lib.net import Server, family_of, listen
from tests.lib.tarpit import TARPIT

MX = os.path.abspath(os.environ.get(
    "TARPIT_MX", os.path.join(TOP, "tarpit-mx")))


def look(*args, program=MX, **kwargs):
    """Exit status, standard output, standard error."""
    done = subprocess.run([program, *args], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=300, **kwargs)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def sections(output):
    """The lines of each domain."""
    found = {}
    for line in output.splitlines():
        if not line.startswith(" ") and ": " not in line:
            found[line] = []
        else:
            found[list(found)[-1]].append(line)
    return found


class Service(Server):
    """Whatever behave(connection) does with each connection to the address.

    heard: what the clients have said.
    """

    def __init__(self, address, behave):
        self.behave = behave
        self.heard = []
        super().__init__(listen(family_of(address), port=25, address=address),
                         self.hear)

    def hear(self, connection):
        self.heard.append(self.behave(connection))


def lines(connection):
    """What the client says, to the end; it is answered line by line."""
    with connection.makefile("rb") as file:
        yield from file


def mail(greeting=b"220 mail.example.org ESMTP\r\n",
         reply=b"250-mail.example.org\r\n250 SIZE 1000\r\n",
         goodbye=b"221 bye\r\n"):
    """A mail server, or something like it."""
    def behave(connection):
        heard = b""
        connection.sendall(greeting)
        for line in lines(connection):
            heard += line
            if line.startswith(b"EHLO "):
                connection.sendall(reply)
            elif line == b"QUIT\r\n":
                connection.sendall(goodbye)
                break
        return heard
    return behave


def tarpit(*args):
    """The real program."""
    def behave(connection):
        process = subprocess.Popen(
            [TARPIT, "-d", "-i", "1000", *args], stdin=connection,
            stdout=connection, stderr=subprocess.DEVNULL)
        connection.close()
        process.wait()
        return b""
    return behave


def says(*pieces):
    """It says that, whatever it hears, and then waits for the client's end."""
    def behave(connection):
        for piece in pieces:
            connection.sendall(piece)
        return b"".join(lines(connection))
    return behave


def closes(connection):
    return b""


def resets(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack("ii", 1, 0))
    return b""


def cuts_off(connection):
    connection.sendall(b"220 mail.example.org\r\n")
    return connection.recv(100)


def floods(connection):
    while True:
        connection.sendall(b"220-" + 60000 * b"x")


def by_bytes(connection):
    """As another tarpit does, from its greeting on."""
    while True:
        connection.sendall(b"2")
        time.sleep(1)


class Full:
    """A port that takes no connection more, as if a firewall dropped it."""

    def __init__(self, address):
        self.listener = socket.socket()
        self.listener.bind((address, 25))
        self.listener.listen(0)
        self.clients = [socket.socket() for _ in range(4)]
        for client in self.clients:
            client.setblocking(False)
            client.connect_ex((address, 25))

    def close(self):
        for opened in [self.listener, *self.clients]:
            opened.close()


class NameServer:
    """Answers any query for each name with the bytes that answers(name, query)
    returns, by UDP; a name of theirs is a list of labels.
    """

    ADDRESS = "127.0.0.3"
    MX, CNAME = 15, 5
    OWNER = b"\xc0\x0c"         # points at the name that is asked for

    def __init__(self, answers):
        self.answers = answers
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.ADDRESS, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(512)
            name = self.name(query)
            if name in self.answers:
                self.socket.sendto(self.answers[name](query), client)

    @staticmethod
    def name(query):
        name, at = [], 12
        while query[at]:
            name.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
            at += 1 + query[at]
        return ".".join(name)

    @staticmethod
    def answer(*records, status=0):
        """To whatever is asked; a record is its owner, type and data."""
        def make(query):
            end = query.index(b"\0", 12) + 5
            return query[:2] + struct.pack(
                ">HHHHH", 0x8180 | status, 1, len(records), 0, 0) + (
                query[12:end] + b"".join(
                    owner + struct.pack(">HHIH", type_, 1, 60, len(data)) +
                    data for owner, type_, data in records))
        return make

    def close(self):
        self.socket.close()
