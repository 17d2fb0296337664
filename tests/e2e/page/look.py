#!/usr/bin/env python3
"""Looks at the page in a Chromium without a window, as a person would, and says what is not as it has to be.

Needs Playwright's Python package. Waits for conditions and never for a time; ends the browser that it started.
"""

import argparse
import contextlib
import json
import math
import os
import statistics
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import expect, sync_playwright

from bodies import BOX, HEIGHT, MOVED, SCRIPT, WIDTH, Sender, box, brush, event, is_marked, polygon, region
from expected_regions import fixtures, labelbox
from flood import a_flood_is_looked_at, a_million_regions_are_no_harm
from images import a_sound_comes_on_a_click, an_image_comes_on_a_click
from lines import every_line_is_drawn
from selection import several_are_chosen

MILLISECONDS = 60_000

# Corners of a shape's own box, in pixels of its image.
CORNERS = """(shape) => {
  const image = shape.ownerSVGElement, frame = image.getBoundingClientRect(), seen = image.viewBox.baseVal;
  const { x, y, width, height } = shape.getBBox(), matrix = shape.getScreenCTM();
  return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]].map(([x, y]) => {
    const at = new DOMPoint(x, y).matrixTransform(matrix);
    return [(at.x - frame.left) / frame.width * seen.width, (at.y - frame.top) / frame.height * seen.height];
  });
}"""

# Points of a polygon or a line, in pixels of its image.
POINTS = """(shape) => {
  const image = shape.ownerSVGElement, frame = image.getBoundingClientRect(), seen = image.viewBox.baseVal;
  const matrix = shape.getScreenCTM();
  return Array.from(shape.points, ({ x, y }) => {
    const at = new DOMPoint(x, y).matrixTransform(matrix);
    return [(at.x - frame.left) / frame.width * seen.width, (at.y - frame.top) / frame.height * seen.height];
  });
}"""

# For each pixel of a canvas, row by row, whether something is drawn there.
PIXELS = """(canvas) => {
  const { width, height } = canvas, { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  const marked = [];
  for (let at = 3; at < data.length; at += 4) marked.push(data[at] > 0);
  return [width, height, marked];
}"""


# Milliseconds from a click on the line of a delivery to its drawing; none if that does not come.
OPENED = """(name) => new Promise((done) => {
  const box = document.getElementById('detail'), begun = performance.now();
  box.firstElementChild.dataset.old = '';
  const seen = new MutationObserver(() => {
    if (box.querySelector('[data-old]') || !box.querySelector('svg[data-picture]')) return;
    seen.disconnect();
    requestAnimationFrame(() => done(performance.now() - begun));
  });
  seen.observe(box, { childList: true, subtree: true });
  setTimeout(() => done(null), 60_000);
  document.querySelector(`#list [data-name="${name}"]`).click();
})"""

PAINTED = "() => performance.getEntriesByType('paint').find((it) => it.name === 'first-paint')?.startTime ?? null"


def corners(percent):
    """Computed apart: a box is turned clockwise about its upper left corner."""
    x, y = percent["x"] * WIDTH / 100, percent["y"] * HEIGHT / 100
    width, height = percent["width"] * WIDTH / 100, percent["height"] * HEIGHT / 100
    turn = math.radians(percent["rotation"])
    return [
        (x + dx * math.cos(turn) - dy * math.sin(turn), y + dx * math.sin(turn) + dy * math.cos(turn))
        for dx, dy in ((0, 0), (width, 0), (width, height), (0, height))
    ]


