"""Shapes: corners, and masks against what a real Label Studio's brush drew."""

from __future__ import annotations

import json
from math import isclose
from typing import Any

import labelrelay
import pytest
from labelrelay import Box, Mask, MaskUnreadable, Size
from labelrelay.brush import decode
from plain import FIXTURES

CONTROL_TAGS = FIXTURES / "label_studio" / "control_tags"
ATTRIBUTES = {
    "id": "e1",
    "source": "/ls",
    "type": "io.labelstud.annotation.created",
    "datasha256": "00",
    "receivedtime": "2026-11-20T08:00:00Z",
}


def box(**given: Any) -> Box:
    common: dict[str, Any] = {
        "id": None,
        "name": None,
        "labels": (),
        "raw": None,
        "size": None,
        "image_rotation": None,
        "item": None,
    }
    return Box(**common, percent=None, **given)


def test_corners_turn_clockwise_about_the_top_left() -> None:
    corners = box(x=10.0, y=20.0, width=30.0, height=40.0, rotation=90.0).corners
    assert corners is not None
    for found, expected in zip(corners, ((10, 20), (10, 50), (-30, 50), (-30, 20))):
        assert isclose(found.x, expected[0], abs_tol=1e-9) and isclose(found.y, expected[1], abs_tol=1e-9)
    flat = box(x=10.0, y=20.0, width=30.0, height=40.0, rotation=0.0)
    assert flat.corners == ((10, 20), (40, 20), (40, 60), (10, 60)) and flat.xywh == (10, 20, 30, 40)


def test_a_box_without_a_size_of_its_image_has_no_pixels() -> None:
    unsized = box(x=None, y=None, width=None, height=None, rotation=0.0)
    assert unsized.corners is None and unsized.xywh is None


class Writer:
    """Writes the format of `brush`, a bit at a time."""

    def __init__(self) -> None:
        self.bits = ""

    def put(self, value: int, bits: int) -> Writer:
        self.bits += format(value, f"0{bits}b")
        return self

    def head(self, words: int, word_bits: int = 8) -> Writer:
        self.put(words, 32).put(word_bits - 1, 5)
        for length in (3, 4, 8, 16):
            self.put(length - 1, 4)
        return self

    def bytes(self) -> bytes:
        bits = self.bits + "0" * (-len(self.bits) % 8)
        return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def run(writer: Writer, length: int, value: int) -> Writer:
    return writer.put(1, 1).put(3, 2).put(length - 1, 16).put(value, 8)


def words(writer: Writer, values: list[int]) -> Writer:
    writer.put(0, 1).put(2, 2).put(len(values) - 1, 8)
    for value in values:
        writer.put(value, 8)
    return writer


def test_every_fourth_word_is_a_pixel_wherever_a_run_ends() -> None:
    channels = [n % 256 for n in range(4 * 6 * 5)]
    for first in range(1, 9):
        writer = words(Writer().head(len(channels)), channels[:first])
        rest = channels[first:]
        same, rest = rest[:1] * 7, rest[7:]
        words(run(writer, 7, same[0]), rest)
        expected = bytes((channels[:first] + same + rest)[3::4])
        assert decode(writer.bytes(), Size(6, 5), 30) == expected


def test_a_mask_of_one_run_is_made_without_making_its_words() -> None:
    writer = Writer().head(4 * 100 * 100)
    for _ in range(4):
        run(writer, 10_000, 255)
    assert decode(writer.bytes(), Size(100, 100), 10_000) == b"\xff" * 10_000


@pytest.mark.parametrize(
    ("rle", "reason"),
    [
        (b"", "ends too early"),
        (Writer().head(16).bytes(), "ends too early"),
        (Writer().head(15).bytes(), "has 15 words"),
        (Writer().head(16, 16).bytes(), "words of 16 bits"),
        (run(Writer().head(16), 17, 0).bytes(), "more words than it says"),
        (words(Writer().head(16), [1, 2, 3]).bytes()[:-1], "ends too early"),
    ],
)
def test_a_damaged_mask(rle: bytes, reason: str) -> None:
    with pytest.raises(MaskUnreadable, match=reason):
        decode(rle, Size(2, 2), 4)


def test_a_mask_is_never_larger_than_is_allowed() -> None:
    with pytest.raises(MaskUnreadable, match="100000000 are allowed"):
        mask(rle=b"\xff" * 12, size=Size(100_000, 100_000)).to_bytes()
    with pytest.raises(MaskUnreadable, match="size is not known"):
        mask(rle=b"\xff" * 12, size=None).to_bytes()
    with pytest.raises(MaskUnreadable, match="not in the event"):
        mask(rle=None, size=Size(2, 2)).to_bytes()


def mask(rle: bytes | None, size: Size | None) -> Mask:
    common: dict[str, Any] = {"id": "m", "name": None, "labels": (), "raw": None, "image_rotation": None, "item": None}
    return Mask(**common, rle=rle, size=size, url=None)


def annotation_of(tag: str) -> labelrelay.Annotation:
    body = (CONTROL_TAGS / tag / "body.json").read_bytes()
    [change] = labelrelay.parse(body, attributes=ATTRIBUTES).changes
    assert isinstance(change, labelrelay.Changed)
    return change.annotation


@pytest.mark.parametrize("tag", ["brush", "brush_labels", "magic_wand"])
def test_a_mask_is_where_it_was_drawn(tag: str) -> None:
    import numpy

    drawn = json.loads((CONTROL_TAGS / tag / "drawn.json").read_bytes())["drawn"][0]
    [region] = annotation_of(tag).regions
    assert isinstance(region, Mask) and region.size == (400, 300)
    pixels = region.to_numpy()
    assert pixels.shape == (300, 400) and pixels.dtype == numpy.uint8
    assert all(pixels[y, x] == 255 for x, y in drawn["inside"])
    assert all(pixels[y, x] == 0 for x, y in drawn["outside"])
    assert pixels.tobytes() == region.to_bytes()
