//! A delivery of a label, which most cases vary.

use super::SECRET;
use crate::request::TestRequest;

/// A label of Labelbox, signed.
pub(super) fn label(body: &[u8]) -> TestRequest {
    TestRequest::labelbox(SECRET, "LABEL_CREATED", "delivery", body)
}

pub(super) const LABEL: &[u8] =
    br#"{"id":"l1", "label":"{}", "createdAt":"2020-09-24T04:56:08Z","updatedAt":"2020-09-24T04:56:08Z"}"#;
