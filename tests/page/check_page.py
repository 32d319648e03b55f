# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: python3 -m tests.page.check_page [picture]

Make pages of tarpit-stats from made-up logs and look at them: with the Nu
HTML checker, and in a real browser on screens of several widths, by day and
by night.  Screenshots are left in ../build/page.  The metrics of the same logs
are looked at by promtool.

With "picture", draw the picture for the README, ../../stats/page.png.

TARPIT_STATS names the binary.
"""

import contextlib
import hashlib
import http.server
import io
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import urllib.request

from tests.lib import made_up
from tests.lib.stats import BERLIN, MADE, report_of_any
from tests.page.browser import Browser, find

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(TOP, "tests", "build")
PAGES = os.path.join(BUILD, "page")
STATS = os.environ.get("TARPIT_STATS", os.path.join(TOP, "tarpit-stats"))
STYLE = os.path.join(TOP, "stats", "page.css")
PICTURE = os.path.join(TOP, "stats", "page.png")
CHECKER = "https://registry.npmjs.org/vnu-jar/-/vnu-jar-26.9.27.tgz"
CHECKER_SHA256 = (
    "5970d3ffca91a627cf0965e5d91bb2e4242307c29292998de0b419d6a901b2b7")
PROMTOOL = os.path.join(BUILD, "prometheus", "usr", "bin", "promtool")
SKIPPED = 77

PAGE_MAX = 60000
LETTERS_MIN = 10  # pixels
CONTRAST_MIN = 4.5
WIDTHS = [320, 360, 390, 575, 576, 703, 704, 1023, 1024, 1280, 1920]
SCHEMES = ["light", "dark"]
SHOWN = [360, 1280]  # of which screenshots are kept

LINE = "tarpit[1]: ip=198.18.0.1 connected=%s disconnected=%s"
# What each page is made from.
CASES = {
    "empty": [],
    "one": [LINE % ("2026-11-21T10:00:00.000Z", "2026-11-21T10:00:31.250Z")],
    "short": [LINE % ("2026-11-21T10:00:00.000Z", "2026-11-21T10:00:00.400Z"),
              LINE % ("2026-11-21T10:01:00.000Z", "2026-11-21T10:01:00.600Z")],
    "day": made_up.lines(1),
    "week": made_up.lines(7, 20),
    "month": made_up.lines(31),
    "season": made_up.lines(100, 10),
    "half-year": made_up.lines(180, 10),
    "year": made_up.lines(400, 30),
    "three-years": made_up.lines(1100, 10),
    "twenty-years": made_up.lines(7300, 3),
    "campaign": [LINE % ("2026-11-20T10:00:00.000Z",
                         "2026-11-20T10:04:10.000Z")] * 300000,
}
# Pages of holds that tarpit-stats does not take from a log.
IMPOSSIBLE = {
    "days-long": [LINE % ("2026-11-%02dT10:00:00.000Z" % day,
                          "2026-11-22T11:00:00.000Z") for day in range(1, 22)],
    "ages": [LINE % ("1970-01-01T00:00:00.000Z", "2999-12-31T20:00:00.000Z"),
             LINE % ("2999-12-31T20:00:00.000Z", "2999-12-31T21:00:00.000Z")],
}

# Of all letters that can be seen: what they say, how large they are, where
# they stand and where they should.
MEASURE = """(() => {
    const box = r => [r.left, r.top, r.right, r.bottom];
    const letters = [];
    const walker = document.createTreeWalker(document.body,
        NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        if (walker.currentNode.data.trim() === "")
            continue;
        const figure = element.closest("figure");
        const matrix = element.getScreenCTM ? element.getScreenCTM() : {d: 1};
        for (const place of range.getClientRects())
            letters.push({
                text: walker.currentNode.data,
                drawn: element.tagName === "text",
                size: parseFloat(getComputedStyle(element).fontSize) *
                    matrix.d,
                box: box(place),
                figure: figure ? box(figure.getBoundingClientRect()) : null,
            });
    }
    return {
        scroll: document.scrollingElement.scrollWidth,
        figures: document.querySelectorAll("figure").length,
        letters: letters,
    };
})()"""

COLOURS = """(() => {
    const style = getComputedStyle(document.documentElement);
    const named = {};
    for (const name of %s)
        named[name] = style.getPropertyValue("--" + name).trim();
    return named;
})()"""
# Letters, and what is behind them.
ON = [("ink", "paper"), ("soft", "paper"), ("tar-ink", "tar"),
      ("tar-ink", "deep"), ("tar-ink", "sheen"), ("letter", "tar"),
      ("letter", "deep"), ("letter", "sheen"), ("letter", "glow"),
      ("tar-soft", "tar"), ("tar-soft", "deep")]


PICTURE_SEED = 7
WRAPPER = """<!DOCTYPE html><style>
body { margin: 0; height: 946px; display: flex }
div { background-size: 100% }
.large { width: 860px; background-image: url(large.png) }
.small { width: 340px; background-image: url(small.png) }
</style><div class="large"></div><div class="small"></div>"""


class Failed(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Failed(what)


def report(form, name):
    if name in IMPOSSIBLE:
        return report_of_any(IMPOSSIBLE[name], form).encode()
    log = "".join(line + "\n" for line in CASES[name])
    return subprocess.run(
        [STATS, "-f", form], input=log.encode(), stdout=subprocess.PIPE,
        env={**os.environ, **MADE, "TZ": BERLIN}, check=True,
        timeout=300).stdout


def make_page(name):
    path = os.path.join(PAGES, name + ".html")
    with open(path, "wb") as file:
        file.write(report("html", name))
    return path


def check_text(path):
    with open(path) as file:
        page = file.read()
    need(len(page.encode()) < PAGE_MAX, "%d bytes" % len(page.encode()))
    need(not re.search(r"<script|\son\w+=|javascript:|@import|//|<base"
                       r"|<iframe|<form|<img|<object|<embed", page),
         "a script, or something to load")
    for link in re.findall(r"(?:href|src|url)\s*[=(]\s*[\"']?([^\"')]*)",
                           page):
        need(link.startswith(("#", "data:")), "a link to " + link)
    need("198.18." not in page and "2001:db8" not in page, "an address")
    return len(page.encode())


def check_screen(browser, path, width, scheme):
    browser.look(width, 800, scheme)
    said, asked = browser.open(path)
    need(not said, "the browser says: %s" % said)
    need([url for url in asked if not url.startswith("data:")] ==
         ["file://" + path], "it asked for %s" % asked)
    check_layout(browser.evaluate(MEASURE), width)


def check_wide_letters(browser, path):
    """The widest of the fonts that a machine may have instead of ours."""
    for width in WIDTHS:
        browser.look(width, 800, "light")
        browser.open(path)
        browser.evaluate(
            "document.body.style.fontFamily = \"'DejaVu Serif'\"")
        try:
            check_layout(browser.evaluate(MEASURE), width)
        except Failed as failed:
            raise Failed("wide letters, %d pixels: %s" % (width, failed))


def check_layout(seen, width):
    # Not the window's own width: a telephone's grows with what is in it.
    need(seen["scroll"] <= width, "it is %d pixels wide" % seen["scroll"])
    drawn = [one for one in seen["letters"] if one["drawn"]]
    need(len(drawn) >= 10 * (seen["figures"] > 0), "plots without labels")
    for one in seen["letters"]:
        what = "%(text)r at %(box)s" % one
        need(0 <= one["box"][0] and one["box"][2] <= width,
             what + " is outside of the window")
        need(one["size"] >= LETTERS_MIN, "%s: %.1f pixels" % (
            what, one["size"]))
        if one["figure"] is not None:
            need(inside(one["box"], one["figure"]),
                 what + " is outside of its figure")
    for one, other in itertools.combinations(seen["letters"], 2):
        need(not overlap(one["box"], other["box"]),
             "%r is on top of %r" % (one["text"], other["text"]))


def inside(box, frame):
    return (frame[0] <= box[0] and box[2] <= frame[2] and
            frame[1] <= box[1] and box[3] <= frame[3])


def overlap(one, other):
    """By more than the air around letters."""
    return (min(one[2], other[2]) - max(one[0], other[0]) > 0 and
            min(one[3], other[3]) - max(one[1], other[1]) > 6)


def check_colours(browser, path):
    papers = []
    for scheme in SCHEMES:
        browser.look(1280, 800, scheme)
        browser.open(path)
        names = sorted({name for pair in ON for name in pair})
        colours = browser.evaluate(COLOURS % json.dumps(names))
        for front, back in ON:
            ratio = contrast(colours[front], colours[back])
            need(ratio >= CONTRAST_MIN, "%s on %s, %s: %.2f" % (
                front, back, scheme, ratio))
        papers.append(luminance(colours["paper"]))
    need(papers[0] > 0.5 and papers[1] < 0.05, "day and night are the same")


def contrast(one, other):
    """As WCAG 2.2 defines it."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def check_largest(browser, path):
    """Numbers that no log here has room for."""
    for kind, number in (("s", "9,999,999"), ("m", "9,999,999,999"),
                         ("m", "99,999,999.99"),
                         ("l", "18,446,744,073,709,551,615")):
        for width in WIDTHS:
            browser.look(width, 800, "light")
            browser.open(path)
            browser.evaluate(
                "document.querySelector('dl').className = 'in-page %s';"
                "for (const one of document.querySelectorAll('.number'))"
                "    one.textContent = '%s';" % (kind, number))
            try:
                check_layout(browser.evaluate(MEASURE), width)
            except Failed as failed:
                raise Failed("%s, %d pixels: %s" % (number, width, failed))


