//! Checksums that go with objects, and the proof that S3 has them.

use crate::http::Answer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_core::BlobError;
use labelrelay_event::Digest;

/// As `x-amz-checksum-sha256` wants it.
pub(super) fn checksum(digest: &Digest) -> String {
    STANDARD.encode(digest.as_bytes())
}

/// Checks that an answer to a PUT proves that S3 holds bytes of this digest.
pub(super) fn prove(answer: &Answer, digest: &Digest) -> Result<(), BlobError> {
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
