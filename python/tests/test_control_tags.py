"""Shapes and answers that were drawn in a real Label Studio's editor are read as they were drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import labelrelay
import pytest
from labelrelay import Box, Ellipse, Keypoint, Line, Mask, Other, Polygon, Region, Span, TimeSpan, Track
from plain import FIXTURES

CONTROL_TAGS = sorted(path.parent for path in (FIXTURES / "label_studio" / "control_tags").glob("*/body.json"))
PIXELS = 1.5
"""A pointer stands on whole pixels, and the editor's image is scaled."""


def annotation_of(folder: Path) -> labelrelay.Annotation:
    attributes = {
        "id": "e1",
        "source": "/ls",
        "type": "io.labelstud.annotation.created",
        "datasha256": "00",
        "receivedtime": "2026-11-20T08:00:00Z",
    }
    [change] = labelrelay.parse((folder / "body.json").read_bytes(), attributes=attributes).changes
    assert isinstance(change, labelrelay.Changed)
    return change.annotation


def near(found: Any, expected: Any, within: float = PIXELS) -> bool:
    return found is not None and abs(found - expected) <= within


def near_points(found: Any, expected: list[list[float]]) -> bool:
    return len(found) == len(expected) and all(
        near(point.x, x) and near(point.y, y) for point, (x, y) in zip(found, expected)
    )


def turned(drawn: dict[str, Any], size: labelrelay.Size) -> dict[str, Any]:
    """A box that was drawn on an image turned by 90 degrees, on the image as it is stored."""
    x, y, width, height = (drawn[name] for name in ("x", "y", "width", "height"))
    return {**drawn, "x": y, "y": size.height - x - width, "width": height, "height": width}


def is_as_drawn(region: Region, drawn: dict[str, Any]) -> bool:
    """Tells whether a region is where, and what, was drawn."""
    match region:
        case Box():
            if drawn.get("turned") == 90:
                assert region.size is not None and region.image_rotation == 90
                drawn = turned(drawn, region.size)
            return all(near(getattr(region, name), drawn[name]) for name in ("x", "y", "width", "height", "rotation"))
        case Ellipse():
            return all(near(getattr(region, name), drawn[name]) for name in ("cx", "cy", "rx", "ry", "rotation"))
        case Keypoint():
            return near(region.x, drawn["x"]) and near(region.y, drawn["y"])
        case Polygon() | Line():
            return near_points(region.points, drawn["points"])
        case Mask(rle=None):
            return region.url is not None and region.url.startswith("data:image/png;base64,")
        case Mask(size=size):
            pixels = region.to_bytes()
            assert size is not None
            inside = all(pixels[y * size.width + x] == 255 for x, y in drawn["inside"])
            return inside and all(pixels[y * size.width + x] == 0 for x, y in drawn["outside"])
        case Span():
            offsets = all(
                getattr(region, name) == drawn[name] for name in ("start", "end", "paragraph") if name in drawn
            )
            return (
                region.text == drawn["text"] and offsets and region.verified is (None if region.start is None else True)
            )
        case TimeSpan():
            return near(region.start, drawn["start"], 0.05) and near(region.end, drawn["end"], 0.05)
        case Track():
            return len(region.frames) == len(drawn.get("frames", drawn.get("sequence", region.frames)))
        case _:
            return False


def is_left_alone(folder: Path, drawn: dict[str, Any]) -> bool:
    """Kinds of which nothing is said but their JSON: buckets of a ranking, frames of a video, curves."""
    return (
        "curved" in drawn
        or folder.name in ("ranker_buckets", "timeline_labels")
        or not hasattr(labelrelay, class_of(drawn["kind"]))
    )


def class_of(kind: str) -> str:
    return "".join(word.title() for word in kind.split("_"))


def test_there_are_recordings() -> None:
    assert len(CONTROL_TAGS) > 15


@pytest.mark.parametrize("folder", CONTROL_TAGS, ids=lambda folder: folder.name)
def test_it_is_read_as_it_was_drawn(folder: Path) -> None:
    recorded = json.loads((folder / "drawn.json").read_bytes())
    annotation = annotation_of(folder)
    regions = list(annotation.regions)
    for drawn in recorded["drawn"]:
        if is_left_alone(folder, drawn):
            assert any(isinstance(region, Other) for region in regions), drawn
        elif drawn["kind"] == "relation":
            [relation] = annotation.relations
            ends = (annotation.regions[drawn["start"]].id, annotation.regions[drawn["end"]].id)
            assert (relation.from_id, relation.to_id) == ends
            assert (relation.direction, list(relation.labels)) == (drawn["direction"], drawn["labels"])
        elif drawn["kind"] == "classification":
            values = tuple(tuple(v) if isinstance(v, list) else v for v in drawn["values"])
            [answer] = [one for one in annotation.classifications if one.values == values and one.name == drawn["name"]]
            assert answer.item == drawn.get("item")
            if "region" in drawn:
                assert answer.region == annotation.regions[drawn["region"]].id
        else:
            [found] = [region for region in regions if region.kind == drawn["kind"] and is_as_drawn(region, drawn)]
            assert found.label == drawn["label"] or not found.labels
            assert getattr(found, "item", None) == drawn.get("item")
            regions.remove(found)
