# SPDX-License-Identifier: GPL-2.0-or-later
"""What a connection costs under each super-server, and in each unit.

usage: bench-supers

Memory is what bench.py measures, without the client's end, and with what the
super-server, journald and, under systemd, the control group take for each
connection.  CPU is the time of all processes in the lab but this one, from
accept to greeting, for the last connections before a level is reached; the
kernel counts it for each control group, including processes that have ended.

The files are used as make install puts them into place, with three changes: the
limits on connections are raised to what is held here, tarpit sends no bytes
while it is measured, and nothing else listens.  The limits for each address
stay, and the clients come from many addresses.

The memory and pids controllers, which take something for each control group,
are missing from the lab if this machine keeps them for control groups of
version 1.  The shipped units switch the memory controller off.
"""

import contextlib
import os
import re
import socket
import statistics
import sys
import time

from bench import bench
from tests.lib.files import install, write
from tests.lib.process import run

QUICK = bool(os.environ.get("QUICK"))
COUNTS = (50, 200) if QUICK else (100, 500, 1000, 2000)
BATCH = 50 if QUICK else 100
UNIT_COUNT = 50 if QUICK else 300
SUPER_ROUNDS = 1 if QUICK else 2
UNIT_ROUNDS = 1 if QUICK else 3
PAIRS = 5 if QUICK else 30  # pairs of blocks, one shipped and one bare
BLOCK = 10
WARM_UP = 5
PER_SOURCE = 20             # the limit in the shipped files
TRIES = 4
STACK_KB = 16               # of each thread, in the kernel
IDLE_USEC = 300             # in IDLE_SECONDS: with less, the lab is idle
IDLE_SECONDS = 0.1

SHIPPED_KB_MAX = 5          # more than the bare unit
SHIPPED_CPU_MAX = 1.10
SHIPPED_SCORE_MAX = 7.0
HARDENED_SCORE_MAX = 1.5

PORT = 25
BARE_PORT = 2525
TARPIT = "/usr/local/sbin/tarpit"
QUIET = "%s -i %d" % (TARPIT, bench.QUIET)
EXAMPLES = "/usr/local/share/doc/tarpit/examples"
SYSTEM = "/etc/systemd/system"
SOCKET = "/usr/local/lib/systemd/system/tarpit.socket"
UNIT = SYSTEM + "/tarpit@.service"
DROP_INS = UNIT + ".d"

BARE = """
[Unit]
CollectMode=inactive-or-failed
[Service]
ExecStart=-%s
StandardInput=socket
StandardOutput=null
StandardError=null
User=tarpit
LogLevelMax=notice
""" % QUIET
QUIET_CONF = "[Service]\nExecStart=\nExecStart=-%s\n" % QUIET
SOCKET_CONF = "[Socket]\nMaxConnections=%d\n" % (2 * COUNTS[-1])
# A directive that was considered, but is not even in hardened.conf.
NETWORK = "PrivateNetwork=yes"
OTHERS = (
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "SystemCallFilter=@system-service seccomp",
    "DynamicUser=yes",
    NETWORK,
)

KINDS = ("private dirty", "page tables", "kernel stack", "slab", "percpu",
         "seal", "send page", "super-server")


class Refused(Exception):
    """A client was not greeted."""


class Level:
    """A number of held connections, and what each of them cost this time."""

    def __init__(self, count, usec, memory, disturbed):
        self.count = count
        self.usec = usec
        self.memory = memory
        self.disturbed = disturbed

    @property
    def total(self):
        return sum(self.memory.values())


class Levels(list):
    """Measurements of the same level."""

    @property
    def sound(self):
        return [level for level in self if not level.disturbed]

    def median(self, value):
        return statistics.median(map(value, self.sound or self))

    @property
    def kb(self):
        return self.median(lambda level: level.total)

    @property
    def usec(self):
        """CPU for a connection: the least, since other programs add to it."""
        return min(level.usec for level in self)

    def kb_text(self):
        return "%s%.0f" % ("" if self.sound else "~", self.kb)


# The lab.

def edit(path, *edits):
    text = bench.read(path)
    for old, new in edits:
        if old not in text:
            sys.exit("bench: %s has no %r" % (path, old))
        text = text.replace(old, new)
    write(path, text)   # with the mode that it has


def control_group(pid):
    return re.search(r"^0::(.*)$", bench.read("/proc/%s/cgroup" % pid),
                     re.MULTILINE)[1]


OURS = control_group("self")


def group_usec(group):
    return int(re.search(r"usage_usec (\d+)", bench.read(
        "/sys/fs/cgroup%s/cpu.stat" % group))[1])