class Look:
    def __init__(self, browser, url, sender):
        self.base = url.split("/?")[0]
        self.sender = sender
        self.errors, self.asked = [], []
        self.page = browser.new_context(viewport={"width": 1400, "height": 1000}, color_scheme="light").new_page()
        self.page.set_default_timeout(MILLISECONDS)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self.said)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(url)
        self.page.locator("#strip li[data-part=relay]").wait_for()

    def said(self, message):
        # The browser tells of each answer that is a refusal, which the page tells itself.
        if message.type == "error" and "status of 409" not in message.text:
            self.errors.append(message.text)

    def line(self, name):
        return self.page.locator('#list [role=option][data-name="%s"]' % name)

    def open(self, name):
        # What is shown goes when the answer is there.
        self.page.evaluate("() => { document.getElementById('detail').firstElementChild.dataset.old = ''; }")
        self.line(name).click()
        self.page.locator("#detail [data-old]").wait_for(state="detached")
        expect(self.line(name)).to_have_attribute("aria-selected", "true")
        self.page.locator("#detail [role=tab][data-tab=body]").wait_for()

    def tab(self, name):
        self.page.locator("#detail [role=tab][data-tab=%s]" % name).click()
        expect(self.page.locator("#tab-%s" % name)).to_have_attribute("aria-selected", "true")

    def region(self, id, state):
        shape = self.page.locator('svg[data-picture] [data-region="%s"][data-state="%s"]' % (id, state))
        shape.wait_for(state="attached")
        return shape

    def is_at(self, shape, percent):
        for (x, y), (at_x, at_y) in zip(shape.evaluate(CORNERS), corners(percent)):
            assert abs(x - at_x) <= 0.5 and abs(y - at_y) <= 0.5, (x, y, at_x, at_y)

    def waiting(self):
        """How many events wait on the queue, in words."""
        strip = self.page.evaluate("() => fetch('/api/strip').then((it) => it.json())")
        words = [part["words"] for part in strip["parts"] if part["part"] == "queue"]
        return words[0].split(",")[0]

    def nothing_happened(self):
        assert self.page.evaluate("() => window.hit === undefined"), "a script of a payload ran"
        assert self.page.locator("img, iframe, object, embed, base, script:not([src='/assets/page.js'])").count() == 0
        assert self.page.locator("a[href^='javascript']").count() == 0
        # What the page saves by itself has an address of the browser's own.
        away = [url for url in self.asked if not url.removeprefix("blob:").startswith(self.base + "/")]
        assert not away, "asked for outside of the page: %s" % away
        assert not self.errors, self.errors


def comes_without_reload(look):
    look.page.evaluate("() => { window.stays = true; }")
    assert "token" not in look.page.url, "the token stands in the address"
    assert look.sender.label_studio(event("ANNOTATION_CREATED", 5, [box(BOX), brush()], 1)) == 200
    look.line("r1").wait_for()
    assert look.sender.labelbox("delivery-of-the-page", {"id": "a-label", "label": "{}"}) == 200
    assert look.sender.label_studio(event("ANNOTATION_CREATED", 6, [], 2), "wrong") == 401
    look.line("r3").wait_for()
    assert look.page.evaluate("() => window.stays"), "the page was loaded again"


def is_found(look):
    look.page.fill("#search", "delivery-of")
    expect(look.page.locator("#list [role=option]")).to_have_count(1)
    expect(look.line("r2")).to_have_attribute("data-delivery", "delivery-of-the-page")
    look.page.fill("#search", "")
    expect(look.page.locator("#list [role=option]")).to_have_count(3)
    look.page.select_option("#show", "refused")
    expect(look.page.locator("#list [role=option]")).to_have_count(1)
    look.line("r3").wait_for()
    # The filter is in the address: who opens that sees the same.
    assert "show=refused" in look.page.url
    look.page.reload()
    look.line("r3").wait_for()
    expect(look.page.locator("#list [role=option]")).to_have_count(1)
    look.open("r3")
    expect(look.page.locator("#detail")).to_contain_text("verify --delivery r3")
    # It has no event.
    expect(look.page.locator("#fixture")).to_have_count(0)
    look.page.select_option("#show", "")
    look.line("r1").wait_for()


