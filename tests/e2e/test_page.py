# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of tarpit-stats, read as text; ../page/check_page.py looks at it in
a browser.
"""

import datetime
import html.parser
import math
import os
import random
import re
import subprocess
import tempfile
import time
import unittest

from tests.lib import made_up
from tests.lib.stats import (BERLIN, GOLDEN, MADE, STATS, make_up,
                             report_of_any)

PAGE_MAX = 60000

VOID = {"meta", "link", "br", "hr", "img", "input"}


def variables(changes):
    """The environment with these changes; None removes a variable."""
    return {name: value for name, value in {**os.environ, **changes}.items()
            if value is not None}


def report(log, kind="html", zone=BERLIN, **environment):
    if not isinstance(log, str):
        log = "".join(line + "\n" for line in log)
    result = subprocess.run(
        [STATS, "-f", kind], input=log.encode(), capture_output=True,
        env=variables({**MADE, "TZ": zone, **environment}), timeout=300)
    if result.returncode != 0 or result.stderr != b"":
        raise AssertionError(result.stderr.decode())
    return result.stdout.decode()


def hold(connected, disconnected, ip="192.0.2.1"):
    return "tarpit[1]: ip=%s connected=%s disconnected=%s" % (
        ip, connected, disconnected)


def held(seconds, day=1, ip="192.0.2.1"):
    """A line of a hold of less than an hour, in November 2026."""
    return hold("2026-11-%02dT12:00:00.000Z" % day,
                "2026-11-%02dT12:%02d:%06.3fZ" % (
                    day, seconds // 60, seconds % 60), ip)


class Page(html.parser.HTMLParser):
    """The elements of a page and their text; every element must be closed."""

    def __init__(self, text):
        super().__init__()
        self.source = text
        self.open = []
        self.elements = []
        self.feed(text)
        self.close()
        if self.open:
            raise AssertionError("never closed: %s" % self.open)

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", "within": list(self.open),
                   **dict(attrs)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1]["tag"] != tag:
            raise AssertionError("</%s> at %s" % (tag, self.getpos()))
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, **attributes):
        names = {name.rstrip("_"): value for name, value in attributes.items()}
        return [element for element in self.elements if element["tag"] == tag
                and all(element.get(name) == value
                        for name, value in names.items())]

    def texts(self, tag, **attributes):
        return [element["text"] for element in self.all(tag, **attributes)]

    def numbers(self):
        """The three numbers, and what each is called."""
        return dict(zip(self.texts("dt"),
                        self.texts("dd", class_="number")))

    def edge(self):
        """The corners of the curve."""
        path, = [element["d"] for element in self.all("path", class_="edge")]
        return [tuple(map(int, corner.split()))
                for corner in path[1:].split("L")]


class Static(unittest.TestCase):
    """True of every page, whatever is on it."""

    @classmethod
    def setUpClass(cls):
        cls.logs = {
            "nothing": [],
            "one": [held(31)],
            "a day": list(made_up.lines(1)),
            "a month": list(made_up.lines(31)),
            "a year": list(made_up.lines(400, 10)),
            "three years": list(made_up.lines(1100, 3)),
            "twenty years": list(made_up.lines(7300, 1)),
            "all years": [hold("1970-01-01T00:00:00.000Z",
                               "9999-12-31T23:59:59.999Z"),
                          hold("9999-12-31T01:00:00.000Z",
                               "9999-12-31T01:00:00.000Z")],
        }
        cls.pages = {name: Page(cls.report(name)) for name in cls.logs}

    @classmethod
    def report(cls, name, kind="html"):
        make = report_of_any if name == "all years" else report
        return make(cls.logs[name], kind)

    def test_size(self):
        for name, page in self.pages.items():
            with self.subTest(name):
                self.assertLess(len(page.source.encode()), PAGE_MAX)

    def test_nothing_runs(self):
        for name, page in self.pages.items():
            with self.subTest(name):
                self.assertEqual(page.all("script"), [])
                for element in page.elements:
                    self.assertFalse([attribute for attribute in element
                                      if attribute.startswith("on")])

    def test_nothing_is_loaded(self):
        for name, page in self.pages.items():
            with self.subTest(name):
                self.assertNotRegex(page.source, r"//|@import|@font-face")
                for link in re.findall(r"url\(([^)]*)\)", page.source):
                    self.assertTrue(link.startswith("#"), link)
                for element in page.elements:
                    for link in ("href", "src", "data", "action", "srcset"):
                        self.assertRegex(element.get(link, "#"), "^(#|data:)")
                    self.assertNotIn(element["tag"], (
                        "img", "iframe", "object", "embed", "base", "form"))

    def test_browser_is_told_so(self):
        for name, page in self.pages.items():
            with self.subTest(name):
                policy, = page.all("meta",
                                   **{"http-equiv": "Content-Security-Policy"})
                self.assertTrue(
                    policy["content"].startswith("default-src 'none'"))

    def test_no_address(self):
        for name, page in self.pages.items():
            with self.subTest(name):
                self.assertNotRegex(page.source, r"\d+\.\d+\.\d+\.\d+")
                self.assertNotRegex(page.source, r"[0-9a-f]:[0-9a-f]*::")
                for line in self.logs[name]:
                    self.assertNotIn(
                        re.search(r"ip=(\S+)", line)[1], page.source)

    def test_numbers_are_those_of_the_text(self):
        for name, page in self.pages.items():
            with self.subTest(name):
                text = dict(line.split(": ") for line in
                            self.report(name, "text").splitlines())
                number = list(page.numbers().values())
                self.assertEqual(
                    [one.replace(",", "") for one in number],
                    [text["Emails blocked"], text["Hours in Tar Pit"],
                     text["Unique SMTP Hosts"]])
                header, = page.texts("header")
                self.assertIn(text["Stats since"], header)

    def test_structure(self):
        for name, page in self.pages.items():
            with self.subTest(name):
                root, = page.all("html")
                self.assertEqual(root["lang"], "en")
                self.assertEqual(len(page.all("h1")), 1)
                self.assertTrue(page.texts("title")[0].startswith("Tar pit: "))
                self.assertEqual(len(page.all("meta", name="viewport")), 1)
                # Without an icon, a browser asks the server for one.
                self.assertEqual(len(page.all("link", rel="icon")), 1)
                ids = [element["id"] for element in page.elements
                       if "id" in element]
                self.assertEqual(len(ids), len(set(ids)))

    def test_plots_are_described(self):
        for name, page in self.pages.items():
            with self.subTest(name):
                plots = page.all("svg", role="img")
                self.assertEqual(len(plots), 0 if name == "nothing" else 3)
                self.assertEqual(len(page.all("figcaption")), len(plots))
                for plot in plots:
                    for reference in plot["aria-labelledby"].split():
                        described, = [element for element in page.elements
                                      if element.get("id") == reference]
                        self.assertIn(plot, described["within"])
                        self.assertNotEqual(described["text"], "")
                        if described["tag"] == "desc":
                            self.assertRegex(described["text"], r"\d")
        for page in self.pages.values():
            for element in page.elements:
                if element["tag"] == "svg" and not [
                        outer for outer in element["within"]
                        if outer["tag"] == "svg"]:
                    self.assertTrue(element.get("role") == "img" or
                                    element.get("aria-hidden") == "true")

    def test_curve_only_falls(self):
        for name, page in self.pages.items():
            with self.subTest(name):
                if name == "nothing":
                    continue
                corners = page.edge()
                self.assertEqual(corners[0][0], 0)
                self.assertEqual(corners, sorted(corners))
                self.assertEqual([y for _, y in corners],
                                 sorted(y for _, y in corners))
                for x, y in corners:
                    self.assertTrue(0 <= x <= 2000 and 0 <= y <= 1000)

    def test_axis_of_time_is_logarithmic(self):
        units = {"s": 1, "min": 60, "h": 3600}
        for name, page in self.pages.items():
            with self.subTest(name):
                labels = [text for text in page.all("text")
                          if text.get("class") in ("x", "first", "last")]
                self.assertTrue(labels or name == "nothing")
                end = 86400 if name == "all years" else 7200
                for label in labels:
                    number, unit = label["text"].split()
                    self.assertAlmostEqual(
                        float(label["within"][-1]["x"][:-1]) / 100, math.log(
                            int(number) * units[unit]) / math.log(end),
                        delta=0.002)

    def test_bars_sum_up(self):
        for name, page in self.pages.items():
            with self.subTest(name):
                bars = [re.match(r"([\d,]+) connections? (on|in|from) ", text)
                        for text in page.texts("title")]
                self.assertEqual(
                    sum(int(bar[1].replace(",", "")) for bar in bars if bar),
                    len(self.logs[name]))

    def test_few_bars(self):
        for name, page in self.pages.items():
            with self.subTest(name):
                self.assertLessEqual(len(page.all("rect")), 200)


class Words(unittest.TestCase):
    def test_nothing_yet(self):
        page = Page(report([]))
        self.assertEqual(page.numbers(), {
            "Emails blocked": "0", "Hours in the tar pit": "0.00",
            "Unique SMTP hosts": "0"})
        self.assertIn("Stats since: never", page.texts("header")[0])
        self.assertIn("No connection has ended yet", page.texts("header")[0])
        self.assertEqual(page.texts("title"), ["Tar pit: 0 emails blocked"])
        self.assertEqual(page.texts("h2"), ["What to expect"])
        self.assertEqual(page.texts("dd", class_="note"), [])

    def test_one(self):
        page = Page(report([held(31.25)]))
        self.assertEqual(page.numbers(), {
            "Email blocked": "1", "Hours in the tar pit": "0.01",
            "Unique SMTP host": "1"})
        self.assertEqual(page.texts("title")[0], "Tar pit: 1 email blocked")
        self.assertIn("1 connection on 1 November 2026, not the whole day",
                      page.texts("title"))
        self.assertIn("0.01 hours on 1 November 2026, not the whole day.",
                      page.texts("figcaption")[1])
        self.assertNotIn("What to expect", page.texts("h2"))
        self.assertIn("The only one so far stayed 31 s.",
                      page.texts("main")[0])

    def test_lengths(self):
        begin = datetime.datetime(2026, 11, 1)
        for msec, said in (
                (0, "0.0 s"), (99, "0.0 s"), (100, "0.1 s"), (9999, "9.9 s"),
                (10000, "10 s"), (59999, "59 s"), (60000, "1 min"),
                (61000, "1 min 1 s"), (3599999, "59 min 59 s"),
                (3600000, "1 h"), (3659999, "1 h"), (3660000, "1 h 1 min"),
                (172799999, "47 h 59 min"), (172800000, "2 days"),
                (259199999, "2 days"), (259200000, "3 days")):
            end = begin + datetime.timedelta(milliseconds=msec)
            page = Page(report_of_any([hold(*(
                time.isoformat(timespec="milliseconds") + "Z"
                for time in (begin, end)))]))
            self.assertIn("The only one so far stayed %s." % said,
                          page.texts("main")[0])

    def test_two_of_one_host(self):
        page = Page(report([held(10), held(20)]))
        self.assertEqual(list(page.numbers()), [
            "Emails blocked", "Hours in the tar pit", "Unique SMTP host"])

    def test_letters(self):
        for count, drawn in (0, 0), (1, 1), (2, 2), (3, 2):
            page = Page(report([held(10)] * count))
            self.assertEqual(len(page.all("path", class_="flap")), drawn)

    def test_a_thousand(self):
        for count, said in (999, "999"), (1000, "1,000"), (1001, "1,001"):
            page = Page(report([held(10)] * count))
            self.assertEqual(page.numbers()["Emails blocked"], said)

    def test_commas(self):
        page = Page(report([held(1800)] * 2400))
        self.assertEqual(list(page.numbers().values()),
                         ["2,400", "1,200.00", "1"])

    def test_since_and_until(self):
        page = Page(report_of_any([hold("2006-09-21T19:09:00.000Z",
                                        "2006-11-03T20:00:00.000Z")]))
        self.assertEqual(page.texts("time"), [
            "21st September 2006 @ 21:09", "3rd November 2006 @ 21:00",
            "22nd November 2026 @ 13:00"])
        self.assertEqual([time["datetime"] for time in page.all("time")],
                         ["2006-09-21T21:09+02:00", "2006-11-03T21:00+01:00",
                          "2026-11-22T13:00+01:00"])

    def test_made(self):
        for zone, said in (
                (BERLIN, "22nd November 2026 @ 13:00, CET (UTC+1)"),
                ("UTC", "22nd November 2026 @ 12:00, UTC"),
                ("GMT0", "22nd November 2026 @ 12:00, GMT"),
                ("<-00>0", "22nd November 2026 @ 12:00, UTC"),
                ("America/St_Johns",
                 "22nd November 2026 @ 08:30, NST (UTC-3:30)"),
                ("Asia/Kathmandu", "22nd November 2026 @ 17:45, UTC+5:45"),
                ("America/Sao_Paulo", "22nd November 2026 @ 09:00, UTC-3")):
            footer, = Page(report([], zone=zone)).texts("footer")
            self.assertIn("Made on %s. Times and days are in this time zone."
                          % said, footer)

    def test_made_now(self):
        before = time.time() // 60 * 60
        page = Page(report([], zone="UTC", SOURCE_DATE_EPOCH=None))
        after = time.time()
        moment, = [datetime.datetime.fromisoformat(made["datetime"])
                   for made in page.all("time")]
        self.assertTrue(before <= moment.timestamp() <= after)

    def test_west_of_greenwich(self):
        page = Page(report_of_any([hold("1970-01-01T00:00:00.000Z",
                                        "1970-01-01T00:10:00.000Z")],
                                  zone="America/St_Johns"))
        self.assertEqual(page.all("time")[0]["datetime"],
                         "1969-12-31T20:30-03:30")
        self.assertIn("1 connection on 31 December 1969, not the whole day",
                      page.texts("title"))

    def test_days_are_those_of_the_zone(self):
        late = hold("2026-11-01T23:30:00.000Z", "2026-11-01T23:40:00.000Z")
        self.assertIn("on 2 November 2026", report([late]))
        self.assertIn("on 1 November 2026", report([late], zone="UTC"))

    def test_half(self):
        few = [held(60)] * 4 + [held(120)] + [held(1200)] * 4
        page = Page(report(few))
        self.assertIn("The longest stayed 20 min.", page.texts("main")[0])
        self.assertNotIn("alf", page.texts("main")[0])
        page = Page(report(few + [held(1200)]))
        self.assertIn("Half stayed longer than 2 min, the longest 20 min.",
                      page.texts("main")[0])
        self.assertIn("half: 2 min", page.texts("text"))

    def test_shares(self):
        description = Page(report(
            [held(5), held(30), held(90), held(1200)])).texts("desc")[2]
        self.assertIn("100.0% after 1 s; 75.0% after 10 s; 50.0% after 1 min;"
                      " 25.0% after 5 min; none beyond 20 min.", description)

    def test_longer_than_a_day(self):
        page = Page(report_of_any([hold("2026-11-01T00:00:00.000Z",
                                        "2026-11-08T00:00:00.000Z")] * 10))
        self.assertIn("Half stayed longer than 24 h, the longest 7 days.",
                      page.texts("main")[0])
        self.assertEqual(page.edge()[-1], (2000, 0))
        page = Page(report([held(10), hold("2026-11-01T00:00:00.000Z",
                                           "2026-11-02T00:00:00.001Z")]))
        self.assertEqual(page.edge()[-1], (2000, 500))


class Bars(unittest.TestCase):
    def bars(self, log):
        """The axis of each plot, and the bars in thousandths of the axis."""
        page = Page(report(log))
        return [([text["text"] for text in page.all("text", class_="y")
                  if plot in text["within"]],
                 [int(bar["height"]) for bar in page.all("rect")
                  if plot in bar["within"]])
                for plot in page.all("svg", role="img")[:2]]

    def test_heights(self):
        log = [held(180, day) for day in [1] * 10 + [2] * 5 + [4] * 20]
        self.assertEqual(self.bars(log), [
            (["0", "5", "10", "15", "20"], [500, 250, 1000]),
            (["0", "0.5", "1"], [500, 250, 1000])])

    def test_the_first_of_those_that_are_as_high(self):
        page = Page(report([held(36, day) for day in (1, 2, 3)]))
        self.assertIn("Most: 1 connection on 1 November 2026.",
                      page.texts("main")[0])
        self.assertEqual(
            [bar["x"] for bar in page.all("rect", class_="peak part")],
            ["1", "1"])

    def test_a_small_one_can_be_seen(self):
        log = [held(1, 1)] + [held(1, 2)] * 3000
        (axis, heights), _ = self.bars(log)
        self.assertEqual(axis, ["0", "1k", "2k", "3k"])
        self.assertEqual(heights, [5, 1000])


class Notes(unittest.TestCase):
    """The notes below the three numbers."""

    def notes(self, *holds):
        """The notes of a page of holds: a host's number, first and last day."""
        begin = datetime.datetime(2026, 1, 1)
        return Page(report_of_any([hold(*(
            (begin + datetime.timedelta(days)).isoformat(
                timespec="milliseconds") + "Z" for days in (first, last)),
            "192.0.2.%d" % host) for host, first, last in holds])
            ).texts("dd", class_="note")

    def test_a_day(self):
        self.assertEqual(self.notes((1, 0, 0.01), (1, 1.99, 1.999)), [])
        self.assertEqual(self.notes((1, 0, 0.01), (1, 1.99, 2)),
                         ["1.0 a day, on average"])
        self.assertEqual(self.notes((1, 0, 0.01), (1, 3.99, 4)),
                         ["0.5 a day, on average"])

    def test_hours(self):
        self.assertEqual(self.notes((1, 0, 4))[1:],
                         ["that is 4 days, day and night"])
        self.assertEqual(self.notes((1, 0, 4), (1, 3, 7))[1:],
                         ["1.1 stuck at any moment, on average"])
        self.assertEqual(self.notes((1, 0, 4), (1, 0, 4))[1:],
                         ["2.0 stuck at any moment, on average"])

    def test_hosts(self):
        def said(hosts, more=0):
            return self.notes(*((host, 0, 0) for host in
                                [*range(hosts), *range(more)]))

        self.assertEqual(said(1), [])
        self.assertEqual(said(1, 1), [])
        self.assertEqual(said(2), ["each came once"])
        self.assertEqual(said(2, 1), ["1.5 visits from each, on average"])
        self.assertEqual(said(19, 1), ["1.1 visits from each, on average"])
        self.assertEqual(said(40, 1), ["almost all came once"])
        self.assertEqual(said(40, 2), ["1.1 visits from each, on average"])


