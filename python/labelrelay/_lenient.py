"""Values of a body, if they are what was expected. Anything else is as if it were absent."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from ._json import Number, clean, is_zero

if TYPE_CHECKING:
    from ._json import Json

MAX_ID_BYTES = 4096
"""The longest text that the relay looks at: what is longer is no id."""

_LARGEST_INTEGER = 10**308
_LARGEST_ID = 10**MAX_ID_BYTES
_SMALL = 10**18
MAX_WHOLE = 2**53 - 1
"""The largest integer in a record: beyond it, a double is no integer any more."""


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
    """The number, if it is written as an integer of up to 2^53 - 1."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -MAX_WHOLE <= value <= MAX_WHOLE else None


def identifier(value: Json) -> str | None:
    """The id: a string that is not empty, or an integer in its digits."""
    if type(value) is int and -_SMALL < value < _SMALL:  # nearly all are
        return str(value)
    if isinstance(value, str):
        found = clean(value)
        return found if found and len(found.encode("utf-8")) <= MAX_ID_BYTES else None
    if isinstance(value, Number):
        digits = value.text[1:] if value.text.startswith("-") else value.text
        return value.text if digits.isdigit() and len(value.text) <= MAX_ID_BYTES else None
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= _LARGEST_ID:
        return None
    try:
        digits = str(value)
    except ValueError:  # whoever gave it as a number set a limit to the digits of one
        return None
    return digits if len(digits) <= MAX_ID_BYTES else None


def reference(value: Json) -> str | None:
    """The id of a thing that is named by its id, or is an object with one."""
    if value is None:  # nearly always, of what may be named in several places
        return None
    return identifier(value["id"]) if isinstance(value, dict) and "id" in value else identifier(value)


def says_something(value: Json) -> bool:
    """Tells whether it is neither `None`, `False`, zero nor empty."""
    return not is_zero(value.text) if isinstance(value, Number) else bool(value)


def several(value: Json) -> list[Json]:
    """The elements of an array; anything else that says something stands for itself."""
    if isinstance(value, list):
        return value
    return [value] if says_something(value) else []


def all_texts(value: Json) -> tuple[str, ...] | None:
    """The strings in an array, or the one string that it is; `None` if anything else is there."""
    found = texts(value)
    return found if len(found) == (len(value) if isinstance(value, list) else 1) else None


def is_equal(one: Json, two: Json) -> bool:
    """Tells whether both are the same data: numbers as doubles, and no number is a truth value."""
    waiting = [(one, two)]  # a stack in place of recursion
    while waiting:
        one, two = waiting.pop()
        if isinstance(one, dict) and isinstance(two, dict):
            if one.keys() != two.keys():
                return False
            waiting += [(held, two[name]) for name, held in one.items()]
        elif isinstance(one, list) and isinstance(two, list):
            if len(one) != len(two):
                return False
            waiting += zip(one, two)
        elif is_number(one) and is_number(two):
            doubles = number(one), number(two)
            if doubles[0] != doubles[1] or (doubles[0] is None and one != two):
                return False
        elif type(one) is not type(two) or one != two:
            return False
    return True


def is_number(value: Json) -> bool:
    """Tells whether it is a number, and no truth value."""
    return isinstance(value, (int, float, Number)) and not isinstance(value, bool)