def is_saved_for_tests(look):
    look.open("r1")
    with look.page.expect_download() as saved:
        look.page.locator("#fixture").click()
    with open(saved.value.path(), encoding="utf-8") as file:
        message = json.load(file)
    assert saved.value.suggested_filename == "event.json", saved.value.suggested_filename
    assert message["data"]["annotation"]["id"] == 5, message


class OtherPage(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"<p>hi")

    def log_message(self, *words):
        pass


@contextlib.contextmanager
def another_port():
    """A web page on a port of this machine, which is not the relay's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), OtherPage) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield "http://127.0.0.1:%d/" % server.server_port
        finally:
            server.shutdown()
            serving.join()


def is_sent_again(look):
    look.open("r1")
    # It is no dead letter.
    expect(look.page.locator("#retry")).to_have_count(0)
    look.page.locator("#replay").click()
    expect(look.page.locator("#done")).to_contain_text("on the queue once more")
    waiting = look.waiting()
    # A page of another port of this machine has the cookie, too, and has nothing done with it. It does not see the answer.
    cookies = look.page.context.cookies()
    assert cookies, "the page has left no cookie"
    other = look.page.context.browser.new_context()
    other.add_cookies(cookies)
    page = other.new_page()
    with another_port() as address:
        page.goto(address)
        page.evaluate(
            "(url) => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include' }).then(() => {}, () => {})",
            look.base + "/api/deliveries/r1/replay",
        )
    other.close()
    assert look.waiting() == waiting, (look.waiting(), waiting)


def is_drawn(look):
    look.open("r1")
    shape = look.region("box", "plain")
    look.is_at(shape, BOX)
    # It is named once somebody points at it.
    shape.dispatch_event("pointerover")
    expect(shape.locator("title")).to_have_text("Car")
    width, height, marked = look.page.locator("canvas[data-masks]").evaluate(PIXELS)
    assert (width, height) == (WIDTH, HEIGHT), (width, height)
    expected = [is_marked(x, y) for y in range(HEIGHT) for x in range(WIDTH)]
    wrong = sum(one != other for one, other in zip(marked, expected))
    assert wrong == 0, "%d pixels are wrong" % wrong
    # The next version is drawn over this one.
    assert look.sender.label_studio(event("ANNOTATION_UPDATED", 5, [box(MOVED), brush()], 3)) == 200
    look.line("r4").wait_for()
    look.open("r4")
    look.is_at(look.region("box", "changed"), MOVED)
    look.is_at(look.region("box", "was"), BOX)


def pictures(look, folder):
    """For the documents."""
    def take(name):
        look.page.screenshot(path=os.path.join(folder, "page-%s.png" % name))

    look.page.set_viewport_size({"width": 1200, "height": 700})
    look.open("r3")
    take("list")
    look.open("r4")
    look.region("box", "changed")
    take("drawing")
    look.page.emulate_media(color_scheme="dark")
    take("dark")
    look.page.emulate_media(color_scheme="light")
    look.page.set_viewport_size({"width": 390, "height": 800})
    take("phone")
    look.page.set_viewport_size({"width": 1400, "height": 1000})


def harm_is_none(look):
    """Bodies that mean harm: each is shown, says what it left out, and the page goes on."""
    deep = b'{"action":"ANNOTATION_CREATED","annotation":{"id":8,"result":' + b"[" * 10_000 + b"]" * 10_000 + b"}}"
    huge = region("huge", "brushlabels", {"format": "rle", "rle": [59, 154, 202, 0, 57, 27], "brushlabels": ["x"]}, 50_000, 5_000)
    odd = box({**BOX, "x": float("nan"), "width": 1e300})
    many = [box(BOX, str(number)) for number in range(20_000)]
    bodies = [
        event("ANNOTATION_CREATED", 9, [box(BOX, SCRIPT)], 4),
        deep,
        event("ANNOTATION_CREATED", 10, [huge], 5),
        event("ANNOTATION_CREATED", 11, [odd], 6),
        event("ANNOTATION_CREATED", 12, many, 7),
    ]
    for number, body in enumerate(bodies, 5):
        name = "r%d" % number
        assert look.sender.label_studio(body) == 200, name
        look.line(name).wait_for()
        look.open(name)
        for tab in ("head", "body", "envelope", "steps", "drawing"):
            look.tab(tab)
        look.nothing_happened()
    # A label that is markup is a text.
    look.open("r5")
    look.tab("drawing")
    expect(look.page.locator("#detail")).to_contain_text("onerror=")
    look.open("r7")
    expect(look.page.locator("#detail")).to_contain_text("mask")


def is_for_everybody(look, axe):
    with open(axe, encoding="utf-8") as file:
        source = file.read()
    look.open("r4")
    look.region("box", "changed")
    look.line("r4").locator(".pick").click()
    for scheme in ("light", "dark"):
        look.page.emulate_media(color_scheme=scheme)
        # Evaluated, not added as an element: the policy of the page stays on.
        look.page.evaluate(source)
        found = look.page.evaluate("() => axe.run({ resultTypes: ['violations'] })")
        serious = [
            (it["id"], [node["html"] for node in it["nodes"]][:3])
            for it in found["violations"] if it["impact"] in ("serious", "critical")
        ]
        assert not serious, "%s: %s" % (scheme, serious)
    look.page.locator("#picked-clear").click()
    look.page.set_viewport_size({"width": 390, "height": 800})
    look.page.wait_for_function("() => document.documentElement.scrollWidth <= window.innerWidth")
    look.page.set_viewport_size({"width": 1400, "height": 1000})


def keys_are_enough(look):
    look.page.keyboard.press("Escape")
    look.page.keyboard.press("/")
    expect(look.page.locator("#search")).to_be_focused()
    look.page.keyboard.press("ArrowDown")
    expect(look.page.locator("#list")).to_be_focused()
    look.page.keyboard.press("End")
    expect(look.line("r1")).to_have_attribute("aria-selected", "true")
    look.page.keyboard.press("Enter")
    expect(look.page.locator("#detail")).to_be_focused()


def every_form_is_drawn(look):
    """Each region on an image that the platforms' fixtures have, against what was computed apart."""
    known = list(fixtures())
    forms = {form for _, _, regions in known for form, _ in regions.values()}
    assert forms == {"corners", "points", "centre", "mask"}, forms
    # At the top of the list, without a filter.
    look.page.goto(look.base + "/")
    newest = look.page.locator("#list [role=option]").first
    newest.wait_for()
    first = int(newest.get_attribute("data-number")) + 1
    for number, (name, body, _) in enumerate(known, first):
        # Another annotation than any other: it has no version before.
        body["annotation"]["id"] = 1_000_000 + number
        assert look.sender.label_studio(body) == 200, name
    look.line("r%d" % (first + len(known) - 1)).wait_for()
    for number, (name, _, regions) in enumerate(known, first):
        are_drawn(look, "r%d" % number, name, regions)
    # What Labelbox sends, too. A mask that it keeps is named.
    body, regions = labelbox()
    assert {form for form, _ in regions.values()} == {"corners", "points", "centre"}, regions
    assert look.sender.labelbox("every-form", body) == 200
    line = "r%d" % (first + len(known))
    look.line(line).wait_for()
    are_drawn(look, line, "labelbox", regions)
    expect(look.page.locator("#panel")).to_contain_text("A mask that the platform keeps at https://")


