//! Webhooks in a list.

use crate::userinfo;

/// A URL as it may be shown: without name, password and query.
pub(super) fn shown(url: &str) -> String {
    let hidden = userinfo::hidden(url);
    match hidden.split_once('?') {
        Some((before, _)) => format!("{before}?…"),
        None => hidden,
    }
}
