//! The way in.

use crate::failure::Failure;
use crate::store::{COUNTED, Store};
use crate::writer::Writer;
use labelrelay_core::{
    BoxFuture, Copies, DeadLetterCount, EventQueue, Lease, OutboundMessage, QueueError,
    QueueErrorKind, QueueLimits, Receipt,
};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Largest envelope. Postgres itself takes up to 1 GB, and would hold all of it in memory several times.
pub const MAX_MESSAGE_BYTES: u64 = 64 * 1024 * 1024;

/// A queue in tables of Postgres. Any number of processes may send to it: a repeat is one to all of them.
pub struct PostgresQueue {
    pub(crate) store: Arc<Store>,
    writer: Arc<Writer>,
    /// What is only worth a warning was told.
    pub(crate) has_warned: AtomicBool,
}

impl PostgresQueue {
    pub(crate) fn new(store: Store) -> Self {
        let store = Arc::new(store);
        Self {
            writer: Arc::new(Writer::new(Arc::clone(&store))),
            store,
            has_warned: AtomicBool::new(false),
        }
    }

    fn error(&self, failure: &Failure) -> QueueError {
        failure.fault.of_queue(self.store.resource())
    }
}

impl EventQueue for PostgresQueue {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        Box::pin(async move {
            let bytes = message.body.len();
            if bytes as u64 > MAX_MESSAGE_BYTES {
                let problem = format!(
                    "{}: takes no message of {bytes} bytes; configure a blob_store",
                    self.store.resource()
                );
                return Err(QueueError::new(QueueErrorKind::TooLarge, problem));
            }
            let sent = self.writer.send(message).await;
            sent.map_err(|failure| self.error(&failure))
        })
    }

    fn limits(&self) -> QueueLimits {
        QueueLimits::bytes(MAX_MESSAGE_BYTES)
    }

    /// What is serialised, and what is written to the connection.
    fn copies(&self) -> Copies {
        Copies {
            of_each: 2,
            of_one: 0,
        }
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(async move {
            let examined = self.examine().await;
            examined.map_err(|failure| self.error(&failure))
        })
    }

    fn dead_letters(&self) -> BoxFuture<'_, Result<DeadLetterCount, QueueError>> {
        Box::pin(async move {
            let counted = self.store.dead_letters().await;
            let counted = counted.map_err(|failure| self.error(&failure))?;
            let number = u64::try_from(counted.unwrap_or(0)).unwrap_or(0);
            let most = u64::try_from(COUNTED).unwrap_or(u64::MAX);
            Ok(if number > most {
                DeadLetterCount::AtLeast(number)
            } else {
                DeadLetterCount::About(number)
            })
        })
    }

    fn lease<'a>(&'a self, work: &'a str) -> BoxFuture<'a, Result<Option<Lease>, QueueError>> {
        Box::pin(async move {
            let leased = self.store.lease(work).await;
            let leased = leased.map_err(|failure| self.error(&failure))?;
            Ok(leased.map(Lease::of))
        })
    }
}

impl fmt::Debug for PostgresQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresQueue({})", self.store.resource())
    }
}
