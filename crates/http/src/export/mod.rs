//! OpenTelemetry of a function behind this server: off, unless the environment names a collector, and a feature of the
//! build.

#[cfg(feature = "otlp")]
mod exporting;
#[cfg(not(feature = "otlp"))]
mod left_out;

/// Where a function runs, and how its platform tells it its name.
#[derive(Debug, Clone, Copy)]
pub struct Platform {
    /// `cloud.provider`, as OpenTelemetry's conventions name it.
    pub provider: &'static str,
    /// The variable with the function's name.
    pub name: &'static str,
}

#[cfg(feature = "otlp")]
pub use exporting::{Export, Exporting};
#[cfg(not(feature = "otlp"))]
pub use left_out::{Export, Exporting};
