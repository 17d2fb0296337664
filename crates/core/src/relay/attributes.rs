//! The envelope's attributes: what the body says, and what the relay knows of the delivery.

use super::delivery::Delivery;
use super::parts::Parts;
use crate::clock::fresh_id;
use crate::describe::Description;
use crate::trace_context::{EventTrace, TraceContext, is_trace_state};
use jiff::Timestamp;
use labelrelay_event::{Attributes, Digest};
use labelrelay_json::Check;

/// The event's id: the same for a repeat.
pub(super) fn event_id(
    delivery: &Delivery,
    description: &Description,
    digest: &Digest,
    parts: &Parts,
) -> String {
    let source = &delivery.source;
    description
        .identity
        .event_id(
            &source.name,
            description.event_type.as_str(),
            digest,
            source.provider.delivery_id(&delivery.head),
        )
        .unwrap_or_else(|| fresh_id(&*parts.clock, &*parts.entropy))
}

/// The attributes of an event that is received at `now`.
pub(super) fn attributes(
    id: String,
    delivery: &Delivery,
    description: Description,
    check: Check,
    digest: &Digest,
    now: Timestamp,
) -> Attributes {
    let Delivery { source, report, .. } = delivery;
    let received = crate::time::rfc3339(now);
    let mut attributes = description.attributes(id, &source.name, check, digest, received);
    attributes.deliveryid.clone_from(&report.delivery_id);
    attributes
}

/// Notes the trace that the event belongs to: the one that the request names, since it is verified by now, else one of
/// the relay's own, where somebody records spans.
pub(super) fn trace(delivery: &mut Delivery, attributes: &mut Attributes, parts: &Parts) {
    let head = &delivery.head;
    if let Some(named) = head.text("traceparent").and_then(TraceContext::parse) {
        let state = head.text("tracestate").filter(|text| is_trace_state(text));
        attributes.traceparent = Some(named.to_string());
        attributes.tracestate = state.map(str::to_owned);
        delivery.report.trace = Some(EventTrace::Sender(named));
    } else if let Some(own) = parts.observer.begin_trace() {
        attributes.traceparent = Some(own.to_string());
        delivery.report.trace = Some(EventTrace::Relay(own));
    }
}
