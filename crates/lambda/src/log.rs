//! Log lines as Lambda's own look: one JSON object each, on standard output, with the request's id.

use jiff::Timestamp;
use labelrelay_startup::log::{Line, Sink};
use serde_json::{Map, Value};
use std::io::Write as _;
use std::sync::Arc;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// Runs `work` with the request's id on each of its lines.
pub async fn in_request<T>(id: String, work: impl Future<Output = T>) -> T {
    REQUEST_ID.scope(id, work).await
}

pub(crate) fn request_id() -> Option<String> {
    REQUEST_ID.try_with(Clone::clone).ok()
}

/// Standard output. What cannot be written is lost: a log must not take a delivery with it.
///
/// Written at once, and not by a thread of its own as elsewhere: Lambda freezes the instance with the answer,
/// and a line that waits in a buffer then comes with the next invocation, or never. Lambda itself reads the
/// other end, and what a stranger can make of lines is bounded by what he can make of invocations, each of
/// which has lines of Lambda's own.
pub fn stdout() -> Sink {
    Arc::new(|line| {
        let _ = std::io::stdout().lock().write_all(line);
    })
}

pub(crate) fn timestamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The members that Lambda's own lines have, and the event's.
pub fn format(line: Line<'_>) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("timestamp".to_owned(), timestamp(Timestamp::now()).into());
    members.insert("level".to_owned(), line.level.as_str().into());
    members.insert("event".to_owned(), line.event.into());
    if let Some(id) = request_id() {
        members.insert("requestId".to_owned(), id.into());
    }
    members.extend(line.fields);
    members
}
