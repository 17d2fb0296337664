"""Values of a body, if they are what was expected. Anything else is as if it were absent."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from ._json import Number, clean

if TYPE_CHECKING:
    from ._json import Json

MAX_ID_BYTES = 4096
"""The longest text that the relay looks at: what is longer is no id."""

_LARGEST_INTEGER = 10**308


def member(value: Json, name: str) -> Json:
    """The member `name`, if `value` is an object that has it."""
    return value.get(name) if isinstance(value, dict) else None


def items(value: Json) -> list[Json]:
    """The elements, if it is an array."""
    return value if isinstance(value, list) else []


def text(value: Json) -> str | None:
    """The text, if it is a string."""
    return clean(value) if isinstance(value, str) else None


def texts(value: Json) -> tuple[str, ...]:
    """The strings in an array, or the one string that it is."""
    if isinstance(value, str):
        return (clean(value),)
    return tuple(clean(item) for item in items(value) if isinstance(item, str))


def flag(value: Json) -> bool | None:
    """The truth value, if it is one."""
    return value if isinstance(value, bool) else None


def number(value: Json) -> float | None:
    """The number as a double, if it is one that a double can hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int):
        return float(value) if -_LARGEST_INTEGER < value < _LARGEST_INTEGER else None
    return value if isfinite(value) else None


def whole(value: Json) -> int | None:
    """The number, if it is written without a fraction."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def identifier(value: Json) -> str | None:
    """The id: a string that is not empty, or an integer in its digits."""
    if isinstance(value, str):
        found = clean(value)
        return found if found and len(found.encode("utf-8")) <= MAX_ID_BYTES else None
    if isinstance(value, Number):
        digits = value.text[1:] if value.text.startswith("-") else value.text
        return value.text if digits.isdigit() and len(value.text) <= MAX_ID_BYTES else None
    integer = whole(value)
    return None if integer is None or abs(integer) >= _LARGEST_INTEGER else str(integer)


def reference(value: Json) -> str | None:
    """The id of a thing that is named by its id, or is an object with one."""
    return identifier(value["id"]) if isinstance(value, dict) and "id" in value else identifier(value)
