"""Deliveries for the page: an annotation with a place for each thing that is looked at, and bodies that mean harm."""

import hashlib
import hmac
import json
import math
import urllib.error
import urllib.request

WIDTH, HEIGHT = 40, 30

# What a field may hold so that a page that trusts it does something.
SCRIPT = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'

BOX = {"x": 25.0, "y": 20.0, "width": 30.0, "height": 40.0, "rotation": 30.0}
MOVED = {"x": 50.0, "y": 20.0, "width": 30.0, "height": 40.0, "rotation": 0.0}


def is_marked(x, y):
    """A mask with single pixels, holes, and both ends of rows."""
    return (x * 7 + y * 3) % 11 < 4 or (x, y) in ((0, 0), (WIDTH - 1, HEIGHT - 1))


def rle(words):
    """Run lengths as Label Studio's brush writes them: words of 8 bits, all lengths of the fourth class."""
    out = [format(len(words), "032b"), format(7, "05b")] + [format(size, "04b") for size in (2, 3, 7, 15)]
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and words[end] == words[at] and end - at < 65536:
            end += 1
        out += ["1", "11", format(end - at - 1, "016b"), format(words[at], "08b")]
        at = end
    text = "".join(out)
    text += "0" * (-len(text) % 8)
    return [int(text[i : i + 8], 2) for i in range(0, len(text), 8)]


def mask():
    words = []
    for y in range(HEIGHT):
        for x in range(WIDTH):
            words += [255 if is_marked(x, y) else 0] * 4
    return rle(words)


def region(id, kind, value, width=WIDTH, height=HEIGHT):
    return {
        "id": id, "type": kind, "from_name": "tag", "to_name": "image", "origin": "manual", "image_rotation": 0,
        "original_width": width, "original_height": height, "value": value,
    }


def box(value, label="Car"):
    return region("box", "rectanglelabels", {**value, "rectanglelabels": [label]})


def brush():
    return region("mask", "brushlabels", {"format": "rle", "rle": mask(), "brushlabels": ["Road"]})


def polygon(number):
    """One of thousands: about a kilobyte of points, somewhere on the image."""
    x, y = number % 90, number // 90 % 90
    points = [[round(x + 4 + 4 * math.cos(turn / 4), 12), round(y + 4 + 4 * math.sin(turn / 4), 12)] for turn in range(20)]
    return region("many-%d" % number, "polygonlabels", {"points": points, "closed": True, "polygonlabels": ["Car"]})


def event(action, id, result, second):
    """A webhook of Label Studio about one annotation."""
    time = "2026-11-29T02:44:%02d.000000Z" % second
    return {
        "action": action,
        "annotation": {
            "id": id, "result": result, "was_cancelled": False, "ground_truth": False, "created_at": "2026-11-29T02:44:00.000000Z",
            "updated_at": time, "lead_time": 1.5, "task": 7, "project": 3, "completed_by": 1,
        },
        "project": {"id": 3, "title": SCRIPT},
        "task": {"id": 7, "project": 3, "data": {"image": "javascript:window.hit=1", "text": SCRIPT}},
    }


class Sender:
    def __init__(self, relay, secret):
        self.relay, self.secret = relay, secret

    def label_studio(self, body, secret=None):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.post("/label-studio", body, {"Authorization": "Bearer " + (secret or self.secret)})

    def labelbox(self, delivery, body):
        body = json.dumps(body).encode()
        signature = hmac.new(self.secret.encode(), body, hashlib.sha1).hexdigest()
        return self.post("/labelbox", body, {
            "X-Labelbox-Id": delivery, "X-Labelbox-Event": "LABEL_CREATED", "X-Hub-Signature": "sha1=" + signature,
        })

    def post(self, path, body, head):
        request = urllib.request.Request(self.relay + path, body, {"Content-Type": "application/json", **head})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
