//! Check of the bucket, and the context of its errors.

use super::MAX_ANSWER;
use super::error::{self, S3ErrorContext};
use super::list_page;
use super::location::S3Location;
use labelrelay_core::BlobError;

impl S3Location {
    /// Checks that the bucket is there and in this region. The relay does not need to list it, so a refusal to list
    /// is no failure. The permission to store shows only when something is stored.
    pub(super) async fn check(&self) -> Result<(), BlobError> {
        let errors = self.error_context("s3:ListBucket", "");
        let query = [("list-type", "2"), ("max-keys", "0")];
        let answer = self.list(&query, MAX_ANSWER).await;
        let answer = answer.map_err(|error| errors.no_response(error))?;
        if answer.is_success() {
            return list_page::check(&answer.body);
        }
        let stated = error::stated(&answer);
        if stated.code == "AccessDenied" {
            return Ok(());
        }
        Err(errors.of(&answer, &stated))
    }

    pub(super) fn error_context<'a>(
        &'a self,
        permission: &'static str,
        key: &'a str,
    ) -> S3ErrorContext<'a> {
        S3ErrorContext {
            location: self,
            permission,
            key,
        }
    }
}
