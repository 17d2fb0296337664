//! OpenTelemetry, for whatever verb has it: off, unless the environment names a collector, and a feature of the build.
//!
//! Whoever runs a collector sets its variables for all programs of a machine, of which some speak what this one does not. So
//! a value that is not understood switches it off, says so, and keeps nothing from running.

#[cfg(feature = "otlp")]
mod collector;
#[cfg(not(feature = "otlp"))]
mod left_out;
#[cfg(feature = "otlp")]
mod pull_metrics;
#[cfg(feature = "otlp")]
mod set_up;
#[cfg(feature = "otlp")]
mod spans;

#[cfg(feature = "otlp")]
pub(crate) use collector::Collector;
#[cfg(not(feature = "otlp"))]
pub(crate) use left_out::{PullMetrics, Spans, warn_if_wanted};
#[cfg(feature = "otlp")]
pub(crate) use pull_metrics::PullMetrics;
#[cfg(feature = "otlp")]
pub(crate) use set_up::settings;
#[cfg(feature = "otlp")]
pub(crate) use spans::Spans;
