//! Any queue that cannot be looked into, as a place for what was found.

use super::traces::{self, Traces};
use crate::queue_sender::{AT_ONCE, Fault, QueueSender};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use labelrelay_core::{BoxFuture, OutboundMessage, QueueLimits};
use labelrelay_reconcile::{LiveEvent, SendOutcome, Sink, SinkError};
use std::sync::Arc;

pub(super) struct Queue {
    sender: Arc<QueueSender>,
    traces: Option<Arc<Traces>>,
}

impl Queue {
    /// The queue, and the traces of what it took, if there are any.
    pub(super) fn new(sender: Arc<QueueSender>, traces: Option<Arc<Traces>>) -> Self {
        Self { sender, traces }
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

    fn catch_up(&mut self, after: u64) -> BoxFuture<'_, ()> {
        traces::catch_up(self.traces.as_deref(), after)
    }

    fn events_after(&self, after: u64, max: usize) -> Result<Vec<LiveEvent>, SinkError> {
        let traces = self.traces.as_ref();
        Ok(traces.map_or_else(Vec::new, |traces| traces.events_after(after, max)))
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
