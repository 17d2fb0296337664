"""A sender and a consumer with OpenTelemetry's SDK: `python telemetry.py COLLECTOR RELAY QUEUE PROGRAM SECRET`.

Two annotations are delivered, the first of them within a span. Both are consumed.
"""

from __future__ import annotations

import json
import sys
from http.client import HTTPConnection

import labelrelay
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

COLLECTOR, RELAY, QUEUE, PROGRAM, SECRET = sys.argv[1:]


def provider(service: str) -> TracerProvider:
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{COLLECTOR}/v1/traces")))
    return provider


def deliver(number: int, headers: dict[str, str]) -> None:
    payload = {
        "action": "ANNOTATION_CREATED",
        "annotation": {"id": number, "result": [], "updated_at": f"2026-11-29T12:00:0{number}.500000Z", "task": number},
        "task": {"id": number},
        "project": {"id": 1},
    }
    connection = HTTPConnection(RELAY)
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json", **headers}
    connection.request("POST", "/label-studio", json.dumps(payload).encode(), headers)
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status == 200, (answer.status, said)
    connection.close()


sender, consumer = provider("sender"), provider("consumer")
with sender.get_tracer("sender").start_as_current_span("annotate", kind=trace.SpanKind.CLIENT):
    headers: dict[str, str] = {}
    propagate.inject(headers)
    deliver(1, headers)
deliver(2, {})

trace.set_tracer_provider(consumer)
relay = labelrelay.Consumer(QUEUE, program=PROGRAM)
handled: list[str] = []


@relay.on("*")
def keep(change: labelrelay.Change) -> None:
    handled.append(change.key.id)
    if len(handled) == 2:
        relay.stop()


relay.run(until_idle=60)
assert sorted(handled) == ["1", "2"], handled
sender.shutdown()
consumer.shutdown()
