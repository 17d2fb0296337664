//! OpenTelemetry: off, unless the environment names a collector, and a feature of the build.

#[cfg(feature = "otlp")]
mod exporting;
#[cfg(not(feature = "otlp"))]
mod left_out;

#[cfg(feature = "otlp")]
pub use exporting::{Export, Exporting};
#[cfg(not(feature = "otlp"))]
pub use left_out::{Export, Exporting};
