# SPDX-License-Identifier: GPL-2.0-or-later
"""Real servers that send mail, each with a configuration and a queue of its
own, a DNS for them, and a real server that accepts what they send.

Run inside ../setup/sandbox, as root, with the packages in TARPIT_ROOT: this
adds users and files to its /etc, addresses to its loopback, and mounts.

A server that sends does so from ADDRESS and ADDRESS6, to port 25 of what the
DNS says.  Its timers are compressed by what its constructor is given:

timeout   seconds it waits for a reply, or for more of one
retry     seconds from one attempt at a message to the next
lifetime  seconds until it gives a message back to its sender
"""

import glob
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import threading

from tests.lib import postfix
from tests.lib.files import append, read, write
from tests.lib.net import listens
from tests.lib.process import kill, run, running, wait_for

ADDRESS = "192.0.2.1"
ADDRESS6 = "2001:db8::1"
RESOLVER = "127.0.0.53"
FOR_EVER = 5 * 86400


def add_address(address):
    """So that anything in this network can bind it and connect to it."""
    bits = 128 if ":" in address else 32
    run("ip", "address", "replace", "%s/%d" % (address, bits), "dev", "lo",
        *(["nodad"] if bits == 128 else []))


def add_user(name, number):
    """As the package does when it is installed; ids that Debian leaves free."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        append("/etc/group", "%s:x:%d:\n" % (name, number))
        append("/etc/passwd", "%s:x:%d:%d::/:/usr/sbin/nologin\n"
                       % (name, number, number))


def processes_with(text):
    """Ids of the processes that have it in their command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as cmdline:
                if text.encode() in cmdline.read() and int(pid) != os.getpid():
                    found.append(int(pid))
        except OSError:
            pass
    return found


class Dns:
    """A dnsmasq that knows the given names, and no others.

    mx: for each domain its (preference, host) pairs.
    hosts: for each host its addresses, which are added to this machine.
    options: more of dnsmasq's own.
    """

    def __init__(self, mx, hosts, options=()):
        names = ["--mx-host=%s,%s,%d" % (domain, host, preference)
                 for domain in mx for preference, host in mx[domain]]
        names += ["--host-record=%s,%s" % (host, ",".join(hosts[host]))
                  for host in hosts]
        write("/etc/resolv.conf", "nameserver %s\n" % RESOLVER)
        for address in sum(map(list, hosts.values()), [ADDRESS, ADDRESS6]):
            add_address(address)
        self.process = subprocess.Popen(
            ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
             "--user=root", "--pid-file=", "--listen-address=" + RESOLVER,
             "--bind-interfaces", "--no-resolv", "--no-hosts",
             "--local=/#/", *options] + names, stdin=subprocess.DEVNULL)
        # By UDP it does before it does by TCP.
        if not wait_for(lambda: listens(53, RESOLVER)):
            self.stop()
            raise AssertionError("dnsmasq does not listen")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Postfix(postfix.Instance):
    """watchdog: seconds that one delivery may take, daemon_timeout."""

    SETTINGS = """
inet_interfaces = %(address)s, [%(address6)s]
inet_protocols = ipv4, ipv6
smtp_bind_address = %(address)s
smtp_bind_address6 = %(address6)s
smtp_connect_timeout = 30s
smtp_helo_timeout = %(timeout)ss
smtp_mail_timeout = %(timeout)ss
smtp_rcpt_timeout = %(timeout)ss
smtp_data_init_timeout = %(timeout)ss
smtp_data_done_timeout = %(timeout)ss
queue_run_delay = %(retry)ss
minimal_backoff_time = %(retry)ss
maximal_backoff_time = %(retry)ss
maximal_queue_lifetime = %(lifetime)ss
bounce_queue_lifetime = %(lifetime)ss
daemon_timeout = %(watchdog)ss
service_throttle_time = 1s
"""

    def __init__(self, timeout=300, retry=300, lifetime=FOR_EVER,
                 watchdog=18000):
        super().__init__(self.SETTINGS % {
            "address": ADDRESS, "address6": ADDRESS6, "timeout": timeout,
            "retry": retry, "lifetime": lifetime, "watchdog": watchdog})

    def bounces(self):
        return self.log().count("sender non-delivery notification")

    def deferrals(self):
        return len(re.findall("status=deferred", self.log()))

    def flush(self):
        """Try everything in the queue now."""
        self.run("postqueue", "-c", self.config, "-f")

    def __exit__(self, *exc):
        self.stop()

    def stop(self):
        self.end("abort")
        self.directory.cleanup()


