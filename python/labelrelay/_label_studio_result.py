"""The items of an annotation's `result`, as Label Studio writes them, to regions, classifications and relations.

Items with one id belong together: a shape, its labels, and answers about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._label_studio_shapes import other, shape_of
from ._lenient import all_texts, identifier, is_equal, is_number, items, member, number, says_something, text, texts, whole
from .regions import Classification, Relation

if TYPE_CHECKING:
    from ._json import Json
    from ._task_texts import TaskTexts
    from .regions import Region, Value

CLASSIFICATIONS = frozenset(("choices", "rating", "textarea", "number", "datetime", "taxonomy", "pairwise"))
"""Types of items that answer a question."""


class Result(NamedTuple):
    """Contents of a `result`."""

    regions: tuple[Region, ...]
    classifications: tuple[Classification, ...]
    relations: tuple[Relation, ...]


NOTHING = Result((), (), ())
"""Contents of one without items."""


def read_result(result: Json, beside: TaskTexts | None) -> Result:
    """Reads a `result`; `beside` are the texts of the task, if the event has them."""
    regions: list[Region] = []
    classifications: list[Classification] = []
    relations: list[Relation] = []
    for group in _groups(result):
        kinds = [text(member(item, "type")) for item in group]
        marks = [item for item, kind in zip(group, kinds) if kind != "relation" and not _is_answer(item, kind)]
        region: str | None = None
        others = group
        if marks:
            drawn = marks[0]
            others = [item for item in group if item is not drawn and not _adds_labels_alone(item, drawn)]
            unread = set(map(id, others))
            labels = _labels([item for item in marks if id(item) not in unread])
            shape = shape_of(drawn, text(member(drawn, "type")), labels, beside)
            region = shape.id
            regions.append(shape)
        for item in others:
            kind = text(member(item, "type"))
            relation = _relation(item) if kind == "relation" else None
            answers = _classification(item, kind, region) if _is_answer(item, kind) else None
            if relation is not None:
                relations.append(relation)
            elif answers is not None:
                classifications.append(answers)
            else:
                regions.append(other(item, kind, _labels([item])))
    return Result(tuple(regions), tuple(classifications), tuple(relations))


def _is_answer(item: Json, kind: str | None) -> bool:
    """Tells whether an item answers a question. A ranking does if it has one list; buckets have several."""
    if kind != "ranker":
        return kind in CLASSIFICATIONS
    ranked, name = member(member(item, "value"), "ranker"), member(item, "from_name")
    return isinstance(ranked, dict) and list(ranked) == [name] and isinstance(ranked[str(name)], list)


def _groups(result: Json) -> list[list[Json]]:
    """Items by their id, in the order of the first of each; an item without one stands alone."""
    groups: list[list[Json]] = []
    by_id: dict[str, list[Json]] = {}
    for item in items(result):
        id = identifier(member(item, "id"))
        if id is not None and id in by_id:
            by_id[id].append(item)
            continue
        group = [item]
        groups.append(group)
        if id is not None:
            by_id[id] = group
    return groups


def _labels(group: list[Json]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for item in group:
        kind = text(member(item, "type"))
        if kind is None or _is_answer(item, kind) or kind == "relation":
            continue
        value = member(item, "value")
        found.update(dict.fromkeys(texts(member(value, kind)) or texts(member(value, "labels"))))
    return tuple(found)


def _adds_labels_alone(item: Json, drawn: Json) -> bool:
    """Tells whether an item beside a region says nothing but its labels: the rest of its `value` is in the region's."""
    kind = text(member(item, "type"))
    if kind is None or kind == "relation" or _is_answer(item, kind):
        return False
    value, region = member(item, "value"), member(drawn, "value")
    if not kind.endswith("labels") and not texts(member(value, "labels")):
        return False
    if not isinstance(value, dict):
        return not says_something(value)
    for name, held in value.items():
        if name in ("labels", kind):
            if says_something(held) and all_texts(held) is None:
                return False
        elif not isinstance(region, dict) or name not in region or not is_equal(held, region[name]):
            return False
    return True


def _relation(item: Json) -> Relation | None:
    """`None` if it does not say between which regions."""
    from_id, to_id = identifier(member(item, "from_id")), identifier(member(item, "to_id"))
    if from_id is None or to_id is None:
        return None
    return Relation(
        from_id=from_id,
        to_id=to_id,
        direction=text(member(item, "direction")),
        labels=texts(member(item, "labels")),
        raw=item,
    )


_HOLDERS = {"textarea": "text", "pairwise": "selected"}
"""Members of `value` that hold the answer, where they are not called like the type."""


def _answers(item: Json, kind: str) -> tuple[Value, ...] | None:
    """The answers; `None` if something is said that is not as it should be."""
    value = member(item, "value")
    name = _HOLDERS.get(kind, kind)
    if not isinstance(value, dict) or name not in value:
        return None if says_something(value) or is_number(value) else ()
    held = value[name]
    if kind == "ranker":
        held = next(iter(held.values())) if isinstance(held, dict) else None  # one list, under the item's own name
    if kind in ("rating", "number"):
        amount = number(held)
        if amount is not None:
            return (amount,)
        return None if says_something(held) or is_number(held) else ()
    if not says_something(held) and not is_number(held):  # a zero is said
        return ()
    if kind not in ("choices", "taxonomy"):
        return all_texts(held)
    if not isinstance(held, list):
        return None
    # A nested choice is a path.
    found: list[Value] = []
    for one in held:
        answer = text(one) if kind == "choices" and not isinstance(one, list) else all_texts(one)
        if answer is None:
            return None
        found.append(answer)
    return tuple(found)


def _classification(item: Json, kind: str | None, region: str | None) -> Classification | None:
    values = _answers(item, kind or "")
    if values is None:
        return None
    return Classification(
        name=text(member(item, "from_name")),
        values=values,
        region=region,
        frame=None,
        item=whole(member(item, "item_index")),
        parent=(),
        raw=item,
    )
