"""Spans of the consumer, with OpenTelemetry's own SDK, and without it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import labelrelay
import pytest
from in_memory import InMemory, annotation
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from test_consumer_run import consumed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from labelrelay import Change
    from opentelemetry.sdk.trace import ReadableSpan

TRACE = 0x0AF7651916CD43DD8448EB211C80319C
SPAN = 0xB7AD6B7169203331
PARENT = f"00-{TRACE:032x}-{SPAN:016x}-01"

EXPORTER = InMemorySpanExporter()


@pytest.fixture(scope="module", autouse=True)
def provider() -> None:
    """There is one for each process, which nobody replaces."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(EXPORTER))
    trace.set_tracer_provider(provider)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    EXPORTER.clear()
    yield
    EXPORTER.clear()


def queue(**attributes: str) -> InMemory:
    envelope = json.loads(annotation(1, 1.5, task=1))
    return InMemory([json.dumps({**envelope, **attributes}).encode()])


def ids(span: ReadableSpan) -> tuple[int, int | None]:
    """Those of its trace and of its parent."""
    assert span.context is not None
    return span.context.trace_id, span.parent.span_id if span.parent is not None else None


def test_a_span_goes_on_with_the_trace_of_the_event() -> None:
    inside: list[int] = []

    def keep(_: Change) -> None:
        inside.append(trace.get_current_span().get_span_context().trace_id)

    consumed(queue(traceparent=PARENT, tracestate="a=1"), keep)
    [span] = EXPORTER.get_finished_spans()
    assert (span.name, span.kind) == ("process in-memory", trace.SpanKind.CONSUMER)
    assert ids(span) == (TRACE, SPAN)
    assert [link.context.span_id for link in span.links] == [SPAN]
    assert inside == [TRACE]
    assert span.attributes is not None
    assert span.attributes["messaging.operation.type"] == "process"
    assert span.attributes["cloudevents.event_type"] == "io.labelstud.annotation.created"


def test_a_coroutine_is_within_the_span() -> None:
    inside: list[int] = []

    async def keep(_: Change) -> None:
        inside.append(trace.get_current_span().get_span_context().trace_id)

    consumed(queue(traceparent=PARENT), keep)
    assert inside == [TRACE]


@pytest.mark.parametrize("attributes", [{}, {"traceparent": "00-zz-1-01"}, {"tracestate": "a=1"}])
def test_an_event_without_a_trace_begins_one(attributes: dict[str, str]) -> None:
    consumed(queue(**attributes), lambda _: None)
    [span] = EXPORTER.get_finished_spans()
    assert ids(span)[1] is None
    assert not span.links


def test_a_span_that_is_current_stays_the_parent() -> None:
    relay = labelrelay.Consumer(queue(traceparent=PARENT))
    changes: list[Change] = []
    relay.on("*")(changes.append)
    envelope = json.loads(annotation(1, 1.5, task=1))
    [change] = labelrelay.parse(json.dumps({**envelope, "traceparent": PARENT})).changes
    with trace.get_tracer("test").start_as_current_span("outer"):
        relay.handle(change)
    span, outer = EXPORTER.get_finished_spans()
    assert outer.context is not None
    assert ids(span) == (outer.context.trace_id, outer.context.span_id)
    assert [link.context.span_id for link in span.links] == [SPAN]
    assert changes == [change]


def test_a_handler_that_fails_is_an_error_of_the_span() -> None:
    failed: list[bool] = []

    def keep(_: Change) -> None:
        if not failed:
            failed.append(True)
            raise ValueError("once")

    consumed(queue(), keep)
    first, second = EXPORTER.get_finished_spans()
    assert (first.status.is_ok, second.status.is_ok) == (False, True)


def test_without_the_api_there_are_no_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    kept: list[Change] = []
    consumed(queue(traceparent=PARENT), kept.append)
    assert [change.attributes.traceparent for change in kept] == [PARENT]
    assert EXPORTER.get_finished_spans() == ()
