# SPDX-License-Identifier: GPL-2.0-or-later
"""How long each client is held, and what a hold costs either side.

usage: bench/bench-hold [held | tried | price] ...

held    how long this tarpit and other ways to stall hold each client, in
        multiples of its own limit; exit status 1 if another way holds longer
tried   how long other ideas hold clients with one deadline for a reply
price   what a hold costs its operator, and the client

All three by default.  The tables are Markdown on standard output.

Time is compressed.  A client gets a limit of some seconds here in place of its
default, or of what programs set if it has none, and whatever stalls the client
is faster by the same factor.  A client that waits 300 s in life and 3 s here
gets a byte every 40 ms, or a line every 100 ms.  If the limit of a client
cannot be set, libfaketime makes its clock run faster.

A client is let go after HOLD_MAX times its limit: "> 9".  tarpit runs with a
cap that no client reaches.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import time

from bench import bench, stallers
from tests.lib import mailers
from tests.lib.process import run, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
HOLD_MAX = float(os.environ.get("HOLD_MAX", 9))
TRIED_MAX = 4               # every hold with an end is shorter
MARGIN = 0.2                # s: a tarpit starts its clock a little later
EQUAL = 0.1                 # differences up to this are chance
CONNECT_SECONDS = 30
START_SECONDS = 0.05        # between the starts of two clients
SENDER = "alice@sender.example"
RECIPIENT = "bob@recipient.example"
CLIENTS = os.path.join(HERE, "clients")
GO = "/run/go-client"
FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"

PRICE_LIMIT = 60            # s: no client leaves before the end
PRICE_INTERVAL = 0.1        # s, between two bytes
PRICE_SECONDS = 15
THREADS = 100
CROWDS = 1, 25, 1000, 3000  # 25 was the mean of the tarpit of 2006

HELD = {
    "tarpit": stallers.tarpit,
    "silence after HELO": stallers.silence,
    "no greeting": stallers.no_greeting,
    "220- and a pause": stallers.teaser,
    "a line every 10 s": stallers.lines,
}
TRIED = {
    "tarpit": stallers.tarpit,
    "greeting takes 20 s": stallers.slow_greeting(20),
    "greeting takes 110 s": stallers.slow_greeting(110),
    "EHLO refused after 25 s": stallers.refuse_ehlo(25),
    "after 110 s": stallers.refuse_ehlo(110),
    "after 290 s": stallers.refuse_ehlo(290),
}

READ = "each read"
REPLY = "each reply"


class Client:
    """A client: limit in seconds of life, ours in seconds here, and what the
    limit is for.
    """

    def __init__(self, name, limit, ours, what):
        self.name = name
        self.limit = limit
        self.ours = ours
        self.what = what

    @property
    def scale(self):
        return self.ours / self.limit

    def __str__(self):
        if self.what is None:
            return "%s | none; counted as %d s" % (self.name, self.limit)
        return "%s | %d s, %s" % (self.name, self.limit, self.what)


class Program(Client):
    """A client that is started for each hold, with HOST and SECONDS set."""

    def __init__(self, name, limit, ours, what, command, need=None):
        super().__init__(name, limit, ours, what)
        self.command = command
        self.need = need
        self.processes = []

    def prepare(self):
        """False when it is not installed."""
        return bool(shutil.which(self.command[0]) and (
            self.need is None or glob.glob(self.need)))

    def start(self, hold):
        seconds = 0 if self.what is None else self.ours
        self.processes.append(subprocess.Popen(
            [word.replace("HOST", hold.address).replace(
                "SECONDS", "%g" % seconds) for word in self.command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, NODE_PATH="/usr/share/nodejs")))

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()


class Server(Client):
    """A server that is started once, and gets a message for each hold."""

    def __init__(self, name, limit, ours, what, start, need):
        super().__init__(name, limit, ours, what)
        self.start_server = start
        self.need = need
        self.server = None

    def prepare(self):
        """False when it is not installed."""
        if not (shutil.which(self.need) and shutil.which("dnsmasq")):
            return False
        self.server = self.start_server()
        return True

    def start(self, hold):
        self.server.submit(SENDER, "bob@" + hold.domain)

    def close(self):
        if self.server is not None:
            self.server.stop()


def script(program, name):
    return [program, os.path.join(CLIENTS, name), "HOST", "SECONDS"]


def postfix(seconds=3):
    return Server("Postfix", 300, seconds, READ,
                  lambda: mailers.Postfix(timeout=seconds), "postqueue")


# Exim counts in whole seconds: the longer its limit, the smaller the error.
def exim(seconds=20):
    return Server("Exim", 300, seconds, REPLY,
                  lambda: mailers.Exim(timeout=seconds), "exim4")


def smtplib(limit=30, seconds=3):
    return Program("Python smtplib", limit, seconds, READ,
                   script(sys.executable, "python.py"))


def clients():
    return [
        postfix(),
        Server("OpenSMTPD", 300, 3, READ,
               lambda: mailers.OpenSmtpd(speed=100), "smtpctl"),
        exim(),
        Program("nodemailer", 600, 6, READ, script("node", "nodemailer.js"),
                "/usr/share/nodejs/nodemailer"),
        Program("PHPMailer", 300, 6, "each read and reply",
                script("php.default", "phpmailer.php")),
        Program("Perl Net::SMTP", 120, 3, READ, script("perl", "perl.pl")),
        Program("curl", 120, 3, REPLY,
                ["env", "LD_PRELOAD=/usr/$LIB/faketime/libfaketime.so.1",
                 "FAKETIME=+0 x40", "curl", "smtp://HOST/client.example",
                 "-T", "/dev/null", "--mail-from", SENDER, "--mail-rcpt",
                 RECIPIENT], FAKETIME),
        Program("msmtp", 60, 3, READ,
                ["msmtp", "--file=/dev/null", "--host=HOST", "--port=25",
                 "--timeout=SECONDS", "--from=" + SENDER, RECIPIENT]),
        Program("swaks", 30, 3, REPLY,
                ["swaks", "--server", "HOST", "--timeout", "SECONDS",
                 "--from", SENDER, "--to", RECIPIENT]),
        smtplib(),
        smtplib(5, 5),
        Program("Go net/smtp", 30, 3, "the session", [GO, "HOST", "SECONDS"]),
        Program("Go net/smtp", 300, 3, None, [GO, "HOST", "SECONDS"]),
    ]


class Hold:
    """A client, held in one way, at an address of its own."""

    count = 0

    def __init__(self, client, way, longest):
        Hold.count += 1
        self.client = client
        self.way = way
        self.longest = longest
        self.domain = "way%d.example" % Hold.count
        self.host = "mx." + self.domain
        self.address = "198.51.%d.%d" % (100 + Hold.count // 200,
                                         1 + Hold.count % 200)
        self.staller = None
        self.times = None       # multiples of the client's limit, at the end

    def start(self):
        self.staller = stallers.Staller(self.address, self.way,
                                        self.client.scale)
        self.client.start(self)
        self.started = time.monotonic()

    @property
    def call(self):
        """The client's first connection; a server may connect again later."""
        return self.staller.calls[0] if self.staller.calls else None

    def over(self):
        """Whether the hold is over, or has lasted long enough."""
        if self.call is None:
            return time.monotonic() > self.started + CONNECT_SECONDS
        return (self.call.left is not None or self.call.held >
                self.longest * self.client.ours + MARGIN)

    def end(self):
        """Let the client go, and only then note how long the hold was: the
        tarpit may not yet have noticed that the client left, but knows when.
        """
        self.staller.close()
        if self.call is not None:
            self.times = min(self.longest, self.call.held / self.client.ours)

    def __str__(self):
        if self.times is None:
            return "did not come"
        if self.times == self.longest:
            return "> %g" % self.longest
        return "%.1f" % self.times


