"""One object of a label of Labelbox to the region that it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._json import clean
from ._lenient import MAX_WHOLE, identifier, items, member, number, says_something, text, whole
from .regions import Box, Keypoint, Line, Mask, Other, Point, Polygon, Size, Span, Track

if TYPE_CHECKING:
    from ._json import Json
    from .regions import Region


def feature_id(written: Json) -> str | None:
    """Id of an object, as v2 or v1 writes it."""
    return identifier(member(written, "feature_id")) or identifier(member(written, "featureId"))


def name_of(written: Json) -> str | None:
    """The name that people see of a tool, a question or an answer."""
    for name in ("name", "title", "value"):
        found = text(member(written, name))
        if found is not None:
            return found
    return None


def other(written: Json, kind: str | None) -> Other:
    """The object, unread."""
    tool, labels = _tool(written)
    return Other(id=feature_id(written), name=tool, labels=labels, raw=written, type=kind)


def _tool(written: Json) -> tuple[str | None, tuple[str, ...]]:
    label = name_of(written)
    return text(member(written, "value")), () if label is None else (label,)


def shape_of(written: Json, size: Size | None) -> Region:
    """The region; `Other` if it is not in the pixels of an image or the characters of a text."""
    kind = text(member(written, "annotation_kind"))
    if any(member(written, name) is not None for name in ("page", "page_number", "unit", "geometry")):
        return other(written, kind)
    found: Region | None = _span(written)
    for name in ("bbox", "bounding_box"):
        if found is None and member(written, name) is not None:
            found = _box(written, member(written, name), size)
    if found is None and member(written, "polygon") is not None:
        found = _polygon(written, size)
    if found is None and member(written, "line") is not None:
        found = _line(written, size)
    if found is None and member(written, "point") is not None:
        found = _keypoint(written, size)
    if found is None:
        found = _mask(written, size)
    return other(written, kind) if found is None else found


def _span(written: Json) -> Span | None:
    """An entity. Labelbox's end is the last character, not the place behind it."""
    location = member(written, "location")
    if location is None:
        location = member(member(written, "data"), "location")
    start, last = whole(member(location, "start")), whole(member(location, "end"))
    # Within a message of a conversation: which text that is, is not in the region.
    is_of_message = member(location, "messageId") is not None
    if start is None or last is None or is_of_message or not 0 <= start <= last < MAX_WHOLE:
        return None
    token = member(location, "token")
    tool, labels = _tool(written)
    return Span(
        id=feature_id(written),
        name=tool,
        labels=labels,
        raw=written,
        start=start,
        end=last + 1,
        text=text(token),
        verified=False if isinstance(token, str) and len(token) != last + 1 - start else None,
        paragraph=None,
    )


def _point(written: Json) -> Point | None:
    x, y = number(member(written, "x")), number(member(written, "y"))
    return None if x is None or y is None else Point(x, y)


def _points(written: Json) -> tuple[Point, ...] | None:
    """Points; `None` if there are none, or one of them is no point."""
    found: list[Point] = []
    for one in items(written):
        point = _point(one)
        if point is None:
            return None
        found.append(point)
    return tuple(found) or None


def _box(written: Json, bounds: Json, size: Size | None) -> Box | None:
    x, y, width, height = (number(member(bounds, name)) for name in ("left", "top", "width", "height"))
    if x is None or y is None or width is None or height is None:
        return None
    tool, labels = _tool(written)
    return Box(
        id=feature_id(written),
        name=tool,
        labels=labels,
        raw=written,
        size=size,
        image_rotation=None,
        item=None,
        x=x,
        y=y,
        width=width,
        height=height,
        rotation=0.0,
        percent=None,
    )


def _polygon(written: Json, size: Size | None) -> Polygon | None:
    points = _points(member(written, "polygon"))
    if points is None:
        return None
    tool, labels = _tool(written)
    return Polygon(
        id=feature_id(written),
        name=tool,
        labels=labels,
        raw=written,
        size=size,
        image_rotation=None,
        item=None,
        points=points,
        closed=None,
        percent=None,
    )


def _line(written: Json, size: Size | None) -> Line | None:
    points = _points(member(written, "line"))
    if points is None:
        return None
    tool, labels = _tool(written)
    return Line(
        id=feature_id(written),
        name=tool,
        labels=labels,
        raw=written,
        size=size,
        image_rotation=None,
        item=None,
        points=points,
        percent=None,
    )


def _keypoint(written: Json, size: Size | None) -> Keypoint | None:
    point = _point(member(written, "point"))
    if point is None:
        return None
    tool, labels = _tool(written)
    return Keypoint(
        id=feature_id(written),
        name=tool,
        labels=labels,
        raw=written,
        size=size,
        image_rotation=None,
        item=None,
        x=point.x,
        y=point.y,
        percent=None,
    )


_SHAPES = ("bbox", "bounding_box", "polygon", "line", "point", "location", "data")


def _mask(written: Json, size: Size | None) -> Mask | None:
    """The address is in `mask`; or it stands alone, where another shape has a member of its own beside it."""
    url = text(member(member(written, "mask"), "url"))
    if url is None and all(member(written, name) is None for name in _SHAPES):
        url = text(member(written, "instance_uri")) or text(member(written, "instanceURI"))
    if not url:
        return None
    tool, labels = _tool(written)
    return Mask(
        id=feature_id(written),
        name=tool,
        labels=labels,
        raw=written,
        size=size,
        image_rotation=None,
        item=None,
        rle=None,
        url=url,
    )


def frame_number(key: str) -> int | None:
    """The number of a frame, which is a key of an object."""
    return int(key) if key.isascii() and key.isdigit() and len(key) <= 15 else None


def tracks(frames: dict[str, Json]) -> list[Track]:
    """The objects of a video's frames, each with its frames, in the order in which the first of each stands."""
    found: dict[str, list[tuple[int | None, dict[str, Json]]]] = {}
    for frame, held in frames.items():
        number = frame_number(frame)
        objects = member(held, "objects")
        for key, drawn in objects.items() if isinstance(objects, dict) else ():
            if isinstance(drawn, dict):
                found.setdefault(feature_id(drawn) or clean(key), []).append((number, drawn))
    made: list[Track] = []
    for id, sent in found.items():
        first: Json = sent[0][1]
        tool, labels = _tool(first)
        made.append(Track(id=id, name=tool, labels=labels, raw=first, frames=tuple(sent)))
    return made


def is_whole(frames: dict[str, Json]) -> bool:
    """Tells whether all frames, and the objects in them, are objects: the rest is read by nobody."""
    for held in frames.values():
        objects = member(held, "objects")
        drawn = list(objects.values()) if isinstance(objects, dict) else []
        if not all(isinstance(one, dict) or not says_something(one) for one in (held, objects, *drawn)):
            return False
    return True
