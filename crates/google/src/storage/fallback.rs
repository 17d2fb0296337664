//! Whole envelopes in a bucket, under keys that sort by time.

use super::Bucket;
use crate::rest::{RestError, parse};
use bytes::Bytes;
use futures_util::{TryStreamExt as _, future, stream};
use http::{Method, StatusCode};
use labelrelay_core::fallback::StoredBody;
use labelrelay_core::{BlobError, BoxFuture, FallbackStore, Payload};
use serde::Deserialize;

/// The most that one answer lists.
const PAGE: usize = 1000;

/// A fallback in a bucket. Whoever fills it needs no more than to create objects; whoever empties it has to
/// list, read and delete them.
#[derive(Debug)]
pub struct GcsFallback(Bucket);

/// A page of a list.
#[derive(Deserialize)]
pub(super) struct Listed {
    #[serde(default)]
    pub(super) items: Vec<Item>,
    #[serde(rename = "nextPageToken")]
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Item {
    pub(super) name: String,
}

impl GcsFallback {
    pub(crate) fn new(bucket: Bucket) -> Self {
        Self(bucket)
    }

    async fn keys(&self, after: Option<&str>, max: usize) -> Result<Vec<String>, RestError> {
        let bucket = &self.0;
        let start = after.map(|after| bucket.location.object(after));
        let mut keys = Vec::new();
        let mut token: Option<String> = None;
        loop {
            // The start is listed too, and is what was seen already.
            let page = (max - keys.len() + 1).min(PAGE).to_string();
            let mut query = vec![
                ("prefix", bucket.location.prefix.as_str()),
                ("maxResults", page.as_str()),
                ("fields", "items(name),nextPageToken"),
            ];
            query.extend(start.as_deref().map(|start| ("startOffset", start)));
            query.extend(token.as_deref().map(|token| ("pageToken", token)));
            let request = bucket
                .rest
                .request(Method::GET, &bucket.path("/o"))
                .query(&query);
            let Listed { items, next } = parse(&bucket.rest.send(request).await?)?;
            for item in items {
                let Some(key) = item.name.strip_prefix(&bucket.location.prefix) else {
                    continue;
                };
                // Objects in folders below are not ours.
                if !key.is_empty() && !key.contains('/') && after.is_none_or(|after| key > after) {
                    keys.push(key.to_owned());
                }
            }
            token = next.filter(|next| !next.is_empty());
            if keys.len() >= max || token.is_none() {
                keys.truncate(max);
                return Ok(keys);
            }
        }
    }
}

impl GcsFallback {
    /// The object under `name`, of which nothing is read yet; `None` when there is none.
    async fn stream(&self, name: &str) -> Result<Option<StoredBody>, BlobError> {
        let path = self.0.object_path(&self.0.location.object(name));
        let request = self
            .0
            .rest
            .request(Method::GET, &path)
            .query(&[("alt", "media")]);
        let failed = |error: &RestError| {
            self.0
                .error(error, "storage.objects.get", "roles/storage.objectUser")
        };
        let answer = match self.0.rest.open(request).await {
            Ok(answer) => answer,
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => return Ok(None),
            Err(error) => return Err(failed(&error)),
        };
        // Without a length, nobody could say whether all of it came.
        let bytes = answer.content_length();
        let bytes = bytes.ok_or_else(|| failed(&RestError::Garbled))?;
        let stream = answer.bytes_stream().map_err(std::io::Error::other);
        Ok(Some(StoredBody {
            bytes,
            stream: Box::pin(stream),
        }))
    }
}

impl FallbackStore for GcsFallback {
    fn put<'a>(&'a self, key: &'a str, envelope: Bytes) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let length = envelope.len() as u64;
            let name = self.0.location.object(key);
            let body = Box::pin(stream::once(future::ready(Ok(envelope))));
            self.0
                .create(&name, "application/cloudevents+json", length, body)
                .await
        })
    }

    fn list<'a>(
        &'a self,
        after: Option<&'a str>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(async move {
            let listed = self.keys(after, max).await;
            listed.map_err(|error| {
                self.0
                    .error(&error, "storage.objects.list", "roles/storage.objectUser")
            })
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(async move { self.0.fetch(&self.0.location.object(key)).await })
    }

    fn get_stream<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(async move { self.stream(key).await })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move { self.0.remove(&self.0.location.object(key)).await })
    }

    fn put_body<'a>(
        &'a self,
        name: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let name = self.0.location.object(name);
            self.0
                .create(&name, "application/octet-stream", body.len(), body.stream())
                .await
        })
    }

    fn get_body<'a>(
        &'a self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(async move { self.stream(name).await })
    }

    fn remove_body<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        self.remove(name)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(self.0.check())
    }
}
