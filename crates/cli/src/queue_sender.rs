//! A queue that a verb sends to: each event is sent, or given up after a while, whatever hangs.

use labelrelay_core::clock::within;
use labelrelay_core::replay::claim_if_too_large;
use labelrelay_core::{
    BlobStore, Clock, Entropy as _, EventQueue, Lease, OutboundMessage, QueueError, QueueErrorKind,
    QueueLimits, Receipt,
};
use labelrelay_startup::OsEntropy;
use std::sync::Arc;
use std::time::Duration;

/// Events under way at once.
pub(crate) const AT_ONCE: usize = 16;

/// Longest time for one event.
const PATIENCE: Duration = Duration::from_secs(30);

/// Pauses before a message is tried again; spread. A queue that fails for longer ends the run, which the next one
/// takes up.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(8),
];

pub(crate) struct QueueSender {
    queue: Arc<dyn EventQueue>,
    /// For what is too large for the queue.
    blobs: Option<Arc<dyn BlobStore>>,
    clock: Arc<dyn Clock>,
}

/// Reason why an event was not sent.
#[derive(Debug)]
pub(crate) struct Unsent {
    pub(crate) reason: String,
    pub(crate) fault: Fault,
}

/// Whose fault it may be that an event was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The event's own: others may be sent.
    Event,
    /// The queue's, and it may pass.
    Passing,
    /// The queue's, until somebody mends something.
    Lasting,
}

impl Unsent {
    /// The event's own fault.
    pub(crate) fn own(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            fault: Fault::Event,
        }
    }
}

impl From<QueueError> for Unsent {
    fn from(error: QueueError) -> Self {
        let fault = match error.kind {
            QueueErrorKind::TooLarge => Fault::Event,
            QueueErrorKind::Denied | QueueErrorKind::Misconfigured => Fault::Lasting,
            _ => Fault::Passing,
        };
        Self {
            reason: error.to_string(),
            fault,
        }
    }
}

impl QueueSender {
    pub(crate) fn new(
        queue: Arc<dyn EventQueue>,
        blobs: Option<Arc<dyn BlobStore>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            queue,
            blobs,
            clock,
        }
    }

    pub(crate) fn limits(&self) -> QueueLimits {
        self.queue.limits()
    }

    /// The right to pull from this source, which one process at a time has, where the queue sees to that. `None` while
    /// another has it.
    pub(crate) async fn pull_lease(&self, source: &str) -> Result<Option<Lease>, QueueError> {
        self.queue.lease(&format!("pull {source}")).await
    }

    /// Sends the event, as a claim check where the queue does not take it whole.
    pub(crate) async fn send(&self, message: OutboundMessage) -> Result<Receipt, Unsent> {
        match within(&*self.clock, PATIENCE, self.try_to_send(message)).await {
            Ok(outcome) => outcome,
            Err(late) => Err(Unsent {
                reason: late.to_string(),
                fault: Fault::Passing,
            }),
        }
    }

    /// The same; tried again a few times where the queue's fault may pass.
    pub(crate) async fn send_patiently(
        &self,
        message: &OutboundMessage,
    ) -> Result<Receipt, Unsent> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let unsent = match self.send(message.clone()).await {
                Ok(receipt) => return Ok(receipt),
                Err(unsent) => unsent,
            };
            let pause = match unsent.fault {
                Fault::Passing => pauses.next(),
                Fault::Event | Fault::Lasting => None,
            };
            match pause {
                Some(pause) => tokio::time::sleep(OsEntropy.spread(pause)).await,
                None => return Err(unsent),
            }
        }
    }

    async fn try_to_send(&self, message: OutboundMessage) -> Result<Receipt, Unsent> {
        let fitted = claim_if_too_large(message, &*self.queue, self.blobs.as_deref(), &*self.clock);
        let message = fitted.await.map_err(Unsent::own)?;
        Ok(self.queue.send(&message).await?)
    }
}
