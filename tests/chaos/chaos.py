# SPDX-License-Identifier: GPL-2.0-or-later
"""Thousands of clients that misbehave, some hundreds at a time, and signals at
random moments, against the real program under real super-servers.

CHAOS_CONNECTIONS: how many, 10,000 by default.
CHAOS_SECONDS: in about how much time, 100 by default.
CHAOS_SEED: to repeat a run, as far as the kernel lets it be repeated.
"""

import asyncio
import concurrent.futures
import contextlib
import ctypes
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time

from tests.chaos import clients
from tests.chaos.clients import Client
from tests.lib import supers
from tests.lib.log import LINE, Hold, Syslog
from tests.lib.net import OtherHost
from tests.lib.process import is_ready, status
from tests.lib.supers import live

CONNECTIONS = int(os.environ.get("CHAOS_CONNECTIONS", "10000"))
SECONDS = int(os.environ.get("CHAOS_SECONDS", "100"))
SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(1 << 31))

CAP = 20
INTERVAL = 100          # ms
PATIENT_INTERVAL = 20
AT_ONCE = 600
SLACK = 3               # s; the clients themselves come late on a busy machine
VANISHING = 60
VANISH_AFTER = 8
NOTICED = 120           # s after that, at the latest
LINE_BYTES = 600       # a line of the reply, and more
CPU_SHARE = 0.1         # of a process's age, and CPU_START
CPU_START = 0.3
TICKS = os.sysconf("SC_CLK_TCK")

ENDING = signal.SIGTERM, signal.SIGINT, signal.SIGHUP
HARMLESS = (signal.SIGPIPE, signal.SIGURG, signal.SIGWINCH, signal.SIGCHLD,
            signal.SIGCONT)


class Log:
    """All that is ever sent to /dev/log, by a daemon with bad moments."""

    def __init__(self, rnd):
        self.rnd = rnd
        self.datagrams = []
        self.syslog = Syslog()
        self.syslog.socket.setblocking(False)

    async def keep(self):
        loop = asyncio.get_running_loop()
        bad = time.monotonic() + 5
        while True:
            self.datagrams.append(
                await loop.sock_recv(self.syslog.socket, 8192))
            self.keep_what_waits()
            if time.monotonic() > bad:
                await asyncio.sleep(2 * self.rnd.random())
                bad = time.monotonic() + 10 * self.rnd.random()

    def keep_what_waits(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.datagrams.append(self.syslog.socket.recv(8192))


class Hand:
    """Sends signals to tarpits, and remembers which."""

    def __init__(self, rnd, spared):
        self.rnd = rnd
        self.spared = set(spared)   # process ids that are never ended
        self.may_end = False
        self.ended = set()
        self.killed = set()
        self.continued = {}         # when
        self.sent = 0
        self.now = self.most = 0    # tarpits at a time
        self.faults = []

    async def meddle(self):
        strokes = {VANISH_AFTER + self.rnd.randrange(SECONDS)
                   for _ in range(3)}
        start = time.monotonic()
        while True:
            await asyncio.sleep(0.15 * self.rnd.random())
            pids = live()
            self.now = len(pids)
            self.most = max(self.most, self.now)
            if pids:
                self.check_cpu(self.rnd.choice(pids))
                self.touch(self.rnd.choice(pids))
            if int(time.monotonic() - start) in strokes:
                strokes.remove(int(time.monotonic() - start))
                for pid in pids:
                    self.check_cpu(pid)
                    self.end(pid)

    def touch(self, pid):
        lot = self.rnd.random()
        if lot < 0.02:
            if self.may_end and pid not in self.spared:
                self.killed.add(pid)
                self.send(pid, signal.SIGKILL)
        elif lot < 0.3:
            self.end(pid)
        elif lot < 0.6:
            if is_ready(pid):
                self.send(pid, self.rnd.choice(HARMLESS))
        else:
            self.continued[pid] = time.time() + 60
            self.send(pid, signal.SIGSTOP)
            asyncio.get_running_loop().call_later(
                2 * self.rnd.random(), self.go_on, pid)

    def end(self, pid):
        if self.may_end and pid not in self.spared and is_ready(pid):
            self.ended.add(pid)
            self.send(pid, self.rnd.choice(ENDING))

    def go_on(self, pid):
        self.continued[pid] = time.time()
        self.send(pid, signal.SIGCONT)

    def send(self, pid, signo):
        self.sent += 1
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signo)

    def check_cpu(self, pid):
        try:
            with open("/proc/%d/stat" % pid) as file:
                fields = file.read().rsplit(")", 1)[1].split()
            with open("/proc/uptime") as file:
                age = float(file.read().split()[0]) - int(fields[19]) / TICKS
        except OSError:
            return
        used = (int(fields[11]) + int(fields[12])) / TICKS
        if used > CPU_START + CPU_SHARE * age:
            self.faults.append("process %d used %.1f s of CPU in %.1f s"
                               % (pid, used, age))


