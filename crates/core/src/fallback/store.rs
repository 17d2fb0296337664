//! The trait of fallback stores.

use crate::blob::BlobError;
use crate::payload::Payload;
use crate::{BoxFuture, BoxStream};
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;

/// A durable store of whole envelopes, each under a key that sorts by time. Object-safe.
///
/// A body that is too large for an envelope, because it was never in memory, lies beside its envelope as a
/// *body*, under a name of its own that no listing shows.
pub trait FallbackStore: Send + Sync {
    /// Stores `envelope`, durably.
    ///
    /// # Errors
    /// [`BlobError`]; the envelope may be there nevertheless, whole.
    fn put<'a>(&'a self, key: &'a str, envelope: Bytes) -> BoxFuture<'a, Result<(), BlobError>>;

    /// Up to `max` keys in ascending order, those after `after` if that is given.
    ///
    /// # Errors
    /// [`BlobError`] when the store cannot be read.
    fn list<'a>(
        &'a self,
        after: Option<&'a str>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, BlobError>>;

    /// The envelope under `key`; `None` when it is gone, since somebody else redrove it.
    ///
    /// # Errors
    /// [`BlobError`] when the store cannot be read.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>>;

    /// The envelope under `key`, with its length known before more than a piece of it is in memory; `None` when it is
    /// gone. A redrive reads envelopes by this, so that it can tell how many of them it has room for. What this does
    /// by default is right and reads all of it first: a store that has its objects elsewhere does better.
    ///
    /// # Errors
    /// [`BlobError`] when the store cannot be read.
    fn get_stream<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(async move { Ok(self.get(key).await?.map(StoredBody::from)) })
    }

    /// Removes the object under `key`, if there is one.
    ///
    /// # Errors
    /// [`BlobError`] when it may still be there.
    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>>;

    /// Stores a body under `name`, durably and without holding it in memory. Names are those of
    /// [`body_name`](super::body_name): they have folders, and end in the body's digest. A body that is there stays.
    ///
    /// # Errors
    /// [`BlobError`]; the body may be there nevertheless, whole.
    fn put_body<'a>(
        &'a self,
        name: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<(), BlobError>>;

    /// The body under `name`; `None` when it is gone.
    ///
    /// # Errors
    /// [`BlobError`] when the store cannot be read.
    fn get_body<'a>(
        &'a self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>>;

    /// Removes the body under `name`, if there is one.
    ///
    /// # Errors
    /// [`BlobError`] when it may still be there.
    fn remove_body<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>>;

    /// Checks that the store could take an event now.
    ///
    /// # Errors
    /// The error that a put would meet.
    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>>;
}

/// A body, or an envelope, on its way back.
pub struct StoredBody {
    /// Length in bytes.
    pub bytes: u64,
    /// The bytes, in order, as they are read.
    pub stream: BoxStream<'static, std::io::Result<Bytes>>,
}

impl StoredBody {
    /// All of it, in memory once; or why not.
    pub(super) async fn whole(mut self) -> Result<Bytes, String> {
        let failed = |error: std::io::Error| error.to_string();
        let cut_off = || "it was not read to its end".to_owned();
        let length = usize::try_from(self.bytes).map_err(|_| cut_off())?;
        let first = self.stream.try_next().await.map_err(failed)?;
        let first = first.unwrap_or_default();
        if first.len() == length {
            return Ok(first);
        }
        let mut all = BytesMut::with_capacity(length);
        all.extend_from_slice(&first);
        drop(first);
        while let Some(piece) = self.stream.try_next().await.map_err(failed)? {
            if all.len() + piece.len() > length {
                return Err(cut_off());
            }
            all.extend_from_slice(&piece);
        }
        if all.len() == length {
            Ok(all.freeze())
        } else {
            Err(cut_off())
        }
    }
}

impl From<Bytes> for StoredBody {
    fn from(bytes: Bytes) -> Self {
        Self {
            bytes: bytes.len() as u64,
            stream: Box::pin(futures_util::stream::once(async move { Ok(bytes) })),
        }
    }
}
