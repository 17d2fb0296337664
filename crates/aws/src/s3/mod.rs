//! Objects in S3: claim checks, and the fallback.

mod blob_store;
mod body_stream;
mod error;
mod fallback;
mod listing;
mod location;

pub use blob_store::S3BlobStore;
pub use fallback::S3Fallback;
pub(crate) use location::S3Location;

use crate::http::Answer;
use crate::signed_client::Content;
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use error::S3ErrorContext;
use labelrelay_core::BlobError;
use labelrelay_event::Digest;

/// No answer but an object's bytes is larger.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A request without a body.
fn nothing() -> Content {
    Content {
        body: SdkBody::empty(),
        sha256: Digest::of(b"").to_hex(),
    }
}

/// As `x-amz-checksum-sha256` wants it.
fn checksum(digest: &Digest) -> String {
    STANDARD.encode(digest.as_bytes())
}

/// Whether an answer to a PUT proves that S3 holds bytes of this digest.
fn proven(answer: &Answer, digest: &Digest) -> Result<(), BlobError> {
    let stored = answer.header("x-amz-checksum-sha256");
    let is_ours = stored.is_none_or(|stored| stored == checksum(digest));
    let is_s3 = answer.header("etag").is_some_and(|tag| !tag.is_empty()) && answer.body.is_empty();
    if is_ours && is_s3 {
        Ok(())
    } else {
        Err(BlobError::transient(
            "the answer does not prove that the object was stored: something in between here and S3 changes requests or answers",
        ))
    }
}

impl S3Location {
    /// Whether the bucket is there and in this region. That the caller may list it is not needed, so
    /// being forbidden to is no failure; what is really allowed shows when something is stored.
    async fn check(&self) -> Result<(), BlobError> {
        let context = self.error_context("s3:ListBucket", "");
        let query = [("list-type", "2"), ("max-keys", "0")];
        let answer = self.list(&query, MAX_ANSWER).await;
        let answer = answer.map_err(|error| context.no_response(error))?;
        if answer.is_success() {
            return listing::keys(&answer.body).map(drop);
        }
        let stated = error::stated(&answer);
        if stated.code == "AccessDenied" {
            return Ok(());
        }
        Err(context.of(&answer, &stated))
    }

    fn error_context<'a>(&'a self, permission: &'static str, key: &'a str) -> S3ErrorContext<'a> {
        S3ErrorContext {
            location: self,
            permission,
            key,
        }
    }
}
