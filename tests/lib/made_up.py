# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: python3 -m tests.lib.made_up DAYS [A_DAY [LAST [SEED]]]

Print the log of a made-up tarpit: so many days up to LAST (2026-11-21), with
A_DAY connections (60) on an ordinary one, in the order in which they end.  The
same arguments give the same lines.

Most clients have one deadline for a reply and leave at it: 30 s, 1, 2 or 5
minutes.  Some have none and stay to the cap, which is drawn from 75 % to 100 %
of two hours.  There are fewer at the week's end, a campaign now and then, and
a week or so in each year when the machine was down.
"""

import datetime
import math
import random
import sys

DAY = 86400
DEADLINES = [(30, 13), (60, 10), (120, 7), (300, 19)]
NO_DEADLINE = 11
IMPATIENT = 14
CAP = 7200
WEEK = [1.1, 1.2, 1.15, 1.1, 1.0, 0.7, 0.6]


def hold(random):
    """Seconds."""
    kind = random.random() * 100
    for deadline, share in DEADLINES:
        if kind < share:
            # The greeting and HELO come before the reply.
            return deadline + random.expovariate(1 / 0.6)
        kind -= share
    if kind < NO_DEADLINE:
        return CAP * random.uniform(0.75, 1)
    if kind < NO_DEADLINE + IMPATIENT:
        return min(CAP, random.lognormvariate(math.log(15), 1.6))
    return min(CAP, random.lognormvariate(math.log(900), 1.2))


def address(random):
    """Few come often, many once; one in twenty by IPv6.  None is anybody's:
    RFC 2544 and RFC 3849 set them aside."""
    host = int(random.paretovariate(0.35)) % 131072
    mixed = host * 40503 % 131072
    if host % 20 == 7:
        return "2001:db8:%x:%x::%x" % (
            mixed % 1000 + 1, mixed >> 8 | 1, host % 250 + 1)
    return "198.%d.%d.%d" % (18 + (mixed >> 16), mixed >> 8 & 255, mixed & 255)


def rate(random, days):
    """What each day has, against an ordinary one."""
    rates = []
    campaign = 0
    drift = 1.0
    down = {year * 365 + random.randrange(60, 300)
            for year in range(days // 365 + 1)} if days > 60 else {}
    until = -1
    for day in range(days):
        if day in down:
            until = day + random.randrange(3, 10)
        if random.random() < 0.02:
            campaign = random.randrange(2, 9)
        drift = min(3, max(0.3, drift * random.lognormvariate(0, 0.05)))
        rates.append(0 if day < until else
                     WEEK[day % 7] * drift * random.uniform(0.75, 1.25) *
                     (random.uniform(1.5, 3) if campaign > 0 else 1))
        campaign -= 1
    return rates


def stamp(seconds):
    whole = math.floor(seconds)
    time = datetime.datetime.fromtimestamp(whole, datetime.timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%S") + ".%03dZ" % (
        int((seconds - whole) * 1000))


def lines(days, a_day=60, last="2026-11-21", seed=2006):
    source = random.Random(seed)
    end = datetime.datetime.fromisoformat(last + "T00:00:00+00:00")
    begin = end.timestamp() - (days - 1) * DAY
    holds = []
    for day, rate_of_day in enumerate(rate(source, days)):
        for _ in range(round(rate_of_day * a_day)):
            connected = begin + day * DAY + source.randrange(DAY * 1000) / 1000
            holds.append((connected + hold(source), connected,
                          address(source)))
    holds.sort()
    for disconnected, connected, ip in holds:
        yield "mx tarpit[%d]: ip=%s connected=%s disconnected=%s" % (
            source.randrange(300, 32768), ip, stamp(connected),
            stamp(disconnected))


def main():
    arguments = sys.argv[1:]
    numbers = [int(argument) for argument in arguments[:2]]
    for line in lines(*numbers, *arguments[2:3],
                      *(int(seed) for seed in arguments[3:4])):
        print(line)


if __name__ == "__main__":
    main()