# What a server's own policy must allow; README says it under the nginx block.
ALLOWED = "style-src 'unsafe-inline'; img-src data:"


def check_policy(browser, path):
    """A server that sends a Content-Security-Policy with all of its pages."""
    for policy, is_good in (("default-src 'self'; " + ALLOWED, True),
                            ("default-src 'self'", False)):
        with serve(path, policy) as url:
            browser.look(1280, 800, "light")
            said, _ = browser.open_url(url)
        need((said == []) == is_good, "%s: the browser says %s" % (
            policy, said))


@contextlib.contextmanager
def serve(path, policy):
    """The page on a port of 127.0.0.1, as long as it is needed."""
    with open(path, "rb") as file:
        page = file.read()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_):
            pass

    # A thread for each connection: a browser opens some in advance, on which it
    # asks for nothing.
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                         Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield "http://127.0.0.1:%d/" % server.server_port
        finally:
            server.shutdown()
            thread.join()


STUCK = ('<p class="now">Stuck right now: <b>%s</b>,'
         ' the longest for %s.</p>')
HEADER = """document.querySelector("h1").textContent = "Stuck in %s";
document.querySelector("header p").insertAdjacentHTML("afterend", '%s')"""


def check_header(browser, path):
    """The longest titles, and who is stuck."""
    for title in "W" * 100, "tarpit.example.org", "\u00c4 " * 33:
        for width in WIDTHS:
            browser.look(width, 800, "light")
            browser.open(path)
            browser.evaluate(HEADER % (
                title, STUCK % ("12,345", "23 h 59 min")))
            try:
                check_layout(browser.evaluate(MEASURE), width)
            except Failed as failed:
                raise Failed("%s, %d pixels: %s" % (title, width, failed))


