//! A build without it.

use crate::env::Env;
use crate::output::say;
use labelrelay_consumer::Outcome;
use labelrelay_core::Clock;
use labelrelay_event::Attributes;
use labelrelay_http::admin::Metrics;
use std::future::{Ready, ready};
use std::sync::Arc;

/// Variables that ask for it.
const ENDPOINTS: [&str; 3] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
];

const WORDS: &str = "this program is built without OpenTelemetry: build it with `--features otlp`, or unset the variable";

/// Says in the log that a variable asks for it in vain.
pub(crate) fn warn_if_wanted(env: &Env<'_>) {
    for name in asked_by(env) {
        tracing::warn!(name: "telemetry_left_out", variable = name, "{WORDS}");
    }
}

/// The variables that are set. One that is no text asks for it, too.
fn asked_by(env: &Env<'_>) -> impl Iterator<Item = &'static str> {
    ENDPOINTS.into_iter().filter(move |name| {
        let value = env.lookup().secret(name);
        value.is_some_and(|value| !value.is_empty())
    })
}

/// No spans.
pub(crate) struct Spans;

/// Nothing that sends them.
pub(crate) struct SpansSent;

/// No span.
#[derive(Clone, Copy)]
pub(crate) struct NoSpan;

impl Spans {
    pub(crate) fn begin(_: &str, env: &Env<'_>) -> (Self, SpansSent) {
        warn_if_wanted(env);
        (Self, SpansSent)
    }

    pub(crate) fn begin_event(&self, _: &mut Attributes) -> NoSpan {
        let Self = self;
        NoSpan
    }

    pub(crate) fn end_event(&self, _: NoSpan, _: &Outcome) {
        let Self = self;
    }
}

impl SpansSent {
    pub(crate) fn end(self) -> Ready<()> {
        let Self = self;
        ready(())
    }
}

/// No metrics are sent.
pub(crate) struct PullMetrics;

impl PullMetrics {
    pub(crate) fn begin(_: &Arc<Metrics>, _: &Arc<dyn Clock>, env: &Env<'_>) -> Self {
        for name in asked_by(env) {
            say(format_args!("warning: {name}: {WORDS}"));
        }
        Self
    }

    pub(crate) fn end(self) -> Ready<()> {
        let Self = self;
        ready(())
    }
}
