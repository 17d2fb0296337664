//! Log lines: one JSON object each, on standard output, which the host hands on to Application Insights.
//!
//! Only labelrelay's own lines are written, and errors of others: what HTTP clients and SDKs say below that
//! may hold requests with their headers and signed URLs. No setting shows those.

use labelrelay_core::config::{ConfigError, ENVIRONMENT, Lookup};
use labelrelay_http::log::LogWriter;
use serde_json::{Map, Value};
use std::fmt::{self, Write as _};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::SubscriberInitExt as _;

const LEVEL: &str = "LABELRELAY_LOG";

/// The level that the environment names.
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

/// Writes log lines from now on, and panics as lines that say where, not what: the message may quote what
/// it stumbled over. `writer` has a thread of its own, so that no request waits for the host to take a line.
pub fn start_logging(level: LevelFilter, writer: &LogWriter) {
    let shown = move |metadata: &Metadata<'_>| {
        let limit = if metadata.target().starts_with("labelrelay") {
            level
        } else {
            level.min(LevelFilter::ERROR)
        };
        metadata.is_span() || *metadata.level() <= limit
    };
    let filter = filter_fn(shown).with_max_level_hint(level.max(LevelFilter::INFO));
    // A second call, as in tests, changes nothing.
    let _ = Registry::default()
        .with(Lines(writer.clone()).with_filter(filter))
        .try_init();
    let writer = writer.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string);
        writer.line(&line(
            "ERROR",
            "panic",
            &[("place", &place.unwrap_or_default())],
        ));
    }));
}

/// A line of its own, for what is said before there is a log.
pub fn line(level: &str, event: &str, members: &[(&str, &str)]) -> Vec<u8> {
    let members = members
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    written(level, event, members.collect())
}

fn written(level: &str, event: &str, fields: Map<String, Value>) -> Vec<u8> {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    let mut members = Map::new();
    members.insert("timestamp".to_owned(), now.to_string().into());
    members.insert("level".to_owned(), level.into());
    members.insert("event".to_owned(), event.into());
    members.extend(fields);
    let mut line = serde_json::to_vec(&members).unwrap_or_default();
    line.push(b'\n');
    line
}

struct Lines(LogWriter);

/// The fields of a span, for its lines.
struct Kept(Map<String, Value>);

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        // Spans of others may hold anything.
        if !attributes.metadata().target().starts_with("labelrelay") {
            return;
        }
        let mut fields = Fields(Map::new());
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Kept(fields.0));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        // From the root, so that what lies further in is the word that stays.
        let spans = context.event_scope(event).into_iter();
        for span in spans.flat_map(tracing_subscriber::registry::Scope::from_root) {
            if let Some(Kept(kept)) = span.extensions().get() {
                fields.0.extend(kept.clone());
            }
        }
        event.record(&mut fields);
        let metadata = event.metadata();
        // An event without a name of its own is called after its place; its crate says more.
        let name = if metadata.name().starts_with("event ") {
            metadata.target()
        } else {
            metadata.name()
        };
        self.0
            .line(&written(metadata.level().as_str(), name, fields.0));
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
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn numbers_are_numbers_and_the_innermost_word_stays() {
        let buffer = Buffer::default();
        let writer = LogWriter::start(buffer.clone()).unwrap();
        let subscriber = Registry::default().with(Lines(writer.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let outer =
                tracing::error_span!(target: "labelrelay", "outer", source = "outer", id = 1);
            let _outer = outer.enter();
            let inner = tracing::error_span!(target: "labelrelay", "inner", source = "inner");
            let _inner = inner.enter();
            let elapsed_ms = Duration::from_secs(3).as_millis();
            tracing::info!(name: "redrive", elapsed_ms, "redrive");
            tracing::info!(name: "more", elapsed_ms = u128::MAX, source = "event", "more");
        });
        writer.flush_within(Duration::from_secs(20));
        let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(lines[0]["elapsed_ms"], 3000);
        assert_eq!(lines[0]["source"], "inner");
        assert_eq!(lines[0]["id"], 1);
        assert_eq!(lines[1]["elapsed_ms"], u128::MAX.to_string());
        assert_eq!(lines[1]["source"], "event");
    }
}
