//! Back ends for whoever only looks: a check must not become the owner of a queue
//! file, and makes no directory.

use super::back_ends::BackEnds;
use super::missing_directory::MissingDirectory;
use super::stdout_queue;
use crate::locations::{self, QueueLocation, StoreLocation};
use jiff::Timestamp;
use labelrelay_core::backend::{BackEnd, BackEndError, Forms, Location, Opening};
use labelrelay_core::config::SecretRef;
use labelrelay_core::{
    BlobStore, BoxFuture, Copies, EventQueue, FallbackStore, OutboundMessage, QueueError,
    QueueErrorKind, QueueLimits, Receipt, SecretSource,
};
use labelrelay_local::{EmbeddedQueue, OpenError, Options, QueueFile};
use labelrelay_startup::SystemClock;
use std::sync::Arc;

/// Opens what others open, but for a queue that has one owner.
pub(super) struct ReadOnly<'a>(pub(super) &'a BackEnds<'a>);

impl BackEnd for ReadOnly<'_> {
    fn forms(&self) -> Forms {
        self.0.forms()
    }

    fn queue<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn EventQueue>> {
        Box::pin(async move {
            match locations::queue(at.url, at.base_dir)? {
                QueueLocation::Sqlite(file) => {
                    match QueueFile::open(&file, Arc::new(SystemClock::new())) {
                        // The next start makes it.
                        Ok(_) | Err(OpenError::Missing { .. }) => {}
                        Err(error) => return Err(error.of(at.url)),
                    }
                    let limits = QueueLimits::bytes(Options::default().max_message_bytes);
                    Ok(unopened(limits, EmbeddedQueue::COPIES))
                }
                QueueLocation::Stdout => Ok(unopened(stdout_queue::LIMITS, Copies::default())),
                // Opening one makes nothing and owns nothing.
                QueueLocation::Cloud(..) => self.0.queue(at).await,
            }
        })
    }

    /// Only a cloud has one, and opening it makes nothing.
    fn offloading_queue<'a>(
        &'a self,
        at: Location<'a>,
        store: Location<'a>,
    ) -> Opening<'a, Arc<dyn EventQueue>> {
        self.0.offloading_queue(at, store)
    }

    fn blob_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn BlobStore>> {
        Box::pin(async move {
            if made_by_the_next_start(at)? {
                return Ok(Arc::new(MissingDirectory) as _);
            }
            self.0.blob_store(at).await
        })
    }

    fn fallback<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
        Box::pin(async move {
            if made_by_the_next_start(at)? {
                return Ok(Arc::new(MissingDirectory) as _);
            }
            self.0.fallback(at).await
        })
    }

    fn secret<'a>(
        &'a self,
        reference: &'a SecretRef,
        not_after: Option<Timestamp>,
    ) -> Opening<'a, Box<dyn SecretSource>> {
        self.0.secret(reference, not_after)
    }
}

/// Tells whether the URL names a directory that is not there.
fn made_by_the_next_start(at: Location<'_>) -> Result<bool, BackEndError> {
    let location = locations::store(at.url, at.base_dir)?;
    Ok(matches!(location, StoreLocation::Directory(directory) if !directory.exists()))
}

fn unopened(limits: QueueLimits, copies: Copies) -> Arc<dyn EventQueue> {
    Arc::new(Unopened { limits, copies })
}

/// Stands for a queue that is only looked at.
#[derive(Debug)]
struct Unopened {
    limits: QueueLimits,
    copies: Copies,
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
