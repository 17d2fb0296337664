"""The image below a drawing, and the sound of a line of time, from a host as a customer has one. It remembers who asked."""

import base64
import io
import struct
import threading
import time
import wave
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


def wav(seconds=2, rate=8000):
    """Silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(bytes(2 * rate * seconds))
    return file.getvalue()


class MediaHost:
    def __init__(self, name, kind, contents):
        asked = self.asked = []

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append((self.path, dict(self.headers)))
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(contents)))
                self.end_headers()
                self.wfile.write(contents)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.daemon_threads = True
        self.origin = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.url = self.origin + "/%s?sign=s3cret&of=%%27" % name
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def draw(look, body):
    """Sends it, and opens its drawing."""
    newest = look.page.locator("#list [role=option]").first
    newest.wait_for()
    name = "r%d" % (int(newest.get_attribute("data-number")) + 1)
    assert look.sender.label_studio(body) == 200
    look.line(name).wait_for()
    look.open(name)
    look.tab("drawing")


def nothing_is_told(head):
    told = [line for line in head if line.lower() in ("cookie", "referer", "authorization")]
    assert not told, head


def no_policy_was_broken(look):
    refused = [error for error in look.errors if "Content Security Policy" in error]
    assert not refused, refused


def an_image_comes_on_a_click(look):
    """And not before. Its host learns nothing of the page, and gets no cookie of the page's, which is one of all ports of this machine."""
    host = MediaHost("picture.png", "image/png", png(COLOUR))
    try:
        body = event("ANNOTATION_CREATED", 2_000_000, [box(BOX)], 9)
        body["task"]["data"]["image"] = host.url
        draw(look, body)
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
        nothing_is_told(head)
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
        no_policy_was_broken(look)
    finally:
        look.page.context.close()
        host.close()


def a_sound_comes_on_a_click(look):
    """And a part of the line of time plays that part."""
    host = MediaHost("sound.wav", "audio/wav", wav())
    try:
        value = {"start": 0.5, "end": 1.25, "channel": 0, "labels": ["Speech"]}
        part = {"id": "part", "type": "labels", "from_name": "label", "to_name": "audio", "original_length": 2.0, "value": value}
        body = event("ANNOTATION_CREATED", 2_000_001, [part], 10)
        body["task"]["data"] = {"audio": host.url, "table": host.origin + "/table.csv"}
        draw(look, body)
        line = look.page.locator("svg[data-axis=seconds]")
        expect(line.locator('[data-region="part"]')).to_have_attribute("data-from", "0.5")
        expect(look.page.locator(".ticks")).to_have_text("0.500 s0.688 s0.875 s1.063 s1.250 s")
        # What no browser plays is not offered.
        button = look.page.locator("button[data-media]")
        expect(button).to_have_text("Load audio from " + host.origin)
        look.nothing_happened()
        assert not host.asked, host.asked
        button.click()
        frame = look.page.locator(".player iframe")
        expect(frame).to_have_attribute("sandbox", "")
        until = time.monotonic() + SECONDS
        while not host.asked:
            assert time.monotonic() < until, "the sound is not asked for"
            look.page.wait_for_timeout(20)
        # A part of it is another document with the same sound, which the browser may have kept.
        line.locator('[data-region="part"]').click()
        look.page.locator('.player iframe[src$="/audio?t=0.5,1.25"]').wait_for()
        for path, head in host.asked:
            assert host.origin + path == host.url, path
            nothing_is_told(head)
        button.click()
        expect(frame).to_have_count(0)
        away = {one.split("#")[0] for one in look.asked if not one.startswith(look.base + "/")}
        assert away == {host.url}, away
        no_policy_was_broken(look)
    finally:
        look.page.context.close()
        host.close()
