# SPDX-License-Identifier: GPL-2.0-or-later
"""Real super-servers, and what they say of each process that they started:
for whom, and how it ended.
"""

import os
import re
import shutil
import subprocess
import tempfile


from tests.lib.net import listens
from tests.lib.process import running, wait_for
from tests.lib.tarpit import NAME, TARPIT

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


class Started:
    """One process, as its super-server saw it."""

    def __init__(self, pid, address):
        self.pid = pid
        self.address = address
        self.status = None      # or minus the signal that ended it


class Super:
    """A super-server in the foreground.  .all has each Started."""

    def __init__(self, port, *args):
        self.port = port
        self.args = ["-n", NAME, *args]
        self.log = tempfile.NamedTemporaryFile("w+")
        self.all = []
        self.by_pid = {}
        self.read = 0
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, env={"PATH": os.environ["PATH"]})
        if not wait_for(self.listens):
            raise AssertionError("%s does not listen" % self.process.args[0])

    def listens(self):
        return listens(self.port)

    def close(self):
        self.process.terminate()
        self.process.wait(300)
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


def install():
    os.makedirs(os.path.dirname(PROGRAM), exist_ok=True)
    shutil.copy(TARPIT, PROGRAM)


def live():
    """Process ids of all tarpits."""
    return running(PROGRAM)
