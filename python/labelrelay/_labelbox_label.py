"""The annotations of a label of Labelbox: objects, classifications and relationships, in either version's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._json import Fault, clean, read
from ._labelbox_shapes import feature_id, frame_number, is_whole, name_of, other, shape_of, tracks
from ._lenient import identifier, member, says_something, several, text
from .regions import Classification, Other, Relation

if TYPE_CHECKING:
    from ._json import Json
    from .regions import Region, Size


class Marks(NamedTuple):
    """Contents of a label."""

    regions: tuple[Region, ...]
    classifications: tuple[Classification, ...]
    relations: tuple[Relation, ...]


def object_in(text: str) -> dict[str, Json] | None:
    """The JSON in a string, if it is an object."""
    try:
        held = read(clean(text))
    except Fault:
        return None
    return held if isinstance(held, dict) else None


def read_v1(label: str) -> Marks:
    """Reads the member `label` of a v1 body: JSON in a string. Text that is no JSON (`Skip`) is one `Other`."""
    annotations = object_in(label)
    if annotations is not None:
        return read_annotations(annotations, None)
    return Marks((other(label, None),), (), ())


KNOWN = frozenset(("objects", "classifications", "relationships", "segments", "key_frame_feature_map"))
"""Members of annotations that are read, and those of a video that repeat what its frames say."""


def read_annotations(annotations: Json, size: Size | None) -> Marks:
    """Reads an object with `objects`, `classifications`, `relationships`, and the `frames` of a video."""
    regions: list[Region] = []
    answers = Answers()
    for drawn in several(member(annotations, "objects")):
        regions.append(shape_of(drawn, size))
        answers.read(member(drawn, "classifications"), feature_id(drawn), None)
    answers.read(member(annotations, "classifications"), None, None)
    for name, held in annotations.items() if isinstance(annotations, dict) else ():
        is_read = name in KNOWN
        if name == "frames" and isinstance(held, dict):
            regions += tracks(held)
            _read_answers_in_frames(held, answers)
            is_read = is_whole(held)
        if not is_read and says_something(held):
            # Groups of a DICOM series, the address of a video's frames: there is more than was read.
            regions.append(Other(id=None, name=None, labels=(), raw=held, type=clean(name)))
    regions += answers.unread
    relations: list[Relation] = []
    for written in several(member(annotations, "relationships")):
        relation = _relation(written)
        if relation is not None:
            relations.append(relation)
        else:
            regions.append(other(written, text(member(written, "annotation_kind"))))
    return Marks(tuple(regions), tuple(answers.found), tuple(relations))


def _read_answers_in_frames(frames: dict[str, Json], answers: Answers) -> None:
    """Those about a frame, then those about each object in it."""
    for frame, held in frames.items():
        number = frame_number(frame)
        answers.read(member(held, "classifications"), None, number)
        objects = member(held, "objects")
        for key, drawn in objects.items() if isinstance(objects, dict) else ():
            answers.read(member(drawn, "classifications"), feature_id(drawn) or clean(key), number)


MAX_ANSWERS_ABOVE = 16
"""Answers that a question may stand below. Each question below answers holds a list of what led to it: with hundreds of
names in each of them, a body of a few megabytes would become a gigabyte."""

MAX_CHARACTERS_ABOVE = 4_096
"""Code points of the names of those questions and answers together: a dataset writes them for each question below."""


class Above(NamedTuple):
    """Questions and answers that led to a question."""

    names: tuple[str, ...]
    characters: int

    def below(self, question: str, answer: str) -> Above:
        """What stands above the questions that this answer led to."""
        return Above((*self.names, question, answer), self.characters + len(question) + len(answer))

    @property
    def is_too_much(self) -> bool:
        """Whether a question below all this is no longer read."""
        return len(self.names) > 2 * MAX_ANSWERS_ABOVE or self.characters > MAX_CHARACTERS_ABOVE


class Answers:
    """Answers that were read, and questions of which one was not as it should be."""

    __slots__ = ("found", "unread")

    def __init__(self) -> None:
        self.found: list[Classification] = []
        self.unread: list[Other] = []

    def read(self, written: Json, region: str | None, frame: int | None) -> None:
        """Reads questions in the order in which they stand, and after each those that its answers led to."""
        # A stack in place of recursion: bodies may be nested more deeply than Python calls.
        waiting: list[tuple[Json, Above]] = [(one, Above((), 0)) for one in reversed(several(written))]
        while waiting:
            question, above = waiting.pop()
            if isinstance(question, list):  # v1 writes lists of lists
                waiting += [(one, above) for one in reversed(question)]
                continue
            if above.is_too_much:  # it holds what stands below it
                self._leave_unread(question)
                continue
            name, chosen = name_of(question), _chosen(question)
            answers = [_answer(answer) for answer in chosen]
            values = tuple(answer for answer in answers if answer is not None)
            if isinstance(question, dict) and len(values) == len(answers):
                self.found.append(
                    Classification(
                        name=name,
                        values=values,
                        region=region,
                        frame=frame,
                        item=None,
                        parent=above.names,
                        raw=question,
                    )
                )
            else:
                self._leave_unread(question)
            for answer, read in zip(reversed(chosen), reversed(answers)):
                below = several(member(answer, "classifications"))
                if below:
                    led = above.below(name or "", read or "")
                    waiting += [(one, led) for one in reversed(below)]

    def _leave_unread(self, question: Json) -> None:
        self.unread.append(other(question, text(member(question, "annotation_kind"))))


_HOLDERS = (
    "answer",
    "radio_answer",
    "text_answer",
    "conversational_radio_answer",
    "conversational_text_answer",
    "answers",
    "checklist_answers",
    "conversational_checklist_answers",
)
"""Members of a question that hold its answers, in any of the forms that Labelbox writes."""


def _chosen(question: Json) -> list[Json]:
    """The answers to one question: one, or an array."""
    for name in _HOLDERS:
        held = member(question, name)
        if held is not None and held != []:
            return held if isinstance(held, list) else [held]
    return []


def _answer(answer: Json) -> str | None:
    """The answer's text, its content, or its name."""
    if isinstance(answer, dict):
        return text(answer.get("content")) if "content" in answer else name_of(answer)
    return text(answer)


def _relation(written: Json) -> Relation | None:
    """v1 has the ends in `data`; v2 in a member named after the direction. `None` if one of them is missing."""
    direction = text(member(written, "relationshipType"))
    ends = member(written, "data")
    for name in ("unidirectional_relationship", "bidirectional_relationship"):
        if member(written, name) is not None:
            ends, direction = member(written, name), name.partition("_")[0]
    source, target = ("source", "target") if member(ends, "source") is not None else ("startFeatureId", "endFeatureId")
    from_id, to_id = identifier(member(ends, source)), identifier(member(ends, target))
    if from_id is None or to_id is None:
        return None
    label = name_of(written)
    return Relation(
        from_id=from_id,
        to_id=to_id,
        direction=direction,
        labels=() if label is None else (label,),
        raw=written,
    )
