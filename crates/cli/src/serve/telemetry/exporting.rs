//! A build with it.

use crate::env::Env;
use crate::telemetry::{self, Collector};
use labelrelay_core::{Clock, Exchange, Observer, QueueError, Report, TraceContext};
use labelrelay_http::admin::Metrics;
use labelrelay_otlp::{Destination, Exporter, Exporting, MOST_BYTES, Settings, Tracer};
use labelrelay_startup::OsEntropy;
use std::sync::Arc;

/// The part of telemetry that is there before anything is sent.
pub(in crate::serve) struct Telemetry(Option<On>);

struct On {
    settings: Settings,
    tracer: Tracer,
    clock: Arc<dyn Clock>,
}

/// Telemetry at work, if it is on.
pub(in crate::serve) struct Running(Option<Exporting>);

impl Telemetry {
    /// Reads the settings. Nothing is sent yet. Events go to `queue`, a URL.
    pub(in crate::serve) fn of(queue: &str, env: &Env<'_>, clock: &Arc<dyn Clock>) -> Self {
        Self(telemetry::settings(env).map(|settings| {
            let queue = Destination::of_url(queue);
            let entropy = Arc::new(OsEntropy);
            let tracer = Tracer::new(settings.sampler, queue, Arc::clone(clock), entropy);
            On {
                settings,
                tracer,
                clock: Arc::clone(clock),
            }
        }))
    }

    /// The same metrics, with those of telemetry itself, if it is on.
    pub(in crate::serve) fn counted_by(&self, metrics: Metrics) -> Metrics {
        match &self.0 {
            Some(on) => {
                let tracer = on.tracer.clone();
                metrics.with_dropped_spans(move || tracer.dropped())
            }
            None => metrics,
        }
    }

    /// Notes requests, if spans go anywhere.
    pub(in crate::serve) fn observer(&self) -> Noting {
        let on = self.0.as_ref();
        let on = on.filter(|on| on.settings.traces.is_some());
        Noting(on.map(|on| on.tracer.clone()))
    }

    /// The most that it has in memory.
    pub(in crate::serve) fn most_bytes(&self) -> u64 {
        let on = self.0.as_ref();
        let has_spans = on.is_some_and(|on| on.settings.traces.is_some());
        if has_spans { MOST_BYTES } else { 0 }
    }

    /// Begins to send.
    pub(in crate::serve) fn begin(self, metrics: &Arc<Metrics>) -> Running {
        Running(self.0.map(|on| {
            let metrics = Arc::clone(metrics);
            let exposition = move || metrics.encode();
            let collector = Collector::default();
            Exporter::new(on.settings, on.tracer, exposition, on.clock, collector).begin()
        }))
    }
}

impl Running {
    /// Sends what waits. A collector that hangs keeps nobody for long.
    pub(in crate::serve) async fn end(self) {
        if let Some(exporting) = self.0 {
            exporting.end().await;
        }
    }
}

/// A tracer, if there is one.
pub(in crate::serve) struct Noting(Option<Tracer>);

impl Observer for Noting {
    fn request(&self, _: &Report) {}

    fn exchange(&self, exchange: &Exchange<'_>) {
        if let Some(tracer) = &self.0 {
            tracer.exchange(exchange);
        }
    }

    fn begin_trace(&self) -> Option<TraceContext> {
        self.0.as_ref()?.begin_trace()
    }

    fn queue_attempt_failed(&self, _: &str, _: &str, _: &QueueError) {}
}
