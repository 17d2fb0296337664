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

    /// The object that `uri` names, if it is one of this store's. It comes whole, in memory.
    ///
    /// Whoever reads claims asks the stores that it was told of: an envelope's word alone opens nothing. A name that leads out
    /// of the store is none of its own.
    ///
    /// # Errors
    /// [`BlobError`] when the store cannot be read.
    fn get<'a>(&'a self, uri: &'a str) -> BoxFuture<'a, Result<Fetched, BlobError>> {
        let _ = uri;
        let error = BlobError::permanent("objects of this store cannot be read here");
        Box::pin(std::future::ready(Err(error)))
    }

    /// Checks that the store could take an object now.
    ///
    /// # Errors
    /// The error that a put would meet.
    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>>;
}

/// Answer of a store that was asked for an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The name is not one of this store's.
    Elsewhere,
    /// It is not there, or no longer.
    Gone,
    /// The object.
    Body(Bytes),
}

/// The part of `name` below `prefix`, if none of its own parts leads elsewhere. For stores of names between slashes.
///
/// ```
/// use labelrelay_core::blob::name_below;
///
/// assert_eq!(name_below("claims/a/b", "claims/"), Some("a/b"));
/// assert_eq!(name_below("claims/../b", "claims/"), None);
/// assert_eq!(name_below("other/b", "claims/"), None);
/// assert_eq!(name_below("claims/", "claims/"), None);
/// ```
pub fn name_below<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let below = name.strip_prefix(prefix)?;
    let leads_elsewhere = |part: &str| matches!(part, "" | "." | "..");
    (!below.split('/').any(leads_elsewhere)).then_some(below)
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