class Parts(unittest.TestCase):
    """The bar of a period that is covered only in part is pale."""

    def parts(self, first, last, made):
        """Which bars of the first plot are pale, and the words on them."""
        seconds = int(datetime.datetime.fromisoformat(made).timestamp())
        page = Page(report([held(10, first), held(10, 4), held(10, last)],
                           SOURCE_DATE_EPOCH=str(seconds)))
        plot = page.all("svg", role="img")[0]
        said = []
        for bar in page.all("rect"):
            if plot not in bar["within"]:
                continue
            title, = [one["text"] for one in page.all("title")
                      if bar in one["within"]]
            self.assertEqual("part" in bar.get("class", "").split(),
                             ", not the whole day" in title)
            said.append("part" in bar.get("class", "").split())
        self.assertIn("Pale: not the whole day.", page.texts("figcaption")[0])
        return said

    def test_last_day_is_over(self):
        self.assertEqual(self.parts(3, 5, "2026-11-06T00:00:00+01:00"),
                         [True, False, False])

    def test_last_day_goes_on(self):
        self.assertEqual(self.parts(3, 5, "2026-11-05T23:59:59+01:00"),
                         [True, False, True])

    def test_clock_is_behind(self):
        self.assertEqual(self.parts(3, 5, "2026-11-04T13:30:00+01:00"),
                         [True, True, True])

    def test_longer(self):
        log = [held(10), hold("2026-03-02T12:00:00.000Z",
                              "2026-03-02T12:00:10.000Z"),
               hold("2026-11-22T10:00:00.000Z", "2026-11-22T10:01:00.000Z")]
        page = Page(report(log))
        self.assertEqual(
            [bar.get("class") for bar in page.all("rect")],
            ["peak part", None, "part", "part", None, "peak part"])
        self.assertIn("Pale: not the whole week.",
                      page.texts("figcaption")[0])


