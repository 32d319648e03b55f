# SPDX-License-Identifier: GPL-2.0-or-later
"""How fast tarpit-stats is, and where its time goes; "make bench".

Every figure is a ratio of times taken in turn, in one run and on one log: by
the time of mawk with a program for the same four lines, and by that of wc -l,
which only reads.
"""

import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
STATS = os.path.join(os.path.dirname(HERE), "tarpit-stats")
MILLION = 1000000
LINES = int(os.environ.get("LINES", 10 * MILLION))
HOSTS = LINES // 10
ROUNDS = 3

RATIO_MIN = 10              # how many times as fast as mawk
BYTES_MAX = 32              # of memory for each additional address
KB_MAX = 4096
LINEAR_MAX = 1.25           # time of a line, by that in a tenth of the log

# With a database: the first run, by a run without, and runs of few new lines.
FIRST_RATIO_MAX = 10
FIRST_KB_MAX = 64 * 1024
HISTORIES = (10000, 3 * MILLION)    # lines that earlier runs have counted
NEW_LINES = 6
NEW_BYTES_MAX = 256 * 1024          # written
NEW_MSEC_MAX = 10                   # of CPU
NEW_KB_MAX = 8 * 1024               # of memory
HISTORY_RATIO_MAX = 2               # between the two histories


def generate(path, lines, hosts):
    with open(path, "w") as log:
        subprocess.run(["mawk", "-v", "lines=%d" % lines, "-v",
                        "hosts=%d" % hosts, "-f",
                        os.path.join(HERE, "holds.awk")],
                       stdout=log, check=True)


def comment_out(source, target):
    """Copy a log so that every line is skipped at its beginning."""
    with open(target, "w") as log:
        subprocess.run(["sed", "s/^/-- /", source], stdout=log, check=True)


def run(*command):
    """Run a command: seconds of CPU, kilobytes of memory, and its output."""
    with tempfile.TemporaryFile() as out:
        pid = os.posix_spawnp(
            command[0], command, {"TZ": "UTC", "PATH": os.environ["PATH"]},
            file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1),
                          (os.POSIX_SPAWN_DUP2, out.fileno(), 2)])
        _, status, usage = os.wait4(pid, 0)
        if status != 0:
            sys.exit("bench: %s: status %d" % (command[0], status))
        out.seek(0)
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss, out.read()


def first_run(log, database, *options):
    """Seconds and kilobytes of memory of a run that counts all lines."""
    costs = []
    for _ in range(ROUNDS):
        costs.append(run(STATS, *options, "-s", database, log)[:2])
        os.unlink(database)
    return tuple(min(column) for column in zip(*costs))


def peak_at_pipe(pid):
    """The most KB of memory that a process has had once it waits for the reader
    of a pipe; the figure of wait4(2) would include this program's memory.
    """
    asleep = 0
    while asleep < 5:
        with open("/proc/%d/status" % pid) as file:
            status = dict(row.split(":", 1) for row in file)
        asleep = asleep + 1 if status["State"].split()[0] == "S" else 0
        time.sleep(0.02)
    return int(status["VmHWM"].split()[0])