class Daemon:
    """What the others have in common: files and processes of its own."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.top = self.directory.name
        os.chmod(self.top, 0o755)
        self.config = os.path.join(self.top, "config")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()

    def stop(self):
        for pid in processes_with(self.top):
            kill(pid, signal.SIGTERM)

        def over():
            return self.process.poll() is not None and not processes_with(
                self.top)

        def killed():
            for pid in processes_with(self.top):
                kill(pid, signal.SIGKILL)
            return over()

        wait_for(over, 5) or wait_for(killed)
        self.directory.cleanup()


class Exim(Daemon):
    CONFIG = """
primary_hostname = client.example
spool_directory = %(top)s/spool
log_file_path = %(top)s/%%slog
pid_file_path = %(top)s/pid
local_interfaces = <; %(address)s ; %(address6)s
keep_environment =
timeout_frozen_after = %(lifetime)ss
begin routers
remote:
  driver = dnslookup
  transport = remote
begin transports
remote:
  driver = smtp
  interface = <; %(address)s ; %(address6)s
  hosts_avoid_tls = *
  connect_timeout = 30s
  command_timeout = %(timeout)ss
  data_timeout = %(timeout)ss
  final_timeout = %(timeout)ss
begin retry
* * F,%(lifetime)ss,%(retry)ss
"""

    def __init__(self, timeout=300, retry=900, lifetime=FOR_EVER):
        super().__init__()
        add_user("Debian-exim", 61011)
        user = pwd.getpwnam("Debian-exim")
        os.chown(self.top, user.pw_uid, user.pw_gid)
        write(self.config, self.CONFIG % {
            "top": self.top, "address": ADDRESS, "address6": ADDRESS6,
            "timeout": timeout, "retry": retry, "lifetime": lifetime})
        write("/etc/exim4/trusted_configs", self.config + "\n")
        self.process = subprocess.Popen(
            ["exim4", "-C", self.config, "-bdf", "-q%ds" % retry],
            stdin=subprocess.DEVNULL)

    def run(self, *args, stdin=""):
        return run("exim4", "-C", self.config, *args, input=stdin)

    def submit(self, sender, recipient, message="Subject: test\n\ntest\n"):
        self.run("-odb", "-i", "-f", sender, recipient, stdin=message)

    def queue(self):
        """Every message that is not delivered yet."""
        return glob.glob(os.path.join(self.top, "spool/input/*-H"))

    def log(self):
        return read(os.path.join(self.top, "mainlog")) + read(
            os.path.join(self.top, "paniclog"))

    def bounces(self):
        return len(re.findall(" <= <> R=", self.log()))

    def deferrals(self):
        return len(re.findall(" == ", self.log()))

    def flush(self):
        """Try everything in the queue now."""
        self.run("-qff")


class Copied(Daemon):
    """Its processes are known by the copy of the program that they run, since
    it writes what it does over its command line.
    """

    def stop(self):
        self.kill()

    def kill(self):
        def over():
            for pid in running(self.program):
                kill(pid, signal.SIGKILL)
            return not running(self.program)

        wait_for(over)
        self.directory.cleanup()


class Sendmail(Copied):
    CONFIG = """divert(0)dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `client.example')dnl
define(`confPID_FILE', `%(top)s/pid')dnl
define(`QUEUE_DIR', `%(top)s/queue')dnl
define(`STATUS_FILE', `')dnl
define(`ALIAS_FILE', `')dnl
define(`confTO_CONNECT', `30s')dnl
define(`confTO_INITIAL', `%(timeout)ss')dnl
define(`confTO_HELO', `%(timeout)ss')dnl
define(`confTO_MAIL', `%(timeout)ss')dnl
define(`confTO_RCPT', `%(timeout)ss')dnl
define(`confTO_DATAINIT', `%(timeout)ss')dnl
define(`confTO_DATAFINAL', `%(timeout)ss')dnl
define(`confTO_QUEUERETURN', `%(lifetime)ss')dnl
CLIENT_OPTIONS(`Family=inet, Address=%(address)s')dnl
CLIENT_OPTIONS(`Family=inet6, Address=%(address6)s')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
FEATURE(`nocanonify')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""
    CF = "/usr/share/sendmail/cf/"

    def __init__(self, timeout=300, retry=1800, lifetime=FOR_EVER,
                 runner="-q%ds", mode="b"):
        """runner: the option that has it try the queue again.
        mode: b tries new mail at once, q leaves it to the runner.
        """
        super().__init__()
        os.mkdir(os.path.join(self.top, "queue"), 0o700)
        write(self.config + ".mc", self.CONFIG % {
            "top": self.top, "address": ADDRESS, "address6": ADDRESS6,
            "timeout": timeout, "lifetime": lifetime})
        write(self.config, run("m4", "-D_CF_DIR_=" + self.CF,
                               self.CF + "m4/cf.m4", self.config + ".mc"))
        self.program = os.path.join(self.top, "sendmail")
        shutil.copy("/usr/libexec/sendmail/sendmail", self.program)
        self.mode = mode
        self.run(runner % retry)

    def run(self, *args, stdin=""):
        subprocess.run(
            [self.program, "-C", self.config, "-X", self.top + "/log", *args],
            input=stdin, text=True, check=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def submit(self, sender, recipient, message="Subject: test\n\ntest\n"):
        self.run("-od" + self.mode, "-i", "-f", sender, recipient,
                 stdin=message)

    def queue(self):
        """Every message that is not delivered yet."""
        return glob.glob(os.path.join(self.top, "queue/qf*"))

    def log(self):
        return read(self.top + "/log")

    def bounces(self):
        return self.log().count(">>> MAIL From:<>")


class Dma(Copied):
    """DragonFly's mailer has no daemon, and a limit of 300 s on a reply that
    cannot be set.  So its clock runs faster, as that of OpenSmtpd; and its
    queue is run as cron does, but every retry seconds.
    """

    CONFIG = "SPOOLDIR %s/spool\nMAILNAME client.example\n"

    def __init__(self, speed=1, retry=300):
        super().__init__()
        self.environment = dict(
            os.environ, LD_PRELOAD=glob.glob(OpenSmtpd.FAKETIME)[0],
            FAKETIME="+0 x%d" % speed)
        os.makedirs("/etc/dma", exist_ok=True)
        write("/etc/dma/dma.conf", self.CONFIG % self.top)
        spool = os.path.join(self.top, "spool")
        os.mkdir(spool)
        shutil.chown(spool, "mail", "mail")
        os.chmod(spool, 0o2775)
        # Without the set-group-id bit, which would forbid LD_PRELOAD.
        self.program = os.path.join(self.top, "dma")
        shutil.copyfile("/usr/sbin/dma", self.program)
        os.chmod(self.program, 0o755)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run_queue, args=(retry,))
        self.thread.start()

    def run_queue(self, retry):
        while not self.over.wait(retry):
            self.flush()

    def run(self, *args, stdin=""):
        subprocess.run([self.program, *args], input=stdin, text=True,
                       check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env=self.environment)

    def submit(self, sender, recipient, message="Subject: test\n\ntest\n"):
        self.run("-i", "-f", sender, recipient, stdin=message)

    def flush(self):
        """Try everything in the queue now."""
        self.run("-q")

    def stop(self):
        self.over.set()
        self.thread.join()
        self.kill()

    def queue(self):
        """Every message that is not delivered yet."""
        return glob.glob(os.path.join(self.top, "spool/Q*"))

    @staticmethod
    def log():
        """It has none but syslog."""
        return ""

    @staticmethod
    def bounces():
        """None that is not sent by SMTP like any other mail."""
        return 0


class Nullmailer(Daemon):
    """It knows no MX records, but a list of hosts, best first: remotes() sets
    it.  Its queue and its configuration have fixed places.
    """

    QUEUE = "/var/spool/nullmailer"
    CONTROL = "/etc/nullmailer"

    def __init__(self, timeout=3600, retry=60):
        super().__init__()
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/var/spool")
        for name in "", "queue", "tmp", "failed":
            directory = os.path.join(self.QUEUE, name)
            os.mkdir(directory)
            shutil.chown(directory, "mail", "mail")
        os.mkfifo(self.QUEUE + "/trigger")
        shutil.chown(self.QUEUE + "/trigger", "mail", "mail")
        for name, value in (("me", "client.example"), ("pausetime", retry),
                            ("maxpause", retry), ("sendtimeout", timeout)):
            write(os.path.join(self.CONTROL, name), "%s\n" % value)
        self.remotes([])
        self.output = open(os.path.join(self.top, "log"), "w")
        self.process = subprocess.Popen(
            ["setpriv", "--reuid=mail", "--regid=mail", "--clear-groups",
             "nullmailer-send"], stdin=subprocess.DEVNULL,
            stdout=self.output, stderr=self.output)

    def remotes(self, hosts):
        write(self.CONTROL + "/remotes", "".join(
            "%s smtp\n" % host for host in hosts))

    def submit(self, sender, recipient, message="Subject: test\n\ntest\n"):
        run("nullmailer-queue", input="%s\n%s\n\n%s" % (
            sender, recipient, message))

    def queue(self):
        """Every message that is not delivered yet."""
        return os.listdir(self.QUEUE + "/queue")

    def log(self):
        return read(os.path.join(self.top, "log"))

    def bounces(self):
        return len(os.listdir(self.QUEUE + "/failed"))

    def stop(self):
        self.process.kill()
        self.process.wait()
        for pid in running("/usr/lib/nullmailer/smtp"):
            kill(pid, signal.SIGKILL)
        wait_for(lambda: not running("/usr/lib/nullmailer/smtp"))
        self.output.close()
        run("umount", "/var/spool")
        self.directory.cleanup()


class OpenSmtpd(Daemon):
    """Its timers are fixed in its source: 300 s for a reply, 400 s to the
    second attempt at a message, 15 s that it avoids a host which failed.  So
    its clock runs faster, by libfaketime, and it believes each of our seconds
    to be so many.
    """

    CONFIG = """
queue ttl %(lifetime)ds
action "send" relay helo "client.example"
match from any for any action "send"
"""
    FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"
    MAILER = "/usr/sbin/smtpctl"    # is what sendmail and mailq link to

    def __init__(self, speed=1, lifetime=FOR_EVER):
        super().__init__()
        for name, number in ("opensmtpd", 61021), ("opensmtpq", 61022):
            add_user(name, number)
        shutil.chown(self.MAILER, group="opensmtpq")
        os.chmod(self.MAILER, 0o2755)
        self.mount()
        write(self.config, self.CONFIG % {"lifetime": lifetime * speed})
        self.output = open(os.path.join(self.top, "log"), "w")
        self.speed = speed
        # Its processes have 10 s to find one another, and those are short.
        for _ in range(100):
            if self.begin():
                return
        self.stop()
        raise AssertionError("smtpd: " + self.log())

    def begin(self):
        """Start it; whether it has."""
        self.process = subprocess.Popen(
            ["smtpd", "-d", "-f", self.config], stdin=subprocess.DEVNULL,
            stdout=self.output, stderr=self.output, env=dict(
                os.environ, LD_PRELOAD=glob.glob(self.FAKETIME)[0],
                FAKETIME="+0 x%d" % self.speed))
        wait_for(lambda: self.process.poll() is not None or
                 self.has_started())
        return self.process.poll() is None and self.has_started()

    @staticmethod
    def has_started():
        return subprocess.run(["smtpctl", "show", "status"],
                              capture_output=True).returncode == 0

    def mount(self):
        """The places of its queue and of its chroot are fixed as well."""
        spool, lib, work = (os.path.join("/run/overlay", name)
                            for name in ("spool", "lib", "lib.work"))
        for directory in spool, lib, work:
            os.makedirs(directory)
        run("mount", "--bind", spool, "/var/spool")
        run("mount", "-t", "overlay", "-o",
            "lowerdir=/var/lib,upperdir=%s,workdir=%s" % (lib, work),
            "overlay", "/var/lib")
        os.makedirs("/var/lib/opensmtpd/empty", exist_ok=True)

    @staticmethod
    def unmount():
        for directory in "/var/lib", "/var/spool":
            run("umount", directory)
        for name in "spool", "lib", "lib.work":
            shutil.rmtree(os.path.join("/run/overlay", name))

    def stop(self):
        self.process.terminate()
        wait_for(lambda: self.process.poll() is not None)
        self.output.close()
        self.unmount()
        super().stop()

    def submit(self, sender, recipient, message="Subject: test\n\ntest\n"):
        # Its server has 300 s for a command, and those are short.
        for _ in range(30):
            if subprocess.run(
                    ["sendmail", "-f", sender, recipient], input=message,
                    text=True, executable=self.MAILER).returncode == 0:
                return
        raise AssertionError("sendmail: " + self.log())

    def queue(self):
        """Every message that is not delivered yet."""
        return run("smtpctl", "show", "queue").splitlines()

    def log(self):
        return read(os.path.join(self.top, "log"))

    def bounces(self):
        return len(re.findall(" smtp envelope .* from=<> ", self.log()))

    def deferrals(self):
        return len(re.findall('result=\"TempFail\"', self.log()))

    def flush(self):
        """Try everything in the queue now."""
        run("smtpctl", "schedule", "all")
