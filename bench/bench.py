# SPDX-License-Identifier: GPL-2.0-or-later
"""What a held connection costs in memory, CPU and traffic, against the floor.

usage: tests/setup/sandbox python3 -m bench.bench

Every row is built here, with CC, MUSL_CC, CFLAGS and LDFLAGS, and measured in
this run.  The floor is floor.c, a static program without a C library that only
greets, reads a line and dribbles.  "small" and "default" are what "make small"
and "make" build.  The last rows hold clients in other ways: threads.c, and
Exim with a delay after HELO.  The exit status is 1 if a bar is missed.

How memory is measured: N processes hold N connections, quiet in the stall, and
the machine is compared with itself before the connections came.

    private dirty   the mean of their own Private_Dirty
    page tables     PageTables of /proc/meminfo, which has the top level that
                    VmPTE leaves out on some kernels
    kernel stack    KernelStack
    slab            objects in use, each with its share of its slab, so that
                    free slots, which come and go, do not count.  Caches of
                    files do not count either, since any program fills them
    seal            VmallocUsed without the stacks: the filter's page.  The
                    filter's machine code is in a block that all processes
                    share, and does not show
    send page       all pages in use that no counter names: TCP gives every
                    process that uses send(2) a buffer of its own
    socket          half of what a connection costs if one process has both
                    ends; the client's half is left out

The clients live in a process of their own.  The process that starts the
tarpits must have few files open, as a super-server has, or each start hands
down a copy of a large table of descriptors.
"""

import contextlib
import glob
import multiprocessing
import os
import pwd
import re
import resource
import shlex
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(TOP, "tests", "build", "bench")

CONNECTIONS = 1000
QUIET = 60000               # ms: no byte goes out while memory is measured
ROUNDS = 3
STRAYS_MAX = 4              # threads of the kernel come and go
TRIES = 20
STARTS = 150
CROWD_INTERVALS = (3200, 4800)      # ms
CROWD_SECONDS = 8
WIRE_CONNECTIONS = 20
WIRE_INTERVAL = 200         # ms: longer than TCP may delay an ACK
WIRE_SECONDS = 4
GROWTH_CONNECTIONS = 20
GROWTH_BYTES = 2000         # four lines
SECONDS_MAX = 60            # the longest wait for anything

HOUR_BYTES = 900            # at the default 4 s
PAGE = os.sysconf("SC_PAGE_SIZE")

RATIO_MAX = 1.4             # the default build, compared with the floor
OWN_KB_MAX = 100            # private dirty and page tables
SMALL_RATIO_MAX = 0.8
SMALL_SENDING_RATIO_MAX = 1.15      # by the floor that sends the same way
BYTE_RATIO_MAX = 1.65       # CPU of a byte, by the floor's
SMALL_START_MAX = 1.3       # by the floor that sends the same way
SEAL_KB_MAX = 8
SEAL_RATIO_MAX = 0.5        # CPU of the seal, by that of the floor's start
WAKEUPS_MAX = 1.05          # for each byte; some are in flight at either end
CALLS_MAX = 4               # system calls for each byte
VPS = (("512 MB", 512, 150), ("1 GB", 1024, 200))   # MB, MB for the system

COMMAND = b"EHLO client.example\r\n"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin"}

SOURCES = "tarpit.c", "hold.c", "log.c", "seal.c", "send.c"

# The kernel's caches of files, by how their names begin.
FILE_CACHES = ("ext4_", "xfs_", "btrfs_", "ovl_", "jbd2_", "proc_inode",
               "buffer_head", "radix_tree_node")

EXIM_USER = "Debian-exim"
EXIM_CONFIG = """\
primary_hostname = mx.example.org
spool_directory = %(directory)s
log_file_path = %(directory)s/%%slog
keep_environment =
tls_advertise_hosts =
smtp_accept_max = 0
acl_smtp_helo = hold
begin acl
hold:
  accept delay = 1h
"""

IN_A_CROWD = ("floor", "  with sendfile", "small", "default", "  unsealed",
              "dynamic")
MEMORY = ("private dirty", "page tables", "kernel stack", "slab", "seal",
          "send page", "socket")


