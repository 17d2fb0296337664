//! Telemetry of a function: many of them run, each for a short time.

use crate::collector::Collector;
use crate::deliveries::DeliveryTelemetry;
use crate::exporter::Exporter;
use crate::settings::{Settings, TIMEOUT};
use labelrelay_core::config::Lookup;
use labelrelay_core::{Clock, Entropy, Observer};
use labelrelay_metrics::Metrics;
use labelrelay_metrics::observe::Tee;
use std::sync::Arc;
use std::time::Duration;

/// What a function says of itself.
#[derive(Debug, Clone)]
pub struct AboutFunction<'a> {
    /// URL of the queue that events go to.
    pub queue: &'a str,
    /// `cloud.provider`, as OpenTelemetry's conventions name it.
    pub provider: &'static str,
    /// `faas.name`, if the platform tells it.
    pub name: Option<String>,
    /// Longest time for a request to the collector where the environment says none; `None`: the usual one.
    pub timeout: Option<Duration>,
}

/// Spans of a function's deliveries, and its counts, before anything is sent.
pub struct FunctionTelemetry {
    telemetry: DeliveryTelemetry,
    metrics: Arc<Metrics>,
}

impl FunctionTelemetry {
    /// Reads the settings. `None` unless the environment names a collector. A value that is wrong is told in the log.
    pub fn at_start(
        about: &AboutFunction<'_>,
        lookup: Lookup<'_>,
        clock: &Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Option<Self> {
        let mut settings = Settings::at_start(lookup, &*entropy)?;
        // What is no text switched it off already.
        if let (Some(timeout), Ok(None)) = (about.timeout, lookup.text(TIMEOUT)) {
            settings.timeout = timeout;
        }
        settings.say("cloud.provider", || about.provider.to_owned());
        if let Some(name) = &about.name {
            settings.say("faas.name", || name.clone());
        }
        let telemetry = DeliveryTelemetry::new(settings, about.queue, clock, entropy);
        let metrics = Arc::new(telemetry.counted_by(Metrics::new()));
        Some(Self { telemetry, metrics })
    }

    /// What feeds `log`, the spans and the counts.
    pub fn beside(&self, log: Arc<dyn Observer>) -> Arc<dyn Observer> {
        let counts = Arc::clone(&self.metrics);
        Arc::new(Tee(log, Tee(counts, self.telemetry.observer())))
    }

    /// Sends them; of each count, what came since the collector last took it. Must be called within a Tokio runtime.
    pub fn exporter(self) -> Exporter<Collector> {
        self.telemetry.exporter(&self.metrics).with_deltas()
    }
}
