# SPDX-License-Identifier: GPL-2.0-or-later
"""The other side of the servers that send: a server that takes mail, the
tarpit under xinetd, the syslog daemon it writes to, and what is on the wire.
"""

import collections
import os
import secrets
import select
import shutil
import socket
import struct
import tempfile
import threading

from tests.lib import postfix
from tests.lib.files import read, write
from tests.lib.log import Hold, Syslog
from tests.lib.mailers import add_address, add_user
from tests.lib.net import listens
from tests.lib.process import is_ready, status, wait_for
from tests.lib.supers import Foreground, put
from tests.lib.tarpit import SEALED, TARPIT

PROGRAM = "/usr/local/sbin/tarpit"
INTERVAL = 100      # ms
SMTP = 25

ETH_P_ALL, ETH_P_IP, ETH_P_IPV6 = 0x0003, 0x0800, 0x86DD
SOL_PACKET, PACKET_STATISTICS, PACKET_OUTGOING = 263, 6, 4
SO_RCVBUFFORCE = 33
FIN, RST = 0x01, 0x04


class Receiver(postfix.Instance):
    """A server that takes all mail at the given addresses, and keeps it."""

    MAIN = """
inet_interfaces = {addresses}
inet_protocols = ipv4
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:mail/
virtual_mailbox_base = {top}
virtual_uid_maps = static:{user}
virtual_gid_maps = static:{user}
local_recipient_maps =
smtpd_peername_lookup = no
"""
    SMTPD = "{address}:25 inet n - n - - smtpd\n"
    MASTER = """
virtual  unix - n n - - virtual
anvil    unix - - n - 1 anvil
"""
    USER = 61031

    def __init__(self, *addresses):
        add_user("vmail", self.USER)
        self.addresses = addresses
        self.store = tempfile.TemporaryDirectory()
        os.chown(self.store.name, self.USER, self.USER)
        for address in addresses:
            add_address(address)
        self.up = True
        super().__init__(
            self.MAIN.format(addresses=", ".join(addresses),
                             top=self.store.name, user=self.USER),
            self.MASTER + "".join(map(self.smtpd, addresses)),
            "mail.example")
        self.started()

    def smtpd(self, address):
        return self.SMTPD.format(address=address)

    def __exit__(self, *exc):
        self.stop()
        self.directory.cleanup()
        self.store.cleanup()

    def started(self):
        for address in self.addresses:
            if not wait_for(lambda: listens(SMTP, address)):
                raise AssertionError("%s: %s" % (address, self.log()))

    def start(self):
        if not self.up:
            self.run("postfix", "-c", self.config, "start")
            self.up = True
            self.started()

    def stop(self):
        if self.up:
            self.end("abort")
            self.up = False

    def messages(self):
        """The text of each that it has."""
        new = os.path.join(self.store.name, "mail/new")
        if not os.path.isdir(new):
            return []
        return [read(os.path.join(new, name)) for name in os.listdir(new)]


class Tarpit:
    """The program under xinetd, with the file that is installed.

    caps: for each of its addresses the seconds of a hold, at most.
    """

    def __init__(self, caps, interval=INTERVAL):
        add_user("tarpit", 61041)
        shutil.copy(TARPIT, PROGRAM)
        shutil.rmtree("/etc/xinetd.d", ignore_errors=True)
        for number, address in enumerate(caps):
            add_address(address)
            put("xinetd/tarpit", "/etc/xinetd.d/tarpit%d" % number, (
                "flags\t\t= IPv6",
                "flags\t\t= " + ("IPv6" if ":" in address else "IPv4")), (
                "type\t",
                "bind\t\t= %s\n\tid\t\t= tarpit%d\n\ttype\t" % (
                    address, number)), (
                "= /usr/local/sbin/tarpit",
                "= %s\n\tserver_args\t= -i %d -t %d -n tarpit.example" % (
                    PROGRAM, interval, caps[address])))
        write("/etc/xinetd.conf", "includedir /etc/xinetd.d\n")
        self.server = Foreground(
            ["xinetd", "-dontfork"],
            lambda: all(listens(SMTP, address) for address in caps),
            program=PROGRAM)
        self.live = self.server.live

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    def holding(self):
        """Process ids of the tarpits that have heard a client's command."""
        return [pid for pid in self.live()
                if is_ready(pid) and status(pid).get("Seccomp") == SEALED]

    def stop(self):
        if self.server is not None:
            self.server.stop()
        self.server = None


