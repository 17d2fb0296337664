"""A person's hands: draws in Label Studio's own editor, in a Chromium without a window."""

import math

from server import PASSWORD, USER

# A store that the editor puts on the page. It is asked for the state only; everything is drawn by mouse and keys.
SELECTED = "window.Htx?.annotationStore?.selected"
MILLISECONDS = 60_000

HOLDS = "([root, text]) => [...document.querySelectorAll(root)].some(it => it.textContent.includes(text))"

# The places of the first and of the last character of a text, half a pixel inside of them.
PLACES = """([root, text]) => {
  const within = [...document.querySelectorAll(root)].find(it => it.textContent.includes(text));
  const walk = document.createTreeWalker(within, NodeFilter.SHOW_TEXT), places = [];
  for (let node; (node = walk.nextNode()); )
    for (let i = 0; i < node.length; i++) places.push([node, i]);
  const start = within.textContent.indexOf(text);
  const at = ([node, i], side) => {
    const range = document.createRange();
    range.setStart(node, i); range.setEnd(node, i + 1);
    const box = range.getBoundingClientRect();
    return [side ? box.right - 0.5 : box.left + 0.5, (box.top + box.bottom) / 2];
  };
  return [at(places[start], 0), at(places[start + text.length - 1], 1)];
}"""


