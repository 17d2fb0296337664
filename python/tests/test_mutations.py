"""Whatever arrives, nothing but the documented errors leaves."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import labelrelay
from labelrelay import Changed, EventError, Mask
from plain import CHANGES

SEED = 20261120
ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, -0.0, 10**400, 2**64, "", "a", "7", "\ud83d", "\u0000", "x" * 5000, [], [[]], {}, [None],
    {"id": None}, {"id": 5}, {"id": {"id": 5}}, [{"id": 5}, {"id": 5}], "2026-11-20T08:00:00.5Z", "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59", {"x": 1, "y": 2}, [[1, 2]], [256], "{", '{"objects": [7]}', {"value": {"rle": [300]}},
]  # fmt: skip


def small_envelopes() -> list[bytes]:
    paths = [path for path in sorted(CHANGES.glob("*.json")) if not path.name.endswith(".changes.json")]
    return [message for message in (path.read_bytes() for path in paths) if len(message) < 9000]


def use(message: bytes | str | dict[str, Any], attributes: Any = None) -> int:
    """Asks an event for everything. Returns the number of changes."""
    try:
        event = labelrelay.parse(message, attributes=attributes)
    except EventError as error:
        assert str(error)
        return 0
    found = 0
    for ask in (lambda: event.raw, lambda: event.payload, event.verify, lambda: event.changes, lambda: event.changes):
        try:
            ask()
        except EventError as error:
            assert error.event_id == event.id and str(error).startswith("event ")
    try:
        for change in event.changes:
            found += 1
            assert change.key.id and str(change) and hash(change.key)
            if isinstance(change, Changed) and isinstance(change.record, labelrelay.Annotation):
                for region in change.record.regions:
                    assert region.kind and (region.label is None or region.label.encode() is not None)
                    if isinstance(region, Mask):
                        try:
                            region.to_bytes(max_pixels=1_000_000)
                        except labelrelay.MaskUnreadable:
                            pass
                    elif isinstance(region, labelrelay.Box):
                        assert region.corners is None or len(region.corners) == 4
    except EventError:
        pass
    return found


def test_mutated_bytes() -> None:
    dice = random.Random(SEED)
    envelopes = small_envelopes()
    signs = b'"{}[],:0123456789eE.-\\u \ntfnNI\x00\x80\xff'
    found = 0
    for _ in range(10_000):
        message = bytearray(dice.choice(envelopes))
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(message))
            what = dice.randrange(4)
            if what == 0:
                message[at] = dice.choice(signs)
            elif what == 1:
                del message[at : at + dice.randint(1, 9)]
            elif what == 2:
                message[at:at] = bytes((dice.choice(signs),))
            else:
                end = at + dice.randint(1, 40)
                message[at:at] = message[at:end]
        found += use(bytes(message)) > 0
    assert found > 1000, f"only {found} of them could still be read: they prove nothing"


def test_mutated_values() -> None:
    dice = random.Random(SEED + 1)
    envelopes = [json.loads(message) for message in small_envelopes() if message.endswith(b"}") and _is_object(message)]
    found = 0
    for number in range(10_000):
        envelope = json.loads(json.dumps(dice.choice(envelopes)))
        root = envelope["data"] if isinstance(envelope.get("data"), (dict, list)) and dice.random() < 0.9 else envelope
        for _ in range(dice.randint(1, 3)):
            _replace(dice, root)
        attributes = {
            name: value for name, value in envelope.items() if isinstance(value, str) and name != "data_base64"
        }
        if number % 3 == 0:
            found += use(envelope) > 0
        elif number % 3 == 1:
            found += use(json.dumps(envelope)) > 0
        else:
            found += use(json.dumps(envelope.get("data")).encode(), attributes) > 0
    assert found > 1000, f"only {found} of them could still be read: they prove nothing"


def _is_object(message: bytes) -> bool:
    try:
        return isinstance(json.loads(message), dict)
    except ValueError:
        return False


def _replace(dice: random.Random, root: Any) -> None:
    """Puts an odd value somewhere into `root`, at any depth."""
    at = root
    while True:
        keys: list[Any] = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return
        key = dice.choice(keys)
        inner = at[key]
        if isinstance(inner, (dict, list)) and inner and dice.random() < 0.8:
            at = inner
            continue
        if isinstance(at, dict) and dice.random() < 0.2:
            del at[key]
        else:
            at[key] = copy.deepcopy(dice.choice(ODD))
        return
