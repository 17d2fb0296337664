//! A build with it: spans and counts leave after the answers, and at the latest when the host stops the program.

use labelrelay_core::config::{Config, Lookup};
use labelrelay_core::{Clock, Observer};
use labelrelay_otlp::{AboutFunction, FunctionTelemetry};
use labelrelay_startup::OsEntropy;
use std::sync::Arc;

/// What is exported, if anything is.
pub struct Export(Option<FunctionTelemetry>);

/// An export at work, if there is one.
pub struct Exporting(Option<labelrelay_otlp::Exporting>);

impl Export {
    /// Reads the settings. Nothing is sent yet.
    pub fn of(config: &Config, lookup: Lookup<'_>, clock: &Arc<dyn Clock>) -> Self {
        let about = AboutFunction {
            queue: config.queue.as_deref().unwrap_or_default(),
            provider: "azure",
            name: lookup.text("WEBSITE_SITE_NAME").ok().flatten(),
            timeout: None,
        };
        let entropy = Arc::new(OsEntropy);
        Self(FunctionTelemetry::at_start(&about, lookup, clock, entropy))
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
