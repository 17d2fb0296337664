//! Spans of the events that `consume` hands on.

use crate::env::Env;
use labelrelay_consumer::Outcome;
use labelrelay_core::Clock;
use labelrelay_event::Attributes;
use labelrelay_otlp::{Collector, Destination, Exporter, Exporting, Processing, Settings, Tracer};
use labelrelay_startup::{OsEntropy, SystemClock};
use std::sync::Arc;

/// Has a span for each event, if it is on.
pub(crate) struct Spans(Option<Tracer>);

/// What sends the spans.
pub(crate) struct SpansSent(Option<Exporting>);

impl Spans {
    /// Begins to send, for events that come from `queue`, a URL. Within a Tokio runtime.
    pub(crate) fn begin(queue: &str, env: &Env<'_>) -> (Self, SpansSent) {
        let on = Settings::at_start(env.lookup(), &OsEntropy);
        let on = on.filter(|settings| settings.traces.is_some());
        let Some(mut settings) = on else {
            return (Self(None), SpansSent(None));
        };
        // It counts nothing.
        settings.metrics = None;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let queue = Destination::of_url(queue);
        let entropy = Arc::new(OsEntropy);
        let tracer = Tracer::new(settings.sampler, queue, Arc::clone(&clock), entropy);
        let collector = Collector::default();
        let exporter = Exporter::new(settings, tracer.clone(), String::new, clock, collector);
        (Self(Some(tracer)), SpansSent(Some(exporter.begin())))
    }

    /// Begins the span of an event. Whoever these attributes are handed to goes on with that span.
    pub(crate) fn begin_event(&self, attributes: &mut Attributes) -> Option<Processing> {
        let begun = self.0.as_ref()?.begin_processing(attributes)?;
        attributes.traceparent = Some(begun.context().to_string());
        if !begun.has_parent() {
            // It is of no trace, or of another one.
            attributes.tracestate = None;
        }
        Some(begun)
    }

    /// Ends it.
    pub(crate) fn end_event(&self, begun: Option<Processing>, outcome: &Outcome) {
        if let (Some(tracer), Some(begun)) = (&self.0, begun) {
            tracer.end_processing(begun, error(outcome));
        }
    }
}

impl SpansSent {
    /// Sends what waits. A collector that hangs keeps nobody for long.
    pub(crate) async fn end(self) {
        if let Some(exporting) = self.0 {
            exporting.end().await;
        }
    }
}

/// What sort of error it was, and why.
fn error(outcome: &Outcome) -> Option<(&'static str, &str)> {
    match outcome {
        Outcome::Again { reason, .. } => Some(("again", reason.as_str())),
        Outcome::Rejected { reason } => Some(("rejected", reason.as_str())),
        Outcome::Unreadable { reason, .. } => Some(("unreadable", reason.as_str())),
        _ => None,
    }
}
