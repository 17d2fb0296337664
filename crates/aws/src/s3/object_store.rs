//! Files under names of one's choice in S3.

use super::MAX_ANSWER;
use super::blob_store::MAX_OBJECT;
use super::checksum::{checksum, prove};
use super::error;
use super::list_page::{self, Page};
use super::location::S3Location;
use crate::signed_client::Content;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use labelrelay_core::object_store::{Created, NewObject};
use labelrelay_core::{BlobError, BoxFuture, ObjectStore};
use labelrelay_event::Digest;
use std::fmt;

/// A prefix of a bucket that takes files.
pub struct S3ObjectStore(S3Location);

impl S3ObjectStore {
    pub(crate) fn new(location: S3Location) -> Self {
        Self(location)
    }
}

impl S3Location {
    /// Stores what is in memory under the whole `key`, in place of what may be there.
    pub(super) async fn replace(
        &self,
        key: &str,
        content_type: &str,
        content: Bytes,
    ) -> Result<(), BlobError> {
        let digest = Digest::of(&content);
        let (length, checksum) = (content.len().to_string(), checksum(&digest));
        let headers = [
            ("content-length", length.as_str()),
            ("content-type", content_type),
            ("x-amz-checksum-sha256", checksum.as_str()),
        ];
        let content = Content {
            body: SdkBody::from(content),
            sha256: digest.to_hex(),
        };
        let errors = self.error_context("s3:PutObject", key);
        let answer = self.object("PUT", key, &headers, content, MAX_ANSWER).await;
        let answer = answer.map_err(|error| errors.no_response(error))?;
        if answer.status == 200 {
            return prove(&answer, &digest);
        }
        Err(errors.of(&answer, &error::stated(&answer)))
    }

    /// Removes the object under the whole `key`, if there is one.
    pub(super) async fn remove(&self, key: &str) -> Result<(), BlobError> {
        let errors = self.error_context("s3:DeleteObject", key);
        let answer = self
            .object("DELETE", key, &[], Content::empty(), MAX_ANSWER)
            .await;
        let answer = answer.map_err(|error| errors.no_response(error))?;
        let stated = error::stated(&answer);
        if answer.status == 204 || stated.code == "NoSuchKey" {
            return Ok(());
        }
        Err(errors.of(&answer, &stated))
    }
}

impl S3Location {
    /// Names of all objects below the location that begin with `beginning`, in folders too. S3 lists them in the order of
    /// their bytes.
    async fn names(&self, beginning: &str) -> Result<Vec<String>, BlobError> {
        let (prefix, wanted) = (self.key(""), self.key(beginning));
        let errors = self.error_context("s3:ListBucket", "");
        let mut names = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut query = vec![
                ("encoding-type", "url"),
                ("list-type", "2"),
                ("prefix", wanted.as_str()),
            ];
            query.extend(token.as_deref().map(|token| ("continuation-token", token)));
            let answer = self.list(&query, MAX_ANSWER).await;
            let answer = answer.map_err(|error| errors.no_response(error))?;
            if !answer.is_success() {
                return Err(errors.of(&answer, &error::stated(&answer)));
            }
            let Page { keys, next } = list_page::page(&answer.body)?;
            let ours = keys.iter().filter_map(|key| key.strip_prefix(&prefix));
            names.extend(ours.filter(|name| !name.is_empty()).map(str::to_owned));
            if next.is_none() {
                return Ok(names);
            }
            if next == token {
                return Err(BlobError::transient(
                    "the list of objects has no end: the same page follows itself",
                ));
            }
            token = next;
        }
    }
}

impl ObjectStore for S3ObjectStore {
    fn create<'a>(
        &'a self,
        name: &'a str,
        object: NewObject<'a>,
    ) -> BoxFuture<'a, Result<Created, BlobError>> {
        Box::pin(async move {
            let key = self.0.key(name);
            self.0
                .create_at(&key, object.length, &object.digest, object.body)
                .await
        })
    }

    fn replace<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let key = self.0.key(name);
            // Whatever its name, a reader knows what it asked for.
            self.0
                .replace(&key, "application/octet-stream", content)
                .await
        })
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(async move { self.0.fetch(&self.0.key(name), MAX_OBJECT).await })
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move { self.0.remove(&self.0.key(name)).await })
    }

    fn list<'a>(&'a self, beginning: &'a str) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(self.0.names(beginning))
    }
}

impl fmt::Debug for S3ObjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3ObjectStore(s3://{}/{})", self.0.bucket, self.0.prefix)
    }
}
