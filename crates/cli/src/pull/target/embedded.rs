//! The embedded queue as a place for what was found: appended beside a running `serve`.

use crate::error::CliError;
use crate::open::not_opened;
use labelrelay_core::{BoxFuture, Clock, OutboundMessage, QueueLimits};
use labelrelay_event::{Attributes, Envelope, EventType};
use labelrelay_local::{EmbeddedQueue, FileError, OpenError, Options, QueueFile};
use labelrelay_reconcile::{LiveEvent, SendOutcome, Sink, SinkError};
use std::path::Path;
use std::sync::Arc;

pub(super) struct Embedded {
    file: QueueFile,
}

/// Makes the queue file, when no `serve` has made it yet.
pub(super) fn make(path: &Path, clock: Arc<dyn Clock>) -> Result<(), CliError> {
    match QueueFile::open(path, clock.clone()) {
        Err(OpenError::Missing { .. }) => {}
        Err(error) => return Err(not_opened(&error)),
        Ok(_there) => return Ok(()),
    }
    match EmbeddedQueue::open(path, Options::default(), clock) {
        Ok(queue) => queue.close(),
        // It is being made in this moment.
        Err(OpenError::Owned { .. }) => {}
        Err(error) => return Err(not_opened(&error)),
    }
    Ok(())
}

impl Embedded {
    pub(super) fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Ok(Self {
            file: QueueFile::open(path, clock)?,
        })
    }

    /// The queue as it is; `None` as long as nobody has made it.
    pub(super) fn open_existing(
        path: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, CliError> {
        match Self::open(path, clock) {
            Ok(queue) => Ok(Some(queue)),
            Err(OpenError::Missing { .. }) => Ok(None),
            Err(error) => Err(not_opened(&error)),
        }
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

impl Sink for Embedded {
    fn limits(&self) -> QueueLimits {
        QueueLimits::bytes(Options::default().max_message_bytes)
    }

    fn events_after(&self, after: u64, max: usize) -> Result<Vec<LiveEvent>, SinkError> {
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

    fn send<'a>(
        &'a mut self,
        messages: &'a [OutboundMessage],
        after: u64,
    ) -> BoxFuture<'a, Result<Vec<SendOutcome>, SinkError>> {
        let appended = self
            .file
            .append(messages, after)
            .map_err(|error| failed(&error));
        let outcome = |is_new| {
            if is_new {
                SendOutcome::New
            } else {
                SendOutcome::Repeat
            }
        };
        let sent = appended.map(|new| new.into_iter().map(outcome).collect());
        Box::pin(std::future::ready(sent))
    }
}

fn is_about_one(attributes: &Attributes) -> bool {
    let kind = attributes.event_type.parse::<EventType>();
    let subject = attributes
        .subject
        .as_deref()
        .and_then(|subject| subject.split_once('/'));
    matches!((kind, subject), (Ok(event_type), Some((kind, _))) if event_type.kind() == kind)
}

/// The data, where the envelope holds it.
fn data(envelope: &[u8]) -> Option<Vec<u8>> {
    let envelope = Envelope::decode(envelope).ok()?;
    Some(envelope.data.bytes().ok()??.into_owned())
}

fn failed(error: &FileError) -> SinkError {
    SinkError::new(crate::error::chain(error))
}