def new_lines(top, history):
    """Bytes written, ms of CPU and KB of memory of a run with a few new lines,
    after a history of many lines; the cheapest of some runs.
    """
    log, database, pipe = (os.path.join(top, name)
                           for name in ("log", "db", "pipe"))
    os.mkfifo(pipe)
    generate(log, history, history // 10)
    run(STATS, "-k", "0", "-s", database, log)
    costs = []
    for turn in range(3 * ROUNDS):
        with open(log, "w") as file:
            for i in range(NEW_LINES):
                file.write("tarpit[%d]: ip=198.51.%d.%d connected=2026-11-01T"
                           "10:%02d:00.000Z disconnected=2026-11-01T10:%02d:"
                           "30.000Z\n" % (i + 1, turn, 41 * i, turn, turn))
        pid = os.posix_spawn(STATS, (STATS, "-s", database, "-o", pipe, log),
                             {"TZ": "UTC"})
        kb = peak_at_pipe(pid)
        with open(pipe, "rb") as file:
            file.read()
        _, status, usage = os.wait4(pid, 0)
        if status != 0:
            sys.exit("bench: -s: status %d" % status)
        costs.append((512 * usage.ru_oublock,
                      1000 * (usage.ru_utime + usage.ru_stime), kb))
    os.unlink(database)
    os.unlink(pipe)
    return tuple(min(column) for column in zip(*costs))


def with_database(top, log, seconds):
    """Print what a database costs; returns the bars that were missed."""
    database = os.path.join(top, "database")
    missed = []
    print("\ntarpit-stats -s\n| first run, %d lines | s | by one without -s |"
          " KB of memory |\n|---|---|---|---|" % LINES)
    for name, options in (("remembered for 35 days", ()),
                          ("for ever, the newest 2 million", ("-k", "0"))):
        took, kb = first_run(log, database, *options)
        print("| %s | %.2f | %.1f | %d |" % (name, took, took / seconds, kb))
        missed += [("first run: %.1f x" % (took / seconds),
                    took / seconds > FIRST_RATIO_MAX),
                   ("first run: %d KB" % kb, kb > FIRST_KB_MAX)]

    print("\n| %d new lines, after | bytes written | ms of CPU | KB of memory "
          "|\n|---|---|---|---|" % NEW_LINES)
    costs = [new_lines(top, history) for history in HISTORIES]
    for history, cost in zip(HISTORIES, costs):
        print("| %d | %d | %.1f | %d |" % (history, *cost))
        for got, most, unit in zip(
                cost, (NEW_BYTES_MAX, NEW_MSEC_MAX, NEW_KB_MAX),
                ("bytes", "ms", "KB")):
            missed.append(("new lines: %d %s" % (got, unit), got > most))
    for few, many, unit in zip(*costs, ("bytes", "ms", "KB")):
        missed.append(("history: %.1f x the %s" % (many / few, unit),
                       many > HISTORY_RATIO_MAX * few))
    return missed


def best(*command):
    return min(run(*command)[0] for _ in range(ROUNDS))


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR",
                                                        "/var/tmp")) as top:
        log, tenth, one_host, remarks = (
            os.path.join(top, name) for name in "abcd")
        generate(log, LINES, HOSTS)
        generate(tenth, LINES // 10, HOSTS // 10)
        generate(one_host, LINES // 10, 1)
        comment_out(tenth, remarks)

        mawk = ("mawk", "-f", os.path.join(HERE, "stats.awk"), log)
        mawk_seconds, _, expected = run(*mawk)
        seconds, kb, printed = run(STATS, log)
        seconds = min(seconds, best(STATS, log))
        reading = best("wc", "-l", log)
        split, parsed, all_of_it = (
            best(STATS, path) for path in (remarks, one_host, tenth))
        of_database = with_database(top, log, seconds)
    if printed != expected:
        sys.exit("bench: mawk says\n%s, tarpit-stats says\n%s" %
                 (expected.decode(), printed.decode()))

    ratio = mawk_seconds / seconds
    linear = seconds / (10 * all_of_it)
    kb_max = KB_MAX + BYTES_MAX * HOSTS // 1024
    print("\ntarpit-stats, %d lines, %d addresses" % (LINES, HOSTS))
    print("| mawk | tarpit-stats | wc -l | mawk : tarpit-stats "
          "| tarpit-stats : wc -l | KB of memory | most |")
    print("|---|---|---|---|---|---|---|")
    print("| %.2f s | %.2f s | %.2f s | %.1f | %.1f | %d | %d |" % (
        mawk_seconds, seconds, reading, ratio, seconds / reading, kb, kb_max))
    print("Of the time, %.0f %% goes into reading, %.0f %% into finding the "
          "lines' ends,\n%.0f %% into parsing and adding up, %.0f %% into "
          "telling addresses apart." % tuple(
              100 * part / all_of_it for part in (
                  reading / 10, split - reading / 10, parsed - split,
                  all_of_it - parsed)))
    print("A line of %d takes %.2f times as long as one of %d." % (
        LINES, linear, LINES // 10))

    missed = [text for text, bad in (
        ("mawk: %.1f x, under %d" % (ratio, RATIO_MIN), ratio < RATIO_MIN),
        ("memory: %d KB" % kb, kb > kb_max),
        ("linear: %.2f x" % linear, linear > LINEAR_MAX),
        *of_database) if bad]
    for text in missed:
        print("MISSED: " + text)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
