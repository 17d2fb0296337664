//! Object stores: files under names of one's choice. A dataset is published to one, and the archive is in one.

use crate::blob::BlobError;
use crate::{BoxFuture, BoxStream};
use bytes::Bytes;
use labelrelay_event::Digest;

/// A prefix of a bucket or of a container. Object-safe. Names have parts between slashes, and no part is empty, `.` or `..`.
///
/// Unlike a [`BlobStore`](crate::BlobStore), whose keys hold a digest, it says whether an object was there before. So two
/// writers can find out that they are two.
pub trait ObjectStore: Send + Sync {
    /// Stores an object, durably, under a name that has none.
    ///
    /// # Errors
    /// [`BlobError`]; the object may be there nevertheless, whole.
    fn create<'a>(
        &'a self,
        name: &'a str,
        object: NewObject<'a>,
    ) -> BoxFuture<'a, Result<Created, BlobError>>;

    /// Stores a small object, durably, in place of the one that may be there.
    ///
    /// # Errors
    /// [`BlobError`]; either the one before or this one is there, whole.
    fn replace<'a>(&'a self, name: &'a str, content: Bytes)
    -> BoxFuture<'a, Result<(), BlobError>>;

    /// The object, whole in memory; `None` if there is none.
    ///
    /// # Errors
    /// [`BlobError`] when the store cannot be read.
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>>;

    /// Removes the object, if there is one.
    ///
    /// # Errors
    /// [`BlobError`] when it may still be there.
    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>>;

    /// Names of all objects that begin with `beginning`, in folders too, in ascending order of their bytes. What this does by
    /// default is for stores that are never listed.
    ///
    /// # Errors
    /// [`BlobError`] when the store cannot be read.
    fn list<'a>(&'a self, beginning: &'a str) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        let _ = beginning;
        let error = BlobError::permanent("objects of this store cannot be listed here");
        Box::pin(std::future::ready(Err(error)))
    }
}

/// An object on its way to a store.
pub struct NewObject<'a> {
    /// Length of `body`, in bytes.
    pub length: u64,
    /// SHA-256 of `body`. A store that can prove what it took is told it beforehand.
    pub digest: Digest,
    /// The bytes, in order.
    pub body: BoxStream<'a, std::io::Result<Bytes>>,
}

impl NewObject<'_> {
    /// An object that is in memory.
    pub fn of(content: Bytes) -> Self {
        Self {
            length: content.len() as u64,
            digest: Digest::of(&content),
            body: Box::pin(futures_util::stream::iter([Ok(content)])),
        }
    }
}

/// Answer of a store that was to create an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It is there now.
    New,
    /// Another one, or the same one, was there before, and stays.
    Existed,
}