class Row:
    """A program that holds connections, and its measurements."""

    def __init__(self, name, path, interval=("-i",)):
        self.name = name
        self.path = path
        self.interval = interval
        self.memory = {}
        self.cpu = {}

    def command(self, msec):
        return [self.path, *self.interval, str(msec)]

    @property
    def total(self):
        return sum(self.memory.values())

    @contextlib.contextmanager
    def crowd(self, clients):
        """Yields the processes that exist before, and a function that makes
        the program hold all CONNECTIONS, quiet in the stall.  The function
        returns the processes, or the threads, that hold them.
        """
        with contextlib.ExitStack() as stack:
            def fill():
                pids = stack.enter_context(crowd(clients, self, QUIET, QUIET))
                return pids, pids
            yield [], fill

    def measure_start(self):
        """CPU from the start to the sleep after the greeting, and from HELO
        to the sleep in the stall.
        """
        with pairs(self, QUIET, 1) as (clients, pids):
            start_usec = settled_cpu(pids)
            clients[0].sendall(COMMAND)
            return start_usec, settled_cpu(pids) - start_usec


class Server(Row):
    """A program that accepts connections itself, from standard input."""

    def __init__(self, name, *command):
        super().__init__(name, command[0])
        self.arguments = command

    @contextlib.contextmanager
    def running(self):
        """Yields the process and its address, once it has served a client."""
        with listen() as listener:
            pid = start(list(self.arguments), listener)
            try:
                with socket.create_connection(listener.getsockname()) as first:
                    first.settimeout(SECONDS_MAX)
                    first.recv(512)
                wait_for(lambda: len(tasks(pid)) == 1)
                yield pid, listener.getsockname()
            finally:
                stop_family(pid)

    @contextlib.contextmanager
    def crowd(self, clients):
        with self.running() as (pid, address):
            def fill():
                clients.order("connect", address)
                wait_for(lambda: len(tasks(pid)) == 1 + CONNECTIONS)
                clients.order("talk")
                return family(pid), tasks(pid)
            try:
                yield [pid], fill
            finally:
                clients.order("close")

    def measure_start(self):
        with self.running() as (pid, address):
            usec = settled_cpu(tasks(pid))
            with socket.create_connection(address) as client:
                client.settimeout(SECONDS_MAX)
                client.recv(512)
                start_usec = settled_cpu(tasks(pid))
                client.sendall(COMMAND)
                return (start_usec - usec,
                        settled_cpu(tasks(pid)) - start_usec)


def family(pid):
    """The process and its children, without the zombies."""
    children = map(int, read("/proc/%d/task/%d/children" % (
        pid, pid)).split())
    return [pid, *filter(is_alive, children)]


def is_alive(pid):
    with contextlib.suppress(OSError):
        return read("/proc/%d/stat" % pid).rpartition(") ")[2][0] not in "ZX"
    return False


def tasks(pid):
    return [int(os.path.basename(task)) for process in family(pid)
            for task in glob.glob("/proc/%d/task/*" % process)]


def stop_family(pid):
    """Kill a process and its children; it is stopped first, so that it starts
    no more of them.
    """
    os.kill(pid, signal.SIGSTOP)
    for child in family(pid)[1:]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    stop([pid])


# Building the rows.

def cc(output, *args, compiler="cc"):
    command = [*shlex.split(compiler), "-std=c17", "-D_GNU_SOURCE", *args,
               "-o", os.path.join(BUILD, output)]
    done = subprocess.run(["/usr/bin/env", *command], cwd=TOP,
                          capture_output=True, text=True)
    if done.returncode != 0:
        print("bench: no %s: %s" % (output, done.stderr.strip()[:300]))
        return None
    return os.path.join(BUILD, output)


def build_rows():
    """Build all rows, except those that this machine cannot build."""
    shutil.rmtree(BUILD, ignore_errors=True)
    os.makedirs(BUILD)
    rows = [
        *build_floors(),
        *build_small(),
        *build_default(),
        Server("a thread each", cc("threads", "-O2", "-pthread",
                                   "bench/threads.c"), str(QUIET)),
        *find_exim(),
    ]
    return [row for row in rows if row.path is not None]


def build_floors():
    return [Row(name, cc("floor" + "".join(more), "-O2", "-static",
                         "-nostdlib", "-no-pie", "-fno-stack-protector", *more,
                         "bench/floor.c"), ())
            for name, *more in (("floor",), ("  with sendfile", "-DSENDFILE"))]


