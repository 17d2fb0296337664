//! Blob stores: the place of bodies that are too large for the queue (claim checks).

use crate::payload::Payload;
use crate::{BoxFuture, BoxStream};
use bytes::Bytes;
use std::error::Error as StdError;

/// A store of immutable objects. Object-safe; `put` takes a stream, so that a body of any size passes
/// without lying in memory.
pub trait BlobStore: Send + Sync {
    /// Stores `body` under `key`, durably, and returns the URI by which a consumer fetches it.
    /// Leaves an object that exists under the key alone: keys hold the body's digest.
    ///
    /// # Errors
    /// [`BlobError`]; nothing is left behind under the key then, or only what a later put finishes.
    fn put<'a>(
        &'a self,
        key: &'a str,
        length: u64,
        body: BoxStream<'a, std::io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<String, BlobError>>;

    /// Stores `body` under `key`, as [`put`](Self::put) does. For stores that can take a body over from
    /// where it lies, in place of another copy of it.
    ///
    /// # Errors
    /// As for [`put`](Self::put).
    fn put_payload<'a>(
        &'a self,
        key: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        self.put(key, body.len(), body.stream())
    }

    /// Checks that the store could take an object now.
    ///
    /// # Errors
    /// The error that a put would meet.
    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>>;
}

/// Why an object is not in the store, as far as is known.
#[derive(Debug, thiserror::Error)]
#[error("blob store: {message}")]
#[non_exhaustive]
pub struct BlobError {
    /// `true` if the same put may succeed if it is tried again at once.
    pub retryable: bool,
    /// Problem and, where known, its cure. Never holds payload or secrets.
    pub message: String,
    /// Cause.
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl BlobError {
    /// An error that the same put may not meet again.
    pub fn transient(message: impl Into<String>) -> Self {
        Self {
            retryable: true,
            message: message.into(),
            source: None,
        }
    }

    /// An error that somebody has to mend.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self {
            retryable: false,
            ..Self::transient(message)
        }
    }

    /// The same error, with what it came from.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}
