"""The items of an annotation's `result`, as Label Studio writes them, to regions, classifications and relations.

Items with one id belong together: a shape, its labels, and answers about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._label_studio_shapes import other, shape_of
from ._lenient import identifier, items, member, number, text, texts, whole
from .regions import Classification, Relation

if TYPE_CHECKING:
    from ._json import Json
    from ._label_studio_shapes import TaskTexts
    from .regions import Region, Value

CLASSIFICATIONS = frozenset(("choices", "rating", "textarea", "number", "datetime", "taxonomy", "pairwise"))
"""Types of items that answer a question."""


class Result(NamedTuple):
    """Contents of a `result`."""

    regions: tuple[Region, ...]
    classifications: tuple[Classification, ...]
    relations: tuple[Relation, ...]


def read_result(result: Json, beside: TaskTexts | None) -> Result:
    """Reads a `result`; `beside` are the texts of the task, if the event has them."""
    regions: list[Region] = []
    classifications: list[Classification] = []
    relations: list[Relation] = []
    for group in _groups(result):
        shape: Region | None = None
        for item in group:
            kind = text(member(item, "type"))
            if not _is_answer(item, kind) and kind != "relation" and shape is None:
                shape = shape_of(item, kind, _labels(group), beside)
        region = None if shape is None else shape.id
        if shape is not None:
            regions.append(shape)
        for item in group:
            kind = text(member(item, "type"))
            if kind == "relation":
                relations.append(_relation(item))
            elif _is_answer(item, kind):
                classifications.append(_classification(item, kind, region))
            elif shape is None or not (shape.raw is item or _says_labels(item, kind)):
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


def _says_labels(item: Json, kind: str | None) -> bool:
    """Tells whether an item beside a region says nothing but its labels."""
    return (kind is not None and kind.endswith("labels")) or bool(texts(member(member(item, "value"), "labels")))


def _relation(item: Json) -> Relation:
    return Relation(
        from_id=identifier(member(item, "from_id")),
        to_id=identifier(member(item, "to_id")),
        direction=text(member(item, "direction")),
        labels=texts(member(item, "labels")),
        raw=item,
    )


def _classification(item: Json, kind: str | None, region: str | None) -> Classification:
    value = member(item, "value")
    values: tuple[Value, ...]
    if kind in ("rating", "number"):
        answer = number(member(value, kind))
        values = () if answer is None else (answer,)
    elif kind == "taxonomy":
        values = tuple(texts(path) for path in items(member(value, "taxonomy")))
    elif kind == "choices":
        # A nested choice is a path.
        chosen = [texts(one) if isinstance(one, list) else text(one) for one in items(member(value, "choices"))]
        values = tuple(one for one in chosen if one is not None)
    elif kind == "ranker":
        values = texts(member(member(value, "ranker"), text(member(item, "from_name")) or ""))
    else:
        values = texts(member(value, {"textarea": "text", "pairwise": "selected"}.get(kind or "", kind or "")))
    return Classification(
        name=text(member(item, "from_name")),
        values=values,
        region=region,
        frame=None,
        item=whole(member(item, "item_index")),
        parent=(),
        raw=item,
    )