def show(browser, path, width, scheme, to, scale=1):
    """A screenshot of the whole page."""
    browser.look(width, 400, scheme, scale)
    browser.open(path)
    height = browser.evaluate("document.documentElement.scrollHeight")
    browser.look(width, height, scheme, scale)
    browser.screenshot(to)


def get_checker():
    """The Nu HTML checker's path, or None and why."""
    jar = os.path.join(BUILD, "vnu.jar")
    if os.path.exists(jar):
        return jar
    if shutil.which("java") is None:
        print("Nu checker     skipped: there is no java")
        return None
    try:
        with urllib.request.urlopen(CHECKER, timeout=300) as answer:
            packed = answer.read()
    except OSError as error:
        print("Nu checker     skipped: %s: %s" % (CHECKER, error))
        return None
    need(hashlib.sha256(packed).hexdigest() == CHECKER_SHA256,
         CHECKER + " is not what it was")
    with tarfile.open(fileobj=io.BytesIO(packed)) as package, \
            open(jar + ".new", "wb") as new:
        shutil.copyfileobj(
            package.extractfile("package/build/dist/vnu.jar"), new)
    os.rename(jar + ".new", jar)
    return jar


def check_html(jar, paths):
    result = subprocess.run(
        ["java", "-Xss1m", "-jar", jar, "--also-check-css", "--stdout",
         "--exit-zero-always", "--format", "json"] + paths,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL, check=True, timeout=300)
    return ["%s:%s: %s" % (os.path.basename(one["url"]),
                           one.get("lastLine", 0), one["message"])
            for one in json.loads(result.stdout)["messages"]]


