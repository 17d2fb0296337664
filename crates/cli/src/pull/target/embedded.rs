//! The embedded queue as a place for what was found: appended beside a running `serve`.

use crate::error::CliError;
use crate::open::not_opened;
use crate::queue_records::{QueueRecords, failed};
use labelrelay_core::{BoxFuture, Clock, OutboundMessage, QueueLimits};
use labelrelay_local::{EmbeddedQueue, OpenError, Options, QueueFile};
use labelrelay_reconcile::{LiveEvent, SendOutcome, Sink, SinkError};
use std::path::Path;
use std::sync::Arc;

pub(super) struct Embedded {
    records: QueueRecords,
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
        // Another process is making the queue at this moment.
        Err(OpenError::Owned { .. }) => {}
        Err(error) => return Err(not_opened(&error)),
    }
    Ok(())
}

impl Embedded {
    pub(super) fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Ok(Self {
            records: QueueRecords::open(path, clock)?,
        })
    }

    /// The queue; `None` until somebody has made it.
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
}

impl Sink for Embedded {
    fn limits(&self) -> QueueLimits {
        QueueLimits::bytes(Options::default().max_message_bytes)
    }

    fn events_after(&self, after: u64, max: usize) -> Result<Vec<LiveEvent>, SinkError> {
        self.records.events_after(after, max)
    }

    fn send<'a>(
        &'a mut self,
        messages: &'a [OutboundMessage],
        after: u64,
    ) -> BoxFuture<'a, Result<Vec<SendOutcome>, SinkError>> {
        let appended = self
            .records
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
