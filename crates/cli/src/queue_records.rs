//! Events that the embedded queue got, from whomever: the things in them count as seen.

use labelrelay_core::Clock;
use labelrelay_core::traces::is_about_one;
use labelrelay_event::{Attributes, Envelope};
use labelrelay_local::{FileError, OpenError, QueueFile};
use labelrelay_reconcile::{LiveEvent, SinkError};
use std::path::Path;
use std::sync::Arc;

/// Data that is read at a time: events about many things may have megabytes each.
const AT_A_TIME_BYTES: usize = 8 * 1024 * 1024;

pub(crate) struct QueueRecords {
    pub(crate) file: QueueFile,
}

impl QueueRecords {
    pub(crate) fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Ok(Self {
            file: QueueFile::open(path, clock)?,
        })
    }

    /// Up to `max` events after number `after`, fewer where they are large; none after the last one.
    pub(crate) fn events_after(&self, after: u64, max: usize) -> Result<Vec<LiveEvent>, SinkError> {
        let heads = self
            .file
            .attributes_after(after, max)
            .map_err(|error| failed(&error))?;
        let mut events = Vec::with_capacity(heads.len());
        let mut bytes = 0;
        for head in heads {
            if bytes > AT_A_TIME_BYTES {
                break;
            }
            let unread = || LiveEvent {
                seq: head.seq,
                attributes: Attributes::default(),
                data: None,
            };
            let event = self.live_event(head.seq, &head.attributes)?;
            let event = event.unwrap_or_else(unread);
            bytes += event.data.as_ref().map_or(0, Vec::len);
            events.push(event);
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

/// The data, where the envelope holds it.
pub(crate) fn data(envelope: &[u8]) -> Option<Vec<u8>> {
    let envelope = Envelope::decode(envelope).ok()?;
    Some(envelope.data.bytes().ok()??.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_core::OutboundMessage;
    use labelrelay_event::{DataEncoding, Digest, EventType, encode};
    use labelrelay_local::{EmbeddedQueue, Options};
    use labelrelay_testkit::clock::FakeClock;

    /// Imports of a large project are megabytes each. Red if a thousand of them are in memory at once, or if the reader
    /// stops before the last one.
    #[test]
    fn large_events_are_read_a_few_at_a_time() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("queue.db");
        let clock: Arc<dyn Clock> = Arc::new(FakeClock::at("2026-11-21T12:00:00Z"));
        drop(EmbeddedQueue::open(&path, Options::default(), Arc::clone(&clock)).unwrap());
        let records = QueueRecords::open(&path, clock).unwrap();
        let data = format!(
            "{{\"tasks\":[],\"pad\":\"{}\"}}",
            "x".repeat(5 * 1024 * 1024)
        );
        let import = |number: u64| {
            let event_type = EventType::from_static("io.labelstud.task.created");
            let digest = Digest::of(data.as_bytes());
            let received = "2026-11-21T12:00:00Z";
            let id = number.to_string();
            let mut attributes = Attributes::new(id, "/a", &event_type, &digest, received);
            attributes.subject = Some("project/1".to_owned());
            let chunks = [data.as_bytes()];
            let envelope = encode(&attributes, DataEncoding::Json, data.len(), chunks);
            OutboundMessage::new(attributes, envelope)
        };
        for number in 1..=3 {
            records.file.append(&[import(number)], 0).unwrap();
        }
        let read = |after| -> Vec<u64> {
            let events = records.events_after(after, 1000).unwrap();
            events.iter().map(|event| event.seq).collect()
        };
        assert_eq!(read(0), [1, 2]);
        assert_eq!(read(2), [3]);
        assert!(read(3).is_empty());
    }
}
