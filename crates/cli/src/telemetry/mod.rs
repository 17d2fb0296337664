//! OpenTelemetry, for whatever verb has it: off, unless the environment names a collector, and a feature of the build.

#[cfg(not(feature = "otlp"))]
mod left_out;
#[cfg(feature = "otlp")]
mod pull_metrics;
#[cfg(feature = "otlp")]
mod spans;

#[cfg(not(feature = "otlp"))]
pub(crate) use left_out::{PullMetrics, Spans, warn_if_wanted};
#[cfg(feature = "otlp")]
pub(crate) use pull_metrics::PullMetrics;
#[cfg(feature = "otlp")]
pub(crate) use spans::Spans;
