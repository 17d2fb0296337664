"""Where the regions of the platforms' fixtures are, computed apart from the page, and which pixels of a brush are marked."""

import glob
import json
import math
import os

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../fixtures/label_studio/control_tags")

# A pixel of a soft edge counts as marked from here on.
MARKED = 128


def turned(about, degrees, points):
    """Points that are turned clockwise about one, as a screen counts."""
    turn = math.radians(degrees)
    return [
        (about[0] + dx * math.cos(turn) - dy * math.sin(turn), about[1] + dx * math.sin(turn) + dy * math.cos(turn))
        for dx, dy in points
    ]


class Bits:
    def __init__(self, numbers):
        self.text, self.at = "".join(format(number, "08b") for number in numbers), 0

    def take(self, count):
        taken = int(self.text[self.at : self.at + count], 2)
        self.at += count
        return taken


def marked(rle):
    """For each pixel, whether the brush marked it: run lengths, four words a pixel, of which the last counts."""
    bits = Bits(rle)
    count, size = bits.take(32), bits.take(5) + 1
    lengths = [bits.take(4) + 1 for _ in range(4)]
    words = []
    while len(words) < count:
        is_run = bits.take(1)
        length = bits.take(lengths[bits.take(2)]) + 1
        words += [bits.take(size)] * length if is_run else [bits.take(size) for _ in range(length)]
    return [alpha >= MARKED for alpha in words[3:count:4]]


def region(result):
    """The form of a region, and where it is in pixels of its image; none of what is on no image, or is drawn by nobody."""
    value, width, height = result.get("value", {}), result.get("original_width"), result.get("original_height")
    if not width or not height or result.get("image_rotation"):
        return None

    def place(x, y):
        return x * width / 100, y * height / 100

    if "rle" in value:
        return "mask", (width, height, marked(value["rle"]))
    if "radiusX" in value:
        rx, ry = place(value["radiusX"], value["radiusY"])
        box = ((-rx, -ry), (rx, -ry), (rx, ry), (-rx, ry))
        return "corners", turned(place(value["x"], value["y"]), value["rotation"], box)
    if "points" in value:
        return "points", [place(x, y) for x, y in value["points"]]
    if "vertices" in value:
        # A curve is drawn by its points alone.
        if any(vertex.get("isBezier") for vertex in value["vertices"]):
            return None
        return "points", [place(vertex["x"], vertex["y"]) for vertex in value["vertices"]]
    if "height" in value:
        across, down = place(value["width"], value["height"])
        box = ((0, 0), (across, 0), (across, down), (0, down))
        return "corners", turned(place(value["x"], value["y"]), value["rotation"], box)
    if "x" in value:
        return "centre", [place(value["x"], value["y"])]
    return None


def fixtures():
    """Each fixture with something on an image: its name, its body, and its regions by their ids."""
    for path in sorted(glob.glob(os.path.join(FOLDER, "*", "body.json"))):
        with open(path, encoding="utf-8") as file:
            body = json.load(file)
        annotation = body.get("annotation") or {}
        # One that was skipped says nothing.
        results = [] if annotation.get("was_cancelled") else annotation.get("result") or []
        regions = {result["id"]: region(result) for result in results if "id" in result}
        regions = {id: found for id, found in regions.items() if found}
        if regions:
            yield os.path.basename(os.path.dirname(path)), body, regions


def labelbox():
    """A body of Labelbox with every kind of region, and those on its image by their ids."""
    with open(os.path.join(FOLDER, "../../changes/lb_v2_every_kind.json"), encoding="utf-8") as file:
        body = json.load(file)["data"]
    regions = {}
    for project in body["projects"].values():
        for label in project["labels"]:
            for found in label["annotations"]["objects"]:
                box, point = found.get("bounding_box"), found.get("point")
                points = found.get("polygon") or found.get("line")
                if points:
                    regions[found["feature_id"]] = "points", [(at["x"], at["y"]) for at in points]
                elif point:
                    regions[found["feature_id"]] = "centre", [(point["x"], point["y"])]
                elif box and None not in box.values():
                    x, y, width, height = (box[name] for name in ("left", "top", "width", "height"))
                    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
                    regions[found["feature_id"]] = "corners", corners
    return body, regions
