//! Telemetry of a program that takes deliveries in.

use crate::collector::Collector;
use crate::destination::Destination;
use crate::exporter::Exporter;
use crate::settings::Settings;
use crate::tracer::{MOST_BYTES, Tracer};
use labelrelay_core::{Clock, Entropy, Exchange, Observer, QueueError, Report, TraceContext};
use labelrelay_metrics::Metrics;
use std::sync::Arc;

/// Spans of deliveries, and metrics, before anything is sent.
pub struct DeliveryTelemetry {
    settings: Settings,
    tracer: Tracer,
    clock: Arc<dyn Clock>,
}

impl DeliveryTelemetry {
    /// That of events which go to `queue`, a URL.
    pub fn new(
        settings: Settings,
        queue: &str,
        clock: &Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let queue = Destination::of_url(queue);
        let tracer = Tracer::new(settings.sampler, queue, Arc::clone(clock), entropy);
        Self {
            settings,
            tracer,
            clock: Arc::clone(clock),
        }
    }

    /// The same metrics, with those of telemetry itself.
    pub fn counted_by(&self, metrics: Metrics) -> Metrics {
        let tracer = self.tracer.clone();
        metrics.with_dropped_spans(move || tracer.dropped())
    }

    /// Notes requests, if spans go anywhere.
    pub fn observer(&self) -> Noting {
        Noting(self.has_spans().then(|| self.tracer.clone()))
    }

    /// The most that it has in memory.
    pub fn most_bytes(&self) -> u64 {
        if self.has_spans() { MOST_BYTES } else { 0 }
    }

    fn has_spans(&self) -> bool {
        self.settings.traces.is_some()
    }

    /// Sends the spans that were noted, and these metrics. Must be called within a Tokio runtime.
    pub fn exporter(self, metrics: &Arc<Metrics>) -> Exporter<Collector> {
        let metrics = Arc::clone(metrics);
        let exposition = move || metrics.encode();
        let collector = Collector::default();
        Exporter::new(
            self.settings,
            self.tracer,
            exposition,
            self.clock,
            collector,
        )
    }
}

/// A tracer, if there is one.
#[derive(Clone, Default)]
pub struct Noting(Option<Tracer>);

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
