//! Shared by the fuzz targets: a way to cut bytes into pieces, heads of requests, and a relay whose queue and blob
//! store remember what was put last.

mod bench;
mod pieces;

pub use bench::{Bench, LABEL_STUDIO_SECRET, LABELBOX_SECRET, Limits, Put};
pub use pieces::{line, pieces};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use labelrelay_core::RequestHead;
use std::time::Duration;

/// The longest that anything from outside may be once it is an attribute.
pub const MAX_ATTRIBUTE_BYTES: usize = labelrelay_event::MAX_ATTRIBUTE_BYTES;

/// Values of `X-Labelbox-Event`: those of the documents, one that nobody knows, and none.
pub const TOPICS: [Option<&str>; 8] = [
    None,
    Some("LABEL_CREATED"),
    Some("LABEL_UPDATED"),
    Some("LABEL_DELETED"),
    Some("REVIEW_CREATED"),
    Some("REVIEW_UPDATED"),
    Some("WORKFLOW_ACTION"),
    Some("SOMETHING_ELSE"),
];

/// The head of a delivery to `path`. A line that HTTP does not allow cannot arrive, and is left out.
pub fn head<'a>(path: &str, lines: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> RequestHead {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value))
        {
            headers.append(name, value);
        }
    }
    RequestHead {
        method: Method::POST,
        path: path.to_owned(),
        headers,
        peer: None,
        arrived: Duration::from_secs(1000),
    }
}

/// Fails unless `text` may stand in any attribute: 1 to 128 visible ASCII characters.
pub fn assert_attribute(name: &str, text: Option<&str>) {
    if let Some(text) = text {
        assert!(
            (1..=MAX_ATTRIBUTE_BYTES).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_graphic()),
            "{name}: {text:?}"
        );
    }
}
