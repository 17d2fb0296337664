"""The image below a drawing, from a host as a customer has one. It remembers who asked."""

import base64
import struct
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import expect

from bodies import BOX, box, event

COLOUR = (12, 200, 90)

# Time for the image to be seen.
SECONDS = 60

# Colour of a pixel at the lower right of a picture, which is given as the text of its file.
CORNER = """async (png) => {
  const image = new Image();
  image.src = 'data:image/png;base64,' + png;
  await image.decode();
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  return Array.from(context.getImageData(image.width - 6, image.height - 6, 1, 1).data).slice(0, 3);
}"""


def png(colour, width=8, height=6):
    """A picture of one colour."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes(colour) * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class ImageHost:
    def __init__(self):
        asked = self.asked = []

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append((self.path, dict(self.headers)))
                picture = png(COLOUR)
                self.send_response(200)
                self.send_header("Content-Type", "image/png")
                self.send_header("Content-Length", str(len(picture)))
                self.end_headers()
                self.wfile.write(picture)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.daemon_threads = True
        self.origin = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.url = self.origin + "/picture.png?sign=s3cret&of=%27"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def an_image_comes_on_a_click(look):
    """And not before. Its host learns nothing of the page, and gets no cookie of the page's, which is one of all ports of this machine."""
    host = ImageHost()
    try:
        newest = look.page.locator("#list [role=option]").first
        newest.wait_for()
        name = "r%d" % (int(newest.get_attribute("data-number")) + 1)
        body = event("ANNOTATION_CREATED", 2_000_000, [box(BOX)], 9)
        body["task"]["data"]["image"] = host.url
        assert look.sender.label_studio(body) == 200
        look.line(name).wait_for()
        look.open(name)
        look.tab("drawing")
        look.region("box", "plain")
        button = look.page.locator("button[data-media]")
        expect(button).to_have_count(1)
        expect(button).to_have_text("Load image from " + host.origin)
        look.nothing_happened()
        assert not host.asked, host.asked
        with look.page.expect_event("requestfinished", lambda request: request.url == host.url):
            button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        (path, head), = host.asked
        assert host.origin + path == host.url, path
        told = [line for line in head if line.lower() in ("cookie", "referer", "authorization")]
        assert not told, head
        until = time.monotonic() + SECONDS
        while True:
            shot = base64.b64encode(look.page.locator(".stage").screenshot()).decode()
            seen = look.page.evaluate(CORNER, shot)
            # A browser has colours of its own.
            if all(abs(one - other) <= 12 for one, other in zip(seen, COLOUR)):
                break
            assert time.monotonic() < until, "the image is not below the drawing: %s" % seen
        button.click()
        expect(look.page.locator(".stage iframe")).to_have_count(0)
        expect(button).to_have_attribute("aria-pressed", "false")
        # The screenshot came in as text.
        away = {one for one in look.asked if not one.startswith(("data:", look.base + "/"))}
        assert away == {host.url}, away
        refused = [error for error in look.errors if "Content Security Policy" in error]
        assert not refused, refused
    finally:
        look.page.context.close()
        host.close()
