//! The envelope's attributes: what the body says, and what the relay knows of the delivery.

use super::delivery::Delivery;
use super::parts::Parts;
use crate::clock::fresh_id;
use crate::describe::Description;
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
    attributes.traceparent = delivery
        .head
        .text("traceparent")
        .filter(|text| is_traceparent(text))
        .map(str::to_owned);
    attributes
}

/// W3C Trace Context, version 00: `00-<32 hex>-<16 hex>-<2 hex>`, lower case, ids not all zero.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, digits: usize| {
        part.len() == digits
            && part
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let set = |part: &str| part.bytes().any(|b| b != b'0');
    match parts.as_slice() {
        ["00", trace, span, flags] => {
            hex(trace, 32) && hex(span, 16) && hex(flags, 2) && set(trace) && set(span)
        }
        _ => false,
    }
}