def flags():
    return ["-fstack-protector-strong", "-D_FORTIFY_SOURCE=2",
            *shlex.split(os.environ.get("CFLAGS", "-O2 -g"))]


def build_small():
    """Build what "make small" builds, and nothing else."""
    def build(name, output, *variables):
        done = subprocess.run(
            ["make", "-o", "all", "small", "SMALL=" + os.path.join(
                BUILD, output), *variables], cwd=TOP, capture_output=True,
            text=True)
        if done.returncode != 0:
            print("bench: no %s: %s" % (output, done.stderr.strip()[:300]))
            return []
        return [Row(name, os.path.join(BUILD, output))]

    cflags = os.environ.get("CFLAGS", "-O2 -g")
    return [*build("small", "small"),
            *build("  unsealed", "small-unsealed", "CPPFLAGS=-DNO_SEAL"),
            *build("  no stack protector", "small-no-stack-protector",
                   "CFLAGS=%s -fno-stack-protector" % cflags)]


def build_default():
    compiler = os.environ.get("CC", "cc")

    def build(name, output, *args):
        return Row(name, cc(output, *args, compiler=compiler))

    ld = shlex.split(os.environ.get("LDFLAGS", ""))
    for source in "tarpit", "hold", "log", "seal", "send":
        build("", source + ".o", *flags(), "-c", source + ".c")
    build("", "noseal.o", *flags(), "-DNO_SEAL", "-c", "seal.c")
    for feature in "ARC4RANDOM", "SETPROCTITLE":
        build("", feature + ".o", *flags(), "-D" + feature, "-c",
              "bench/feature.c")

    def objects(*names):
        return [os.path.join(BUILD, name + ".o") for name in names]

    sealed = objects("tarpit", "hold", "log", "seal", "send")
    static = [
        build("default", "default", *ld, "-static", *sealed),
        build("  unsealed", "unsealed", *ld, "-static",
              *objects("tarpit", "hold", "log", "noseal", "send")),
        build("  with arc4random", "arc4random", *ld, "-static", *sealed,
              *objects("ARC4RANDOM"), "-lbsd", "-lmd"),
        # libbsd's constructor must run before that of the feature.
        build("  with setproctitle", "setproctitle", *ld, "-static",
              "-Wl,-u,libbsd_init_func", "-lbsd-ctor", *sealed,
              *objects("SETPROCTITLE"), "-lbsd"),
        build("  no stack protector", "no-protector", *ld, "-static",
              *flags(), "-fno-stack-protector", *SOURCES),
        build("  no FORTIFY", "no-fortify", *ld, "-static", *flags(),
              "-U_FORTIFY_SOURCE", *SOURCES),
        build("  no RELRO", "no-relro", *ld, "-static", "-Wl,-z,norelro",
              *sealed),
        build("  static-pie", "static-pie", *ld, *flags(), "-fPIE",
              "-static-pie", *SOURCES),
    ]
    return [*static, build("dynamic", "dynamic", *ld, *sealed)]


def find_exim():
    """Exim, as a super-server would run it: -bw takes the listening socket
    from standard input.  Its user is made in the /etc of the sandbox.
    """
    exim = shutil.which("exim4", path=ENVIRONMENT["PATH"])
    if exim is None or os.environ.get("TARPIT_SANDBOX") != "inside":
        print("bench: no Exim, which is not installed in the sandbox")
        return []
    try:
        user = pwd.getpwnam(EXIM_USER)
    except KeyError:
        for file, line in ("passwd", "%s:x:61011:61011::/:/bin/false\n"), (
                "group", "%s:x:61011:\n"):
            with open("/etc/" + file, "a") as accounts:
                accounts.write(line % EXIM_USER)
        user = pwd.getpwnam(EXIM_USER)
    directory = "/run/exim-bench"
    os.mkdir(directory)
    os.chown(directory, user.pw_uid, user.pw_gid)
    config = os.path.join(directory, "config")
    with open(config, "w") as file:
        file.write(EXIM_CONFIG % {"directory": directory})
    return [Server("an Exim process each", exim, "-C", config, "-bw")]


# Making N connections, both sides.