class Holds:
    """Hold every installed client in every way, all at once."""

    def __init__(self, rows, ways, longest):
        self.rows = rows
        self.held = {row: {name: Hold(row, way, longest)
                           for name, way in ways.items()} for row in rows}
        self.ready = []
        self.dns = None
        if shutil.which("dnsmasq"):
            self.dns = mailers.Dns(
                {hold.domain: [(10, hold.host)] for hold in self.all()},
                {hold.host: [hold.address] for hold in self.all()})
        else:
            for address in mailers.ADDRESS, *[
                    hold.address for hold in self.all()]:
                mailers.add_address(address)

    def all(self):
        return [hold for held in self.held.values() for hold in held.values()]

    def __enter__(self):
        for row in self.rows:
            if row.prepare():
                self.ready.append(row)
            else:
                del self.held[row]
        for hold in self.all():
            hold.start()
            time.sleep(START_SECONDS)
        return self

    def __exit__(self, *exc):
        for hold in self.all():
            if hold.staller is not None:
                hold.staller.close()
        for row in self.ready:
            row.close()
        if self.dns:
            self.dns.stop()

    def wait(self):
        running = self.all()
        while running:
            time.sleep(0.05)
            for hold in [hold for hold in running if hold.over()]:
                hold.end()
                running.remove(hold)


def print_table(rows, ways, longest):
    """Print a table; returns the rows in which any way beat the first."""
    with Holds(rows, ways, longest) as holds:
        holds.wait()
    print("| client | its limit | " + " | ".join(ways) + " |")
    print("|---|---|" + "---|" * len(ways))
    beaten = []
    for row in rows:
        held = list(holds.held.get(row, {}).values())
        print("| %s | %s |" % (row, " | ".join(map(str, held)) or
                               "not installed" + " |" * (len(ways) - 1)))
        if held and max(hold.times or 0 for hold in held) > (
                held[0].times or 0) + EQUAL:
            beaten.append(row)
    print(flush=True)
    return beaten


