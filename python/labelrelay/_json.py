"""JSON as the relay reads it: RFC 8259 in UTF-8, and nothing of what Python's own reader takes besides.

- `NaN` and `Infinity` are no JSON, and the bytes are never taken for UTF-16 or UTF-32.
- A number of more than 308 bytes, and one that a double cannot hold (`1e400`, `1e-400`), stays as it was written: a
  `Number`. Python refuses integers of more than 4,300 digits, and makes infinity of the others.
- The last of equal keys wins, as for the relay.
- Half of a surrogate pair stays in the string that it is in. `clean` makes text of it that every database takes.
- A value is read to 500 levels, from however deep in the caller's stack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from json import JSONDecodeError, JSONDecoder
from typing import Any, NoReturn, TypeAlias, Union, cast

Json: TypeAlias = Union[None, bool, int, float, str, "Number", "list[Json]", "dict[str, Json]"]
"""Any JSON value."""

MAX_LEVELS = 500
"""Levels of a body that are read. Python's own limit is some 990, less what the caller has used."""

MAX_NUMBER_BYTES = 308
"""The longest number that is read as one: an integer of so many digits still is a double."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is too long or too large for a Python number, as it was written."""

    text: str


class Fault(Exception):
    """Bytes that are not JSON."""


class DeepFault(Fault):
    """JSON that is nested too deeply."""


def _integer(text: str) -> int | Number:
    return int(text) if len(text) <= MAX_NUMBER_BYTES else Number(text)


def _fraction(text: str) -> float | Number:
    if len(text) > MAX_NUMBER_BYTES:
        return Number(text)
    value = float(text)
    if value - value != 0.0 or (value == 0.0 and not is_zero(text)):
        return Number(text)
    return value


def _constant(name: str) -> NoReturn:
    raise Fault(f"{name} is no JSON")


def is_zero(text: str) -> bool:
    """Tells whether a number has no digit before its exponent other than zero."""
    return _IS_NOT_ZERO(text) is None


_IS_NOT_ZERO = re.compile(r"[-.0]*[1-9]").match
_SPACE = re.compile(r"[ \t\n\r]*").match
_decoder: Any = JSONDecoder(parse_int=_integer, parse_float=_fraction, parse_constant=_constant)
_scan: Any = _decoder.scan_once
_pairs_decoder: Any = JSONDecoder(
    object_pairs_hook=list, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
)
_pairs: Any = _pairs_decoder.scan_once


