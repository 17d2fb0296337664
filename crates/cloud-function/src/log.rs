//! Log lines as Cloud Logging reads them: one JSON object each, on standard output.

use jiff::Timestamp;
use labelrelay_startup::log::Line;
use serde_json::{Map, Value};
use tracing::Level;

const TRACE: &str = "logging.googleapis.com/trace";

/// The platform's names of levels.
fn severity(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG | Level::TRACE => "DEBUG",
    }
}

/// The members that Cloud Logging knows, and the event's.
pub fn format(line: Line<'_>) -> Map<String, Value> {
    let Line {
        level,
        event,
        mut span,
        mut fields,
    } = line;
    let mut members = Map::new();
    members.insert("severity".to_owned(), severity(level).into());
    let message = fields.remove("message").unwrap_or_else(|| event.into());
    members.insert("message".to_owned(), message);
    let now = Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string();
    members.insert("time".to_owned(), now.into());
    members.insert("event".to_owned(), event.into());
    if let Some(trace) = span.remove("trace") {
        members.insert(TRACE.to_owned(), trace);
    }
    // Names that mean something to the platform are the platform's.
    for (name, value) in fields {
        members.entry(name).or_insert(value);
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_startup::log::subscriber;
    use std::sync::{Arc, Mutex};
    use tracing::level_filters::LevelFilter;

    #[test]
    fn lines_are_what_cloud_logging_reads() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = {
            let lines = Arc::clone(&lines);
            Arc::new(move |line: &[u8]| lines.lock().unwrap().push(line.to_vec()))
        };
        tracing::subscriber::with_default(
            subscriber(LevelFilter::INFO, LevelFilter::WARN, format, sink),
            || {
                let trace = "projects/p/traces/0af7651916cd43dd8448eb211c80319c";
                tracing::error_span!("request", trace).in_scope(|| {
                tracing::warn!(name: "delivery_refused", source = "labelbox", body_bytes = 3_u64, severity = "x", "delivery \"refused\"\n");
                tracing::debug!("not shown");
            });
                tracing::info!(target: "hyper", "somebody else's");
                tracing::error!(target: "hyper", "somebody else's error");
            },
        );
        let lines: Vec<Value> = lines
            .lock()
            .unwrap()
            .iter()
            .map(|line| {
                assert_eq!(line.split(|&b| b == b'\n').count(), 2, "one line");
                serde_json::from_slice(line).unwrap()
            })
            .collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        let first = lines[0].as_object().unwrap();
        for (name, value) in [
            ("severity", "WARNING"),
            ("message", "delivery \"refused\"\n"),
            ("event", "delivery_refused"),
            ("source", "labelbox"),
            (TRACE, "projects/p/traces/0af7651916cd43dd8448eb211c80319c"),
        ] {
            assert_eq!(first[name], value, "{name}");
        }
        assert_eq!(first["body_bytes"], 3);
        assert!(first["time"].as_str().unwrap().parse::<Timestamp>().is_ok());
        assert_eq!(lines[1]["severity"], "ERROR");
        assert!(lines[1].get(TRACE).is_none());
    }
}
