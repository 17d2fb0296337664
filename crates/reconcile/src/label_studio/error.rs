//! The error of an answer that Label Studio should not have given.

use crate::platform::PlatformError;
use http::{StatusCode, Uri};

pub(super) fn wrong(uri: &Uri, status: StatusCode) -> PlatformError {
    let cure = if status.is_redirection() {
        "write the URL to which it redirects (https://, or without a path)"
    } else {
        "see that the URL is that of a Label Studio, and look into its log"
    };
    PlatformError::permanent(format!("{}: answered {status}; {cure}", uri.path()))
}
