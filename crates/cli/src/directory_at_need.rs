//! A directory that is opened once it is needed, and tried again after it could not be. It may be another machine's, which is
//! not there yet when `serve` starts: deliveries do not wait for it.

use bytes::Bytes;
use labelrelay_core::object_store::{Created, NewObject};
use labelrelay_core::{BlobError, BoxFuture, ObjectStore};
use labelrelay_files::FileObjectStore;
use std::path::PathBuf;
use std::sync::OnceLock;

pub(crate) struct DirectoryAtNeed {
    path: PathBuf,
    opened: OnceLock<FileObjectStore>,
}

impl DirectoryAtNeed {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            opened: OnceLock::new(),
        }
    }

    /// Makes the directory if need be.
    async fn store(&self) -> Result<&FileObjectStore, BlobError> {
        if let Some(store) = self.opened.get() {
            return Ok(store);
        }
        let path = self.path.clone();
        let opening = tokio::task::spawn_blocking(move || FileObjectStore::open(path));
        let opened = opening.await.map_err(|error| {
            BlobError::transient("the thread that opens the directory ended without an answer")
                .caused_by(error)
        })?;
        let store = opened?;
        Ok(self.opened.get_or_init(|| store))
    }
}

impl ObjectStore for DirectoryAtNeed {
    fn create<'a>(
        &'a self,
        name: &'a str,
        object: NewObject<'a>,
    ) -> BoxFuture<'a, Result<Created, BlobError>> {
        Box::pin(async move { self.store().await?.create(name, object).await })
    }

    fn replace<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move { self.store().await?.replace(name, content).await })
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(async move { self.store().await?.get(name).await })
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move { self.store().await?.remove(name).await })
    }

    fn list<'a>(&'a self, beginning: &'a str) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(async move { self.store().await?.list(beginning).await })
    }
}