def print_held():
    beaten = print_table(clients(), HELD, HOLD_MAX)
    for row in beaten:
        print("hold: another way holds longer: %s" % row, file=sys.stderr)
    return not beaten


def print_tried():
    print_table(clients(), TRIED, TRIED_MAX)
    return True


# What a hold costs.

class Cost:
    """What one end of a hold costs its process: memory of its own, and CPU by
    the hour.  The process may have the ends of other holds as well.
    """

    def __init__(self, name, pid, holds=1):
        self.name = name
        self.pid = pid
        self.holds = holds
        self.usec = self.cpu()
        self.since = time.monotonic()

    def cpu(self):
        """CPU of all threads of the process, in us."""
        return sum(bench.cpu_usec(int(thread)) for thread in
                   os.listdir("/proc/%d/task" % self.pid))

    def measure(self):
        nbytes = (time.monotonic() - self.since) / PRICE_INTERVAL
        usec = (self.cpu() - self.usec) / nbytes / self.holds
        self.hour_ms = usec * bench.HOUR_BYTES / 1000
        self.kb = bench.own_kb(self.pid) / self.holds


def client_pid(hold):
    """The id of the process at the client's end."""
    peer = "%s:%d" % hold.call.connection.getpeername()
    found = re.search(r"pid=(\d+)", run("ss", "-Htnp", "src", peer))
    return int(found[1])


def measure_clients():
    threads = smtplib(seconds=PRICE_LIMIT)
    threads.name += ", %d threads" % THREADS
    threads.command.append(str(THREADS))
    rows = [smtplib(seconds=PRICE_LIMIT), threads, postfix(PRICE_LIMIT),
            exim(PRICE_LIMIT)]
    for row in rows:
        row.limit = PRICE_LIMIT / PRICE_INTERVAL * stallers.BYTE_SECONDS
    with Holds(rows, {"tarpit": stallers.tarpit}, HOLD_MAX) as holds:
        held = holds.all()
        wait_for(lambda: all(
            hold.call and hold.call.process for hold in held))
        time.sleep(5)
        costs = [Cost("tarpit", held[0].call.process.pid)]
        costs += [Cost(hold.client.name, client_pid(hold),
                       len(hold.staller.calls)) for hold in held]
        time.sleep(PRICE_SECONDS)
        for cost in costs:
            cost.measure()
    return costs


def print_price():
    operator = measure_operator()
    print("| one hold in | its own memory, KB | CPU, ms an hour |")
    print("|---|---|---|")
    for cost in measure_clients():
        print("| %s | %.0f | %.0f |" % (cost.name, cost.kb, cost.hour_ms))
    print("\n| held at once | memory, MB | CPU, ms an hour | % of one core | "
          "MB an hour | kbit/s | GB a month |")
    print("|---|---|---|---|---|---|---|")
    for count in CROWDS:
        memory, cpu, wire = (count * part for part in operator)
        print("| %d | %s |" % (count, " | ".join(map(figure, (
            memory / 1024, cpu, cpu / 36000, wire / 1024,
            wire * 8.192 / 3600, wire * 1024 * 730 / 1e9)))))
    print(flush=True)
    return True


def figure(number):
    return "%.0f" % number if number >= 10 else "%.2g" % number


def measure_operator():
    """KB of memory for a hold, ms of CPU and KB of traffic for an hour of it,
    as in "make bench", but in one round and only for the default build.
    """
    peers = bench.Clients()
    row = bench.Row("tarpit", stallers.TARPIT)
    bench.measure_memory(peers, row)    # to fill caches that stay full
    socket_kb = sum(bench.undisturbed(
        bench.measure_socket, peers).values()) / 2
    memory = bench.undisturbed(bench.measure_memory, peers, row)
    bench.measure_bytes(peers, row)
    nbytes, _ = bench.measure_wire(row)
    return (sum(memory.values()) - socket_kb,
            bench.HOUR_BYTES * row.cpu["byte"] / 1000,
            bench.HOUR_BYTES * nbytes / 1024)


def build_go():
    if shutil.which("gccgo"):
        subprocess.run(["gccgo", "-o", GO, os.path.join(CLIENTS, "go.go")],
                       check=True)


def main():
    # "price" comes first: it forks, and the other parts start threads.
    parts = {"price": print_price, "held": print_held, "tried": print_tried}
    wanted = sys.argv[1:] or parts
    if not set(wanted) <= set(parts):
        sys.exit("usage: hold [%s] ..." % " | ".join(parts))
    build_go()
    good = [parts[part]() for part in parts if part in wanted]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
