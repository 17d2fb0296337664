//! Any queue that cannot be looked into, as a place for what was found.

use crate::queue_sender::{AT_ONCE, Fault, QueueSender};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use labelrelay_core::{BoxFuture, Entropy as _, OutboundMessage, QueueLimits};
use labelrelay_reconcile::{LiveEvent, SendOutcome, Sink, SinkError};
use labelrelay_startup::OsEntropy;
use std::sync::Arc;
use std::time::Duration;

/// Pauses before a message is tried again; spread. A queue that fails for longer ends the run, which the next one
/// takes up.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(8),
];

pub(super) struct Queue {
    sender: Arc<QueueSender>,
}

impl Queue {
    pub(super) fn new(sender: Arc<QueueSender>) -> Self {
        Self { sender }
    }

    async fn one(&self, message: &OutboundMessage) -> Result<SendOutcome, SinkError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let Err(unsent) = self.sender.send(message.clone()).await else {
                return Ok(SendOutcome::New);
            };
            let pause = match unsent.fault {
                Fault::Event => return Ok(SendOutcome::Refused(unsent.reason)),
                Fault::Lasting => None,
                Fault::Passing => pauses.next(),
            };
            match pause {
                Some(pause) => tokio::time::sleep(OsEntropy.spread(pause)).await,
                None => return Err(SinkError::new(unsent.reason)),
            }
        }
    }
}

impl Sink for Queue {
    fn limits(&self) -> QueueLimits {
        self.sender.limits()
    }

    fn events_after(&self, _after: u64, _max: usize) -> Result<Vec<LiveEvent>, SinkError> {
        Ok(Vec::new())
    }

    fn send<'a>(
        &'a mut self,
        messages: &'a [OutboundMessage],
        _after: u64,
    ) -> BoxFuture<'a, Result<Vec<SendOutcome>, SinkError>> {
        let sends = messages.iter().map(|message| self.one(message));
        Box::pin(stream::iter(sends).buffered(AT_ONCE).try_collect())
    }
}