def client_process(pipe):
    """Hold the client ends, and obey the orders in the pipe."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    clients = []
    while True:
        order, argument = pipe.recv()
        answer = None
        if order == "connect":
            clients = [socket.create_connection(argument)
                       for _ in range(CONNECTIONS)]
        elif order == "talk":
            for client in clients:
                client.recv(512)
                client.sendall(COMMAND)
        elif order == "drain":
            answer = sum(map(drain, clients))
        elif order == "close":
            for client in clients:
                reset(client)
            clients = []
        pipe.send(answer)


def drain(client):
    try:
        return len(client.recv(65536, socket.MSG_DONTWAIT))
    except BlockingIOError:
        return 0


def reset(client):
    """Close without TIME_WAIT, so that no socket outlives its round."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
    client.close()


class Clients:
    def __init__(self):
        self.pipe, other = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("fork").Process(
            target=client_process, args=(other,), daemon=True)
        self.process.start()
        other.close()

    def order(self, order, argument=None):
        self.pipe.send((order, argument))
        if not self.pipe.poll(SECONDS_MAX):
            sys.exit("bench: the clients hang at: " + order)
        return self.pipe.recv()


def start(command, server):
    """Start a process; subprocess would keep an object and a pipe for each."""
    return os.posix_spawn(command[0], command, ENVIRONMENT, file_actions=[
        (os.POSIX_SPAWN_DUP2, server.fileno(), 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])


def stop(pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        os.waitpid(pid, 0)


def listen():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(CONNECTIONS)
    return listener


@contextlib.contextmanager
def crowd(clients, row, shortest, longest):
    """Have the row's program hold all CONNECTIONS, at intervals from shortest
    to longest, so that they are out of step; yields the processes.
    """
    with listen() as listener:
        clients.order("connect", listener.getsockname())
        pids = []
        try:
            for i in range(CONNECTIONS):
                msec = shortest + (longest - shortest) * i // CONNECTIONS
                with listener.accept()[0] as server:
                    pids.append(start(row.command(msec), server))
            clients.order("talk")
            yield pids
        finally:
            stop(pids)
            clients.order("close")


@contextlib.contextmanager
def pairs(row, msec, count, prefix=()):
    """Make a few connections; yields the clients and the processes."""
    ends, pids = [], []
    with listen() as listener:
        try:
            for _ in range(count):
                ends.append(socket.create_connection(listener.getsockname()))
                ends[-1].settimeout(SECONDS_MAX)
                with listener.accept()[0] as server:
                    pids.append(start([*prefix, *row.command(msec)], server))
            for end in ends:
                end.recv(512)
            yield ends, pids
        finally:
            stop(pids)
            for end in ends:
                reset(end)


def verdict(missed):
    """Print which bars have been missed; returns an exit status."""
    for line in missed:
        print("MISSED: " + line)
    if not missed:
        print("All bars are met.")
    return 1 if missed else 0


def wait_for(condition):
    end = time.monotonic() + SECONDS_MAX
    while not condition():
        if time.monotonic() > end:
            sys.exit("bench: nothing happens")
        time.sleep(0.05)


# Asking the kernel.

def read(path):
    with open(path) as file:
        return file.read()


def field(pid, file, key):
    return int(re.search(r"^%s:\s*(\d+)" % key, read("/proc/%d/%s" % (
        pid, file)), re.MULTILINE)[1])


def cpu_usec(pid):
    return int(read("/proc/%d/schedstat" % pid).split()[0]) / 1000


def settled_cpu(pids):
    """The processes' CPU time, once all sleep and the time does not grow."""
    last = -1
    while True:
        time.sleep(0.002 + len(pids) * 0.0002)
        now = sum(map(cpu_usec, pids))
        if now == last:
            return now
        last = now


def machine():
    """Kilobytes in use by kind, once the kernel has dropped its caches."""
    with open("/proc/sys/vm/drop_caches", "w") as control:
        control.write("2")
    time.sleep(0.3)         # freed sockets and processes wait for RCU
    for shrink in glob.glob("/sys/kernel/slab/*/shrink"):
        with contextlib.suppress(OSError), open(shrink, "w") as control:
            control.write("1")
    read("/proc/sys/vm/stat_refresh")
    info = {key: int(kb) for key, kb in re.findall(
        r"^(\w+)\S*:\s+(\d+)", read("/proc/meminfo"), re.MULTILINE)}
    slabs, used = slab_kb()
    # MemFree leaves out free pages that a processor keeps at hand.
    free = info["MemFree"] + PAGE // 1024 * sum(map(int, re.findall(
        r"^\s+count:\s+(\d+)", read("/proc/zoneinfo"), re.MULTILINE)))
    named = sum(info.get(key, 0) for key in (
        "AnonPages", "Cached", "SwapCached", "Buffers", "Slab", "PageTables",
        "SecPageTables", "VmallocUsed", "Percpu"))
    return {
        "threads": int(read("/proc/loadavg").split()[3].split("/")[1]),
        "page tables": info["PageTables"],
        "kernel stack": info["KernelStack"],
        # Slab also counts objects that are too large for a slab.
        "slab": used + info["Slab"] - slabs,
        "seal": info["VmallocUsed"] - info["KernelStack"],
        "send page": info["MemTotal"] - free - named,
    }


