# SPDX-License-Identifier: GPL-2.0-or-later
"""Real super-servers, and what they say of each process that they started:
for whom it was started, and how it ended.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile

from tests.lib import TOP
from tests.lib.files import install, read
from tests.lib.net import listens
from tests.lib.process import LIMIT, is_ready, kill, running, wait_for
from tests.lib.tarpit import NAME, TARPIT

UNITS = os.path.join(TOP, "units")
PROGRAM = "/usr/local/libexec/tarpit"
USER = 65534
MANY = 100000

XINETD = """
service tarpit
{{
	type = UNLISTED
	port = {port}
	socket_type = stream
	protocol = tcp
	wait = no
	flags = IPv6 NOLIBWRAP NORETRY
	user = nobody
	server = {program}
	server_args = {args}
	log_type = FILE {log}
	log_on_success = PID HOST EXIT
	log_on_failure =
	instances = UNLIMITED
	per_source = UNLIMITED
	cps = 0 10
}}
"""


def put(name, path, *edits, mode=0o644):
    """A file from units/ in its place, as make install would put it there, but
    for the edits.
    """
    text = read(os.path.join(UNITS, name))
    for old, new in edits:
        if old not in text:
            raise AssertionError("%s has no %r" % (name, old))
        text = text.replace(old, new)
    install(path, text, mode)
    return path


class Foreground:
    """A super-server in the foreground, from its start to its last tarpit.

    ready: says whether it listens.
    program: the file that its tarpits run.
    """

    def __init__(self, command, ready, output=subprocess.DEVNULL,
                 program=PROGRAM, **popen):
        self.program = program
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            **popen)
        if not wait_for(ready):
            self.process.kill()
            self.process.wait()
            raise AssertionError("%s does not listen" % command[0])

    def live(self):
        """Process ids of its tarpits."""
        return running(self.program)

    def stop(self):
        """As the manual says: first the super-server, then the holds."""
        server = os.readlink("/proc/%d/exe" % self.process.pid)
        self.process.terminate()
        self.process.wait(LIMIT)
        told = set()

        def over():
            self.idle()
            for pid in filter(is_ready, set(self.live()) - told):
                told.add(pid)
                kill(pid, signal.SIGTERM)
            # Its last child becomes a tarpit a moment after the fork(2).
            return not self.live() and not running(server)

        if not wait_for(over):
            raise AssertionError("tarpits that SIGTERM does not end")

    def idle(self):
        """What else is to be done while its tarpits end."""


class Started:
    """One process, as its super-server saw it."""

    def __init__(self, pid, address):
        self.pid = pid
        self.address = address
        self.status = None      # or minus the signal that ended it


class Super(Foreground):
    """A super-server that notes what it starts: .all has each Started."""

    def __init__(self, port, *args):
        self.port = port
        self.args = ["-n", NAME, *args]
        self.log = tempfile.NamedTemporaryFile("w+")
        self.all = []
        self.by_pid = {}
        self.read = 0
        super().__init__(self.command(), self.listens, self.log,
                         env={"PATH": os.environ["PATH"]})

    def listens(self):
        return listens(self.port)

    def close(self):
        """Leaves alone what it has started."""
        self.process.terminate()
        self.process.wait(LIMIT)
        self.log.close()

    def note(self):
        """Learn from what it has said since the last time."""
        with open(self.log.name) as log:
            log.seek(self.read)
            while True:
                line = log.readline()
                if not line.endswith("\n"):
                    break
                self.read = log.tell()
                self.learn(line)

    def learn(self, line):
        for pattern, what in self.SAYS:
            match = re.search(pattern, line)
            if match is not None:
                what(self, **match.groupdict())

    def start(self, pid, address):
        if address.startswith("::ffff:"):
            address = address[len("::ffff:"):]
        self.by_pid[int(pid)] = Started(int(pid), address)
        self.all.append(self.by_pid[int(pid)])

    def exit(self, pid, status):
        self.by_pid[int(pid)].status = int(status)

    def end(self, pid, signo):
        self.by_pid[int(pid)].status = -int(signo)


class Tcpserver(Super):
    """IPv4."""

    def command(self):
        return ["tcpserver", "-vDHR", "-l", "0", "-b", "1024", "-c",
                str(MANY), "-u", str(USER), "-g", str(USER), "0",
                str(self.port), PROGRAM, *self.args]

    def wait_status(self, pid, status):
        self.by_pid[int(pid)].status = os.waitstatus_to_exitcode(int(status))

    SAYS = ((r"pid (?P<pid>\d+) from (?P<address>\S+)$", Super.start),
            (r"end (?P<pid>\d+) status (?P<status>\d+)$", wait_status))


class Xinetd(Super):
    """IPv6, and IPv4 in its mapped form."""

    def command(self):
        self.config = tempfile.NamedTemporaryFile("w+")
        self.config.write(XINETD.format(
            port=self.port, program=PROGRAM, args=" ".join(self.args),
            log=self.log.name))
        self.config.flush()
        return ["xinetd", "-dontfork", "-filelog", "/run/xinetd.log", "-f",
                self.config.name]

    def listens(self):
        return os.path.exists("/run/xinetd.log") and super().listens()

    SAYS = ((r"START: \S+ pid=(?P<pid>\d+) from=(?P<address>\S+)$",
             Super.start),
            (r"EXIT: \S+ status=(?P<status>\d+) pid=(?P<pid>\d+)", Super.exit),
            (r"EXIT: \S+ signal=(?P<signo>\d+) pid=(?P<pid>\d+)", Super.end))


def install_program():
    os.makedirs(os.path.dirname(PROGRAM), exist_ok=True)
    shutil.copy(TARPIT, PROGRAM)


def live():
    """Process ids of all tarpits that run PROGRAM."""
    return running(PROGRAM)
