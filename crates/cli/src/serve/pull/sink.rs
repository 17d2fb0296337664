//! The queue of the deliveries, as a place for what was found.

use crate::queue_records::QueueRecords;
use crate::queue_sender::{AT_ONCE, Fault, QueueSender};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use labelrelay_core::{BoxFuture, OutboundMessage, QueueLimits};
use labelrelay_reconcile::{LiveEvent, SendOutcome, Sink, SinkError};
use std::sync::Arc;
use tokio::runtime::Handle;

pub(super) struct RelaySink {
    pub(super) sender: Arc<QueueSender>,
    /// The runtime of the deliveries: connections to a queue belong to the one that made them.
    pub(super) main: Handle,
    /// Reader of the events that the queue got; `None` if nobody can look into it.
    pub(super) records: Option<QueueRecords>,
}

/// Sends one. It goes on to its end, also if the run ends meanwhile.
async fn send(
    sender: Arc<QueueSender>,
    main: Handle,
    message: OutboundMessage,
) -> Result<SendOutcome, SinkError> {
    let sent = main.spawn(async move { sender.send_patiently(&message).await });
    match sent.await {
        Ok(Ok(receipt)) if receipt.repeat => Ok(SendOutcome::Repeat),
        Ok(Ok(_)) => Ok(SendOutcome::New),
        Ok(Err(unsent)) if unsent.fault == Fault::Event => Ok(SendOutcome::Refused(unsent.reason)),
        Ok(Err(unsent)) => Err(SinkError::new(unsent.reason)),
        Err(broke) => Err(SinkError::new(format!("sending broke down: {broke}"))),
    }
}

impl Sink for RelaySink {
    fn limits(&self) -> QueueLimits {
        self.sender.limits()
    }

    fn events_after(&self, after: u64, max: usize) -> Result<Vec<LiveEvent>, SinkError> {
        match &self.records {
            Some(records) => records.events_after(after, max),
            None => Ok(Vec::new()),
        }
    }

    fn send<'a>(
        &'a mut self,
        messages: &'a [OutboundMessage],
        _after: u64,
    ) -> BoxFuture<'a, Result<Vec<SendOutcome>, SinkError>> {
        let (sender, main) = (Arc::clone(&self.sender), self.main.clone());
        let sends = messages
            .iter()
            .map(move |message| send(Arc::clone(&sender), main.clone(), message.clone()));
        Box::pin(stream::iter(sends).buffered(AT_ONCE).try_collect())
    }
}