def check_metrics(name):
    metrics = report("prometheus", name)
    for address in "198.18.", "2001:db8":
        need(address not in metrics.decode(), "an address")
    said = subprocess.run([PROMTOOL, "check", "metrics"], input=metrics,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=300)
    need(said.returncode == 0 and not said.stdout, said.stdout.decode())


def check_page(browser, name, path):
    size = check_text(path)
    for width in WIDTHS:
        for scheme in SCHEMES if width in SHOWN else SCHEMES[:1]:
            try:
                check_screen(browser, path, width, scheme)
            except Failed as failed:
                raise Failed("%d pixels, %s: %s" % (width, scheme, failed))
            if width in SHOWN:
                show(browser, path, width, scheme, os.path.join(
                    PAGES, "%s-%d-%s.png" % (name, width, scheme)))
    check_wide_letters(browser, path)
    return size


def attempt(name, function, *arguments):
    """Returns whether it went well, and says so."""
    try:
        result = function(*arguments)
    except Failed as failed:
        print("%-14s FAILED: %s" % (name, failed))
        return False
    print("%-14s good%s" % (
        name, "" if result is None else ", %d bytes" % result), flush=True)
    return True


def check():
    paths = {name: make_page(name) for name in [*CASES, *IMPOSSIBLE]}
    with Browser() as browser:
        good = [attempt(name, check_page, browser, name, path)
                for name, path in paths.items()]
        good.append(attempt("colours", check_colours, browser, paths["month"]))
        good.append(attempt("large numbers", check_largest, browser,
                            paths["month"]))
        good.append(attempt("policy", check_policy, browser, paths["month"]))
        good.append(attempt("header", check_header, browser, paths["month"]))
        good.append(attempt("header, no letters", check_header, browser,
                            paths["empty"]))
    jar = get_checker()
    if jar is not None:
        complaints = check_html(jar, [*paths.values(), STYLE])
        print("\n".join(complaints) or "Nu checker     good")
        good.append(not complaints)
    good += [attempt("metrics, " + name, check_metrics, name)
             for name in [*CASES, *IMPOSSIBLE]]
    return 0 if all(good) else 1


def add_stuck(path):
    """As if some were stuck in this made-up tarpit."""
    with open(path) as file:
        before, after = file.read().split("</p>\n", 1)
    with open(path, "w") as file:
        file.write(before + "</p>\n" + STUCK % (17, "1 h 53 min") + after)


def draw_picture():
    """A large screen by day and a telephone by night, side by side."""
    CASES["picture"] = made_up.lines(460, seed=PICTURE_SEED)
    page = make_page("picture")
    add_stuck(page)
    wrapper = os.path.join(PAGES, "wrapper.html")
    with open(wrapper, "w") as file:
        file.write(WRAPPER)
    with Browser() as browser:
        show(browser, page, 1120, "light", os.path.join(PAGES, "large.png"), 2)
        show(browser, page, 375, "dark", os.path.join(PAGES, "small.png"), 2)
        show(browser, wrapper, 1200, "light", PICTURE)
    if shutil.which("pngquant") is not None:
        subprocess.run(["pngquant", "--force", "--strip", "--speed", "1",
                        "--output", PICTURE, "256", PICTURE],
                       check=True, timeout=300)
    print("%s: %d bytes" % (PICTURE, os.path.getsize(PICTURE)))
    return 0


def main():
    if sys.argv[1:] not in ([], ["picture"]):
        print(__doc__, file=sys.stderr)
        return 64
    if find() is None:
        print("page: skipped: there is no chromium")
        return SKIPPED
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.makedirs(PAGES, exist_ok=True)
    return draw_picture() if sys.argv[1:] else check()


if __name__ == "__main__":
    sys.exit(main())