def are_drawn(look, line, name, regions):
    """Each of these regions of a delivery, where it was computed to be."""
    look.open(line)
    look.tab("drawing")
    for id, (form, expected) in regions.items():
        if form == "mask":
            width, height, pixels = expected
            drawn = look.page.locator("canvas[data-masks]").first.evaluate(PIXELS)
            wrong = sum(one != other for one, other in zip(drawn[2], pixels))
            assert (drawn[:2], len(drawn[2]), wrong) == ([width, height], len(pixels), 0), (name, drawn[:2], wrong)
            continue
        shape = look.page.locator('svg[data-picture] .region[data-region="%s"]' % id).first
        shape.wait_for(state="attached")
        found = shape.evaluate(POINTS if form == "points" else CORNERS)
        if form == "centre":
            found = [[sum(at) / 4 for at in zip(*found)]]
        assert len(found) == len(expected), (name, id, found)
        for (x, y), (at_x, at_y) in zip(found, expected):
            assert abs(x - at_x) <= 0.5 and abs(y - at_y) <= 0.5, (name, id, x, y, at_x, at_y)


def how_quick(look):
    """Says how long things take, in the median of twenty. A busy machine fails nothing."""
    def figure(what, aim, measure):
        times = []
        while len(times) < 20:
            time = measure()
            if time is None:
                return print("%s: the browser does not tell" % what, flush=True)
            times.append(time)
        return print("%s: %.0f ms (aim: %d ms)" % (what, statistics.median(times), aim), flush=True)

    def painted():
        look.page.goto(look.base + "/")
        look.page.locator("#list [role=option]").first.wait_for()
        return look.page.evaluate(PAINTED)

    figure("first paint", 100, painted)
    first = look.page.locator("#list [role=option]").first
    name = "r%d" % (int(first.get_attribute("data-number")) + 1)
    many = [polygon(number) for number in range(5_000)]
    body = json.dumps(event("ANNOTATION_CREATED", 5_000_000, many, 8)).encode()
    assert 4_000_000 < len(body) < 6_000_000, len(body)
    assert look.sender.label_studio(body) == 200
    look.line(name).wait_for()
    look.open("r1")
    look.tab("drawing")

    def opened():
        look.open("r1")
        return look.page.evaluate(OPENED, name)

    figure("a drawing of 5,000 regions, of 5 MB", 300, opened)


