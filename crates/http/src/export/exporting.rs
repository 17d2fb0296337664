//! A build with it: spans and counts leave after the answers, and at the latest when the program is stopped. Between requests,
//! a platform may take the processor away: what waits then leaves with the next request, or with the stop.

use super::Platform;
use labelrelay_core::config::{Config, Lookup};
use labelrelay_core::{Clock, Entropy, Observer};
use labelrelay_otlp::{AboutFunction, FunctionTelemetry};
use std::sync::Arc;

/// What is exported, if anything is.
pub struct Export(Option<FunctionTelemetry>);

/// An export at work, if there is one.
pub struct Exporting(Option<labelrelay_otlp::Exporting>);

impl Export {
    /// Reads the settings. Nothing is sent yet.
    pub fn of(
        platform: Platform,
        config: &Config,
        lookup: Lookup<'_>,
        clock: &Arc<dyn Clock>,
        entropy: impl Entropy + 'static,
    ) -> Self {
        let about = AboutFunction {
            queue: config.queue.as_deref().unwrap_or_default(),
            provider: platform.provider,
            name: lookup.text(platform.name).ok().flatten(),
            timeout: None,
        };
        let on = FunctionTelemetry::at_start(&about, lookup, clock, Arc::new(entropy));
        Self(on)
    }

    /// What feeds `log`, and the spans and counts, if they go anywhere.
    pub fn beside(&self, log: Arc<dyn Observer>) -> Arc<dyn Observer> {
        match &self.0 {
            Some(on) => on.beside(log),
            None => log,
        }
    }

    /// Begins to send. Must be called within a Tokio runtime.
    pub fn begin(self) -> Exporting {
        Exporting(self.0.map(|on| on.exporter().begin()))
    }
}

impl Exporting {
    /// Sends what waits. A collector that hangs keeps nobody for longer than a second.
    pub async fn end(self) {
        if let Some(exporting) = self.0 {
            exporting.end().await;
        }
    }
}