def lab_usec():
    """CPU time of all processes but this one, including processes that have
    ended.
    """
    return group_usec("") - group_usec(OURS)


def settled_lab():
    """The CPU time of the lab, once it hardly grows any more."""
    end = time.monotonic() + bench.SECONDS_MAX
    last = lab_usec()
    while time.monotonic() < end:
        time.sleep(IDLE_SECONDS)
        now = lab_usec()
        if now - last < IDLE_USEC:
            return now
        last = now
    sys.exit("bench: the lab does not come to rest")


def processes():
    """The ids and names of all processes in the lab but this one."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if control_group(pid) != OURS:
                yield int(pid), bench.read("/proc/%s/comm" % pid).strip()


def live():
    return [pid for pid, name in processes() if name == "tarpit"]


def anonymous_kb(pid):
    """The anonymous memory of a process; 0 if it has just ended."""
    with contextlib.suppress(OSError):
        return bench.field(pid, "smaps_rollup", "Anonymous")
    return 0


def state():
    """Kilobytes in use by kind, and the number of threads: the kinds of
    bench.py, the processes' own memory, and what is kept for each processor.
    """
    now = bench.machine()
    now["percpu"] = int(re.search(
        r"^Percpu:\s+(\d+)", bench.read("/proc/meminfo"), re.MULTILINE)[1])
    now["private dirty"] = now["super-server"] = now["tarpits"] = 0
    for pid, name in processes():
        if name == "tarpit":
            now["tarpits"] += 1
        now["private dirty" if name == "tarpit" else "super-server"] += \
            anonymous_kb(pid)
    return now


# The clients, which are in this process.

def connect(number, port=PORT):
    """A client that has been greeted, from an address that few others have."""
    source = "127.1.%d.1" % (number // PER_SOURCE)
    try:
        client = socket.create_connection(
            ("127.0.0.1", port), bench.SECONDS_MAX, (source, 0))
        greeting = client.recv(512)
    except OSError as error:
        raise Refused(str(error)) from error
    if not greeting.startswith(b"220 "):
        client.close()
        raise Refused("no greeting")
    return client


@contextlib.contextmanager
def crowd():
    """Yields a list to add clients to; in the end all of them have left."""
    clients = []
    try:
        yield clients
    finally:
        for client in clients:
            bench.reset(client)
        bench.wait_for(lambda: not live())
        settled_lab()


def add(clients, count, port=PORT):
    while len(clients) < count:
        clients.append(connect(len(clients), port))


def warm_up():
    """Wait until the super-server listens, and fill caches that stay full."""
    end = time.monotonic() + 10
    while True:
        try:
            with crowd() as clients:
                add(clients, WARM_UP)
            return
        except Refused:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def strays(before, after, count):
    """Whether other processes have started or ended meanwhile.  A process that
    ends leaves the count of threads some time before its stack is free.
    """
    threads = after["threads"] - before["threads"]
    stacks = (after["kernel stack"] - before["kernel stack"]) / STACK_KB
    return (abs(threads - count) > bench.STRAYS_MAX or
            abs(stacks - count) > 2 * bench.STRAYS_MAX)


def reading(before, count):
    """The state of the machine with count clients held.  Tries again while
    other programs come and go, but not for ever; and says whether they did.
    """
    for _ in range(TRIES):
        after = state()
        if after["tarpits"] != count:
            raise Refused("%d of %d live" % (after["tarpits"], count))
        if not strays(before, after, count):
            return after, False
        time.sleep(1)
    return after, True


def ramp(counts, batch, socket_kb):
    """Hold more and more clients; returns a Level for each of counts, with the
    CPU of the last batch before it.
    """
    warm_up()
    before = state()
    levels = []
    with crowd() as clients:
        for count in counts:
            add(clients, count - batch)
            spent = settled_lab()
            add(clients, count)
            usec = (settled_lab() - spent) / batch
            for client in clients[levels[-1].count if levels else 0:]:
                client.sendall(bench.COMMAND)
            settled_lab()
            after, disturbed = reading(before, count)
            memory = {kind: (after[kind] - before[kind]) / count
                      for kind in KINDS}
            memory["slab"] -= 2 * socket_kb
            memory["socket"] = socket_kb
            levels.append(Level(count, usec, memory, disturbed))
    return levels


# Running each super-server.

@contextlib.contextmanager
def systemd(unit=None, drop_in=QUIET_CONF):
    """Run tarpit.socket, with a manager as good as new: a manager keeps memory
    that it has once needed.
    """
    install(SYSTEM + "/tarpit.socket.d/bench.conf", SOCKET_CONF)
    if unit is not None:
        install(UNIT, unit)
    install(DROP_INS + "/bench.conf", drop_in)
    run("systemctl", "daemon-reexec")
    run("systemctl", "start", "tarpit.socket")
    try:
        yield
    finally:
        run("systemctl", "stop", "tarpit.socket", "tarpit.slice")
        os.remove(DROP_INS + "/bench.conf")
        if unit is not None:
            os.remove(UNIT)


@contextlib.contextmanager
def service(*command):
    run("systemd-run", "--quiet", "--collect", "--unit=bench",
        "--property=TasksMax=infinity", *command)
    try:
        yield
    finally:
        run("systemctl", "stop", "bench.service")


def supers():
    """Edit the files; returns what starts each super-server."""
    xinetd = "/etc/xinetd.d/tarpit"
    edit(xinetd, ("= yes", "= no"), ("= 1500", "= 4000"),
         ("\tuser\t", "\tserver_args\t= -i %d\n\tuser\t" % bench.QUIET))
    inetd = EXAMPLES + "/inetd/inetd.conf"
    edit(inetd, (TARPIT + " tarpit", QUIET.replace(TARPIT, TARPIT + " tarpit")))
    for name in "tcpserver", "tcpsvd":
        edit("%s/%s/run" % (EXAMPLES, name), (TARPIT, QUIET),
             ("-c 1500", "-c 4000"))
    return {
        "systemd": systemd,
        "xinetd": lambda: service("/usr/sbin/xinetd", "-dontfork"),
        "openbsd-inetd": lambda: service("/usr/sbin/inetd", "-i", inetd),
        "tcpserver": lambda: service(EXAMPLES + "/tcpserver/run"),
        "tcpsvd": lambda: service(EXAMPLES + "/tcpsvd/run"),
    }


def measure_supers(socket_kb):
    """For each super-server, its Levels at each of COUNTS."""
    starts = supers()
    rows = {name: [Levels() for _ in COUNTS] for name in starts}
    for turn in range(SUPER_ROUNDS):
        for name, start in starts.items():
            with start():
                for levels, level in zip(rows[name],
                                         ramp(COUNTS, BATCH, socket_kb)):
                    levels.append(level)
        progress("round %d of the super-servers" % (turn + 1))
    return rows


def progress(text):
    print("%s: %s" % (time.strftime("%T"), text), file=sys.stderr)


# Measuring units.

class Candidate:
    """A unit with its directives, and its measurements."""

    def __init__(self, name, directives="", unit=None):
        self.name = name
        self.unit = unit
        self.drop_in = "[Service]\n" + directives + QUIET_CONF
        self.levels = Levels()
        self.score = None
        self.failure = None

    def measure(self, socket_kb):
        with systemd(self.unit, self.drop_in):
            try:
                self.levels += ramp((UNIT_COUNT,), UNIT_COUNT, socket_kb)
                self.score = exposure()
            except Refused as refused:
                self.failure = str(refused)


def exposure():
    """The score of the instance as it is now, from 0.0 to 10.0."""
    return float(re.search(r"Overall exposure level.*: ([\d.]+)", run(
        "systemd-analyze", "--no-pager", "security", "--offline=true",
        "tarpit@bench.service"))[1])


def candidates_of(directives):
    """A candidate for each directive; directives of one filter share one."""
    rows, calls = [], ""
    for line in re.findall(r"^(\w+=.*\n)", directives, re.MULTILINE):
        if line.startswith(("SystemCallFilter=", "SystemCallErrorNumber=")):
            calls += line
        else:
            rows.append(Candidate(line.strip(), line))
    return rows + [Candidate("SystemCallFilter= as in hardened.conf", calls)]


def measure_units(socket_kb):
    """Measure the first two and hardened.conf in every round, and each of the
    candidates once, spread over the rounds.
    """
    hardened = bench.read(EXAMPLES + "/systemd/hardened.conf").split(
        "[Service]\n")[1]
    rows = [Candidate("bare", unit=BARE), Candidate("shipped"),
            Candidate("hardened.conf", hardened)]
    candidates = [
        Candidate("hardened.conf, " + NETWORK, hardened + NETWORK + "\n"),
        *candidates_of(hardened),
        *[Candidate(line, line + "\n") for line in OTHERS]]
    for turn in range(UNIT_ROUNDS):
        for row in rows + candidates[turn::UNIT_ROUNDS]:
            row.measure(socket_kb)
        progress("round %d of the units" % (turn + 1))
    for row in candidates:
        if not row.failure and not row.levels.sound:
            row.measure(socket_kb)
    return rows, candidates


def measure_ratio():
    """The CPU of the shipped unit, by that of a bare unit.  The two serve side
    by side, in turns of a tenth of a second, since the speed of the processor
    varies by more than their difference.
    """
    install(SYSTEM + "/bare@.service", BARE)
    install(SYSTEM + "/bare.socket", bench.read(SOCKET).replace(
        "ListenStream=%d\n" % PORT, "ListenStream=%d\n" % BARE_PORT))
    ports, ratios = [BARE_PORT, PORT], []
    with systemd():
        run("systemctl", "start", "bare.socket")
        warm_up()
        with crowd() as clients:
            for _ in range(PAIRS):
                usec = {}
                for port in ports:
                    spent = settled_lab()
                    add(clients, len(clients) + BLOCK, port)
                    usec[port] = settled_lab() - spent
                ratios.append(usec[PORT] / usec[BARE_PORT])
                ports.reverse()
        run("systemctl", "stop", "bare.socket")
    return statistics.median(ratios)


# Reporting.

def print_supers(rows):
    print("\nKB of memory and ms of CPU for each connection, by the number "
          "held\n(memory: the client's end left out; CPU: from accept to "
          "greeting, the last %d)\n" % BATCH)
    print("| super-server |" + "".join(" KB at %d |" % c for c in COUNTS) +
          "".join(" ms at %d |" % c for c in COUNTS))
    print("|---|" + "---|" * 2 * len(COUNTS))
    for name, row in rows.items():
        print("| %s |" % name +
              "".join(" %s |" % levels.kb_text() for levels in row) +
              "".join(" %.1f |" % (levels.usec / 1000) for levels in row))


def print_kinds(rows):
    print("\nKB of memory by kind, %d held\n" % COUNTS[-1])
    kinds = KINDS + ("socket",)
    print("| |" + "".join(" %s |" % kind for kind in kinds))
    print("|---|" + "---|" * len(kinds))
    for name, row in rows.items():
        print("| %s |" % name + "".join(" %.1f |" % row[-1].median(
            lambda level, kind=kind: level.memory[kind]) for kind in kinds))


def print_units(rows, candidates):
    shipped = rows[1].levels
    print("\nsystemd, %d held: KB and ms for each connection, and the score of "
          "systemd-analyze\nsecurity.  Each directive is alone with the "
          "shipped unit; those that need a mount\nnamespace, or a filter, "
          "share part of its price.\n" % UNIT_COUNT)
    print("| unit | KB | more | ms | more | score |")
    print("|---|---|---|---|---|---|")
    for row in rows + candidates:
        levels = row.levels
        if row.failure:
            print("| %s | does not start here: %s |" % (row.name, row.failure))
        else:
            print("| %s | %s | %+.0f | %.1f | %+.1f | %s |" % (
                row.name, levels.kb_text(), levels.kb - shipped.kb,
                levels.usec / 1000, (levels.usec - shipped.usec) / 1000,
                row.score))


def missed_bars(ratio, bare, shipped, hardened):
    for row in bare, shipped, hardened:
        if row.failure:
            yield "%s does not start: %s" % (row.name, row.failure)
            return
    if not (bare.levels.sound and shipped.levels.sound):
        yield "nothing: other programs come and go on this machine; try later"
        return
    kb = shipped.levels.kb - bare.levels.kb
    print("\nThe shipped unit takes %+.1f KB more than a bare one, and %.2f x "
          "its CPU." % (kb, ratio))
    if kb > SHIPPED_KB_MAX:
        yield "memory: %.1f KB more, over %d" % (kb, SHIPPED_KB_MAX)
    if ratio > SHIPPED_CPU_MAX:
        yield "CPU: %.2f x, over %.2f" % (ratio, SHIPPED_CPU_MAX)
    for row, most in ((shipped, SHIPPED_SCORE_MAX),
                      (hardened, HARDENED_SCORE_MAX)):
        if row.score > most:
            yield "%s: exposure %.1f, over %.1f" % (row.name, row.score, most)


def print_rounds(rows):
    print("\nRound by round, KB and ms (~: other programs came or went):")
    for row in rows:
        print("%s: %s" % (row.name, ", ".join("%s%.1f %.2f" % (
            "~" * level.disturbed, level.total, level.usec / 1000)
            for level in row.levels)))


def main():
    clients = bench.Clients()
    socket_kb = statistics.median(sum(bench.undisturbed(
        bench.measure_socket, clients).values()) / 2 for _ in range(3))
    progress("the client's socket: %.1f KB" % socket_kb)
    super_rows = measure_supers(socket_kb)
    rows, candidates = measure_units(socket_kb)
    ratio = measure_ratio()

    print_supers(super_rows)
    print_kinds(super_rows)
    print_units(rows, candidates)
    print_rounds(rows)
    return bench.verdict(list(missed_bars(ratio, *rows)))


if __name__ == "__main__":
    sys.exit(main())
