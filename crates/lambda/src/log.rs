//! Log lines: one JSON object each, on standard output, with the request's id.
//!
//! Only labelrelay's own lines go below warnings. What the AWS SDK, the HTTP client and the runtime say
//! at debug and trace includes requests with their headers and whole events: bodies, secrets and
//! credentials. No setting shows those.

use jiff::Timestamp;
use labelrelay_core::config::{ConfigError, ENVIRONMENT, Lookup};
use serde_json::{Map, Value};
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::Arc;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry};

/// Where whole lines go.
pub type Sink = Arc<dyn Fn(&[u8]) + Send + Sync>;

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

/// The level that the environment names: `LABELRELAY_LOG`, else Lambda's own `AWS_LAMBDA_LOG_LEVEL`.
///
/// # Errors
/// [`ConfigError`] when it is not a level.
pub fn level(lookup: Lookup<'_>) -> Result<LevelFilter, ConfigError> {
    for variable in ["LABELRELAY_LOG", "AWS_LAMBDA_LOG_LEVEL"] {
        let Some(text) = lookup.text(variable)? else {
            continue;
        };
        // Lambda knows one more.
        let text = if text.eq_ignore_ascii_case("fatal") {
            "error"
        } else {
            &text
        };
        return text.parse().map_err(|_| {
            let cure = "write off, error, warn, info, debug or trace";
            ConfigError::new(ENVIRONMENT, variable, "is not a level", cure)
        });
    }
    Ok(LevelFilter::INFO)
}

/// What takes the program's lines; of others' only warnings and errors.
pub fn subscriber(level: LevelFilter, sink: Sink) -> impl Subscriber + Send + Sync {
    let shown = move |metadata: &Metadata<'_>| {
        let is_ours = metadata.target().starts_with("labelrelay");
        metadata.is_event()
            && *metadata.level()
                <= if is_ours {
                    level
                } else {
                    level.min(LevelFilter::WARN)
                }
    };
    Registry::default().with(Lines(sink).with_filter(filter_fn(shown).with_max_level_hint(level)))
}

/// A line about a failed start, or of something before the log is set up.
pub fn line(level: LevelFilter, event: &str, members: &[(&str, &str)]) -> Vec<u8> {
    let members = members
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    written(level, event, members.collect())
}

/// Panics become one line that says where. Not their message: it may quote what it stumbled over.
pub fn panics_to(sink: Sink) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        sink(&line(LevelFilter::ERROR, "panic", &[("place", &place)]));
    }));
}

pub(crate) fn timestamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn written(level: LevelFilter, event: &str, fields: Map<String, Value>) -> Vec<u8> {
    let mut members = Map::new();
    members.insert("timestamp".to_owned(), timestamp(Timestamp::now()).into());
    members.insert("level".to_owned(), level.to_string().to_uppercase().into());
    members.insert("event".to_owned(), event.into());
    if let Some(id) = request_id() {
        members.insert("requestId".to_owned(), id.into());
    }
    members.extend(fields);
    let mut line = serde_json::to_vec(&members).unwrap_or_default();
    line.push(b'\n');
    line
}

struct Lines(Sink);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        let metadata = event.metadata();
        let level = LevelFilter::from_level(*metadata.level());
        // An event without a name of its own is called after its place; its crate says more.
        let name = if metadata.name().starts_with("event ") {
            metadata.target()
        } else {
            metadata.name()
        };
        (self.0)(&written(level, name, fields.0));
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