def slab_kb():
    """All slabs, and the share of them that is in use."""
    slabs = used = 0
    for line in read("/proc/slabinfo").splitlines()[2:]:
        word = line.split()
        active, _, _, per_slab, pages = map(int, word[1:6])
        slabs += int(word[14]) * pages * PAGE / 1024
        if not word[0].startswith(FILE_CACHES):
            used += active / per_slab * pages * PAGE / 1024
    return slabs, used


# Measuring.

def measure_socket(clients):
    """Measure one end of a connection, without any process."""
    before = machine()
    with listen() as listener, many_files():
        clients.order("connect", listener.getsockname())
        ends = [listener.accept()[0] for _ in range(CONNECTIONS)]
        after = machine()
        clients.order("close")
        for end in ends:
            end.close()
    return per_connection(before, after, 0)


def per_connection(before, after, started):
    """The cost of a connection; None if other programs on this machine have
    started or ended meanwhile.
    """
    if abs(after["threads"] - before["threads"] - started) > STRAYS_MAX:
        return None
    return {kind: (after[kind] - before[kind]) / CONNECTIONS
            for kind in before if kind != "threads"}


@contextlib.contextmanager
def many_files():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def measure_memory(clients, row):
    """One round: a held connection by kind, with both sockets in slab."""
    with row.crowd(clients) as (servers, fill):
        own = dirty_kb(servers)
        before = machine()
        processes, sleepers = fill()
        settled_cpu(sleepers)
        after = machine()
        dirty = (dirty_kb(processes) - own) / CONNECTIONS
    memory = per_connection(before, after, CONNECTIONS)
    if memory is not None:
        memory["private dirty"] = dirty
    return memory


def dirty_kb(pids):
    return sum(field(pid, "smaps_rollup", "Private_Dirty") for pid in pids)


def undisturbed(measure, *args):
    for _ in range(TRIES):
        memory = measure(*args)
        if memory is not None:
            return memory
        time.sleep(0.5)
    sys.exit("bench: other programs come and go on this machine; try later")


def measure_all_memory(clients, rows):
    """Measure all rows in each of several rounds, and take the median of each
    kind.  Returns the floor's totals in all rounds.
    """
    measure_memory(clients, rows[1])    # to fill caches that stay full
    sockets, rounds = [], {row: [] for row in rows}
    for _ in range(ROUNDS):
        both = undisturbed(measure_socket, clients)
        sockets.append(sum(both.values()) / 2)
        for row in rows:
            rounds[row].append(undisturbed(measure_memory, clients, row))
    socket_kb = statistics.median(sockets)
    for row in rows:
        for kind in rounds[row][0]:
            row.memory[kind] = statistics.median(
                memory[kind] for memory in rounds[row])
        row.memory["slab"] -= 2 * socket_kb
        row.memory["socket"] = socket_kb
    return [sum(memory.values()) - socket_kb for memory in rounds[rows[0]]]


def measure_starts(rows):
    starts = {row: [] for row in rows}
    for _ in range(STARTS):
        for row in rows:
            starts[row].append(row.measure_start())
    for row in rows:
        row.cpu["start"], row.cpu["helo"] = map(
            statistics.median, zip(*starts[row]))


