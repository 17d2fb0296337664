//! A build without it.

use crate::env::Env;
use crate::error::CliError;
use labelrelay_core::config::Config;
use labelrelay_core::{Clock, NoObserver};
use labelrelay_http::admin::Metrics;
use std::future::Ready;
use std::sync::Arc;

/// Variables that ask for it.
const ENDPOINTS: [&str; 3] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
];

/// Nothing.
pub(in crate::serve) struct Telemetry;

/// Nothing at work.
pub(in crate::serve) struct Running;

impl Telemetry {
    pub(in crate::serve) fn of(
        _: &Config,
        env: &Env<'_>,
        _: &Arc<dyn Clock>,
    ) -> Result<Self, CliError> {
        for name in ENDPOINTS {
            if env.var(name)?.is_some() {
                tracing::warn!(name: "telemetry_left_out", variable = name, "this program is built without OpenTelemetry: build it with `--features otlp`, or unset the variable");
            }
        }
        Ok(Self)
    }

    pub(in crate::serve) fn counted_by(&self, metrics: Metrics) -> Metrics {
        let Self = self;
        metrics
    }

    pub(in crate::serve) fn observer(&self) -> NoObserver {
        let Self = self;
        NoObserver
    }

    pub(in crate::serve) const fn most_bytes(&self) -> u64 {
        let Self = self;
        0
    }

    pub(in crate::serve) fn begin(self, _: &Arc<Metrics>) -> Running {
        let Self = self;
        Running
    }
}

impl Running {
    pub(in crate::serve) fn end(self) -> Ready<()> {
        let Self = self;
        std::future::ready(())
    }
}
