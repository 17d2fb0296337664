//! Any queue that cannot be looked into, as a place for what was found.

use crate::queue_sender::{AT_ONCE, Fault, QueueSender};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use labelrelay_core::{BoxFuture, OutboundMessage, QueueLimits};
use labelrelay_reconcile::{LiveEvent, SendOutcome, Sink, SinkError};
use std::sync::Arc;

pub(super) struct Queue {
    sender: Arc<QueueSender>,
}

impl Queue {
    pub(super) fn new(sender: Arc<QueueSender>) -> Self {
        Self { sender }
    }

    async fn one(&self, message: &OutboundMessage) -> Result<SendOutcome, SinkError> {
        match self.sender.send_patiently(message).await {
            Ok(_) => Ok(SendOutcome::New),
            Err(unsent) if unsent.fault == Fault::Event => Ok(SendOutcome::Refused(unsent.reason)),
            Err(unsent) => Err(SinkError::new(unsent.reason)),
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