def measure_bytes(clients, row):
    """CPU and wakeups for a byte, as in life: many processes, cold caches."""
    with crowd(clients, row, *CROWD_INTERVALS) as pids:
        # Wait for the code at the start of the line, which is one piece.
        time.sleep(1 + 1.2 * CROWD_INTERVALS[1] / 1000)
        clients.order("drain")
        usec = sum(map(cpu_usec, pids))
        woken = sum(map(wakeups, pids))
        time.sleep(CROWD_SECONDS)
        count = clients.order("drain")
        row.cpu["byte"] = (sum(map(cpu_usec, pids)) - usec) / count
        row.cpu["wakeups"] = (sum(map(wakeups, pids)) - woken) / count


def wakeups(pid):
    return field(pid, "status", "voluntary_ctxt_switches")


def measure_wire(row):
    """Bytes of IP, and packets, for a byte of the reply."""
    with pairs(row, WIRE_INTERVAL, WIRE_CONNECTIONS) as (clients, _):
        for client in clients:
            client.sendall(COMMAND)
        time.sleep(1)
        sum(map(drain, clients))
        before = loopback()
        time.sleep(WIRE_SECONDS)
        after = loopback()
        count = sum(map(drain, clients))
    return [(b - a) / count for a, b in zip(before, after)]


def loopback():
    line = re.search(r"lo:\s*(\d+)\s+(\d+)", read("/proc/net/dev"))
    return int(line[1]), int(line[2])


def measure_growth(row):
    """Kilobytes that a process gains between its 5th and its last byte, for
    the worst of several; and how many system calls each byte takes.
    """
    with pairs(row, 10, GROWTH_CONNECTIONS) as (clients, pids):
        for client in clients:
            client.sendall(COMMAND)
        wait_for(lambda: all(queued(c) >= 5 for c in clients))
        before = list(map(own_kb, pids))
        calls = measure_calls(row)
        wait_for(lambda: all(queued(c) >= GROWTH_BYTES for c in clients))
        after = list(map(own_kb, pids))
    return max(b - a for a, b in zip(before, after)), calls


