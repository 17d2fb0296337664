"""The annotations of a label of Labelbox: objects, classifications and relationships, in either version's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._json import Fault, read
from ._lenient import identifier, items, member, text
from ._labelbox_shapes import feature_id, name_of, other, shape_of, tracks
from .regions import Classification, Relation

if TYPE_CHECKING:
    from ._json import Json
    from .regions import Region, Size, Value


class Marks(NamedTuple):
    """What a label holds."""

    regions: tuple[Region, ...]
    classifications: tuple[Classification, ...]
    relations: tuple[Relation, ...]


def read_v1(label: str) -> Marks:
    """Reads the member `label` of a v1 body: JSON in a string. Text that is no JSON (`Skip`) is one `Other`."""
    try:
        annotations = read(label)
    except Fault:
        annotations = None
    if isinstance(annotations, dict):
        return read_annotations(annotations, None)
    return Marks((other(label, None),), (), ())


def read_annotations(annotations: Json, size: Size | None) -> Marks:
    """Reads an object with `objects`, `classifications`, `relationships`, and the `frames` of a video."""
    regions: list[Region] = []
    classifications: list[Classification] = []
    for drawn in items(member(annotations, "objects")):
        regions.append(shape_of(drawn, size))
        classifications += _answers(member(drawn, "classifications"), feature_id(drawn), None)
    classifications += _answers(member(annotations, "classifications"), None, None)
    frames = member(annotations, "frames")
    if isinstance(frames, dict):
        regions += tracks(frames)
        for frame, held in frames.items():
            number = int(frame) if frame.isascii() and frame.isdigit() and len(frame) < 16 else None
            classifications += _answers(member(held, "classifications"), None, number)
    relations = tuple(_relation(written) for written in items(member(annotations, "relationships")))
    return Marks(tuple(regions), tuple(classifications), relations)


def _answers(written: Json, region: str | None, frame: int | None) -> list[Classification]:
    """Questions in the order in which they stand, and after each those that its answers led to."""
    found: list[Classification] = []
    # A stack in place of recursion: bodies may be nested more deeply than Python calls.
    waiting: list[tuple[Json, tuple[str, ...]]] = [(one, ()) for one in reversed(items(written))]
    while waiting:
        question, parent = waiting.pop()
        name = name_of(question)
        chosen = _chosen(question)
        values = tuple(value for value in map(_answer, chosen) if value is not None)
        found.append(
            Classification(name=name, values=values, region=region, frame=frame, item=None, parent=parent, raw=question)
        )
        for answer in reversed(chosen):
            path = (*parent, name or "", str(_answer(answer) or ""))
            waiting += [(one, path) for one in reversed(items(member(answer, "classifications")))]
    return found


def _chosen(question: Json) -> list[Json]:
    """The answers to one question, in any of the forms that Labelbox writes."""
    for name in ("answer", "radio_answer", "text_answer"):
        answer = member(question, name)
        if isinstance(answer, list):
            return answer
        if answer is not None:
            return [answer]
    return items(member(question, "answers")) or items(member(question, "checklist_answers"))


def _answer(answer: Json) -> Value | None:
    if isinstance(answer, dict):
        return text(answer.get("content")) if "content" in answer else name_of(answer)
    return text(answer)


def _relation(written: Json) -> Relation:
    """v1 has the ends in `data`; v2 in a member named after the direction."""
    direction = text(member(written, "relationshipType"))
    ends = member(written, "data")
    for name in ("unidirectional_relationship", "bidirectional_relationship"):
        if member(written, name) is not None:
            ends, direction = member(written, name), name.partition("_")[0]
    source, target = ("source", "target") if member(ends, "source") is not None else ("startFeatureId", "endFeatureId")
    label = name_of(written)
    return Relation(
        from_id=identifier(member(ends, source)),
        to_id=identifier(member(ends, target)),
        direction=direction,
        labels=() if label is None else (label,),
        raw=written,
    )
