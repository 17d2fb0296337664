//! Log lines: one JSON object each, on standard output, which the host hands on to Application Insights.

use labelrelay_startup::log::Line;
use serde_json::{Map, Value};

/// The members of a line: the invocation's, and the event's.
pub fn format(line: Line<'_>) -> Map<String, Value> {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    let mut members = Map::new();
    members.insert("timestamp".to_owned(), now.to_string().into());
    members.insert("level".to_owned(), line.level.as_str().into());
    members.insert("event".to_owned(), line.event.into());
    members.extend(line.span);
    members.extend(line.fields);
    members
}
