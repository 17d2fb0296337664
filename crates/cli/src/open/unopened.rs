//! Stands for a queue that is only looked at: `status` must not become the owner of a queue file.

use labelrelay_core::{
    BoxFuture, Copies, EventQueue, OutboundMessage, QueueError, QueueErrorKind, QueueLimits,
    Receipt,
};

#[derive(Debug)]
pub(super) struct Unopened {
    pub(super) limits: QueueLimits,
    pub(super) copies: Copies,
}

impl EventQueue for Unopened {
    fn send<'a>(&'a self, _: &'a OutboundMessage) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(std::future::ready(Err(QueueError::new(
            QueueErrorKind::Misconfigured,
            "the queue was not opened",
        ))))
    }

    fn limits(&self) -> QueueLimits {
        self.limits
    }

    fn copies(&self) -> Copies {
        self.copies
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