def text_of(raw: bytes) -> str:
    """The text that `raw` is. Raises `Fault` if it is not UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Fault(f"it is not UTF-8 (at byte {error.start})") from None


def read(text: str, max_levels: int = MAX_LEVELS) -> Json:
    """The one JSON value that `text` is. Raises `Fault`."""
    _check_levels(text, max_levels)
    value, end = _value(text, _skip(text, 0))
    if _skip(text, end) != len(text):
        raise Fault(f"something follows the value (at character {end})")
    return value


LAST = ',"data":'
"""Stands before the body in an envelope as the relay writes it. No attribute can hold it, since quotes in a string are
escaped."""


def envelope(text: str) -> tuple[list[tuple[str, Json]], str | None]:
    """The members of the envelope that `text` is, and the text of its member `data`, if it has one. Raises `Fault`."""
    _check_levels(text, MAX_LEVELS + 1)
    at = text.find(LAST)
    if at >= 0:
        found = _split(text, at)
        if found is not None:
            return found
    members = _members(text)
    data = [text[start:end] for name, _, start, end in members if name == "data"]
    return [(name, value) for name, value, _, _ in members], data[-1] if data else None


def _split(text: str, at: int) -> tuple[list[tuple[str, Json]], str] | None:
    """Reads the attributes before `at` and the body behind it; `None` unless both are as the relay writes them.

    If what is before it is an object once a bracket closes it, and what is behind it is a value and the last bracket,
    then both together are the envelope: another reading of the text has no place for either.
    """
    head = text[:at] + "}"
    start = at + len(LAST)
    try:
        pairs, end = _pairs(head, 0)
        value, after = _scan(text, start)
    except (StopIteration, JSONDecodeError, Fault, RecursionError):
        return None  # the slow way says what is wrong
    is_whole = type(pairs) is list and head[0] == "{" and end == len(head)
    if not is_whole or text[after:].rstrip(" \t\n\r") != "}":
        return None
    members = cast("list[tuple[str, Json]]", pairs)
    members.append(("data", value))
    return members, text[start:after]


def _members(text: str) -> list[tuple[str, Json, int, int]]:
    """The members of the object that `text` is: key, value, and where the value begins and ends. Raises `Fault`."""
    found: list[tuple[str, Json, int, int]] = []
    at = _expect(text, _skip(text, 0), "{")
    if text[at : at + 1] == "}":
        end = at + 1
    else:
        while True:
            if text[at : at + 1] != '"':
                raise Fault(f"a key is missing (at character {at})")
            key, at = _value(text, at)
            start = _expect(text, _skip(text, at), ":")
            value, end = _value(text, start)
            found.append((cast(str, key), value, start, end))
            at = _skip(text, end)
            if text[at : at + 1] == "}":
                end = at + 1
                break
            at = _expect(text, at, ",")
    if _skip(text, end) != len(text):
        raise Fault(f"something follows the object (at character {end})")
    return found


def _skip(text: str, at: int) -> int:
    match = _SPACE(text, at)
    return at if match is None else match.end()


def _expect(text: str, at: int, sign: str) -> int:
    if text[at : at + 1] != sign:
        raise Fault(f"{sign!r} is missing (at character {at})")
    return _skip(text, at + 1)


def _value(text: str, at: int) -> tuple[Json, int]:
    try:
        return _scan_anywhere(text, at)
    except StopIteration as stop:
        raise Fault(f"a value is missing (at character {stop.value})") from None
    except JSONDecodeError as error:
        raise Fault(f"{error.msg} (at character {error.pos})") from None


def _scan_anywhere(text: str, at: int) -> tuple[Json, int]:
    try:
        return cast("tuple[Json, int]", _scan(text, at))
    except RecursionError:
        pass
    try:
        return _scan_in_a_thread(text, at)
    except RecursionError:
        raise DeepFault("the caller's stack has no room left to read it") from None


def _scan_in_a_thread(text: str, at: int) -> tuple[Json, int]:
    """Reads from the bottom of a stack: the caller's is nearly used up."""
    from threading import Thread

    outcome: list[tuple[Json, int] | Exception] = []

    def work() -> None:
        try:
            outcome.append(cast("tuple[Json, int]", _scan(text, at)))
        except RecursionError:
            outcome.append(DeepFault("it is nested deeper than this Python can read"))
        except Exception as error:
            outcome.append(error)

    thread = Thread(target=work, name="labelrelay-json")
    thread.start()
    thread.join()
    result = outcome[0]
    if isinstance(result, Exception):
        raise result
    return result


_NOT_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))
_STRINGS = re.compile(rb'"[^"]*"')
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def _check_levels(text: str, most: int) -> None:
    """Raises `DeepFault` if `text` is nested deeper, before a reader meets it."""
    if text.count("[") + text.count("{") <= most:
        return
    # Escaped signs go first, pair by pair, so that what is left of quotes begins and ends strings.
    raw = text.encode("utf-8", "replace").replace(b"\\\\", b"").replace(b'\\"', b"")
    structure = _STRINGS.sub(b"", raw.translate(None, _NOT_STRUCTURE)).replace(b'"', b"")
    if max(accumulate(map(_STEPS.__getitem__, structure)), default=0) > most:
        raise DeepFault(f"it is nested deeper than {most} levels")


def clean(text: str) -> str:
    """`text` with half of a surrogate pair written as its escape (`\\ud83d`): two texts never become one."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
