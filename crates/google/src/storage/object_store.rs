//! Files under names of one's choice in a bucket.

use super::{Bucket, Condition};
use bytes::Bytes;
use futures_util::{future, stream};
use labelrelay_core::object_store::{Created, NewObject};
use labelrelay_core::{BlobError, BoxFuture, ObjectStore};

/// A prefix of a bucket that takes files.
#[derive(Debug)]
pub struct GcsObjectStore(Bucket);

impl GcsObjectStore {
    pub(crate) fn new(bucket: Bucket) -> Self {
        Self(bucket)
    }
}

impl ObjectStore for GcsObjectStore {
    fn create<'a>(
        &'a self,
        name: &'a str,
        object: NewObject<'a>,
    ) -> BoxFuture<'a, Result<Created, BlobError>> {
        Box::pin(async move {
            let name = self.0.location.object(name);
            let octets = "application/octet-stream";
            self.0
                .put(&name, octets, object.length, object.body, Condition::IsNew)
                .await
        })
    }

    fn replace<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let name = self.0.location.object(name);
            let length = content.len() as u64;
            let body = Box::pin(stream::once(future::ready(Ok(content))));
            let put = self.0.put(
                &name,
                "application/octet-stream",
                length,
                body,
                Condition::None,
            );
            put.await.map(drop)
        })
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(async move { self.0.fetch(&self.0.location.object(name)).await })
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move { self.0.remove(&self.0.location.object(name)).await })
    }
}
