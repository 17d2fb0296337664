//! The file stores behind wrappers that break them.

use super::mode::{Mode, Switch, kill_ourselves};
use bytes::Bytes;
use labelrelay_core::fallback::StoredBody;
use labelrelay_core::{BlobError, BlobStore, BoxFuture, BoxStream, FallbackStore, Payload};
use labelrelay_local::{FileBlobStore, FileFallback};

/// Does `work` as the mode says.
async fn faulty<T>(
    switch: &Switch,
    work: impl Future<Output = Result<T, BlobError>>,
) -> Result<T, BlobError> {
    let mode = switch.mode();
    let failed = || Err(BlobError::transient("a fault of the laboratory"));
    match mode {
        Mode::Fine | Mode::Slow => work.await,
        Mode::Refusing(_) => failed(),
        Mode::Hanging => {
            switch.until_not(mode).await;
            failed()
        }
        Mode::Lying => {
            work.await?;
            failed()
        }
        Mode::LyingLate => {
            work.await?;
            switch.until_not(mode).await;
            failed()
        }
        Mode::Killing => {
            work.await?;
            kill_ourselves()
        }
    }
}

pub(super) struct LabBlobs {
    store: FileBlobStore,
    switch: Switch,
}

impl LabBlobs {
    pub(super) fn new(store: FileBlobStore, switch: Switch) -> Self {
        Self { store, switch }
    }
}

impl BlobStore for LabBlobs {
    fn put<'a>(
        &'a self,
        key: &'a str,
        length: u64,
        body: BoxStream<'a, std::io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        Box::pin(faulty(&self.switch, self.store.put(key, length, body)))
    }

    fn put_payload<'a>(
        &'a self,
        key: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        Box::pin(faulty(&self.switch, self.store.put_payload(key, body)))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        self.store.check()
    }
}

pub(super) struct LabFallback {
    store: FileFallback,
    switch: Switch,
}

impl LabFallback {
    pub(super) fn new(store: FileFallback, switch: Switch) -> Self {
        Self { store, switch }
    }
}

impl FallbackStore for LabFallback {
    fn put<'a>(&'a self, key: &'a str, envelope: Bytes) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(faulty(&self.switch, self.store.put(key, envelope)))
    }

    fn list<'a>(
        &'a self,
        after: Option<&'a str>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(faulty(&self.switch, self.store.list(after, max)))
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(faulty(&self.switch, self.store.get(key)))
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(faulty(&self.switch, self.store.remove(key)))
    }

    fn put_body<'a>(
        &'a self,
        name: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(faulty(&self.switch, self.store.put_body(name, body)))
    }

    fn get_body<'a>(
        &'a self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(faulty(&self.switch, self.store.get_body(name)))
    }

    fn remove_body<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(faulty(&self.switch, self.store.remove_body(name)))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        self.store.check()
    }
}
