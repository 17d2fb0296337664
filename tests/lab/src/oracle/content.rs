//! Reads the queue: every event is one that was sent, byte for byte, or is derived.

use crate::delivery::Delivery;
use crate::derived::{Cause, Derived};
use crate::obligations::Ledger;
use crate::plan::Plan;
use crate::queue::{Queue, Stored};
use crate::sources::Source;
use crate::violation::{Violation, ViolationKind};
use labelrelay_event::{Data, Digest, Envelope, Origin};

/// An event that was found.
pub(super) struct Found {
    pub(super) id: String,
    pub(super) source: Source,
    pub(super) digest: Digest,
}

/// Content of the queue.
#[derive(Default)]
pub(super) struct Content {
    /// What deliveries became. A derived event is none of these.
    pub(super) found: Vec<Found>,
    /// Those of them that tell of tasks or annotations, in the order of the queue.
    pub(super) causes: Vec<Cause>,
    pub(super) derived: Vec<Derived>,
}

/// Reads every event; each must be derived, or one that was sent, byte for byte.
pub(super) fn read(
    plan: &Plan,
    queue: &Queue<'_>,
    ledger: &Ledger,
    violations: &mut Vec<Violation>,
) -> Content {
    let mut content = Content::default();
    for (place, stored) in queue.events().iter().enumerate() {
        let added = content.add(plan, ledger, place, stored);
        violations.extend(added.err());
    }
    content
}

impl Content {
    fn add(
        &mut self,
        plan: &Plan,
        ledger: &Ledger,
        place: usize,
        stored: &Stored,
    ) -> Result<(), Violation> {
        let changed = |detail: String| Violation::general(ViolationKind::Changed, detail);
        let envelope =
            Envelope::decode(&stored.envelope).map_err(|error| changed(error.to_string()))?;
        let attributes = &envelope.attributes;
        let id = attributes.id.clone();
        if let Some(row) = stored.id.as_ref().filter(|row| **row != id) {
            return Err(changed(format!("the row {row} holds the event {id}")));
        }
        let body = body(&envelope)?;
        if !envelope.matches_digest(&body) {
            return Err(changed(format!("{id}: datasha256 is not that of the data")));
        }
        let source = Source::ALL
            .into_iter()
            .find(|source| attributes.source.strip_prefix('/') == Some(source.name()))
            .ok_or_else(|| changed(format!("{id}: no source is called {}", attributes.source)))?;
        if attributes.origin == Some(Origin::Derived) {
            let data = serde_json::from_slice(&body)
                .map_err(|error| changed(format!("{id}, which is derived: {error}")))?;
            self.derived.push(Derived {
                place,
                attributes: envelope.attributes,
                data,
            });
            return Ok(());
        }
        let digest = Digest::of(&body);
        let number = genuine(ledger, source, digest, &id)?;
        let delivery = Delivery::of(plan, number);
        if delivery.body != body {
            let detail = format!("{id}: not the bytes of this delivery");
            return Err(Violation::of(ViolationKind::Changed, number, detail));
        }
        // What is in the blob store is not read, and nothing follows from it.
        let told = delivery.told.filter(|_| envelope.data != Data::Reference);
        if let Some(told) = told {
            self.causes.push(Cause {
                place,
                number,
                source,
                attributes: envelope.attributes,
                told,
            });
        }
        self.found.push(Found { id, source, digest });
        Ok(())
    }
}

/// The data of an event, wherever they are.
fn body(envelope: &Envelope<'_>) -> Result<Vec<u8>, Violation> {
    let id = &envelope.attributes.id;
    if envelope.data == Data::Reference {
        let place = envelope.attributes.dataref.as_deref().unwrap_or_default();
        let path = place.strip_prefix("file://").unwrap_or_default();
        return std::fs::read(path).map_err(|error| {
            Violation::general(ViolationKind::Lost, format!("{id}: {place}: {error}"))
        });
    }
    let body = envelope
        .data
        .bytes()
        .map_err(|error| Violation::general(ViolationKind::Changed, format!("{id}: {error}")))?;
    Ok(body.unwrap_or_default().into_owned())
}

/// The delivery that brought this body, if one did that may have become an event.
pub(super) fn genuine(
    ledger: &Ledger,
    source: Source,
    digest: Digest,
    what: &str,
) -> Result<u32, Violation> {
    match ledger.get(&(source, digest)) {
        Some(sent) if sent.possible > 0 => Ok(sent.number),
        Some(sent) if sent.is_not_current => {
            let detail = format!("{what}: only sent with a forged credential");
            Err(Violation::of(ViolationKind::Forged, sent.number, detail))
        }
        Some(sent) => {
            let detail = format!("{what}: never arrived whole, or was refused for good");
            Err(Violation::of(ViolationKind::Invented, sent.number, detail))
        }
        None => {
            let detail = format!("{what}: nobody sent it to {}", source.name());
            Err(Violation::general(ViolationKind::Invented, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_event::{Attributes, DataEncoding, EventType, encode};

    /// Red if a derived event counts as a delivery, or if what nobody sent passes for one that is derived.
    #[test]
    fn a_derived_event_is_no_delivery() {
        let event_type = EventType::from_static("io.labelstud.task.completed");
        let data: &[u8] = br#"{"task":7}"#;
        let received = "2026-11-30T00:00:00Z";
        let mut attributes =
            Attributes::new("1", "/token", &event_type, &Digest::of(data), received);
        let read = |attributes: &Attributes| {
            let envelope = encode(attributes, DataEncoding::Json, data.len(), [data]);
            let stored = Stored {
                id: Some("1".to_owned()),
                envelope,
            };
            let mut content = Content::default();
            let added = content.add(&Plan::of(1, 100), &Ledger::new(), 0, &stored);
            (content, added.map_err(|wrong| wrong.kind))
        };
        let (_, added) = read(&attributes);
        assert_eq!(added, Err(ViolationKind::Invented));
        attributes.origin = Some(Origin::Derived);
        let (content, added) = read(&attributes);
        assert_eq!(added, Ok(()));
        assert_eq!((content.derived.len(), content.found.len()), (1, 0));
    }
}
