//! The fallback in S3: events that the queue did not take wait there.

use super::MAX_ANSWER;
use super::list_page::Page;
use super::location::S3Location;
use super::{error, list_page};
use crate::signed_client::Content;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use labelrelay_core::fallback::StoredBody;
use labelrelay_core::{BlobError, BoxFuture, FallbackStore, Payload};
use std::fmt;
use std::io;

/// S3 lists no more at once.
const PAGE: usize = 1000;

/// No envelope is larger: a body of 100 MiB in base64, and room.
const MAX_ENVELOPE: usize = 256 * 1024 * 1024;

/// So much of a body is asked for at a time.
const CHUNK_BYTES: u64 = 4 * 1024 * 1024;

/// So much of an envelope is asked for at first, which most are shorter than: the answer says how long it is.
const FIRST_BYTES: u64 = 256 * 1024;

/// A prefix of a bucket that takes whole envelopes.
pub struct S3Fallback(S3Location);

impl S3Fallback {
    pub(crate) fn new(location: S3Location) -> Self {
        Self(location)
    }

    async fn store(&self, key: &str, envelope: Bytes) -> Result<(), BlobError> {
        let key = self.0.key(key);
        self.0
            .replace(&key, "application/cloudevents+json", envelope)
            .await
    }

    async fn page(&self, start: Start<'_>, max: usize) -> Result<Page, BlobError> {
        let prefix = self.0.key("");
        let max = max.min(PAGE).to_string();
        let start = match start {
            Start::Beginning => None,
            Start::After(key) => Some(("start-after", self.0.key(key))),
            Start::Token(token) => Some(("continuation-token", token.to_owned())),
        };
        let mut query = vec![
            ("delimiter", "/"), // bodies are in folders
            ("encoding-type", "url"),
            ("list-type", "2"),
            ("max-keys", max.as_str()),
            ("prefix", prefix.as_str()),
        ];
        query.extend(start.as_ref().map(|(name, value)| (*name, value.as_str())));
        let errors = self.0.error_context("s3:ListBucket", "");
        let answer = self.0.list(&query, MAX_ANSWER).await;
        let answer = answer.map_err(|error| errors.no_response(error))?;
        if !answer.is_success() {
            return Err(errors.of(&answer, &error::stated(&answer)));
        }
        let Page { keys, next } = list_page::page(&answer.body)?;
        let ours = |key: String| key.strip_prefix(&prefix).map(str::to_owned);
        let keys = keys.into_iter().filter_map(ours);
        Ok(Page {
            keys: keys.filter(|key| !key.is_empty()).collect(),
            next,
        })
    }

    async fn list_up_to(&self, after: Option<&str>, max: usize) -> Result<Vec<String>, BlobError> {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let start = match (&token, after) {
                (Some(token), _) => Start::Token(token),
                (None, Some(after)) => Start::After(after),
                (None, None) => Start::Beginning,
            };
            let page = self.page(start, max - all.len()).await?;
            all.extend(page.keys);
            if page.next.is_none() || all.len() >= max {
                return Ok(all);
            }
            if page.next == token {
                return Err(BlobError::transient(
                    "the list of objects has no end: the same page follows itself",
                ));
            }
            token = page.next;
        }
    }

    async fn fetch(&self, key: &str) -> Result<Option<Bytes>, BlobError> {
        self.0.fetch(&self.0.key(key), MAX_ENVELOPE).await
    }

    /// Asks for one part after the other, the first of at most `first` bytes: answers are read whole before they are
    /// used.
    async fn open_object(&self, name: &str, first: u64) -> Result<Option<StoredBody>, BlobError> {
        let Some(first) = self.0.chunk(name, 0, first).await? else {
            return Ok(None);
        };
        let reader = BodyReader {
            location: self.0.clone(),
            name: name.to_owned(),
            bytes: first.whole,
            at: first.bytes.len() as u64,
        };
        let bytes = first.whole;
        let rest = stream::try_unfold(reader, |mut reader| async move {
            if reader.at >= reader.bytes {
                return Ok(None);
            }
            let chunk = reader.location.chunk(&reader.name, reader.at, CHUNK_BYTES);
            let chunk = chunk.await.map_err(io::Error::other)?;
            let Some(chunk) =
                chunk.filter(|chunk| chunk.whole == reader.bytes && !chunk.bytes.is_empty())
            else {
                return Err(io::Error::other("it went or changed while it was read"));
            };
            reader.at += chunk.bytes.len() as u64;
            Ok(Some((chunk.bytes, reader)))
        });
        let first = stream::iter([Ok(first.bytes)]);
        Ok(Some(StoredBody {
            bytes,
            stream: Box::pin(first.chain(rest)),
        }))
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        self.0.remove(&self.0.key(key)).await
    }
}

/// Beginning of a page.
enum Start<'a> {
    Beginning,
    After(&'a str),
    Token(&'a str),
}

/// A body that is being read.
struct BodyReader {
    location: S3Location,
    name: String,
    bytes: u64,
    at: u64,
}

/// Some of a body.
struct BodyChunk {
    bytes: Bytes,
    /// Length of all of it.
    whole: u64,
}

impl S3Location {
    /// Reads `name` from `at`, up to `most` bytes; `None` when there is no such object.
    async fn chunk(&self, name: &str, at: u64, most: u64) -> Result<Option<BodyChunk>, BlobError> {
        let key = self.key(name);
        let range = format!("bytes={at}-{}", at + most - 1);
        let headers = [("range", range.as_str())];
        let errors = self.error_context("s3:GetObject", &key);
        let answer = self
            .object("GET", &key, &headers, Content::empty(), MAX_ANSWER + 1)
            .await;
        let answer = answer.map_err(|error| errors.no_response(error))?;
        if answer.status != 206 {
            let stated = error::stated(&answer);
            return match stated.code.as_str() {
                "NoSuchKey" => Ok(None),
                _ => Err(errors.of(&answer, &stated)),
            };
        }
        let whole = answer
            .header("content-range")
            .and_then(|range| range.rsplit('/').next())
            .and_then(|whole| whole.parse().ok());
        let whole = whole.ok_or_else(|| {
            BlobError::transient("the answer does not say how long the object is")
        })?;
        let bytes = answer.body;
        Ok(Some(BodyChunk { bytes, whole }))
    }
}

impl FallbackStore for S3Fallback {
    fn put<'a>(&'a self, key: &'a str, envelope: Bytes) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(self.store(key, envelope))
    }

    fn list<'a>(
        &'a self,
        after: Option<&'a str>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(self.list_up_to(after, max))
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(self.fetch(key))
    }

    fn get_stream<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(self.open_object(key, FIRST_BYTES))
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(self.delete(key))
    }

    fn put_body<'a>(
        &'a self,
        name: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let created = self.0.create(name, body.len(), body.stream()).await;
            created.map(drop)
        })
    }

    fn get_body<'a>(
        &'a self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(self.open_object(name, CHUNK_BYTES))
    }

    fn remove_body<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(self.delete(name))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(self.0.check())
    }
}

impl fmt::Debug for S3Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Fallback(s3://{}/{})", self.0.bucket, self.0.prefix)
    }
}
