//! OpenTelemetry, while `serve` runs: off, unless the environment names a collector, and a feature of the build.

#[cfg(feature = "otlp")]
mod exporting;
#[cfg(not(feature = "otlp"))]
mod left_out;

#[cfg(feature = "otlp")]
pub(super) use exporting::Telemetry;
#[cfg(not(feature = "otlp"))]
pub(super) use left_out::Telemetry;
