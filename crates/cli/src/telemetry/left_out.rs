//! A build without it.

use crate::env::Env;

/// Variables that ask for it.
const ENDPOINTS: [&str; 3] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
];

/// Says in the log that a variable asks for it in vain.
pub(crate) fn warn_if_wanted(env: &Env<'_>) {
    for name in ENDPOINTS {
        // One that is no text asks for it, too.
        let value = env.lookup().secret(name);
        if value.is_some_and(|value| !value.is_empty()) {
            tracing::warn!(name: "telemetry_left_out", variable = name, "this program is built without OpenTelemetry: build it with `--features otlp`, or unset the variable");
        }
    }
}
