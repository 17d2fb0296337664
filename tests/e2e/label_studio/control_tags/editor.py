"""A person's hands: draws in Label Studio's own editor, in a Chromium without a window."""

from server import PASSWORD, USER

# A store that the editor puts on the page. It is asked for the state only; everything is drawn by mouse and keys.
SELECTED = "window.Htx?.annotationStore?.selected"
MILLISECONDS = 20_000

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
        self.until("%s && !Htx.isLoading && Htx.task?.id == %d" % (SELECTED, task))

    def until(self, condition):
        """Waits until JavaScript's `condition` holds."""
        self.page.wait_for_function("() => !!(%s)" % condition)

    def ask(self, expression):
        return self.page.evaluate("() => (%s)" % expression)

    def regions(self, number):
        self.until("%s.regions.length == %d" % (SELECTED, number))

    # Controls.

    def label(self, text, control=None):
        scope = self.page.locator(".lsf-labels__body, .lsf-labels").first if control is None else control
        scope.get_by_text(text, exact=True).first.click()

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

    def choose(self, text):
        self.page.locator(".lsf-choice, .lsf-choices").get_by_text(text, exact=True).first.click()

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

    # Images. Points are pixels of the image as it is shown.

    def image(self, width=400, height=300, name="image"):
        """Waits for the image; its pixels and the page's are converted from then on."""
        image = self.page.locator('img[alt="%s"][src^="blob:"]' % name).first
        image.wait_for(state="attached")
        self.until("document.querySelector('img[alt=%s][src^=\"blob:\"]')?.naturalWidth > 0 && document.querySelector('.konvajs-content canvas')" % name)
        self.canvas(image, width, height)

    def canvas(self, element, width, height):
        box = self.settled(element)
        self.origin, self.scale = (box["x"], box["y"]), (box["width"] / width, box["height"] / height)

    def settled(self, element):
        """The element's place, once two looks a frame apart agree: layouts move while they load."""
        box = None
        while box != (box := element.bounding_box()) or box is None:
            self.page.evaluate("() => new Promise(done => setTimeout(done, 300))")
        return box

    def at(self, point):
        return tuple(o + p * s for o, p, s in zip(self.origin, point, self.scale))

    def tap(self, point, **options):
        self.page.mouse.click(*self.at(point), **options)

    def drag(self, *points, steps=8):
        self.page.mouse.move(*self.at(points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.at(point), steps=steps)
        self.page.mouse.up()
