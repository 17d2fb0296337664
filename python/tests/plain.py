"""Changes as plain JSON, in the form of `tests/fixtures/changes/*.changes.json`.

- `python plain.py NAME...` prints what the reader makes of these fixtures: a draft for somebody to check.
- `python plain.py -` reads messages in base64, one a line, and prints what becomes of each, one a line: for comparing
  another reader with this one.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import labelrelay
from labelrelay import Key, Mask, Removed, Track
from labelrelay._json import clean

if TYPE_CHECKING:
    from labelrelay import Change, Event

FIXTURES = Path(__file__).parents[2] / "tests" / "fixtures"
CHANGES = FIXTURES / "changes"


def outcome(event: Event | labelrelay.EventError) -> dict[str, Any]:
    """The changes of an event, or the name of the error."""
    if isinstance(event, labelrelay.EventError):
        return {"error": type(event).__name__}
    try:
        changes = event.changes
    except labelrelay.EventError as error:
        return {"error": type(error).__name__}
    places = pointers(event.payload)
    return {"changes": [change_as_json(change, places) for change in changes]}


def pointers(payload: object) -> dict[int, str]:
    """JSON pointers (RFC 6901) of everything in a body, by identity."""
    found: dict[int, str] = {}
    waiting: list[tuple[object, str]] = [(payload, "")]
    while waiting:
        value, pointer = waiting.pop()
        found[id(value)] = pointer
        if isinstance(value, dict):
            members = cast("dict[str, object]", value)
            waiting += [(v, f"{pointer}/{clean(k).replace('~', '~0').replace('/', '~1')}") for k, v in members.items()]
        elif isinstance(value, list):
            elements = cast("list[object]", value)
            waiting += [(v, f"{pointer}/{i}") for i, v in enumerate(elements)]
    return found


def change_as_json(change: Change, places: dict[int, str]) -> dict[str, Any]:
    if isinstance(change, Removed):
        return {"removed": list(change.key), "by": change.by.value, "parents": [list(key) for key in change.parents]}
    record = None if change.record is None else as_json(change.record, places)
    return {
        "changed": list(change.key),
        "version": change.version,
        "order": change.order.value,
        "parents": [list(key) for key in change.parents],
        "record": record,
    }


def as_json(value: Any, places: dict[int, str]) -> Any:
    """A record, or a part of one: its members that say something, and where the raw ones stand in the body."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Key) or not is_dataclass(value):
        return [as_json(item, places) for item in value] if isinstance(value, tuple) else value
    written: dict[str, Any] = {"is": type(value).__name__}
    for field in fields(value):
        held = getattr(value, field.name)
        if field.name in ("raw", "data"):
            # The annotations of a v1 label stand in a string, and their parts nowhere else.
            if id(held) in places and isinstance(held, (dict, list)):
                written[field.name] = places[id(held)]
        elif isinstance(value, Track) and field.name == "frames":
            written["frames"] = [[number, places.get(id(frame))] for number, frame in value.frames]
        elif isinstance(value, Mask) and field.name == "rle" and value.rle is not None:
            written["rle"] = {"bytes": len(value.rle), "sha256": sha256(value.rle).hexdigest()}
        elif held is not None and held != ():
            written[field.name] = as_json(held, places)
    return written


def read(name: str) -> Event | labelrelay.EventError:
    """The fixture's event, or why it cannot be read."""
    try:
        return labelrelay.parse((CHANGES / f"{name}.json").read_bytes())
    except labelrelay.EventError as error:
        return error


def expected_of(name: str) -> dict[str, Any]:
    """The outcome of a fixture; of one whose body was claimed, also once that is fetched."""
    event = read(name)
    found = outcome(event)
    body = CHANGES / f"{name}.body"
    if body.exists() and isinstance(event, labelrelay.Event):
        found["fetched"] = outcome(event.with_body(body.read_bytes()))
    return found


def written(value: dict[str, Any]) -> str:
    """One change a line, and its regions one a line: for people who compare."""
    lines: list[str] = []
    for name, held in value.items():
        if name == "changes":
            changes = ",\n".join("  " + json.dumps(change, ensure_ascii=False) for change in held)
            lines.append(f' "changes": [\n{changes}\n ]' if held else ' "changes": []')
        elif name == "fetched":
            lines.append(f' "fetched": {written(held).strip()}')
        else:
            lines.append(f' "{name}": {json.dumps(held)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def of_message(message: bytes) -> dict[str, Any]:
    """The outcome of a message."""
    try:
        return outcome(labelrelay.parse(message))
    except labelrelay.EventError as error:
        return outcome(error)


def main(arguments: list[str]) -> None:
    if arguments == ["-"]:
        for line in sys.stdin.buffer:
            print(json.dumps(of_message(b64decode(line))), flush=True)
        return
    for name in arguments:
        print(name, written(expected_of(name)), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
