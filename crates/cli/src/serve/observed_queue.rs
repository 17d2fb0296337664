//! A queue whose failures are counted: those of what waits in the fallback, and of what was pulled, as those of what
//! arrives.

use labelrelay_core::{
    BoxFuture, Copies, DeadLetterCount, EventQueue, Lease, Observer, OutboundMessage, QueueError,
    QueueErrorKind, QueueLimits, Receipt, Relay,
};
use std::sync::Arc;

/// The relay's queue, seen by its observer.
pub(super) struct ObservedQueue(pub(super) Arc<Relay>);

impl EventQueue for ObservedQueue {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(async move {
            let mut attempt = Attempt {
                relay: &self.0,
                message,
                error: Some(QueueError::new(
                    QueueErrorKind::Late,
                    "no answer in time, while it was moved out of the fallback or sent by a pull",
                )),
            };
            let sent = self.0.parts().queue.send(message).await;
            attempt.error = sent.as_ref().err().map(|error| {
                let mut same = QueueError::new(error.kind, error.to_string());
                same.retryable = error.retryable;
                same
            });
            sent
        })
    }

    fn limits(&self) -> QueueLimits {
        self.0.parts().queue.limits()
    }

    fn copies(&self) -> Copies {
        self.0.parts().queue.copies()
    }

    fn offloads_above(&self) -> Option<u64> {
        self.0.parts().queue.offloads_above()
    }

    fn message_bytes(&self, message: &OutboundMessage) -> u64 {
        self.0.parts().queue.message_bytes(message)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        self.0.parts().queue.check()
    }

    fn dead_letters(&self) -> BoxFuture<'_, Result<DeadLetterCount, QueueError>> {
        self.0.parts().queue.dead_letters()
    }

    fn lease<'a>(&'a self, work: &'a str) -> BoxFuture<'a, Result<Option<Lease>, QueueError>> {
        self.0.parts().queue.lease(work)
    }

    fn doubt(&self) -> BoxFuture<'_, Option<String>> {
        self.0.parts().queue.doubt()
    }
}

/// One attempt, told of when it ends, or is given up because it was late.
struct Attempt<'a> {
    relay: &'a Relay,
    message: &'a OutboundMessage,
    error: Option<QueueError>,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let Some(error) = &self.error else { return };
        // An envelope may name any source, and each name is a series of its own.
        let named = self.message.attributes.source.trim_start_matches('/');
        let source = self
            .relay
            .sources()
            .iter()
            .find(|source| source.name == named);
        let source = source.map_or("", |source| source.name.as_str());
        self.relay
            .parts()
            .observer
            .queue_last_attempt_failed(source, self.message.id(), error);
    }
}
