"""The texts of a task, with which marked spans are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._lenient import items

if TYPE_CHECKING:
    from ._json import Json

MAX_COMPARED = 10_000_000
"""Comparisons that one event is worth, each as many as the characters of the marked text and one. Spans times texts
would be minutes for a body of a megabyte."""


class Budget:
    """Comparisons that are left to an event."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_COMPARED

    def take(self, cost: int) -> bool:
        """Takes so many, if they are left."""
        if cost > self.left:
            return False
        self.left -= cost
        return True


class TaskTexts(NamedTuple):
    """The texts in a task's data, for a span to be compared with."""

    budget: Budget

    texts: tuple[str, ...]
    paragraphs: tuple[tuple[str, ...], ...]
    """The strings of each paragraph of a dialogue."""


def texts_in(data: Json, budget: Budget) -> TaskTexts | None:
    """The texts in the member `data` of a task; `None` if that is no object."""
    if not isinstance(data, dict):
        return None
    values = list(data.values())
    paragraphs = [list(one.values()) for value in values for one in items(value) if isinstance(one, dict)]
    return TaskTexts(budget, _strings(values), tuple(map(_strings, paragraphs)))


def _strings(values: list[Json]) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str))


def is_there(beside: TaskTexts | None, paragraph: int | None, start: int, part: str) -> bool | None:
    """Tells whether any text has `part` there; `None` without texts, or if so many comparisons are not left."""
    if beside is None or (paragraph is not None and paragraph >= len(beside.paragraphs)):
        return None
    texts = beside.texts if paragraph is None else beside.paragraphs[paragraph]
    if not beside.budget.take((len(part) + 1) * len(texts)):
        return None
    return any(one.startswith(part, start) for one in texts)
