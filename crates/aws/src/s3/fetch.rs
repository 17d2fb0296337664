//! Objects, whole in memory.

use super::error;
use super::location::S3Location;
use crate::signed_client::Content;
use bytes::Bytes;
use labelrelay_core::BlobError;

impl S3Location {
    /// The object under the whole `key`, of at most `max` bytes; `None` when there is none.
    pub(super) async fn fetch(&self, key: &str, max: usize) -> Result<Option<Bytes>, BlobError> {
        let errors = self.error_context("s3:GetObject", key);
        let answer = self.object("GET", key, &[], Content::empty(), max).await;
        let answer = answer.map_err(|error| errors.no_response(error))?;
        if answer.status == 200 {
            return Ok(Some(answer.body));
        }
        let stated = error::stated(&answer);
        match stated.code.as_str() {
            "NoSuchKey" => Ok(None),
            _ => Err(errors.of(&answer, &stated)),
        }
    }
}