class Editor:
    def __init__(self, browser, base):
        self.base = base
        context = browser.new_context(viewport={"width": 1600, "height": 1100}, locale="en-US", timezone_id="UTC")
        self.page = context.new_page()
        self.page.set_default_timeout(MILLISECONDS)
        self.page.goto(base + "/user/login/")
        self.page.fill("input[name=email]", USER)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(lambda url: "/user/login" not in url)

    def open(self, project, task):
        self.page.goto("%s/projects/%d/data?task=%d" % (self.base, project, task))
        self.ready(task)

    def stream(self, project, task):
        """As `open`, but as one task after another: only there a task can be skipped."""
        self.page.goto("%s/projects/%d/data?labeling=1" % (self.base, project))
        self.ready(task)

    def ready(self, task):
        self.until("%s && !Htx.isLoading && Htx.task?.id == %d" % (SELECTED, task))
        # A value that is filled in before the editor has drawn itself for the first time may be lost.
        self.page.get_by_test_id("bottombar-submit-button").or_(self.page.get_by_test_id("bottombar-update-button")).wait_for()
        self.frame()

    def until(self, condition):
        """Waits until JavaScript's `condition` holds."""
        self.page.wait_for_function("() => !!(%s)" % condition)

    def ask(self, expression):
        return self.page.evaluate("() => (%s)" % expression)

    def regions(self, number):
        self.until("%s.regions.length == %d" % (SELECTED, number))

    # Controls.

    def label(self, text):
        self.page.locator(".lsf-labels").get_by_text(text, exact=True).first.click()

    def click(self, selector):
        self.page.locator(selector).first.click()

    def press(self, key):
        self.page.keyboard.press(key)

    def rest(self):
        """Nothing is selected any more."""
        self.press("Escape")
        self.until("!%s.selectedRegions?.length" % SELECTED)

    def button(self, name):
        """One of the bar below: submit, update, skip."""
        self.page.get_by_test_id("bottombar-%s-button" % name).click()

    def fill(self, selector, text):
        self.page.locator(selector).first.fill(text)
        self.press("Tab")

    def choose(self, name):
        self.page.locator('.lsf-choice label:has(input[name="%s"])' % name).first.click()

    def write(self, name, text):
        """Into a TextArea; Enter submits it."""
        self.page.locator('input[name="%s"], textarea[name="%s"]' % (name, name)).first.fill(text)
        self.press("Enter")
        self.page.get_by_text(text).first.wait_for()

    def taxonomy(self, *paths):
        self.click(".lsf-taxonomy .ant-select-selector")
        tree = self.page.locator(".ant-select-tree-treenode")
        for path in paths:
            *above, leaf = path
            for name in above:
                tree.filter(has_text=name).first.locator(".ant-select-tree-switcher").click()
            tree.filter(has_text=leaf).first.locator(".ant-select-tree-checkbox").click()
        self.press("Escape")

    def note(self, text):
        self.page.locator(".lsf-region-actions__group button").nth(1).click()
        self.page.locator("textarea").first.fill(text)
        self.press("Enter")

    def related(self):
        """The only relation, in the panel."""
        self.page.get_by_text("Relations", exact=True).first.click()
        item = self.page.locator(".lsf-relations__item").first
        item.hover()
        return item

    def name_relation(self, label):
        self.related().get_by_label("Show Relation Labels").click()
        self.click(".lsf-relation-meta button")
        self.page.get_by_role("option", name=label).first.click()
        self.press("Escape")

    def turn_relation(self):
        """Each click goes on: right, both ways, left."""
        self.related().locator(".lsf-relations__direction").click()

    def carry(self, what, to):
        """Drags what shows the one text to what shows the other."""
        start, end = (self.settled(self.page.get_by_text(text, exact=True).first) for text in (what, to))
        mouse = self.page.mouse
        mouse.move(start["x"] + 10, start["y"] + start["height"] / 2)
        mouse.down()
        mouse.move(start["x"] + 15, start["y"] + start["height"] / 2 + 8, steps=4)
        mouse.move(end["x"] + 15, end["y"] + end["height"] + 12, steps=20)
        self.frame()
        mouse.up()
        self.frame()

    def frame(self):
        """Lets the page draw: what is dragged follows a moment later."""
        self.page.evaluate("() => new Promise(done => setTimeout(done, 400))")

    # Text.

    def select(self, root, text, frame=False):
        """Marks `text` below `root` with the mouse, as a reader sees it: across elements."""
        scope, dx, dy = self.page, 0, 0
        if frame:
            element = self.page.locator("iframe").first
            box = self.settled(element)
            scope, dx, dy = element.element_handle().content_frame(), box["x"], box["y"]
        scope.wait_for_function(HOLDS, arg=[root, text])
        first, last = scope.evaluate(PLACES, [root, text])
        self.page.mouse.move(dx + first[0], dy + first[1])
        self.page.mouse.down()
        self.page.mouse.move(dx + last[0], dy + last[1], steps=10)
        self.page.mouse.up()

    # Images, sound, series, video. Points are pixels of the image as it is shown.

    def image(self, width=400, height=300):
        """Waits for the image; its pixels and the page's are converted from then on."""
        image = 'img[alt="image"][src^="blob:"]'
        self.until("document.querySelector('%s')?.naturalWidth > 0" % image)
        self.until("document.querySelector('.konvajs-content canvas')")
        box = self.settled(self.page.locator(image).first)
        self.origin, self.scale = (box["x"], box["y"]), (box["width"] / width, box["height"] / height)

    def sound(self, seconds):
        """x counts seconds; y goes from 0 to 1, from the upper edge of the waves to the lower one."""
        self.box(self.page.locator("#waveform-layer-main"), seconds, 32)

    def chart(self, units):
        """x counts units of the series; y goes from 0 to 1 in its first channel."""
        self.box(self.page.locator(".htx-timeseries-channel .new_brush .overlay").first, units)

    def film(self, width=320, height=240):
        """Points are pixels of the video, which lies in the middle of its place in its own size."""
        view = self.page.locator(".lsf-video-canvas__view")
        view.wait_for()
        self.until("document.querySelector('.lsf-frames-control')?.textContent.startsWith('1 of 100')")
        box = self.settled(view)
        self.origin = (box["x"] + (box["width"] - width) / 2, box["y"] + (box["height"] - height) / 2)
        self.scale = (1, 1)

    def frames(self, start, end, below=40):
        """Draws from one frame to another on the timeline, which shows each 16 pixels wide."""
        box = self.settled(self.page.locator(".lsf-timeline-frames__labels-bg"))
        first, last = (box["x"] + box["width"] + (frame - 0.5) * 16 for frame in (start, end))
        self.page.mouse.move(first, box["y"] + below)
        self.page.mouse.down()
        self.page.mouse.move(last, box["y"] + below, steps=10)
        self.page.mouse.up()

    def seek(self, frame):
        self.frames(frame, frame, below=12)
        self.until("document.querySelector('.lsf-frames-control')?.textContent.startsWith('%d of')" % frame)

    def box(self, element, across, above=0):
        """x counts what goes across the element; y goes from 0 to 1 below so many of the page's pixels."""
        element.wait_for()
        box = self.settled(element)
        self.origin = (box["x"], box["y"] + above)
        self.scale = (box["width"] / across, box["height"] - above)

    def settled(self, element):
        """The element's place, once two looks a frame apart agree: layouts move while they load."""
        box = None
        while box != (box := element.bounding_box()) or box is None:
            self.frame()
        return box

    # Hands.

    def at(self, point):
        return tuple(o + p * s for o, p, s in zip(self.origin, point, self.scale))

    def tap(self, point, **options):
        self.page.mouse.click(*self.at(point), **options)

    def press_at(self, point, milliseconds):
        self.page.mouse.move(*self.at(point), steps=5)
        self.page.mouse.down()
        self.page.wait_for_timeout(milliseconds)
        self.page.mouse.up()
        self.frame()

    def turn(self, centre, height, degrees, handle=50):
        """Turns the selected box by its handle, which stands so many of the page's pixels above it."""
        x, y = self.at(centre)
        radius, turned = height * self.scale[1] / 2 + handle, math.radians(degrees)
        self.page.mouse.move(x, y - radius)
        self.page.mouse.down()
        self.page.mouse.move(x + radius * math.sin(turned), y - radius * math.cos(turned), steps=12)
        self.page.mouse.up()

    def selected(self):
        self.until("%s.selectedRegions?.length == 1" % SELECTED)
        self.frame()

    def drag(self, *points, steps=8):
        self.page.mouse.move(*self.at(points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.at(point), steps=steps)
        self.page.mouse.up()
