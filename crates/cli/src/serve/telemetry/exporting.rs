//! A build with it.

use crate::env::Env;
use labelrelay_core::Clock;
use labelrelay_http::admin::Metrics;
use labelrelay_otlp::{DeliveryTelemetry, Exporting, Noting, Settings};
use labelrelay_startup::OsEntropy;
use std::sync::Arc;

/// The part of telemetry that is there before anything is sent.
pub(in crate::serve) struct Telemetry(Option<DeliveryTelemetry>);

/// Telemetry at work, if it is on.
pub(in crate::serve) struct Running(Option<Exporting>);

impl Telemetry {
    /// Reads the settings. Nothing is sent yet. Events go to `queue`, a URL.
    pub(in crate::serve) fn of(queue: &str, env: &Env<'_>, clock: &Arc<dyn Clock>) -> Self {
        let settings = Settings::at_start(env.lookup(), &OsEntropy);
        let on = |settings| DeliveryTelemetry::new(settings, queue, clock, Arc::new(OsEntropy));
        Self(settings.map(on))
    }

    /// The same metrics, with those of telemetry itself, if it is on.
    pub(in crate::serve) fn counted_by(&self, metrics: Metrics) -> Metrics {
        match &self.0 {
            Some(on) => on.counted_by(metrics),
            None => metrics,
        }
    }

    /// Notes requests, if spans go anywhere.
    pub(in crate::serve) fn observer(&self) -> Noting {
        let on = self.0.as_ref();
        on.map(DeliveryTelemetry::observer).unwrap_or_default()
    }

    /// The most that it has in memory.
    pub(in crate::serve) fn most_bytes(&self) -> u64 {
        self.0.as_ref().map_or(0, DeliveryTelemetry::most_bytes)
    }

    /// Begins to send.
    pub(in crate::serve) fn begin(self, metrics: &Arc<Metrics>) -> Running {
        Running(self.0.map(|on| on.exporter(metrics).begin()))
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