def queued(client):
    try:
        return len(client.recv(65536, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return 0


def own_kb(pid):
    return (field(pid, "smaps_rollup", "Private_Dirty") +
            field(pid, "status", "VmPTE"))


def measure_calls(row):
    """System calls from one byte of the reply to the next."""
    if shutil.which("strace") is None:
        return None
    trace = os.path.join(BUILD, "strace")
    with pairs(row, 10, 1, ["/usr/bin/env", "strace", "-qq", "-o", trace]
               ) as (clients, _):
        clients[0].sendall(COMMAND)
        wait_for(lambda: queued(clients[0]) > 100)
        lines = read(trace).splitlines()
    sent = [i for i, line in enumerate(lines)
            if re.match(r'(sendto|write|sendfile)\(0, .*, 1(, .*)?\) += 1$',
                        line)]
    return (sent[-1] - sent[0]) / (len(sent) - 1)


# Reporting.

def print_memory(rows, floor_totals):
    floor = rows[0]
    print("\nKB of memory per held connection (%d held, median of %d rounds; "
          "the client's end left out)\n" % (CONNECTIONS, ROUNDS))
    print("%-22s" % "" + "".join("%9s" % word for word in (
        "private", "page", "kernel", "", "", "send", "", "", "")))
    print("%-22s" % "" + "".join("%9s" % word for word in (
        "dirty", "tables", "stack", "slab", "seal", "page", "socket", "total",
        "x floor")))
    for row in rows:
        print("%-22s" % row.name + "".join(
            "%9.1f" % (round(row.memory[kind], 1) + 0.0) for kind in MEMORY) +
            "%9.1f%9.2f" % (row.total, row.total / floor.total))
    print("\nThe floor's total, round by round: %s." % " ".join(
        "%.1f" % total for total in floor_totals))
    print("Without the send page: " + ", ".join(
        "%s %.2f x the floor" % (row.name, unsent(row) / unsent(floor))
        for row in rows if row.name in ("small", "default")) + ".")


def unsent(row):
    return row.total - row.memory["send page"]


def print_cpu(rows):
    floor = rows[0]
    print("\nMicroseconds of CPU (median of %d starts; byte: mean, %d held)\n"
          % (STARTS, CONNECTIONS))
    print("%-22s" % "" + "".join("%16s" % word for word in (
        "start, greeting", "HELO to stall", "a byte", "wakeups a byte")))
    for row in rows:
        print("%-22s" % row.name + "".join(
            "%9.0f %5.1fx" % (row.cpu[key], row.cpu[key] / floor.cpu[key])
            if key in row.cpu else "%16s" % "" for key in (
                "start", "helo", "byte")) +
            ("%16.2f" % row.cpu["wakeups"] if "byte" in row.cpu else ""))


def print_seal(row, unsealed):
    print("\nThe seal of %s: %.1f KB and %.0f microseconds." % (
        row.name, row.total - unsealed.total,
        row.cpu["helo"] - unsealed.cpu["helo"]))


def print_hour(row, nbytes, packets, calls):
    print("\nAn hour held by %s (%d bytes at 4 s): %.0f ms of CPU, %.0f "
          "wakeups," % (row.name, HOUR_BYTES,
                        HOUR_BYTES * row.cpu["byte"] / 1000,
                        HOUR_BYTES * row.cpu["wakeups"]))
    if calls is not None:
        print("%.0f system calls (%.1f a byte)," % (HOUR_BYTES * calls, calls))
    print("%.0f packets and %.0f KB of IP (%.1f bytes and %.2f packets a "
          "byte, ACK included)." % (
              HOUR_BYTES * packets, HOUR_BYTES * nbytes / 1024, nbytes,
              packets))


def print_vps(row):
    for name, memory, system in VPS:
        print("A VPS of %s, %d MB of it for the system: %d connections held "
              "by %s." % (name, system,
                          (memory - system) * 1024 // row.total, row.name))


def missed_bars(floor, sending, row, unsealed, growth, calls):
    """The bars for every build of tarpit that the row has missed."""
    own = row.memory["private dirty"] + row.memory["page tables"]
    ratio = SMALL_RATIO_MAX if row.name == "small" else RATIO_MAX
    for what, measured, most in (
            ("memory, x the floor", row.total / floor.total, ratio),
            ("KB of private dirty and page tables", own, OWN_KB_MAX),
            ("KB that a hold grows by", growth, 0),
            ("wakeups a byte", row.cpu["wakeups"], WAKEUPS_MAX),
            ("system calls a byte", calls or 0, CALLS_MAX),
            ("KB of the seal", row.total - unsealed.total, SEAL_KB_MAX),
            ("CPU of the seal, x the floor's start",
             (row.cpu["helo"] - unsealed.cpu["helo"]) / floor.cpu["start"],
             SEAL_RATIO_MAX)):
        if measured > most:
            yield "%s: %s: %.2f, over %g" % (row.name, what, measured, most)
    if row.name == "small":
        yield from missed_bars_of_small(floor, sending, row)


def missed_bars_of_small(floor, sending, row):
    for what, measured, most in (
            ("CPU of the start, x the floor with sendfile",
             row.cpu["start"] / sending.cpu["start"], SMALL_START_MAX),
            ("CPU of a byte, x the floor",
             row.cpu["byte"] / floor.cpu["byte"], BYTE_RATIO_MAX),
            ("memory, x the floor with sendfile",
             row.total / sending.total, SMALL_SENDING_RATIO_MAX)):
        if measured > most:
            yield "small: %s: %.2f, over %g" % (what, measured, most)


def main():
    if not os.access("/proc/slabinfo", os.R_OK):
        sys.exit("bench: needs root, to read the kernel's memory")
    # Descriptors that a shell left open would enlarge every table.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    clients = Clients()
    rows = build_rows()
    floor = rows[0]
    floor_totals = measure_all_memory(clients, rows)
    measure_starts(rows)
    for row in rows:
        if row.name in IN_A_CROWD:
            measure_bytes(clients, row)
    print_memory(rows, floor_totals)
    print_cpu(rows)
    missed = []
    for row, unsealed in zip(rows, rows[1:]):
        if row.name in ("small", "default"):
            growth, calls = measure_growth(row)
            print_seal(row, unsealed)
            print_hour(row, *measure_wire(row), calls)
            print("Growth of a hold from byte 5 to byte %d: %d KB." % (
                GROWTH_BYTES, growth))
            print_vps(row)
            missed += missed_bars(floor, rows[1], row, unsealed, growth, calls)
    print("What the super-server itself needs is not counted.\n")
    return verdict(missed)


if __name__ == "__main__":
    sys.exit(main())