class Units(unittest.TestCase):
    def assert_unit(self, first, last, unit, peak):
        page = Page(report_of_any([hold(first + "T12:00:00.000Z",
                                        first + "T12:01:00.000Z"),
                                   hold(last + "T12:00:00.000Z",
                                        last + "T12:05:00.000Z")]))
        self.assertEqual(page.texts("h2")[:2],
                         ["Connections per " + unit, "Hours per " + unit])
        self.assertIn("Most: 0.08 hours %s." % peak, page.texts("main")[0])

    def test_days(self):
        self.assert_unit("2026-01-01", "2026-04-10", "day",
                         "on 10 April 2026")

    def test_weeks_begin_on_monday(self):
        self.assert_unit("2026-01-01", "2026-04-11", "week",
                         "in the week of 6 April 2026")
        self.assert_unit("2026-01-01", "2026-04-13", "week",
                         "in the week of 13 April 2026")

    def test_months(self):
        self.assert_unit("2024-02-29", "2026-04-11", "month",
                         "in April 2026")

    def test_quarters(self):
        self.assert_unit("2006-09-21", "2026-11-21", "quarter",
                         "from October to December 2026")

    def test_years(self):
        self.assert_unit("1990-09-21", "2026-11-21", "year", "in 2026")

    def test_longer(self):
        self.assert_unit("1970-09-21", "2226-11-21", "five years",
                         "from 2225 to 2229")
        self.assert_unit("1970-09-21", "2626-11-21", "decade",
                         "from 2620 to 2629")
        self.assert_unit("1970-09-21", "9999-11-21", "century",
                         "from 9900 to 9999")


