"""A span of the consumer for each change that is handled, where OpenTelemetry's API is installed."""

from __future__ import annotations

import importlib
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .changes import Change

NOTHING: AbstractContextManager[Any] = nullcontext()
"""Stands for a span where there is none."""

SYSTEMS = {"sqs": "aws_sqs", "pubsub": "gcp_pubsub", "azure-queue": "azure_storage_queue"}
"""Names of queues in OpenTelemetry's semantic conventions, by the scheme of their URLs."""


class Tracing:
    """Begins spans. It does nothing where the package `opentelemetry-api` is missing."""

    def __init__(self, queue: str) -> None:
        self._trace: Any = None
        place = queue.partition("?")[0].rstrip("/")
        self._name = place.rsplit("/", 1)[-1].rpartition(":")[2]
        self._queue: dict[str, str] = {
            "messaging.system": _system(place),
            "messaging.destination.name": self._name,
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
        }
        try:
            self._trace = importlib.import_module("opentelemetry.trace")
            self._context: Any = importlib.import_module("opentelemetry.context")
            propagation: Any = importlib.import_module("opentelemetry.trace.propagation.tracecontext")
        except ImportError:
            return
        self._propagator: Any = propagation.TraceContextTextMapPropagator()
        self._tracer: Any = self._trace.get_tracer("labelrelay")

    def process(self, change: Change) -> AbstractContextManager[Any]:
        """The span of the work on a change. It is linked to the one that sent the event. It belongs to that trace, unless
        a span is current already."""
        if self._trace is None:
            return NOTHING
        event = change.attributes
        carrier = {"traceparent": event.traceparent or "", "tracestate": event.tracestate or ""}
        sent = self._propagator.extract(carrier, context=self._context.Context())
        sender = self._trace.get_current_span(sent).get_span_context()
        is_inside = self._trace.get_current_span().get_span_context().is_valid
        attributes = {
            **self._queue,
            "messaging.message.id": event.id,
            "cloudevents.event_id": event.id,
            "cloudevents.event_source": event.source,
            "cloudevents.event_type": event.type,
            "labelrelay.kind": change.key.kind,
        }
        if event.subject is not None:
            attributes["cloudevents.event_subject"] = event.subject
        span: AbstractContextManager[Any] = self._tracer.start_as_current_span(
            f"process {self._name}",
            context=None if is_inside else sent,
            kind=self._trace.SpanKind.CONSUMER,
            attributes=attributes,
            links=[self._trace.Link(sender)] if sender.is_valid else [],
        )
        return span


def _system(place: str) -> str:
    scheme = place.partition(":")[0]
    if scheme in ("http", "https"):
        return "azure_storage_queue" if ".queue." in place else "aws_sqs"
    return SYSTEMS.get(scheme, "labelrelay")
