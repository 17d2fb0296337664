//! Events that the embedded queue got, from whomever: the things in them count as seen.

use labelrelay_core::Clock;
use labelrelay_event::{Attributes, Envelope, EventType};
use labelrelay_local::{FileError, OpenError, QueueFile};
use labelrelay_reconcile::{LiveEvent, SinkError};
use std::path::Path;
use std::sync::Arc;

pub(crate) struct QueueRecords {
    pub(crate) file: QueueFile,
}

impl QueueRecords {
    pub(crate) fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Ok(Self {
            file: QueueFile::open(path, clock)?,
        })
    }

    /// Up to `max` events after number `after`.
    pub(crate) fn events_after(&self, after: u64, max: usize) -> Result<Vec<LiveEvent>, SinkError> {
        let heads = self
            .file
            .attributes_after(after, max)
            .map_err(|error| failed(&error))?;
        let mut events = Vec::with_capacity(heads.len());
        for head in heads {
            let unread = || LiveEvent {
                seq: head.seq,
                attributes: Attributes::default(),
                data: None,
            };
            let event = self.live_event(head.seq, &head.attributes)?;
            events.push(event.unwrap_or_else(unread));
        }
        Ok(events)
    }

    /// Attributes of an event, and its data when it is not about one thing of its own kind.
    fn live_event(&self, seq: u64, head: &[u8]) -> Result<Option<LiveEvent>, SinkError> {
        // An event of a newer version may not be readable: it counts as not seen.
        let Ok(attributes) = serde_json::from_slice::<Attributes>(head) else {
            return Ok(None);
        };
        let data = if is_about_one(&attributes) {
            None
        } else {
            let stored = self.file.get(seq).map_err(|error| failed(&error))?;
            stored.and_then(|stored| data(&stored.envelope))
        };
        Ok(Some(LiveEvent {
            seq,
            attributes,
            data,
        }))
    }
}

/// An error of the queue's file, as an error of a run.
pub(crate) fn failed(error: &FileError) -> SinkError {
    SinkError::new(crate::error::chain(error))
}

/// Tells whether an event's attributes say all of its one thing.
pub(crate) fn is_about_one(attributes: &Attributes) -> bool {
    let kind = attributes.event_type.parse::<EventType>();
    let subject = attributes
        .subject
        .as_deref()
        .and_then(|subject| subject.split_once('/'));
    matches!((kind, subject), (Ok(event_type), Some((kind, _))) if event_type.kind() == kind)
}

/// The data, where the envelope holds it.
pub(crate) fn data(envelope: &[u8]) -> Option<Vec<u8>> {
    let envelope = Envelope::decode(envelope).ok()?;
    Some(envelope.data.bytes().ok()??.into_owned())
}
