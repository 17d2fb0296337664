//! The spool: a place outside the memory for a large body, from its arrival until it is stored.
//!
//! A body is spooled before anybody knows whether its signature holds. So a spool is bounded, belongs
//! to nobody but the delivery that writes it, and is gone with it, however the delivery ends.

use crate::{BoxFuture, BoxStream};
use bytes::Bytes;
use std::error::Error as StdError;
use std::path::Path;
use std::sync::Arc;

/// Memory that one spooled body may occupy: pieces on their way to the disk, or back.
pub const PIPE_BYTES: u64 = 1024 * 1024;

/// A place for bodies. Object-safe; one value is shared by all requests. Nothing that it does keeps a
/// runtime's thread waiting for the disk.
pub trait Spool: Send + Sync {
    /// Begins a body.
    ///
    /// # Errors
    /// [`SpoolError`] when there is no room, or the place cannot be written.
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn SpoolWriter>, SpoolError>>;

    /// Checks that a body could be spooled now.
    ///
    /// # Errors
    /// The error that one would meet.
    fn check(&self) -> BoxFuture<'_, Result<(), SpoolError>>;
}

/// A body that arrives. Dropping it leaves nothing.
pub trait SpoolWriter: Send {
    /// Takes the next piece; may return before it is written, but holds no more than [`PIPE_BYTES`].
    ///
    /// # Errors
    /// [`SpoolError`] of this piece or of one before it; the body is lost then.
    fn write(&mut self, piece: Bytes) -> BoxFuture<'_, Result<(), SpoolError>>;

    /// After the last piece: the body, whole, though not yet durable.
    ///
    /// # Errors
    /// [`SpoolError`] of a piece that was still under way.
    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<Arc<dyn Spooled>, SpoolError>>;
}

/// A body that arrived whole. It is gone when this is dropped, unless it was linked.
pub trait Spooled: Send + Sync {
    /// Length in bytes.
    fn bytes(&self) -> u64;

    /// The bytes, in order. Every stream begins anew.
    fn stream(&self) -> BoxStream<'static, std::io::Result<Bytes>>;

    /// Gives the body the name `path` as well, once its bytes are durable: so that a store in
    /// directories need not write it a second time. The new name itself is the caller's to sync.
    /// `false` when this body cannot have that name, on another file system for example; nothing
    /// was done then.
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken, and what the disk says.
    fn link<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, std::io::Result<bool>>;
}

/// Why a body is not in the spool.
#[derive(Debug, thiserror::Error)]
#[error("spool: {message}")]
#[non_exhaustive]
pub struct SpoolError {
    /// Problem, place and cure. Never holds payload.
    pub message: String,
    /// Cause.
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl SpoolError {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// The same error, with what it came from.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}
