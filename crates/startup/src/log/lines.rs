//! Log lines as platforms read them: one JSON object each. The platform decides what its members are called.
//!
//! Only labelrelay's own lines go below warnings or errors: what a cloud's client says at debug and trace may include
//! requests with their headers and bodies. No setting shows those.

use super::writer::LogWriter;
use serde_json::{Map, Value};
use std::fmt::{self, Write as _};
use std::sync::Arc;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Scope};
use tracing_subscriber::{Layer, Registry};

/// Takes whole lines.
pub type Sink = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// The members of a line, as a platform wants them.
pub type Format = fn(Line<'_>) -> Map<String, Value>;

/// A line, before the platform's format.
pub struct Line<'a> {
    /// Level.
    pub level: Level,
    /// The event's name.
    pub event: &'a str,
    /// Fields of the spans around it.
    pub span: Map<String, Value>,
    /// Own fields.
    pub fields: Map<String, Value>,
}

impl<'a> Line<'a> {
    /// A line of its own, outside of any span.
    pub fn new<'f>(
        level: Level,
        event: &'a str,
        fields: impl IntoIterator<Item = (&'f str, &'f String)>,
    ) -> Self {
        let fields = fields.into_iter();
        Self {
            level,
            event,
            span: Map::new(),
            fields: fields
                .map(|(name, value)| (name.to_owned(), Value::from(value.as_str())))
                .collect(),
        }
    }
}

/// A sink that `writer` empties from a thread of its own: nothing waits for whoever reads the log.
pub fn to_writer(writer: &LogWriter) -> Sink {
    let writer = writer.clone();
    Arc::new(move |line| writer.line(line))
}

/// A line with its line break: also for what is said before the log is set up, or after it.
pub fn written(format: Format, line: Line<'_>) -> Vec<u8> {
    let mut line = serde_json::to_vec(&format(line)).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Tells whether a line or a span is shown at `level`: of others only what is at least as bad as `others`, and no
/// spans.
pub fn is_shown(metadata: &Metadata<'_>, level: LevelFilter, others: LevelFilter) -> bool {
    let is_ours = metadata.target().starts_with("labelrelay");
    let limit = if is_ours { level } else { level.min(others) };
    *metadata.level() <= limit && (metadata.is_event() || is_ours)
}

/// Takes the program's lines; of others' those from `others` on.
pub fn subscriber(
    level: LevelFilter,
    others: LevelFilter,
    format: Format,
    sink: Sink,
) -> impl Subscriber + Send + Sync + for<'s> LookupSpan<'s> {
    let shown = move |metadata: &Metadata<'_>| is_shown(metadata, level, others);
    let filter = filter_fn(shown).with_max_level_hint(level);
    Registry::default().with(Lines { format, sink }.with_filter(filter))
}

/// Writes each event as a line.
pub struct Lines {
    /// The platform's format.
    pub format: Format,
    /// Takes the lines.
    pub sink: Sink,
}

/// The fields of a span, for its lines.
struct OfSpan(Map<String, Value>);

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(OfSpan(fields.0));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut span = Map::new();
        // From the root, so that what lies further in is the word that stays.
        let spans = context.event_scope(event).into_iter();
        for around in spans.flat_map(Scope::from_root) {
            if let Some(OfSpan(fields)) = around.extensions().get() {
                span.extend(fields.clone());
            }
        }
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let metadata = event.metadata();
        // An event without a name of its own is called after its place; its crate says more.
        let name = if metadata.name().starts_with("event ") {
            metadata.target()
        } else {
            metadata.name()
        };
        let line = Line {
            level: *metadata.level(),
            event: name,
            span,
            fields: fields.0,
        };
        (self.sink)(&written(self.format, line));
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
    use std::time::Duration;

    fn format(line: Line<'_>) -> Map<String, Value> {
        let mut members = line.span;
        members.insert("event".to_owned(), line.event.into());
        members.extend(line.fields);
        members
    }

    /// Lines that `work` logs at the level debug.
    fn lines(work: impl FnOnce()) -> Vec<Value> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let sink: Sink = Arc::new(move |line: &[u8]| {
            let line = serde_json::from_slice(line).unwrap();
            kept.lock().unwrap().push(line);
        });
        let subscriber = subscriber(LevelFilter::DEBUG, LevelFilter::WARN, format, sink);
        tracing::subscriber::with_default(subscriber, work);
        let lines = lines.lock().unwrap();
        lines.clone()
    }

    #[test]
    fn numbers_are_numbers_and_the_innermost_word_stays() {
        let lines = lines(|| {
            let outer =
                tracing::error_span!(target: "labelrelay", "outer", source = "outer", id = 1);
            let _outer = outer.enter();
            let inner = tracing::error_span!(target: "labelrelay", "inner", source = "inner");
            let _inner = inner.enter();
            let elapsed_ms = Duration::from_secs(3).as_millis();
            tracing::info!(name: "redrive", elapsed_ms, "redrive");
            tracing::info!(name: "more", elapsed_ms = u128::MAX, source = "event", "more");
        });
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[0]["elapsed_ms"], 3000);
        assert_eq!(lines[0]["source"], "inner");
        assert_eq!(lines[0]["id"], 1);
        assert_eq!(lines[1]["elapsed_ms"], u128::MAX.to_string());
        assert_eq!(lines[1]["source"], "event");
    }

    #[test]
    fn spans_and_chatter_of_others_are_left_out() {
        let lines = lines(|| {
            let span = tracing::error_span!(target: "hyper", "request", authorization = "secret");
            let _span = span.enter();
            tracing::debug!(target: "hyper", authorization = "secret");
            tracing::warn!(target: "hyper", "a warning");
            tracing::debug!(target: "labelrelay_core", "ours");
        });
        let messages: Vec<_> = lines.iter().map(|line| &line["message"]).collect();
        assert_eq!(messages, ["a warning", "ours"]);
        assert!(lines.iter().all(|line| line.get("authorization").is_none()));
    }
}
