"""One item of a `result` to the region that it draws."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Literal

from ._lenient import flag, identifier, items, member, number, text, whole
from ._task_texts import is_there
from .regions import Box, Ellipse, Keypoint, Line, Mask, Other, Point, Polygon, Radii, Rect, Size, Span, TimeSpan, Track

if TYPE_CHECKING:
    from ._json import Json
    from ._task_texts import TaskTexts
    from .regions import Region

MAX_SIDE = 2**31
"""No image is wider or higher; a larger number is none that anybody measured."""


class Item:
    """An item that is to become a region."""

    __slots__ = ("id", "image_rotation", "item", "labels", "name", "names", "raw", "size", "value")

    def __init__(self, item: Json, labels: tuple[str, ...]) -> None:
        self.raw = item
        self.id = identifier(member(item, "id"))
        self.name = text(member(item, "from_name"))
        self.labels = labels
        self.value = member(item, "value")
        self.names = frozenset(self.value) if isinstance(self.value, dict) else frozenset[str]()
        self.size = _size(item)
        self.image_rotation = number(member(item, "image_rotation"))
        self.item = whole(member(item, "item_index"))

    def number(self, name: str) -> float | None:
        return number(member(self.value, name))

    def rotation(self) -> float | None:
        """Degrees; 0 if nothing is said, `None` if what is said is no number."""
        return self.number("rotation") if member(self.value, "rotation") is not None else 0.0

    def points(self, name: str) -> tuple[Point, ...] | None:
        """Points in percent; `None` if there are none, or one of them is no point."""
        found: list[Point] = []
        for written in items(member(self.value, name)):
            pair = [number(value) for value in items(written)]
            if len(pair) != 2 or pair[0] is None or pair[1] is None:
                return None
            found.append(Point(pair[0], pair[1]))
        return tuple(found) or None

    def pixels(self, percent: tuple[Point, ...]) -> tuple[Point, ...] | None:
        """The same in pixels; `None` without a size, and if one of them is no finite double."""
        size = self.size
        if size is None:
            return None
        found = tuple(Point(x * size.width / 100, y * size.height / 100) for x, y in percent)
        return found if all(isfinite(x) and isfinite(y) for x, y in found) else None


def _size(item: Json) -> Size | None:
    width, height = whole(member(item, "original_width")), whole(member(item, "original_height"))
    if width is None or height is None or not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        return None
    return Size(width, height)


def shape_of(item: Json, kind: str | None, labels: tuple[str, ...], beside: TaskTexts | None) -> Region:
    """The region that an item of this type draws; `Other` if it cannot be said without guessing."""
    read = Item(item, labels)
    stem = (kind or "").removesuffix("labels")
    names = read.names
    found: Region | None = None
    if stem in ("timeline", "cuboid"):
        found = None  # neither is one of ours, whatever members it shares with them
    elif stem == "timeseries":
        found = _time_span(read, None)
    elif "startOffset" in names:
        found = _offsets(read, beside)
    elif "vertices" in names:
        found = _vector(read)
    elif "sequence" in names:
        found = _track(read)
    elif "rle" in names or "imageDataURL" in names:
        found = _mask(read)
    elif "radiusX" in names:
        found = _ellipse(read)
    elif "points" in names:
        found = _polygon(read)
    elif "width" in names and "height" in names:
        found = _box(read)
    elif "x" in names and "y" in names and (stem == "keypoint" or "width" in names):
        found = _keypoint(read)
    elif "start" in names and "end" in names:
        is_sound = "channel" in names or (isinstance(item, dict) and "original_length" in item)
        found = _time_span(read, "s") if is_sound else _span(read, beside)
    return other(item, kind, labels) if found is None else found


def other(item: Json, kind: str | None, labels: tuple[str, ...]) -> Other:
    """The item, unread."""
    id = identifier(member(item, "id"))
    return Other(id=id, name=text(member(item, "from_name")), labels=labels, raw=item, type=kind)


def _box(read: Item) -> Box | None:
    x, y, width, height = (read.number(name) for name in ("x", "y", "width", "height"))
    rotation = read.rotation()
    if x is None or y is None or width is None or height is None or rotation is None:
        return None
    pixels = read.pixels((Point(x, y), Point(width, height)))
    return Box(
        id=read.id,
        name=read.name,
        labels=read.labels,
        raw=read.raw,
        size=read.size,
        image_rotation=read.image_rotation,
        item=read.item,
        x=None if pixels is None else pixels[0].x,
        y=None if pixels is None else pixels[0].y,
        width=None if pixels is None else pixels[1].x,
        height=None if pixels is None else pixels[1].y,
        rotation=rotation,
        percent=Rect(x, y, width, height),
    )


def _ellipse(read: Item) -> Ellipse | None:
    cx, cy, rx, ry = (read.number(name) for name in ("x", "y", "radiusX", "radiusY"))
    rotation = read.rotation()
    if cx is None or cy is None or rx is None or ry is None or rotation is None:
        return None
    pixels = read.pixels((Point(cx, cy), Point(rx, ry)))
    return Ellipse(
        id=read.id,
        name=read.name,
        labels=read.labels,
        raw=read.raw,
        size=read.size,
        image_rotation=read.image_rotation,
        item=read.item,
        cx=None if pixels is None else pixels[0].x,
        cy=None if pixels is None else pixels[0].y,
        rx=None if pixels is None else pixels[1].x,
        ry=None if pixels is None else pixels[1].y,
        rotation=rotation,
        percent=Radii(cx, cy, rx, ry),
    )


def _polygon(read: Item) -> Polygon | None:
    percent = read.points("points")
    if percent is None:
        return None
    return Polygon(
        id=read.id,
        name=read.name,
        labels=read.labels,
        raw=read.raw,
        size=read.size,
        image_rotation=read.image_rotation,
        item=read.item,
        points=read.pixels(percent),
        closed=flag(member(read.value, "closed")),
        percent=percent,
    )


def _vector(read: Item) -> Line | Polygon | None:
    """A line, if its points follow each other and none of its pieces is a curve."""
    percent: list[Point] = []
    before: str | None = None
    for vertex in items(member(read.value, "vertices")):
        x, y = number(member(vertex, "x")), number(member(vertex, "y"))
        follows = not percent or (before is not None and text(member(vertex, "prevPointId")) == before)
        is_straight = member(vertex, "isBezier") is None or flag(member(vertex, "isBezier")) is False
        if x is None or y is None or not follows or not is_straight:
            return None
        percent.append(Point(x, y))
        before = text(member(vertex, "id"))
    if not percent:
        return None
    points = tuple(percent)
    if flag(member(read.value, "closed")):
        return Polygon(
            id=read.id,
            name=read.name,
            labels=read.labels,
            raw=read.raw,
            size=read.size,
            image_rotation=read.image_rotation,
            item=read.item,
            points=read.pixels(points),
            closed=True,
            percent=points,
        )
    return Line(
        id=read.id,
        name=read.name,
        labels=read.labels,
        raw=read.raw,
        size=read.size,
        image_rotation=read.image_rotation,
        item=read.item,
        points=read.pixels(points),
        percent=points,
    )


def _keypoint(read: Item) -> Keypoint | None:
    x, y = read.number("x"), read.number("y")
    if x is None or y is None:
        return None
    pixels = read.pixels((Point(x, y),))
    return Keypoint(
        id=read.id,
        name=read.name,
        labels=read.labels,
        raw=read.raw,
        size=read.size,
        image_rotation=read.image_rotation,
        item=read.item,
        x=None if pixels is None else pixels[0].x,
        y=None if pixels is None else pixels[0].y,
        percent=Point(x, y),
    )


def _mask(read: Item) -> Mask | None:
    lengths = [whole(value) for value in items(member(read.value, "rle"))]
    rle = bytes(value for value in lengths if value is not None and 0 <= value < 256)
    url = text(member(read.value, "imageDataURL"))
    if len(rle) != len(lengths) or (not rle and url is None):
        return None
    return Mask(
        id=read.id,
        name=read.name,
        labels=read.labels,
        raw=read.raw,
        size=read.size,
        image_rotation=read.image_rotation,
        item=read.item,
        rle=rle or None,
        url=url,
    )


def _span(read: Item, beside: TaskTexts | None) -> Span | None:
    start, end = whole(member(read.value, "start")), whole(member(read.value, "end"))
    if start is None or end is None or not 0 <= start <= end:
        return None
    return _make_span(read, (start, end), None, beside)


def _offsets(read: Item, beside: TaskTexts | None) -> Span:
    """Offsets within a paragraph of a dialogue, whose number is `start` and `end`; or within what XPaths name."""
    first, last = text(member(read.value, "start")), text(member(read.value, "end"))
    start, end = whole(member(read.value, "startOffset")), whole(member(read.value, "endOffset"))
    is_number = first is not None and first.isascii() and first.isdigit() and len(first) < 10
    if first is None or not is_number or first != last or start is None or end is None or not 0 <= start <= end:
        return _make_span(read, None, None, None)
    number = int(first)
    return _make_span(read, (start, end), number, beside)


def _make_span(
    read: Item, offsets: tuple[int, int] | None, paragraph: int | None, beside: TaskTexts | None
) -> Span:
    written = member(read.value, "text")
    verified = None
    if offsets is not None and isinstance(written, str) and written:
        start, end = offsets
        if len(written) != end - start:
            verified = False
        else:
            verified = is_there(beside, paragraph, start, written)
    return Span(
        id=read.id,
        name=read.name,
        labels=read.labels,
        raw=read.raw,
        start=None if offsets is None else offsets[0],
        end=None if offsets is None else offsets[1],
        text=text(written),
        verified=verified,
        paragraph=paragraph,
    )


def _time_span(read: Item, unit: Literal["s"] | None) -> TimeSpan | None:
    start, end = read.number("start"), read.number("end")
    if start is None or end is None:
        return None
    return TimeSpan(
        id=read.id,
        name=read.name,
        labels=read.labels,
        raw=read.raw,
        start=start,
        end=end,
        unit=unit,
        channel=whole(member(read.value, "channel")),
    )


def _track(read: Item) -> Track | None:
    frames = [frame for frame in items(member(read.value, "sequence")) if isinstance(frame, dict)]
    if not frames:
        return None
    return Track(
        id=read.id,
        name=read.name,
        labels=read.labels,
        raw=read.raw,
        frames=tuple((whole(frame.get("frame")), frame) for frame in frames),
    )
