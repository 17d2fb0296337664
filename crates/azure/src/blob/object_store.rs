//! Files under names of one's choice in a container.

use super::{AzureBlobStore, is_gone};
use azure_core::http::RequestContent;
use bytes::Bytes;
use labelrelay_core::object_store::{Created, NewObject};
use labelrelay_core::{BlobError, BoxFuture, ObjectStore};

/// A prefix of a container that takes files.
pub struct AzureObjectStore(AzureBlobStore);

impl AzureObjectStore {
    pub(crate) fn new(store: AzureBlobStore) -> Self {
        Self(store)
    }
}

impl AzureBlobStore {
    /// Removes the object, if there is one.
    pub(super) async fn delete(&self, name: &str) -> Result<(), BlobError> {
        match self.blob(name).delete(None).await {
            Err(error) if !is_gone(&error) => Err(self.failed(&error)),
            _ => Ok(()),
        }
    }
}

impl ObjectStore for AzureObjectStore {
    fn create<'a>(
        &'a self,
        name: &'a str,
        object: NewObject<'a>,
    ) -> BoxFuture<'a, Result<Created, BlobError>> {
        Box::pin(self.0.create(name, object.length, object.body))
    }

    fn replace<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let blob = self.0.blob(name).block_blob_client();
            let content = RequestContent::from(content.to_vec());
            let put = blob.upload(content, None).await;
            put.map(drop).map_err(|error| self.0.failed(&error))
        })
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(self.0.fetch(name))
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(self.0.delete(name))
    }
}
