//! A request that holds nothing but what is checked: for asking the relay's own checks offline.

use http::{HeaderMap, Method};
use labelrelay_core::RequestHead;
use std::time::Duration;

/// Method, path and time make no difference to a credential.
pub(super) fn with(headers: HeaderMap) -> RequestHead {
    RequestHead {
        method: Method::POST,
        path: "/".to_owned(),
        headers,
        peer: None,
        arrived: Duration::ZERO,
    }
}
