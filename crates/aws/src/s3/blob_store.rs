//! Claim checks in S3.

use super::MAX_ANSWER;
use super::checksum::{checksum, prove};
use super::location::S3Location;
use super::{body_stream, error};
use crate::signed_client::Content;
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use labelrelay_core::blob::{Fetched, name_below};
use labelrelay_core::object_store::Created;
use labelrelay_core::{BlobError, BlobStore, BoxFuture, BoxStream};
use labelrelay_event::Digest;
use std::fmt;
use std::io;

/// Largest object that is read: it is in memory whole.
pub(crate) const MAX_OBJECT: usize = 1024 * 1024 * 1024;

/// A prefix of a bucket that takes bodies too large for the queue. Objects are created, never replaced.
pub struct S3BlobStore(S3Location);

impl S3BlobStore {
    pub(crate) fn new(location: S3Location) -> Self {
        Self(location)
    }

    /// The whole key of an object that lies here.
    fn own_key(&self, uri: &str) -> Option<String> {
        let (bucket, key) = uri.strip_prefix("s3://")?.split_once('/')?;
        let below = name_below(key, &self.0.key(""))?;
        (bucket == self.0.bucket).then(|| self.0.key(below))
    }
}

impl S3Location {
    /// Creates an object, unless there is one; its URI.
    pub(super) async fn create(
        &self,
        key: &str,
        length: u64,
        body: BoxStream<'_, io::Result<Bytes>>,
    ) -> Result<String, BlobError> {
        let key = self.key(key);
        // A claim's key ends in the digest of what it holds, so S3 can be told it beforehand and refuses
        // what differs. Anything else is read before it is sent.
        let (digest, body) = match digest(&key) {
            Some(digest) => (digest, body),
            None => collected(body).await?,
        };
        // One that is there already has the same digest in its key.
        self.create_at(&key, length, &digest, body).await?;
        Ok(format!("s3://{}/{key}", self.bucket))
    }

    /// Creates an object under the whole `key`, unless there is one.
    pub(super) async fn create_at(
        &self,
        key: &str,
        length: u64,
        digest: &Digest,
        body: BoxStream<'_, io::Result<Bytes>>,
    ) -> Result<Created, BlobError> {
        let (length_text, checksum) = (length.to_string(), checksum(digest));
        let headers = [
            ("content-length", length_text.as_str()),
            ("content-type", "application/octet-stream"),
            ("if-none-match", "*"),
            ("x-amz-checksum-sha256", checksum.as_str()),
        ];
        let put = async |body| {
            let content = Content {
                body,
                sha256: digest.to_hex(),
            };
            self.object("PUT", key, &headers, content, MAX_ANSWER).await
        };
        let errors = self.error_context("s3:PutObject", key);
        let answer = body_stream::with_body(length, body, put).await;
        let answer = answer.map_err(|error| errors.no_response(error))?;
        match answer.status {
            200 => prove(&answer, digest).map(|()| Created::New),
            412 => Ok(Created::Existed),
            _ => Err(errors.of(&answer, &error::stated(&answer))),
        }
    }
}

/// The digest at a key's end.
fn digest(key: &str) -> Option<Digest> {
    let hex = key.rsplit('/').next()?;
    let mut bytes = [0; 32];
    if hex.len() != 2 * bytes.len() || !hex.is_ascii() {
        return None;
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * n..2 * n + 2)?, 16).ok()?;
    }
    // Only what `Digest` itself writes: no signs, no capitals.
    Some(Digest::from_bytes(bytes)).filter(|digest| digest.to_hex() == hex)
}

async fn collected(
    mut body: BoxStream<'_, io::Result<Bytes>>,
) -> Result<(Digest, BoxStream<'static, io::Result<Bytes>>), BlobError> {
    let mut all = BytesMut::new();
    while let Some(chunk) = body.try_next().await.map_err(|error| {
        BlobError::transient(format!("the body cannot be read: {error}")).caused_by(error)
    })? {
        all.extend_from_slice(&chunk);
    }
    let all = all.freeze();
    let digest = Digest::of(&all);
    let once = futures_util::stream::once(std::future::ready(Ok(all)));
    Ok((digest, Box::pin(once)))
}

impl BlobStore for S3BlobStore {
    fn put<'a>(
        &'a self,
        key: &'a str,
        length: u64,
        body: BoxStream<'a, io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        Box::pin(self.0.create(key, length, body))
    }

    fn get<'a>(&'a self, uri: &'a str) -> BoxFuture<'a, Result<Fetched, BlobError>> {
        Box::pin(async move {
            let Some(key) = self.own_key(uri) else {
                return Ok(Fetched::Elsewhere);
            };
            let found = self.0.fetch(&key, MAX_OBJECT).await?;
            Ok(found.map_or(Fetched::Gone, Fetched::Body))
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(self.0.check())
    }
}

impl fmt::Debug for S3BlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3BlobStore(s3://{}/{})", self.0.bucket, self.0.prefix)
    }
}