class Witness:
    """Held from first to last: what it takes must not grow."""

    def __init__(self, client):
        self.client = client
        self.pid = None

    def measure(self):
        now = status(self.pid)
        return {key: int(now[key].split()[0])
                for key in ("VmRSS", "VmData", "VmStk", "VmPTE", "FDSize")}

    async def nbytes(self, count):
        """Once it has been sent so many more."""
        goal = len(self.client.got) + count
        await wait_until(lambda: len(self.client.got) >= goal, 300)


async def wait_until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.1)
    return True


class Chaos:
    def __init__(self):
        self.rnd = random.Random(SEED)
        self.clients = []
        self.faults = []
        self.numbers = iter(range(1 << 30))
        self.pools = {
            "tcpserver": self.pool("127.1.%d.%d"),
            "mapped": self.pool("127.2.%d.%d"),
            "xinetd": self.pool("2001:db8::1:%x"),
            "witness": self.pool("127.3.%d.%d"),
            "vanishing": self.pool("198.18.%d.%d")}

    def pool(self, kind):
        return clients.addresses(self.rnd, kind)

    def fault(self, text, *args):
        self.faults.append(text % args)

    async def run(self, other):
        with contextlib.ExitStack() as stack:
            self.other = other
            self.log = Log(random.Random("%d log" % SEED))
            stack.enter_context(self.log.syslog)
            supers.install_program()
            every = "-i", str(INTERVAL), "-t", str(CAP)
            self.tcpserver = supers.Tcpserver(25, *every)
            stack.callback(self.tcpserver.close)
            self.xinetd = supers.Xinetd(26, *every)
            stack.callback(self.xinetd.close)
            self.patient = supers.Tcpserver(27, "-i", str(PATIENT_INTERVAL),
                                             "-t", "3600")
            stack.callback(self.patient.close)
            self.supers = self.tcpserver, self.xinetd, self.patient
            keeper = asyncio.create_task(self.log.keep())
            await self.storm()
            for server in self.supers:
                server.note()
            keeper.cancel()
            self.log.keep_what_waits()
        self.judge()

    async def storm(self):
        witnesses = await self.call_witnesses()
        pids = {witness.pid for witness in witnesses}
        self.hand = Hand(random.Random("%d hand" % SEED), pids)
        before = [witness.measure() for witness in witnesses]
        meddling = asyncio.create_task(self.hand.meddle())
        await asyncio.gather(self.come(), self.vanish())
        await wait_until(lambda: set(live()) <= pids, NOTICED)
        meddling.cancel()
        for pid in live():
            self.hand.go_on(pid)
        for pid in set(live()) - pids:
            self.fault("process %d stays: %s", pid, status(pid).get("State"))
        await asyncio.gather(*(w.nbytes(LINE_BYTES) for w in witnesses))
        for witness, old in zip(witnesses, before):
            self.compare(witness, old, witness.measure())
        for witness in witnesses:
            witness.task.cancel()
        await asyncio.gather(*(w.task for w in witnesses),
                             return_exceptions=True)
        await wait_until(lambda: not live(), 20)
        for pid in live():
            self.fault("process %d stays after its client", pid)
        # For the super-servers to reap the last, and for one line too many.
        await asyncio.sleep(1)

    def client(self, server, address, **more):
        client = Client(SEED, next(self.numbers), server, address, **more)
        self.clients.append(client)
        return client

    async def call_witnesses(self):
        """Held clients of the patient server, each of another kind."""
        witnesses = []
        for words, pace, when in (
                (clients.helo, "at once", "greeted"),
                (clients.flood, "at once", "greeted"),
                (clients.no_newline, "at once", "early"),
                (clients.pipeline, "urgent", "greeted"),
                (clients.junk, "urgent", "early")):
            client = self.client(("127.0.0.1", self.patient.port),
                                 next(self.pools["witness"]))
            client.words, client.pace, client.when = words, pace, when
            client.window, client.reads = "open", True
            client.stays = 3600
            witness = Witness(client)
            witness.task = asyncio.create_task(
                client.run(clients.make_socket(client.address)))
            witnesses.append(witness)
        await asyncio.gather(*(w.nbytes(LINE_BYTES) for w in witnesses))
        self.patient.note()
        for started in self.patient.all:
            for witness in witnesses:
                if witness.client.address == started.address:
                    witness.pid = started.pid
        return witnesses

    def compare(self, witness, old, new):
        for key in old:
            if new[key] > old[key]:
                self.fault("%s of %s grew from %d to %d", key,
                           witness.client, old[key], new[key])

    async def come(self):
        """All the others, in bursts."""
        limit = asyncio.Semaphore(AT_ONCE)
        tasks = set()
        left = CONNECTIONS
        start = time.monotonic()
        while left > 0:
            burst = min(left, self.rnd.randint(1, 100))
            left -= burst
            for _ in range(burst):
                await limit.acquire()
                # Those of clients that have left wait to log it, where this
                # program gets little time.
                await wait_until(lambda: self.hand.now < 2 * AT_ONCE, 300)
                task = asyncio.create_task(self.one_more(limit))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            due = start + SECONDS * (1 - left / CONNECTIONS)
            await asyncio.sleep(max(0, due - time.monotonic()))
        await asyncio.gather(*tasks)

    async def one_more(self, limit):
        kind = self.rnd.choice(("tcpserver", "tcpserver", "xinetd", "mapped"))
        address = next(self.pools[kind])
        server = {"tcpserver": ("127.0.0.1", self.tcpserver.port),
                  "mapped": ("127.0.0.1", self.xinetd.port),
                  "xinetd": ("::1", self.xinetd.port)}[kind]
        client = self.client(server, address)
        try:
            await client.run(clients.make_socket(address))
        finally:
            limit.release()

    async def vanish(self):
        """Clients on another machine, whose cable is cut."""
        gone = []
        for number in range(VANISHING):
            server = self.patient if number % 2 else self.tcpserver
            gone.append(self.client(
                (self.other.ADDRESS, server.port),
                next(self.pools["vanishing"]), vanishes=True))
        tasks = [asyncio.create_task(client.run(
            self.other.make_socket(client.address))) for client in gone]
        await asyncio.sleep(VANISH_AFTER)
        cut = time.time()
        self.other.cut()
        # Nobody else's: the patient server's find out by themselves.
        self.patient.note()
        self.hand.spared |= {started.pid for started in self.patient.all}
        self.hand.may_end = True
        await asyncio.gather(*tasks)
        for client in gone:
            client.vanishes = client.left > cut
            client.left = min(client.left, cut)

    def judge(self):
        self.faults += self.hand.faults
        lines = self.read_lines()
        people = {client.address: client for client in self.clients}
        self.missing = 0
        for started in [s for server in self.supers for s in server.all]:
            hold = lines.pop(started.address, None)
            killed = started.pid in self.hand.killed
            if started.status != 0 and not (killed and started.status == -9):
                self.fault("process %d for %s ended with %s", started.pid,
                           started.address, started.status)
            client = people.pop(started.address, None)
            if client is None:
                self.fault("a process for %s, who is none of ours",
                           started.address)
            elif hold is None:
                self.missing += killed
                if not killed:
                    self.fault("no line for process %d, %s",
                               started.pid, client)
            elif hold.pid != started.pid:
                self.fault("line of process %d, not of %d, for %s",
                           hold.pid, started.pid, client)
            else:
                self.judge_times(client, hold)
                self.judge_pace(client, hold)
            if client is not None:
                self.judge_bytes(client, killed)
        for address in lines:
            self.fault("a line for %s, whom nobody serves", address)
        for client in people.values():
            self.fault("nothing was started for %s %s", client, client.fault)

    def read_lines(self):
        """A Hold for each address."""
        lines = {}
        for datagram in self.log.datagrams:
            text = datagram.decode(errors="replace")
            if clients.TOKEN in datagram:
                self.fault("words of a client in syslog: %r", text)
            if not re.fullmatch("<21>" + LINE.pattern, text):
                self.fault("not a log line: %r", text)
                continue
            hold = Hold(text)
            if hold.ip in lines:
                self.fault("one line too many: %r", text)
            lines[hold.ip] = hold
        return lines

    def judge_times(self, client, hold):
        stopped = self.hand.continued.get(hold.pid, 0)
        if not (client.began - 0.1 <= hold.connected <=
                max(client.began + 10, stopped + SLACK)):
            self.fault("connected %.1f s after %s",
                       hold.connected - client.began, client)
        late = hold.disconnected - client.left
        if hold.disconnected > SLACK + max(
                client.left, hold.connected, stopped):
            self.fault("disconnected %.1f s after it left, %s", late, client)
        capped = client.server[1] != self.patient.port and \
            hold.length > 0.75 * CAP - 0.1
        reason = hold.pid in self.hand.ended or capped or client.shut or \
            client.window != "open"
        if late < -SLACK and not reason:
            self.fault("disconnected %.1f s before it left, %s", -late, client)

    def judge_pace(self, client, hold):
        interval = PATIENT_INTERVAL \
            if client.server[1] == self.patient.port else INTERVAL
        if len(client.got) - len(clients.GREETING) > \
                hold.length * 1000 / (0.8 * interval) + len(clients.PREFIX):
            self.fault("%d bytes in %.1f s for %s", len(client.got),
                       hold.length, client)

    def judge_bytes(self, client, killed):
        if not clients.is_of_the_tarpit(client.got):
            self.fault("%s got %r", client, client.got[:600])
        elif client.ended == "fin" and not killed and \
                not clients.ends_well(client.got):
            self.fault("%s was left with %r", client, client.got[-40:])

    def report(self):
        vanished = sum(client.vanishes for client in self.clients)
        print("%d clients, %d at a time, %d vanished, %d bytes to them; "
              "%d signals; %d lines, %d missing after SIGKILL" % (
                  len(self.clients), self.hand.most, vanished,
                  sum(len(client.got) for client in self.clients),
                  self.hand.sent, len(self.log.datagrams), self.missing))
        for fault in self.faults[:20]:
            print("FAULT: " + fault)
        if self.faults:
            print("%d faults; again: CHAOS_SEED=%d CHAOS_CONNECTIONS=%d"
                  " CHAOS_SECONDS=%d make chaos" % (
                      len(self.faults), SEED, CONNECTIONS, SECONDS))
        return 1 if self.faults else 0


class Machine(OtherHost):
    """A client's machine with many addresses."""

    def __enter__(self):
        super().__enter__()
        for command in ("ip -n client link set lo up",
                        "ip -n client route add local 198.18.0.0/16 dev lo",
                        "ip route add 198.18.0.0/16 via " + self.THEIRS,
                        "ip route add local 2001:db8::/64 dev lo"):
            subprocess.run(command.split(), check=True)
        self.inside = concurrent.futures.ThreadPoolExecutor(1)
        self.inside.submit(self.enter).result()
        return self

    def enter(self):
        """With the one thread that makes sockets there."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/run/netns/client") as netns:
            if libc.setns(netns.fileno(), self.CLONE_NEWNET) == -1:
                raise OSError(ctypes.get_errno(), "setns")

    def make_socket(self, address):
        return self.inside.submit(clients.make_socket, address).result()

    def __exit__(self, *exc):
        self.inside.shutdown()
        super().__exit__(*exc)


def main():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print("chaos: seed %d, %d connections" % (SEED, CONNECTIONS), flush=True)
    chaos = Chaos()
    with Machine() as other:
        asyncio.run(chaos.run(other))
    return chaos.report()


if __name__ == "__main__":
    sys.exit(main())
