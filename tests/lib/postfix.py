# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Postfix of our own, with a real queue.

Run inside ../setup/sandbox: it adds Postfix's users to /etc.
"""

import grp
import json
import os
import pwd
import subprocess
import tempfile

from tests.lib.files import append, read, write
from tests.lib.process import group, run, wait_for

MAIN = """
compatibility_level = 3.6
queue_directory = {top}/queue
data_directory = {top}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = {name}
mydestination =
alias_maps =
alias_database =
smtp_tls_security_level = none
maillog_file = {top}/log
maillog_file_prefixes = {top}
"""

# With no DNS, a list of hosts stands for the MXs of a domain.
TO_PORTS = """
inet_interfaces = loopback-only
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_helo_timeout = {timeout}s
transport_maps = inline:{{ {transports} }}
"""

# Only what sends: nothing listens on the network, nothing is in a chroot.
MASTER = """
pickup   unix       n - n 1 1 pickup
cleanup  unix       n - n - 0 cleanup
qmgr     unix       n - n 1 1 qmgr
rewrite  unix       - - n - - trivial-rewrite
bounce   unix       - - n - 0 bounce
defer    unix       - - n - 0 bounce
smtp     unix       - - n - - smtp
error    unix       - - n - - error
retry    unix       - - n - - error
showq    unix       n - n - - showq
postlog  unix-dgram n - n - 1 postlogd
"""


class Instance:
    """One in a directory of its own; main and master are added to its files.
    """

    def __init__(self, main="", master="", name="client.example"):
        add_users()
        self.directory = tempfile.TemporaryDirectory()
        self.top = top = self.directory.name
        os.chmod(top, 0o755)
        for directory in "config", "queue", "data":
            os.mkdir(os.path.join(top, directory))
        os.chown(os.path.join(top, "data"), pwd.getpwnam("postfix").pw_uid,
                 grp.getgrnam("postfix").gr_gid)
        self.config = os.path.join(top, "config")
        self.write("main.cf", MAIN.format(top=top, name=name) + main)
        self.write("master.cf", MASTER + master)
        self.run("postfix", "-c", self.config, "start")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.end("stop")
        self.directory.cleanup()

    def end(self, how):
        """By "stop" or, at once, by "abort"; until no process is left."""
        master = int(read(os.path.join(self.top, "queue/pid/master.pid")))
        self.run("postfix", "-c", self.config, how)
        if not wait_for(lambda: not group(master)):
            raise AssertionError("Postfix does not end: " + self.log())

    def write(self, name, text):
        write(os.path.join(self.config, name), text)

    def run(self, *command, stdin=""):
        """Run to its end; its standard output."""
        try:
            return run(*command, input=stdin)
        except subprocess.CalledProcessError as failed:
            raise AssertionError("%s\n%s" % (failed, self.log()))

    def submit(self, sender, recipient, message="Subject: test\n\ntest\n"):
        self.run("sendmail", "-C", self.config, "-f", sender, recipient,
                 stdin=message)

    def queue(self):
        """Every message that is not delivered yet."""
        out = self.run("postqueue", "-c", self.config, "-j")
        return [json.loads(line) for line in out.splitlines()]

    def log(self):
        return read(os.path.join(self.top, "log"))


class Postfix(Instance):
    """Delivers each domain's mail to ports of 127.0.0.1.

    ports: for each domain the ports of its MXs, best first.
    """

    def __init__(self, ports, timeout):
        super().__init__(TO_PORTS.format(
            timeout=timeout, transports=", ".join(
                "{ %s = smtp:%s }" % (domain, ",".join(
                    "[127.0.0.1]:%d" % port for port in ports[domain]))
                for domain in ports)))


def add_users():
    """As the package does when it is installed; ids that Debian leaves free."""
    for name, number in ("postfix", 61001), ("postdrop", 61002):
        try:
            grp.getgrnam(name)
        except KeyError:
            append("/etc/group", "%s:x:%d:\n" % (name, number))
    try:
        pwd.getpwnam("postfix")
    except KeyError:
        append("/etc/passwd", "postfix:x:61001:%d::/:/usr/sbin/nologin\n"
               % grp.getgrnam("postfix").gr_gid)
