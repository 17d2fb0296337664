"""A span is compared with the texts of its task, as far as the event is worth comparisons."""

from __future__ import annotations

import json
from typing import Any

import labelrelay
from labelrelay import Annotation, Changed, Span

ATTRIBUTES = {
    "id": "e1",
    "source": "/ls",
    "type": "io.labelstud.annotation.created",
    "datasha256": "00",
    "receivedtime": "2026-11-20T08:00:00Z",
    "specversion": "1.0",
}


def span(length: int) -> dict[str, Any]:
    return {"type": "labels", "value": {"start": 0, "end": length, "text": "x" * length}}


def test_spans_times_texts_have_an_end() -> None:
    data = {str(number): "y" for number in range(1, 1_000)} | {"text": "x" * 20_000}
    # Of 10,000,000 comparisons the first would take more, the second takes all, and nothing is left for another.
    first = {"id": 1, "result": [span(10_000), span(9_999), span(1)]}
    second = {"id": 2, "result": [span(1)]}
    body = {"annotations": [first, second], "task": {"id": 7, "data": data}}
    found: list[bool | None] = []
    for change in labelrelay.parse(json.dumps(ATTRIBUTES | {"data": body})).changes:
        assert isinstance(change, Changed) and isinstance(change.record, Annotation)
        for region in change.record.regions:
            assert isinstance(region, Span)
            found.append(region.verified)
    assert found == [None, True, None, None]
