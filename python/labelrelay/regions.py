"""Regions: the marked parts of an image, a text, a sound or a video, in the same words for both platforms.

Coordinates are in pixels from the top left of the image, as the platform counts them: nothing is turned here. Label
Studio counts on the image as a browser shows the file, so after its EXIF orientation, and before `image_rotation`. They
are `None` where the platform gives percentages and no size. `percent` has Label Studio's own numbers. Each region has
its `raw` JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias, Union

from .errors import MaskUnreadable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._json import Json


class Point(NamedTuple):
    """A point; clockwise angles turn x towards y."""

    x: float
    y: float


class Rect(NamedTuple):
    """A rectangle, before it is turned about its top left."""

    x: float
    y: float
    width: float
    height: float


class Radii(NamedTuple):
    """Centre and radii of an ellipse."""

    cx: float
    cy: float
    rx: float
    ry: float


class Size(NamedTuple):
    """Width and height of an image in pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marked:
    id: str | None
    """Id of the region within its annotation: relations and classifications name it."""
    name: str | None
    """Name of the control (Label Studio), or of the tool (Labelbox)."""
    labels: tuple[str, ...]
    raw: Json = field(repr=False, hash=False)

    @property
    def label(self) -> str | None:
        """The first label."""
        return self.labels[0] if self.labels else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnImage(_Marked):
    size: Size | None
    """Size of the image, if the platform gives it."""
    image_rotation: float | None
    """Degrees by which the annotator had turned the image clockwise. Nothing here is turned by it."""
    item: int | None
    """Number of the image among those of its task, from 0, if Label Studio says one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box(_OnImage):
    """A rectangle. `rotation` turns it clockwise about its top left, in degrees."""

    x: float | None
    y: float | None
    width: float | None
    height: float | None
    rotation: float
    percent: Rect | None

    kind: ClassVar[Literal["box"]] = "box"

    @property
    def xywh(self) -> Rect | None:
        """Top left and size in pixels, before the rotation."""
        if self.x is None or self.y is None or self.width is None or self.height is None:
            return None
        return Rect(self.x, self.y, self.width, self.height)

    @property
    def corners(self) -> tuple[Point, Point, Point, Point] | None:
        """The four corners in pixels, after the rotation: top left, top right, bottom right, bottom left."""
        rect = self.xywh
        if rect is None:
            return None
        from math import cos, radians, sin

        turn = radians(self.rotation)
        right = Point(rect.width * cos(turn), rect.width * sin(turn))
        down = Point(-rect.height * sin(turn), rect.height * cos(turn))
        return (
            Point(rect.x, rect.y),
            Point(rect.x + right.x, rect.y + right.y),
            Point(rect.x + right.x + down.x, rect.y + right.y + down.y),
            Point(rect.x + down.x, rect.y + down.y),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Polygon(_OnImage):
    """A polygon; its last point is joined to its first unless `closed` is `False`."""

    points: tuple[Point, ...] | None
    closed: bool | None
    percent: tuple[Point, ...] | None

    kind: ClassVar[Literal["polygon"]] = "polygon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(_OnImage):
    """A line of straight pieces."""

    points: tuple[Point, ...] | None
    percent: tuple[Point, ...] | None

    kind: ClassVar[Literal["line"]] = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ellipse(_OnImage):
    """An ellipse. `rotation` turns it clockwise about its centre, in degrees."""

    cx: float | None
    cy: float | None
    rx: float | None
    ry: float | None
    rotation: float
    percent: Radii | None

    kind: ClassVar[Literal["ellipse"]] = "ellipse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keypoint(_OnImage):
    """A point. Neither platform says whether it can be seen, or what it is connected with."""

    x: float | None
    y: float | None
    percent: Point | None

    kind: ClassVar[Literal["keypoint"]] = "keypoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask(_OnImage):
    """Marked pixels: Label Studio's run lengths and the image's size, or an address.

    Labelbox's address asks for an API key, and ends one day. Nothing but `fetch` asks for it.
    """

    rle: bytes | None = field(repr=False)
    url: str | None = field(repr=False)

    kind: ClassVar[Literal["mask"]] = "mask"

    def to_bytes(self, max_pixels: int = 100_000_000) -> bytes:
        """One byte for each pixel, row by row: 0 is not marked, 255 is, and a brush's soft edge lies between.

        Raises `MaskUnreadable` if there are no run lengths and size, if they do not fit each other, or if there would
        be more than `max_pixels`: a short text can stand for gigabytes.
        """
        from .brush import decode

        if self.rle is None or self.size is None:
            missing = "its size is not known" if self.rle is not None else "its pixels are not in the event"
            raise MaskUnreadable(f"the mask {self.id} cannot be decoded: {missing}")
        return decode(self.rle, self.size, max_pixels)

    def fetch(
        self,
        key: str | None = None,
        *,
        hosts: Sequence[str] = ("labelbox.com",),
        timeout: float = 10.0,
        max_bytes: int = 100_000_000,
    ) -> bytes:
        """The picture at `url`, as the platform stores it: a PNG of Labelbox.

        `key` is an API key. It goes to that address alone, which must be one of `hosts` or below one, by https.

        Raises `MaskUnreadable` if there is no address, or the picture is larger, and `RefetchError` if it was not given.
        """
        from ._mask_file import fetched

        if self.url is None:
            raise MaskUnreadable(f"the mask {self.id} has no address: its run lengths are in the event")
        return fetched(self.url, key, hosts, timeout, max_bytes)

    def to_numpy(self, max_pixels: int = 100_000_000) -> Any:
        """The same as an array of `height` rows and `width` columns of `uint8`. Needs numpy."""
        import importlib

        numpy: Any = importlib.import_module("numpy")
        pixels = self.to_bytes(max_pixels)
        assert self.size is not None
        return numpy.frombuffer(pixels, dtype=numpy.uint8).reshape(self.size.height, self.size.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span(_Marked):
    """A part of a text: `start` to `end` in code points, the end not counted.

    `verified` is `True` if the task's text has `text` there, `False` if it has not: the offsets mean something else
    then. `None` if the text is not in the event. In HTML, and from one paragraph of a dialogue to another, the offsets
    are `None`; `raw` has what was sent.
    """

    start: int | None
    end: int | None
    text: str | None
    verified: bool | None
    paragraph: int | None
    """Of a dialogue: the paragraph, from 0, in whose text the offsets count."""

    kind: ClassVar[Literal["span"]] = "span"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpan(_Marked):
    """A part of a sound or video, in seconds; of a time series in the units of its own axis, and `unit` is `None`."""

    start: float
    end: float
    unit: Literal["s"] | None
    channel: int | None

    kind: ClassVar[Literal["time_span"]] = "time_span"


@dataclass(frozen=True, slots=True, kw_only=True)
class Track(_Marked):
    """A region that moves: its key frames as they were sent. Nothing lies between them that was not sent."""

    frames: tuple[tuple[int | None, Mapping[str, Json]], ...] = field(repr=False, hash=False)
    """Number of each frame as the platform counts, and what was sent for it."""

    kind: ClassVar[Literal["track"]] = "track"


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(_Marked):
    """Anything that this package does not know, or that would have to be guessed at."""

    type: str | None
    """The platform's name for it."""

    kind: ClassVar[Literal["other"]] = "other"


Region: TypeAlias = Union[Box, Polygon, Line, Ellipse, Keypoint, Mask, Span, TimeSpan, Track, Other]

Value: TypeAlias = Union[str, float, "tuple[str, ...]"]
"""A choice or text, a number, or a path in a taxonomy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """Answers to one question, about the whole task, a region, or a frame."""

    name: str | None
    values: tuple[Value, ...]
    region: str | None
    """Id of the region that it is about."""
    frame: int | None
    item: int | None
    """Number of the image that it is about, from 0, if Label Studio says one."""
    parent: tuple[str, ...]
    """Questions and answers that led to this question, outermost first: at most 16 of each."""
    raw: Json = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A connection of two regions."""

    from_id: str | None
    to_id: str | None
    direction: str | None
    """As the platform writes it."""
    labels: tuple[str, ...]
    raw: Json = field(repr=False, hash=False)
