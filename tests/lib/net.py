# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP connections: to here, and from another machine."""

import contextlib
import ctypes
import socket
import subprocess
import threading

from tests.lib.process import run


def listen(family=socket.AF_INET, backlog=128, port=0, address=None):
    """A socket that listens, at the address of the loopback interface unless
    another one is named.
    """
    if address is None:
        address = "127.0.0.1" if family == socket.AF_INET else "::1"
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(backlog)
    return listener


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Server:
    """Calls serve(connection) for each connection to the socket that listens,
    until it is closed: in a thread for each, or one after the other where
    serve() returns at once.
    """

    def __init__(self, listener, serve, has_threads=True):
        self.serve = serve
        self.has_threads = has_threads
        self.open(listener)

    def open(self, listener):
        self.listener = listener
        self.address, self.port = listener.getsockname()[:2]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def open_again(self):
        """At the same address and port, after close()."""
        self.open(listen(family_of(self.address), port=self.port,
                         address=self.address))

    def accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            if self.has_threads:
                threading.Thread(target=self.talk, args=(connection,),
                                 daemon=True).start()
            else:
                self.talk(connection)

    def talk(self, connection):
        with connection, contextlib.suppress(OSError):
            self.serve(connection)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


def listens(port, address=None):
    """The sockets that wait for TCP connections to the port, each as a line of
    ss(8); of all addresses, unless one is named.
    """
    if address is None:
        where = "sport", "=", ":%d" % port
    else:
        where = "src", ("[%s]:%d" if ":" in address else "%s:%d") % (
            address, port)
    return run("ss", "-Hltn", *where).splitlines()


def tcp_pair(family=socket.AF_INET):
    """Both ends of a TCP connection: the client's, the server's."""
    with listen(family) as listener:
        client = socket.create_connection(listener.getsockname()[:2])
        server = listener.accept()[0]
    client.settimeout(300)
    return client, server


class OtherHost:
    """A client's machine: a network namespace at the end of a cable."""

    ADDRESS = "192.0.2.1"       # ours, as it sees us
    THEIRS = "192.0.2.2"
    CLONE_NEWNET = 0x40000000

    def __enter__(self):
        for command in (
                "ip netns add client",
                "ip link add inside type veth peer name outside",
                "ip link set inside netns client",
                "ip addr add %s/24 dev outside" % self.ADDRESS,
                "ip link set outside up",
                "ip -n client addr add %s/24 dev inside" % self.THEIRS,
                "ip -n client link set inside up"):
            subprocess.run(command.split(), check=True)
        return self

    def __exit__(self, *exc):
        # The cable first: with its namespace it would go only later on.
        for command in "ip link del outside", "ip netns del client":
            subprocess.run(command.split(), check=True)

    def connect(self, listener):
        """Both ends of a connection from there.  A socket belongs to the
        network of the thread that makes it.
        """
        client = []

        def inside():
            libc = ctypes.CDLL(None, use_errno=True)
            with open("/run/netns/client") as netns:
                if libc.setns(netns.fileno(), self.CLONE_NEWNET) == -1:
                    raise OSError(ctypes.get_errno(), "setns")
            client.append(socket.create_connection(listener.getsockname()))

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join(300)
        client[0].settimeout(300)
        return client[0], listener.accept()[0]

    def cut(self):
        subprocess.run("ip -n client link set inside down".split(),
                       check=True)

    def mend(self):
        subprocess.run("ip -n client link set inside up".split(), check=True)
