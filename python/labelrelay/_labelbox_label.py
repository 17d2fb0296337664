"""The annotations of a label of Labelbox: objects, classifications and relationships, in either version's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._json import Fault, clean, read
from ._lenient import identifier, items, member, text
from ._labelbox_shapes import feature_id, frame_number, name_of, other, shape_of, tracks
from .regions import Classification, Other, Relation

if TYPE_CHECKING:
    from ._json import Json
    from .regions import Region, Size, Value


class Marks(NamedTuple):
    """Contents of a label."""

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


KNOWN = frozenset(("objects", "classifications", "relationships", "frames", "segments", "key_frame_feature_map"))
"""Members of annotations that are read, and those of a video that repeat what its frames say."""


def read_annotations(annotations: Json, size: Size | None) -> Marks:
    """Reads an object with `objects`, `classifications`, `relationships`, and the `frames` of a video."""
    regions: list[Region] = []
    classifications: list[Classification] = []
    for drawn in items(member(annotations, "objects")):
        regions.append(shape_of(drawn, size))
        classifications += _answers(member(drawn, "classifications"), feature_id(drawn), None)
    classifications += _answers(member(annotations, "classifications"), None, None)
    for name, held in annotations.items() if isinstance(annotations, dict) else ():
        if name == "frames" and isinstance(held, dict):
            regions += tracks(held)
            classifications += _answers_in_frames(held)
        elif held and (name not in KNOWN or name == "frames"):
            # Groups of a DICOM series, the address of a video's frames: there is more than was read.
            regions.append(Other(id=None, name=None, labels=(), raw=held, type=clean(name)))
    relations = tuple(_relation(written) for written in items(member(annotations, "relationships")))
    return Marks(tuple(regions), tuple(classifications), relations)


def _answers_in_frames(frames: dict[str, Json]) -> list[Classification]:
    """Those about a frame, then those about each object in it."""
    found: list[Classification] = []
    for frame, held in frames.items():
        number = frame_number(frame)
        found += _answers(member(held, "classifications"), None, number)
        objects = member(held, "objects")
        for key, drawn in objects.items() if isinstance(objects, dict) else ():
            found += _answers(member(drawn, "classifications"), feature_id(drawn) or clean(key), number)
    return found


def _answers(written: Json, region: str | None, frame: int | None) -> list[Classification]:
    """Questions in the order in which they stand, and after each those that its answers led to."""
    found: list[Classification] = []
    # A stack in place of recursion: bodies may be nested more deeply than Python calls.
    waiting: list[tuple[Json, tuple[str, ...]]] = [(one, ()) for one in reversed(items(written))]
    while waiting:
        question, parent = waiting.pop()
        if isinstance(question, list):  # v1 writes lists of lists
            waiting += [(one, parent) for one in reversed(question)]
            continue
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
    for name in ("answer", "radio_answer", "text_answer", "conversational_radio_answer", "conversational_text_answer"):
        answer = member(question, name)
        if isinstance(answer, list):
            return answer
        if answer is not None:
            return [answer]
    for name in ("answers", "checklist_answers", "conversational_checklist_answers"):
        answers = items(member(question, name))
        if answers:
            return answers
    return []


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
