# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests on a real systemd share: many clients at once, and what
systemd and its journal say of them.

Run inside ../systemd/boot, as root on a machine of their own.
"""

import json
import re
import select
import socket
import struct
import subprocess
import time

from tests.lib.files import install, read
from tests.lib.log import Hold
from tests.lib.process import run

PORT = 25
PER_SOURCE = 20
BACKLOG = 256
EHLO = b"EHLO client.example\r\n"
CONTROLLERS = "/sys/fs/cgroup/cgroup.controllers"


def sources(net, count, each=PER_SOURCE):
    """So many addresses of 127.0.net.0/24, each as often as it may come."""
    return ["127.0.%d.%d" % (net, 1 + i // each) for i in range(count)]


class Client:
    """Says EHLO as soon as it is connected, and then only listens."""

    def __init__(self, source, address="127.0.0.1", say=EHLO):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.setblocking(False)
        # An end is a reset: no hold waits for its next byte to notice it.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
        if source is not None:
            self.socket.bind((source, 0))
        self.say = say
        self.got = b""
        self.ended = False
        self.socket.connect_ex((address, PORT))

    @property
    def held(self):
        return self.got.startswith(b"220 ") and not self.ended

    def on_event(self, event):
        try:
            if event & select.EPOLLIN:
                data = self.socket.recv(4096)
                self.got += data
                self.ended = not data
            elif event & (select.EPOLLERR | select.EPOLLHUP):
                self.ended = True
            elif self.say:
                self.socket.send(self.say)
                self.say = b""
        except OSError:
            self.ended = True


class Clients:
    def __init__(self):
        self.epoll = select.epoll()
        self.clients = {}

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close(self.clients.values())
        self.epoll.close()

    def connect(self, froms, **kind):
        """One from each of these addresses, all at once."""
        new = [Client(source, **kind) for source in froms]
        for client in new:
            self.clients[client.socket.fileno()] = client
            self.epoll.register(client.socket,
                                select.EPOLLIN | select.EPOLLOUT)
        return new

    def listen(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for fd, event in self.epoll.poll(
                    max(0, end - time.monotonic())):
                self.serve(fd, event)

    def serve(self, fd, event):
        client = self.clients[fd]
        client.on_event(event)
        if client.ended:
            self.epoll.unregister(fd)
        elif not client.say:
            self.epoll.modify(fd, select.EPOLLIN)

    def until(self, condition, seconds=300):
        """Go on until condition() is true; returns whether it is."""
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            self.listen(0.1)
        return condition()

    def settle(self, clients, seconds=300):
        """Until each is greeted or turned away; returns who is held."""
        self.until(lambda: all(c.got or c.ended for c in clients), seconds)
        return [c for c in clients if c.held]

    def hold(self, froms, **kind):
        """All of these are to be held."""
        everyone = []
        # No more at once than may wait to be accepted: this is no flood.
        for at in range(0, len(froms), BACKLOG):
            new = self.connect(froms[at:at + BACKLOG], **kind)
            self.settle(new)
            others = [(c.got, c.ended) for c in new if not c.held]
            if others:
                raise AssertionError("%d of %d are not held: %r" %
                                     (len(others), len(new), others[:3]))
            everyone += new
        return everyone

    def still_dribble(self, clients, seconds=300):
        """How many of these get one byte more."""
        before = [len(c.got) for c in clients]

        def more():
            return sum(len(c.got) > n for c, n in zip(clients, before))

        self.until(lambda: more() == len(clients), seconds)
        return more()

    def close(self, clients):
        for client in list(clients):
            self.clients.pop(client.socket.fileno(), None)
            client.socket.close()


def systemctl(*arguments):
    return run("systemctl", *arguments)


def show(unit, key):
    return systemctl("show", "-p", key, "--value", unit).strip()


def exposure(unit):
    """The score that systemd-analyze gives it: 10.0 is the worst."""
    return float(re.search(r"exposure level.*: ([\d.]+)", run(
        "systemd-analyze", "--no-pager", "security", unit))[1])


def connections():
    return int(show("tarpit.socket", "NConnections"))


def instances():
    """The units of all connections, and whatever of them was left."""
    lines = systemctl("list-units", "--all", "--plain", "--no-legend",
                      "tarpit@*").splitlines()
    return [line.split()[0] for line in lines]


def pids():
    """Every process of tarpit."""
    found = subprocess.run(["pgrep", "-x", "tarpit"], capture_output=True,
                           text=True, check=False)
    return {int(pid) for pid in found.stdout.split()}


def drop_in(unit, text):
    """As systemctl edit would write it; an empty text takes it away."""
    install("/etc/systemd/system/%s.d/override.conf" % unit, text)
    systemctl("daemon-reload")


def start_over():
    """No connection, and the socket listens."""
    systemctl("stop", "tarpit.slice")
    # Five starts in ten seconds are too many for systemd.
    systemctl("reset-failed")
    systemctl("start", "tarpit.socket")


def entries(*arguments):
    run("journalctl", "--sync")
    return [json.loads(line) for line in
            run("journalctl", "--quiet", "-o", "json", *arguments).split("\n")
            if line]


def journal(*arguments):
    """This part of the journal, but for what comes of the lab: systemd 262
    misses the pids controller at the end of each unit but a connection, and a
    lab has none if the machine around it keeps that for control groups of
    version 1.
    """
    lacking = "pids" not in read(CONTROLLERS).split()
    return [entry for entry in entries(*arguments)
            if not (lacking and "pids.max" in entry["MESSAGE"] and
                    "tarpit@" not in entry.get("UNIT", ""))]


def cursor():
    """Where the journal ends now."""
    return "--after-cursor=" + entries("-n", "1")[0]["__CURSOR"]


def holds(*arguments):
    """The lines of tarpit in this part of the journal."""
    # Not with -t: --after-cursor then passes over one line too many.
    return [Hold("tarpit[%s]: %s" % (e["SYSLOG_PID"], e["MESSAGE"]))
            for e in journal(*arguments)
            if e.get("SYSLOG_IDENTIFIER") == "tarpit"]
