//! A build without it.

use crate::env::Env;
use crate::output::say;
use labelrelay_consumer::Outcome;
use labelrelay_core::Clock;
use labelrelay_core::config::{TELEMETRY_LEFT_OUT, telemetry_asked_by};
use labelrelay_event::Attributes;
use labelrelay_http::admin::Metrics;
use std::future::{Ready, ready};
use std::sync::Arc;

/// Says in the log that a variable asks for it in vain.
pub(crate) fn warn_if_wanted(env: &Env<'_>) {
    for name in telemetry_asked_by(env.lookup()) {
        tracing::warn!(name: "telemetry_left_out", variable = name, "{TELEMETRY_LEFT_OUT}");
    }
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
        for name in telemetry_asked_by(env.lookup()) {
            say(format_args!("warning: {name}: {TELEMETRY_LEFT_OUT}"));
        }
        Self
    }

    pub(crate) fn end(self) -> Ready<()> {
        let Self = self;
        ready(())
    }
}