def nobody_else_looks(browser, look):
    page = browser.new_context().new_page()
    for address in ("/", "/?token=" + "0" * 40, "/api/deliveries", "/api/deliveries/r1/body"):
        answer = page.goto(look.base + address)
        assert answer.status == 401, (address, answer.status)
    assert page.locator("#list").count() == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True, help="the page, with its token")
    parser.add_argument("--relay", required=True, help="where deliveries go")
    parser.add_argument("--secret", required=True, help="secret of both sources")
    parser.add_argument("--chromium", required=True, help="the chromium program")
    parser.add_argument("--axe", required=True, help="axe.min.js")
    parser.add_argument("--screenshots", help="folder for pictures of it")
    args = parser.parse_args()
    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        # Root has no sandbox.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=args.chromium, args=flags)
        try:
            look = Look(browser, args.url, Sender(args.relay, args.secret))
            steps = (
                comes_without_reload, is_found, is_saved_for_tests, is_sent_again, several_are_chosen, is_drawn, harm_is_none,
                keys_are_enough, every_form_is_drawn, every_line_is_drawn,
            )
            for step in steps:
                print(step.__name__, flush=True)
                step(look)
                look.nothing_happened()
                if step is is_drawn and args.screenshots:
                    pictures(look, args.screenshots)
            print("is_for_everybody", flush=True)
            is_for_everybody(look, args.axe)
            print("nobody_else_looks", flush=True)
            nobody_else_looks(browser, look)
            for step in (an_image_comes_on_a_click, a_sound_comes_on_a_click):
                print(step.__name__, flush=True)
                step(Look(browser, args.url, look.sender))
            how_quick(look)
            for step in (a_million_regions_are_no_harm, a_flood_is_looked_at):
                print(step.__name__, flush=True)
                step(Look(browser, args.url, look.sender))
        finally:
            browser.close()


if __name__ == "__main__":
    sys.exit(main())
