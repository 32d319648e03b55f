# SPDX-License-Identifier: GPL-2.0-or-later
"""How fast tarpit-stats is, and where its time goes; "make bench".

Everything is a ratio of times taken in turn in one run on one log: to mawk
with a program for the same four lines, and to wc -l, which only reads.
"""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
STATS = os.path.join(os.path.dirname(HERE), "tarpit-stats")
MILLION = 1000000
LINES = int(os.environ.get("LINES", 10 * MILLION))
HOSTS = LINES // 10
ROUNDS = 3

RATIO_MIN = 10              # to mawk
OCTETS_MAX = 32             # of memory for each address, above
KB_MAX = 4096
LINEAR_MAX = 1.25           # time of a line, by that of one in a tenth


def generate(path, lines, hosts):
    with open(path, "w") as log:
        subprocess.run(["mawk", "-v", "lines=%d" % lines, "-v",
                        "hosts=%d" % hosts, "-f",
                        os.path.join(HERE, "holds.awk")],
                       stdout=log, check=True)


def comment_out(source, target):
    """The same, with lines that are passed over at their beginning."""
    with open(target, "w") as log:
        subprocess.run(["sed", "s/^/-- /", source], stdout=log, check=True)


def run(*command):
    """Seconds of CPU, kilobytes of memory, and what it printed."""
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
    if printed != expected:
        sys.exit("bench: mawk says\n%s, tarpit-stats says\n%s" %
                 (expected.decode(), printed.decode()))

    ratio = mawk_seconds / seconds
    linear = seconds / (10 * all_of_it)
    kb_max = KB_MAX + OCTETS_MAX * HOSTS // 1024
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
        ("linear: %.2f x" % linear, linear > LINEAR_MAX)) if bad]
    for text in missed:
        print("MISSED: " + text)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
