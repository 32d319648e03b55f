# SPDX-License-Identifier: GPL-2.0-or-later
"""What the end-to-end tests share: a tarpit on a real TCP connection, a
super-server that starts one for each, and a syslog daemon that remembers.

Run inside ../sandbox, which gives the loopback network and the /dev that
these use.  TARPIT names the binary, TARPIT_BUILD the directory of those that
are changed; TARPIT_UNSEALED says that none of them has a seal.
"""

import ctypes
import datetime
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
TARPIT = os.path.abspath(os.environ.get("TARPIT", os.path.join(TOP, "tarpit")))
BUILD = os.path.abspath(os.environ.get(
    "TARPIT_BUILD", os.path.join(TOP, "tests", "build")))
NAME = "mx.example.org"
GREETING = b"220 mx.example.org ESMTP\r\n"
LINE = re.compile(
    r"tarpit\[(?P<pid>\d+)\]: ip=(?P<ip>[0-9a-f.:]+)"
    r" connected=(?P<connected>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"
    r" disconnected=(?P<disconnected>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$")


def mapped_ids():
    """How many user ids there are in the sandbox."""
    with open("/proc/self/uid_map") as uid_map:
        return sum(int(line.split()[2]) for line in uid_map)


# Built with NO_SEAL, where what checks memory makes system calls of its own.
UNSEALED = bool(os.environ.get("TARPIT_UNSEALED"))
SEALED = "0" if UNSEALED else "2"       # status("Seccomp") after the command

needs_seal = unittest.skipIf(UNSEALED, "TARPIT_UNSEALED: built without a seal")
needs_root = unittest.skipUnless(
    mapped_ids() > 1, "no user but root in this sandbox: run as root")


class Hold:
    """One log line: the address, and the two times in seconds since 1970."""

    def __init__(self, line):
        match = LINE.search(line)
        if match is None:
            raise ValueError("not a log line: %r" % line)
        self.pid = int(match["pid"])
        self.ip = match["ip"]
        self.connected = self.seconds(match["connected"])
        self.disconnected = self.seconds(match["disconnected"])

    @staticmethod
    def seconds(text):
        return datetime.datetime.strptime(
            text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(
            tzinfo=datetime.timezone.utc).timestamp()

    @property
    def length(self):
        return self.disconnected - self.connected


def listen(family=socket.AF_INET, backlog=128, port=0):
    address = "127.0.0.1" if family == socket.AF_INET else "::1"
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(backlog)
    return listener


def tcp_pair(family=socket.AF_INET):
    """Both ends of a TCP connection: the client's, the server's."""
    with listen(family) as listener:
        client = socket.create_connection(listener.getsockname()[:2])
        server = listener.accept()[0]
    client.settimeout(10)
    return client, server


def wait_for(condition, seconds=10):
    """Poll until condition() is true; return its value, false at the end."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.01)


def running(program):
    """Process ids of all that run the file."""
    pids = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink("/proc/%s/exe" % pid) == program:
                pids.append(int(pid))
        except OSError:
            pass
    return pids


class Tarpit:
    """The real program on one end of a real connection.

    Unless syslog is true, it runs with -d, and line() reads the log line from
    its standard error.
    """

    def __init__(self, *args, family=socket.AF_INET, syslog=False,
                 binary=TARPIT, before=None, pair=None, **popen):
        self.client, server = pair or tcp_pair(family)
        if before is not None:
            before(self.client)
        command = [binary, "-n", NAME] + ([] if syslog else ["-d"])
        self.started = time.time()
        with server:
            self.process = subprocess.Popen(
                command + list(args), stdin=server, stdout=server,
                stderr=subprocess.PIPE, **popen)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def expect(self, octets):
        """Read exactly so many octets from the tarpit, or to its end."""
        data = b""
        while len(data) < octets:
            got = self.client.recv(octets - len(data))
            if not got:
                break
            data += got
        return data

    def greeting(self):
        return self.expect(len(GREETING))

    def stuck(self, command=b"EHLO client.example\r\n"):
        """Go on to where the endless reply has begun."""
        self.greeting()
        self.client.sendall(command)
        return self.expect(1)

    def signal(self, signo):
        self.process.send_signal(signo)

    def wait(self, seconds=10):
        return self.process.wait(seconds)

    def output(self, seconds=10):
        """All it wrote to standard error; it must end by then."""
        return self.process.communicate(timeout=seconds)[1].decode()

    def line(self, seconds=10):
        """Its only log line, as a Hold."""
        lines = self.output(seconds).splitlines()
        if len(lines) != 1:
            raise AssertionError("not one line: %r" % lines)
        return Hold(lines[0])

    def socket_status(self):
        """What ss(8) says of its socket."""
        port = self.client.getsockname()[1]
        return subprocess.run(
            ["ss", "-tinmoH", "dport", "=", ":%d" % port],
            capture_output=True, text=True, check=True).stdout

    def unread(self):
        """Octets in its socket's receive queue."""
        return int(self.socket_status().split()[1])

    def receive_memory(self):
        """Octets of kernel memory that the receive queue takes."""
        return int(re.search(r"skmem:\(r(\d+),", self.socket_status())[1])

    def tcp(self, key):
        """One of the counters of its end of the connection."""
        return int(re.search(r"\b%s:(\d+)" % key, self.socket_status())[1])

    def heard(self):
        """Whether it has read the command that was sent."""
        if UNSEALED:
            return self.unread() == 0
        return self.status("Seccomp") == SEALED

    def status(self, key):
        with open("/proc/%d/status" % self.pid) as status:
            for line in status:
                if line.startswith(key + ":"):
                    return line.split()[1]
        return None


class SuperServer:
    """Starts a tarpit for each connection, as inetd does, in a thread."""

    def __init__(self, *args, family=socket.AF_INET, port=0, syslog=False):
        self.listener = listen(family, port=port)
        self.address, self.port = self.listener.getsockname()[:2]
        self.command = [TARPIT, "-n", NAME] + (
            [] if syslog else ["-d"]) + list(args)
        self.stderr = tempfile.TemporaryFile("w+")
        self.processes = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            with connection:
                self.processes.append(subprocess.Popen(
                    self.command, stdin=connection, stdout=connection,
                    stderr=self.stderr))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.stderr.close()

    def live(self):
        return sum(p.poll() is None for p in self.processes)

    def holds(self):
        """One Hold for each log line so far."""
        self.stderr.seek(0)
        return [Hold(line) for line in self.stderr.read().splitlines()]


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
        thread.join(10)
        client[0].settimeout(10)
        return client[0], listener.accept()[0]

    def cut(self):
        subprocess.run("ip -n client link set inside down".split(),
                       check=True)

    def mend(self):
        subprocess.run("ip -n client link set inside up".split(), check=True)


class Syslog:
    """A syslog daemon at /dev/log that remembers what it is sent."""

    PATH = "/dev/log"

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.PATH)
        os.chmod(self.PATH, 0o666)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()
        os.unlink(self.PATH)

    def fill(self):
        """Leave no room in its queue."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.setblocking(False)
            try:
                while True:
                    other.sendto(b"<13>other: full", self.PATH)
            except BlockingIOError:
                pass

    def collect(self, count=1, seconds=10):
        """Wait for so many more lines, and a moment for one too many."""
        end = time.monotonic() + seconds
        got = []
        while True:
            patience = 0.3 if len(got) >= count else end - time.monotonic()
            ready, _, _ = select.select([self.socket], [], [],
                                        max(0, patience))
            if not ready:
                break
            got.append(self.socket.recv(8192).decode())
        return got