class Large(unittest.TestCase):
    """Numbers too large for any log here, from a made-up database."""

    def page(self, connections, length, first=10 ** 12,
             last=10 ** 12 + 5000):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "db")
            make_up(path, [(first // 86400000, connections, length, first,
                            last, 0)], [(50, connections)])
            done = subprocess.run(
                [STATS, "-f", "html", "-s", path], input=b"",
                capture_output=True, env={"TZ": "UTC", **MADE}, timeout=300)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            return Page(done.stdout.decode())

    def test_all_three_are_as_large_as_the_longest_allows(self):
        for connections, hours, size in (
                (9999999, 99999, "s"), (10000000, 99999, "m"),
                (9999999, 100000, "m"), (9999999999, 99999999, "m"),
                (10000000000, 99999999, "l"), (9999999999, 100000000, "l")):
            with self.subTest(connections=connections, hours=hours):
                numbers, = self.page(connections,
                                     hours * 3600000 + 3599999).all("dl")
                self.assertEqual(numbers["class"], "in-page " + size)

    def test_hours_in_days_and_years(self):
        day = 86400000
        for length, said in (
                (2 * day - 1, None), (2 * day, "2 days"), (10 * day, "10 days"),
                (730 * day - 1, "730 days"), (730 * day, "2.0 years"),
                (7305 * day, "20.0 years")):
            with self.subTest(length=length):
                self.assertEqual(
                    [note for note in self.page(
                        3, length, last=10 ** 12 + length).texts(
                        "dd", class_="note") if note.startswith("that is")],
                    ["that is %s, day and night" % said] * (said is not None))

    @staticmethod
    def marks(page, plot):
        return " ".join(text["text"] for text in page.all("text", class_="y")
                        if page.all("svg", role="img")[plot] in text["within"])

    def test_axis_of_hours(self):
        for length, marks in (
                (0, "0 0.01"), (36000, "0 0.01"), (36001, "0 0.01 0.02"),
                (144000, "0 0.01 0.02 0.03 0.04"), (144001, "0 0.02 0.04 0.06"),
                (288001, "0 0.05 0.1"), (14400001, "0 2 4 6")):
            with self.subTest(length=length):
                self.assertEqual(self.marks(self.page(3, length), 1), marks)

    def test_axis_of_connections(self):
        for connections, marks in [
                (1, "0 1"), (2, "0 1 2"), (4, "0 1 2 3 4"), (5, "0 2 4 6"),
                (8, "0 2 4 6 8"), (9, "0 5 10"), (20, "0 5 10 15 20"),
                (21, "0 10 20 30"), (1000, "0 500 1k"),
                (500000, "0 200k 400k 600k"), (9 * 10 ** 17, "0 500P 1E")
                ] + [(4 * 1000 ** power, "0 1{0} 2{0} 3{0} 4{0}".format(unit))
                     for power, unit in enumerate(["", *"kMGTPE"])]:
            with self.subTest(connections=connections):
                self.assertEqual(self.marks(self.page(connections, 0), 0),
                                 marks)


