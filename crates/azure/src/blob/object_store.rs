//! Files under names of one's choice in a container.

use super::upload::MARK;
use super::{AzureBlobStore, is_gone};
use azure_core::error::Error;
use azure_core::http::RequestContent;
use azure_storage_blob::models::BlobContainerClientListBlobsOptions;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
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

    /// Names of all objects below the prefix that begin with `beginning`, in folders too. The service lists them in the
    /// order of their bytes.
    async fn names(&self, beginning: &str) -> Result<Vec<String>, Error> {
        let wanted = format!("{}{beginning}", self.prefix);
        let options = BlobContainerClientListBlobsOptions {
            prefix: (!wanted.is_empty()).then_some(wanted),
            ..BlobContainerClientListBlobsOptions::default()
        };
        let mut pages = self.container.list_blobs(Some(options))?.into_pages();
        let mut names = Vec::new();
        while let Some(page) = pages.try_next().await? {
            for item in page.into_model()?.blob_items {
                let name = item.name.unwrap_or_default();
                names.extend(name.strip_prefix(self.prefix.as_str()).map(str::to_owned));
            }
        }
        Ok(names)
    }
}

impl ObjectStore for AzureObjectStore {
    fn create<'a>(
        &'a self,
        name: &'a str,
        object: NewObject<'a>,
    ) -> BoxFuture<'a, Result<Created, BlobError>> {
        Box::pin(async move {
            let digest = object.digest.to_hex();
            let mark = digest.get(..MARK).unwrap_or_default();
            let NewObject { length, body, .. } = object;
            self.0.create(name, length, mark, body).await
        })
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

    fn list<'a>(&'a self, beginning: &'a str) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(async move {
            let names = self.0.names(beginning).await;
            names.map_err(|error| self.0.failed(&error))
        })
    }
}
