//! Blob Storage as a fallback: one object for each event, until the queue has it.

use super::{AzureBlobStore, is_gone};
use azure_core::error::Error;
use azure_core::http::headers::{CONTENT_LENGTH, HeaderName, Headers};
use azure_storage_blob::models::{BlobClientDownloadOptions, BlobContainerClientListBlobsOptions};
use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use labelrelay_core::fallback::StoredBody;
use labelrelay_core::{BlobError, BoxFuture, BoxStream, FallbackStore, Payload};
use std::num::NonZero;

/// Suffix of a key's object. Other objects below the prefix are not events, and are left alone.
const SUFFIX: &str = ".json";

/// Size of an envelope's parts. The first one, which most are shorter than, comes before anybody has room for it.
const ENVELOPE_PART: Option<NonZero<usize>> = NonZero::new(256 * 1024);

/// Whole envelopes below a prefix of a container.
pub struct AzureBlobFallback(AzureBlobStore);

impl AzureBlobFallback {
    pub(crate) fn new(store: AzureBlobStore) -> Self {
        Self(store)
    }

    /// The service lists in the order of the names, from the first one on: those up to `after` are passed by.
    async fn keys(&self, after: Option<&str>, max: usize) -> Result<Vec<String>, Error> {
        let prefix = &self.0.prefix;
        let options = BlobContainerClientListBlobsOptions {
            prefix: (!prefix.is_empty()).then(|| prefix.clone()),
            ..BlobContainerClientListBlobsOptions::default()
        };
        let mut pages = self.0.container.list_blobs(Some(options))?.into_pages();
        let mut keys = Vec::new();
        while let Some(page) = pages.try_next().await? {
            for item in page.into_model()?.blob_items {
                let name = item.name.unwrap_or_default();
                let key = name
                    .strip_prefix(prefix.as_str())
                    .and_then(|name| name.strip_suffix(SUFFIX))
                    .filter(|key| !key.contains('/') && after.is_none_or(|after| *key > after));
                keys.extend(key.map(str::to_owned));
            }
            if keys.len() >= max {
                break;
            }
        }
        keys.truncate(max);
        Ok(keys)
    }
}

impl AzureBlobFallback {
    /// The object under `name`, one part of `part` bytes (4 MiB) after the other: more at a time would be in memory
    /// together. `None` when there is none.
    async fn stream(
        &self,
        name: &str,
        part: Option<NonZero<usize>>,
    ) -> Result<Option<StoredBody>, BlobError> {
        let options = BlobClientDownloadOptions {
            parallel: Some(NonZero::<usize>::MIN),
            partition_size: part,
            ..BlobClientDownloadOptions::default()
        };
        let answer = match self.0.blob(name).download(Some(options)).await {
            Ok(answer) => answer,
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(self.0.failed(&error)),
        };
        // Without a length, nobody could say whether all of it came.
        let bytes = length(&answer.headers).ok_or_else(|| {
            BlobError::transient("Blob Storage did not say how long the object is")
        })?;
        let stream = answer.body.map_err(std::io::Error::other);
        Ok(Some(StoredBody {
            bytes,
            stream: Box::pin(stream),
        }))
    }
}

impl FallbackStore for AzureBlobFallback {
    fn put<'a>(&'a self, key: &'a str, envelope: Bytes) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let length = envelope.len() as u64;
            let body: BoxStream<'_, _> = Box::pin(stream::iter([Ok(envelope)]));
            self.0.upload(&object(key), length, body).await
        })
    }

    fn list<'a>(
        &'a self,
        after: Option<&'a str>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(async move {
            let keys = self.keys(after, max).await;
            keys.map_err(|error| self.0.failed(&error))
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(async move { self.0.fetch(&object(key)).await })
    }

    fn get_stream<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(async move { self.stream(&object(key), ENVELOPE_PART).await })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move { self.0.delete(&object(key)).await })
    }

    fn put_body<'a>(
        &'a self,
        name: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(self.0.upload(name, body.len(), body.stream()))
    }

    fn get_body<'a>(
        &'a self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(self.stream(name, None))
    }

    fn remove_body<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(self.0.delete(name))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(self.0.probe())
    }
}

fn object(key: &str) -> String {
    format!("{key}{SUFFIX}")
}

/// The length of an object whose download these headers begin: the answer may be its first part.
fn length(headers: &Headers) -> Option<u64> {
    let whole = headers
        .get_optional_str(&HeaderName::from_static("content-range"))
        .and_then(|range| range.rsplit('/').next());
    let length = whole.or_else(|| headers.get_optional_str(&CONTENT_LENGTH));
    length?.parse().ok()
}