class Axes(unittest.TestCase):
    """The labels below the plots, and their places in per cent of the width;
    a star marks a label that a telephone does not show.
    """

    maxDiff = None
    DAYS = (1, 2, 3, 5, 7, 8, 9, 10, 12, 16, 17, 18, 31, 56, 57, 62, 90, 100,
            101, 112, 113, 150, 200, 250, 300, 365, 500, 731, 1000, 1500,
            2000, 3000, 4000, 6000, 8000, 15000, 20000, 40000, 80000, 150000,
            400000, 1000000, 2800000)
    SECONDS = 1, 7200, 7201, 14400, 14401, 28800, 28801, 86400, 86401

    def labels(self, page, plot):
        places = [(text["within"][-1], text["text"])
                  for text in page.all("text")
                  if page.all("svg", role="img")[plot] in text["within"]]
        return ", ".join("%s %s%s" % (
            place["x"][:-1], text, "*" if place.get("class") == "w" else "")
            for place, text in places if place.get("x", "").endswith("%")
            and place["y"] == "100%")

    def test_labels(self):
        said = ""
        for days in self.DAYS:
            first = datetime.date(2026, 11, 21) if days < 20000 else \
                datetime.date(1970, 1, 1)
            last = first + datetime.timedelta(days - 1)
            if days < 20000:
                first, last = first - (last - first), first
            page = Page(report_of_any([hold("%sT12:00:00.000Z" % day,
                                            "%sT12:01:00.000Z" % day)
                                       for day in (first, last)]))
            said += "%d days: %s\n" % (days, self.labels(page, 0))
            self.assertEqual(self.labels(page, 1), self.labels(page, 0))
        for seconds in self.SECONDS:
            end = datetime.datetime(2026, 11, 21) + datetime.timedelta(
                seconds=seconds)
            page = Page(report_of_any(
                [hold("2026-11-21T00:00:00.000Z",
                      end.strftime("%Y-%m-%dT%H:%M:%S.000Z"))]))
            said += "%d seconds: %s\n" % (seconds, self.labels(page, 2))
        # Up to the year 10000, which begins 14 hours early in this zone.
        said += "all days: %s\n" % self.labels(Page(report_of_any(
            [hold("1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.000Z"),
             hold("9999-12-31T23:00:00.000Z", "9999-12-31T23:00:00.000Z")],
            zone="Pacific/Kiritimati")), 0)
        with open(os.path.join(GOLDEN, "axes.text")) as file:
            self.assertEqual(said.splitlines(), file.read().splitlines())


class Golden(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with open(os.path.join(GOLDEN, "holds.log")) as file:
            cls.log = file.read()

    def test_byte_for_byte(self):
        with open(os.path.join(GOLDEN, "page.html")) as file:
            self.assertEqual(report(self.log).splitlines(),
                             file.read().splitlines())

    def test_whatever_the_locale(self):
        self.assertEqual(report(self.log),
                         report(self.log, LC_ALL="de_DE.UTF-8",
                                LANG="de_DE.UTF-8"))

    def test_whatever_the_order(self):
        lines = self.log.splitlines()
        random.Random(1).shuffle(lines)
        self.assertEqual(report(self.log), report(lines))


if __name__ == "__main__":
    unittest.main()
