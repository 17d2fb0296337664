//! Log lines: one JSON object each, on standard output, with the members that Cloud Logging knows.
//!
//! Only labelrelay's own lines go below warnings. What the clients of Google's services say at debug and trace
//! may include requests with their headers and bodies. No setting shows those.

use jiff::Timestamp;
use labelrelay_core::config::{ConfigError, ENVIRONMENT, Lookup};
use labelrelay_http::log::LogWriter;
use serde_json::{Map, Value};
use std::fmt::{self, Write as _};
use std::sync::Arc;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// Where whole lines go.
pub type Sink = Arc<dyn Fn(&[u8]) + Send + Sync>;

const LEVEL: &str = "LABELRELAY_LOG";
const TRACE: &str = "logging.googleapis.com/trace";

/// Where `writer` writes to, from a thread of its own: no request waits for the platform to take a line. The
/// instance's processor is ours until SIGTERM, and [`LogWriter::flush_within`] writes the last ones.
pub fn to(writer: &LogWriter) -> Sink {
    let writer = writer.clone();
    Arc::new(move |line| writer.line(line))
}

/// The level that `LABELRELAY_LOG` names.
///
/// # Errors
/// [`ConfigError`] when it is not a level.
pub fn level(lookup: Lookup<'_>) -> Result<LevelFilter, ConfigError> {
    let Some(text) = lookup.text(LEVEL)? else {
        return Ok(LevelFilter::INFO);
    };
    text.parse().map_err(|_| {
        let cure = "write off, error, warn, info, debug or trace";
        ConfigError::new(ENVIRONMENT, LEVEL, "is not a level", cure)
    })
}

/// What takes the program's lines; of others' only warnings and errors.
pub fn subscriber(level: LevelFilter, sink: Sink) -> impl Subscriber + Send + Sync {
    let others = level.min(LevelFilter::WARN);
    let shown = move |metadata: &Metadata<'_>| {
        let is_ours = metadata.target().starts_with("labelrelay");
        let limit = if is_ours { level } else { others };
        *metadata.level() <= limit && (metadata.is_event() || is_ours)
    };
    let filter = filter_fn(shown).with_max_level_hint(level);
    Registry::default().with(Lines(sink).with_filter(filter))
}

/// A line about something before the log is set up, or after it.
pub fn line(level: Level, event: &str, message: &str) -> Vec<u8> {
    let fields = Map::from_iter([("message".to_owned(), Value::from(message))]);
    written(level, event, None, fields)
}

/// Panics become one line that says where. Not their message: it may quote what it stumbled over.
pub fn panics_to(sink: Sink) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        sink(&line(
            Level::ERROR,
            "panic",
            &format!("a bug at {place}; please report it"),
        ));
    }));
}

/// The platform's names of levels.
fn severity(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG | Level::TRACE => "DEBUG",
    }
}

fn written(
    level: Level,
    event: &str,
    trace: Option<&str>,
    mut fields: Map<String, Value>,
) -> Vec<u8> {
    let mut members = Map::new();
    members.insert("severity".to_owned(), severity(level).into());
    let message = fields.remove("message").unwrap_or_else(|| event.into());
    members.insert("message".to_owned(), message);
    let now = Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string();
    members.insert("time".to_owned(), now.into());
    members.insert("event".to_owned(), event.into());
    if let Some(trace) = trace {
        members.insert(TRACE.to_owned(), trace.into());
    }
    // Names that mean something to the platform are the platform's.
    for (name, value) in fields {
        members.entry(name).or_insert(value);
    }
    let mut line = serde_json::to_vec(&members).unwrap_or_default();
    line.push(b'\n');
    line
}

struct Lines(Sink);

/// What a request's span says of its trace.
struct SpanTrace(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        attributes.record(&mut fields);
        if let (Some(Value::String(trace)), Some(span)) =
            (fields.0.remove("trace"), context.span(id))
        {
            span.extensions_mut().insert(SpanTrace(trace));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let metadata = event.metadata();
        // An event without a name of its own is called after its place; its crate says more.
        let name = if metadata.name().starts_with("event ") {
            metadata.target()
        } else {
            metadata.name()
        };
        let trace = context.event_scope(event).and_then(|mut scope| {
            scope.find_map(|span| {
                span.extensions()
                    .get::<SpanTrace>()
                    .map(|trace| trace.0.clone())
            })
        });
        (self.0)(&written(
            *metadata.level(),
            name,
            trace.as_deref(),
            fields.0,
        ));
    }
}

struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        // Times in milliseconds come as this; JSON's readers take no larger numbers than the next smaller one.
        match u64::try_from(value) {
            Ok(value) => self.put(field, value.into()),
            Err(_) => self.put(field, value.to_string().into()),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        let _ = write!(text, "{value:?}");
        self.put(field, text.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn lines_are_what_cloud_logging_reads() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = {
            let lines = Arc::clone(&lines);
            Arc::new(move |line: &[u8]| lines.lock().unwrap().push(line.to_vec()))
        };
        tracing::subscriber::with_default(subscriber(LevelFilter::INFO, sink), || {
            let trace = "projects/p/traces/0af7651916cd43dd8448eb211c80319c";
            tracing::error_span!("request", trace).in_scope(|| {
                tracing::warn!(name: "delivery_refused", source = "labelbox", body_bytes = 3_u64, severity = "x", "delivery \"refused\"\n");
                tracing::debug!("not shown");
            });
            tracing::info!(target: "hyper", "somebody else's");
            tracing::error!(target: "hyper", "somebody else's error");
        });
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
