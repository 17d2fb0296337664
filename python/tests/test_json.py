"""JSON: what is read, how, and what is not."""

from __future__ import annotations

import json
import sys
from typing import Any

import labelrelay
import pytest
from labelrelay import EventError, NotJson, Number, TooDeep
from plain import FIXTURES

ATTRIBUTES = {
    "id": "e1",
    "source": "/ls",
    "type": "io.labelstud.task.created",
    "datasha256": "00",
    "receivedtime": "2026-11-20T08:00:00Z",
}


def payload_of(body: bytes | str) -> Any:
    return labelrelay.parse(body, attributes=ATTRIBUTES).payload


@pytest.mark.parametrize("path", sorted((FIXTURES / "json" / "invalid").iterdir()), ids=lambda path: path.stem)
def test_text_that_is_no_json_is_told_to_be_none(path: Any) -> None:
    with pytest.raises(NotJson) as told:
        payload_of(path.read_bytes())
    assert told.value.event_id == "e1" and str(told.value).startswith("event e1: ")


@pytest.mark.parametrize("path", sorted((FIXTURES / "json" / "valid").iterdir()), ids=lambda path: path.stem)
def test_json_is_read(path: Any) -> None:
    if path.stem in ("nested_1000", "nested_mixed"):
        with pytest.raises(TooDeep):
            payload_of(path.read_bytes())
    else:
        payload_of(path.read_bytes())


def test_the_bytes_are_utf_8_and_nothing_else() -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig"):
        with pytest.raises(NotJson):
            payload_of('{"id": 5}'.encode(encoding))


def test_numbers_are_never_changed_silently() -> None:
    digits = "9" * 5000
    read = payload_of(
        f"[{digits}, -{digits}, {'9' * 308}, 1e400, -1e400, 1e-400, 0e5, -0.0, 0.1, 9007199254740993, 1.{'0' * 400}1]"
    )
    assert read[0] == Number(digits) and read[1] == Number("-" + digits)
    assert read[2] == int("9" * 308)
    assert read[3:6] == [Number("1e400"), Number("-1e400"), Number("1e-400")]
    assert read[6:10] == [0.0, 0.0, 0.1, 9007199254740993]
    assert read[10] == Number("1." + "0" * 400 + "1")
    assert str(read[7]) == "-0.0"


def test_the_last_of_equal_keys_wins() -> None:
    assert payload_of('{"a": {"b": 1}, "a": {"c": 2}, "a": {"c": 3, "c": 4}}') == {"a": {"c": 4}}


def test_half_of_a_pair_stays_in_the_body_and_is_an_escape_in_a_record() -> None:
    body = r'{"task": {"id": "\ud83d", "data": {"a": "\ud83d\ude00\ude00"}}}'
    event = labelrelay.parse(body, attributes=ATTRIBUTES)
    assert isinstance(event.payload, dict)
    assert event.payload == {"task": {"id": "\ud83d", "data": {"a": "\U0001f600\ude00"}}}
    [change] = event.changes
    assert change.key.id == r"\ud83d"
    change.key.id.encode()


def nested(levels: int) -> str:
    return '{"task": {"id": 7, "data": {"[": "\\"[\\\\", "a": ' + "[" * (levels - 3) + "]" * (levels - 3) + "}}}"


def test_500_levels_are_read_and_no_more() -> None:
    assert labelrelay.parse(nested(500), attributes=ATTRIBUTES).changes[0].key.id == "7"
    for levels in (501, 900, 1000, 5000, 100_000):
        with pytest.raises(TooDeep) as told:
            payload_of(nested(levels))
        assert told.value.event_id == "e1"
    # Of brackets in strings, and of many that are closed again, none counts.
    payload_of(json.dumps({"a": "[{" * 2000, "b": [[], {}] * 2000, '"[': ['\\"[[[['] * 2000}))


def test_500_levels_are_read_from_deep_in_the_callers_stack() -> None:
    def deeper(levels: int) -> Any:
        return payload_of(nested(500)) if levels == 0 else deeper(levels - 1)

    used = 0
    frame = sys._getframe()  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None:
        frame, used = frame.f_back, used + 1
    assert deeper(sys.getrecursionlimit() - used - 60)["task"]["id"] == 7


def test_a_deep_envelope_is_an_error_and_no_recursion() -> None:
    head = '{"specversion":"1.0","id":"1","source":"/x","type":"io.labelstud.task.created","x":'
    for levels in (600, 100_000):
        with pytest.raises(labelrelay.MalformedEnvelope):
            labelrelay.parse(head + "[" * levels + "]" * levels + "}")


def test_50_megabytes_are_read() -> None:
    things = b",".join(b'{"id": %d, "data": {"text": "%s"}}' % (id, b"x" * 480) for id in range(1, 100_001))
    event = labelrelay.parse(b'{"action": "TASKS_CREATED", "tasks": [' + things + b"]}", attributes=ATTRIBUTES)
    assert len(event.raw) > 50_000_000
    assert len(event.changes) == 100_000 and event.changes[-1].key.id == "100000"


@pytest.mark.parametrize("path", sorted((FIXTURES / "edge").glob("*.json")), ids=lambda path: path.stem)
def test_odd_bodies(path: Any) -> None:
    event = labelrelay.parse(path.read_bytes(), attributes=ATTRIBUTES)
    try:
        assert isinstance(event.changes, tuple)
    except EventError as error:
        assert error.event_id == "e1"
