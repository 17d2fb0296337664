//! Queries of Label Studio's data manager: the tasks to ask for.

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// Tasks whose id is higher than `after`, the lowest first; only those that changed at or after `since`, if
/// that is given. A task changes with each of its annotations.
///
/// By id and not by the number of a page: what is deleted or comes meanwhile moves nothing to another page.
pub(super) fn after(after: u64, since: Option<Timestamp>) -> Value {
    let mut items = vec![json!({
        "filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": after,
    })];
    if let Some(since) = since {
        items.push(json!({
            "filter": "filter:tasks:updated_at", "operator": "greater_or_equal", "type": "Datetime",
            "value": since.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
        }));
    }
    json!({ "filters": { "conjunction": "and", "items": items }, "ordering": ["tasks:id"] })
}

/// Tasks that changed at or after `since`, the newest change first.
pub(super) fn newest(since: Timestamp) -> Value {
    let mut query = after(0, Some(since));
    if let Some(query) = query.as_object_mut() {
        query.insert("ordering".to_owned(), json!(["-tasks:updated_at"]));
    }
    query
}

/// Query for these tasks.
pub(super) fn of(ids: &[&str]) -> Value {
    let ids: Vec<u64> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    json!({ "selectedItems": { "all": false, "included": ids }, "ordering": ["tasks:id"] })
}

/// A query as it stands in a URL.
pub(super) fn encoded(query: &Value) -> String {
    utf8_percent_encode(&query.to_string(), NON_ALPHANUMERIC).to_string()
}
