//! Traces: what is left of each event that a queue took, for a pull that cannot look into the queue.
//!
//! A trace is an object of its own in a store that can be listed. Nothing is gathered and nothing is overwritten, so an
//! instance that dies takes no trace with it but that of the delivery that was under way. An event without a trace is
//! sent once more by the next pull, with the same id; no event is lost with its trace.

use crate::fallback;
use crate::queue::OutboundMessage;
use bytes::Bytes;
use jiff::Timestamp;
use labelrelay_event::{Attributes, DataEncoding, EventType, encode};

/// A larger envelope leaves its attributes alone. Most queues take no larger one.
const MOST_BYTES: usize = 1024 * 1024;

/// Key of the trace of an event: keys sort by time.
///
/// ```
/// use labelrelay_core::traces::{is_of, key, since};
///
/// let now = "2026-11-29T23:50:56Z".parse().unwrap();
/// let key = key(now, "label-studio", "0123abcd");
/// assert_eq!(key, "20261129T235056.000000000Z-label-studio.0123abcd");
/// assert!(is_of(&key, "label-studio") && !is_of(&key, "label"));
/// assert!(since(now) < key);
/// ```
pub fn key(now: Timestamp, source: &str, event_id: &str) -> String {
    // A source's name has no dot.
    fallback::key(now, &format!("{source}.{event_id}"))
}

/// Tells whether the trace under this key is of this source.
pub fn is_of(key: &str, source: &str) -> bool {
    let rest = key.split_once('-').map_or("", |(_time, rest)| rest);
    rest.strip_prefix(source)
        .is_some_and(|rest| rest.starts_with('.'))
}

/// What sorts before all keys of this moment and later ones, and after all keys before.
pub fn since(moment: Timestamp) -> String {
    fallback::key(moment, "")
}

/// Content of the trace: the envelope, without its data where the attributes say all that a pull compares.
pub fn content(message: &OutboundMessage) -> Bytes {
    let attributes = &message.attributes;
    if is_about_one(attributes) || message.body.len() > MOST_BYTES {
        encode(attributes, DataEncoding::Reference, 0, []).into()
    } else {
        message.body.clone()
    }
}

/// Tells whether an event's attributes say all of its one thing.
pub fn is_about_one(attributes: &Attributes) -> bool {
    let kind = attributes.event_type.parse::<EventType>();
    let subject = attributes
        .subject
        .as_deref()
        .and_then(|subject| subject.split_once('/'));
    matches!((kind, subject), (Ok(event_type), Some((kind, _))) if event_type.kind() == kind)
}
