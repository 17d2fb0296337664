"""Regions on a line of time: those of Label Studio's own fixtures, against what was computed apart."""

import glob
import json
import os

from expected_regions import FOLDER

# A line is so long, between margins, in the units of its own picture.
LENGTH, MARGIN, THINNEST = 980, 10, 2


def part(result):
    """What a region's line counts, its start and its end; none of what is on no line."""
    value = result.get("value", {})
    if "sequence" in value:
        frames = [frame["frame"] for frame in value["sequence"]]
        return "frames", min(frames), max(frames)
    if "ranges" in value:
        (only,) = value["ranges"]
        return "frames", only["start"], only["end"]
    if result.get("type") == "timeserieslabels":
        return "own", value["start"], value["end"]
    if "original_length" in result and "start" in value:
        return "seconds", value["start"], value["end"]
    return None


def fixtures():
    for path in sorted(glob.glob(os.path.join(FOLDER, "*", "body.json"))):
        with open(path, encoding="utf-8") as file:
            body = json.load(file)
        results = (body.get("annotation") or {}).get("result") or []
        parts = {result["id"]: part(result) for result in results if "id" in result}
        parts = {id: found for id, found in parts.items() if found}
        if parts:
            yield os.path.basename(os.path.dirname(path)), body, parts


def every_line_is_drawn(look):
    known = list(fixtures())
    units = {unit for _, _, parts in known for unit, _, _ in parts.values()}
    assert units == {"seconds", "own", "frames"}, units
    newest = look.page.locator("#list [role=option]").first
    newest.wait_for()
    first = int(newest.get_attribute("data-number")) + 1
    for number, (name, body, parts) in enumerate(known, first):
        # Another annotation than any other: it has no version before.
        body["annotation"]["id"] = 3_000_000 + number
        assert look.sender.label_studio(body) == 200, name
        look.line("r%d" % number).wait_for()
        look.open("r%d" % number)
        look.tab("drawing")
        for id, (unit, start, end) in parts.items():
            of_line = [it for it in parts.values() if it[0] == unit]
            low, high = min(it[1] for it in of_line), max(it[2] for it in of_line)
            scale = LENGTH / (high - low or 1)
            shape = look.page.locator('svg[data-axis="%s"] .region[data-region="%s"]' % (unit, id)).first
            shape.wait_for(state="attached")
            x, width = (float(shape.get_attribute(name)) for name in ("x", "width"))
            expected = (start - low) * scale + MARGIN, max(THINNEST, (end - start) * scale)
            assert abs(x - expected[0]) <= 0.5 and abs(width - expected[1]) <= 0.5, (name, id, x, width, expected)