class Log(Syslog):
    """Remembers every hold that it is told of."""

    def __init__(self):
        super().__init__()
        self.holds = []
        self.lines = []
        self.over = os.pipe()
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while True:
            ready, _, _ = select.select([self.socket, self.over[0]], [], [])
            if self.over[0] in ready:
                return
            line = self.socket.recv(8192).decode()
            if "tarpit[" in line:
                self.holds.append(Hold(line))
            self.lines.append(line)

    def catch_up(self):
        """Wait until all that has been logged so far is in .holds."""
        mark = secrets.token_hex(16)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.sendto(mark.encode(), self.PATH)
        if not wait_for(lambda: mark in self.lines):
            raise AssertionError("the log is not listened to")

    def __exit__(self, *exc):
        os.close(self.over[1])
        self.thread.join()
        os.close(self.over[0])
        super().__exit__(*exc)


class Wire:
    """Every TCP byte that passes the loopback interface, by where to."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                    socket.htons(ETH_P_ALL))
        self.socket.bind(("lo", ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 25)
        # Each is (address, port).  From, to: sequence number: bytes
        self.sent = collections.defaultdict(dict)
        # Both ends: from whom a FIN or a RST came, in this order
        self.ends = collections.defaultdict(list)
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.over = False
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.over = True
        self.thread.join()
        self.socket.close()

    def listen(self):
        self.socket.settimeout(0.2)
        while not self.over:
            try:
                packet, address = self.socket.recvfrom(1 << 17)
            except socket.timeout:
                continue
            # Each comes twice: as it is sent, and as it is received.
            if address[2] != PACKET_OUTGOING:
                with self.lock:
                    self.note(address[1], packet)

    def note(self, protocol, packet):
        if protocol == ETH_P_IP and packet[9] == socket.IPPROTO_TCP:
            source, to = (socket.inet_ntop(socket.AF_INET, packet[at:at + 4])
                          for at in (12, 16))
            length = struct.unpack("!H", packet[2:4])[0]
            tcp = packet[(packet[0] & 15) * 4:length]
        elif protocol == ETH_P_IPV6 and packet[6] == socket.IPPROTO_TCP:
            source, to = (socket.inet_ntop(socket.AF_INET6,
                                           packet[at:at + 16])
                          for at in (8, 24))
            tcp = packet[40:]
        else:
            return
        port, to_port, sequence = struct.unpack("!HHL", tcp[:8])
        source, to = (source, port), (to, to_port)
        nbytes = tcp[(tcp[12] >> 4) * 4:]
        segments = self.sent[source, to]
        if len(nbytes) > len(segments.get(sequence, b"")):
            segments[sequence] = nbytes
        if tcp[13] & (FIN | RST):
            self.ends[frozenset([source, to])].append(
                (source, tcp[13] & RST))

    def catch_up(self):
        """Until all that has been on the wire so far is noted."""
        mark = secrets.token_bytes(16)
        with socket.create_server(("127.0.0.1", 0)) as listener, \
                socket.create_connection(listener.getsockname()) as client:
            client.sendall(mark)
            if not wait_for(lambda: mark in self.streams(
                    lambda source, to: source == client.getsockname()), 200):
                raise AssertionError("the wire is not listened to")

    def streams(self, condition):
        """The bytes of each, of those that condition(from, to) wants."""
        with self.lock:
            return [b"".join(segments[at] for at in sorted(segments))
                    for (source, to), segments in self.sent.items()
                    if segments and condition(source, to)]

    def told(self, *addresses):
        """What was sent to them, but for the replies to what they sent."""
        return self.streams(lambda source, to:
                            to[0] in addresses and source[1] != SMTP)

    def replies(self, *addresses):
        """What they have sent as servers."""
        return self.streams(lambda source, to:
                            source[0] in addresses and source[1] == SMTP)

    def resets(self, *addresses):
        """How many connections in which they have said something they were
        the first to end, with a RST.
        """
        with self.lock:
            return sum(
                source[0] in addresses and source[1] == SMTP and
                is_reset != 0 and any(
                    self.sent[source, to] for to in both if to != source)
                for both, ((source, is_reset), *_) in self.ends.items())

    def drops(self):
        """Packets that it missed since it was last asked."""
        return struct.unpack("II", self.socket.getsockopt(
            SOL_PACKET, PACKET_STATISTICS, 8))[1]
