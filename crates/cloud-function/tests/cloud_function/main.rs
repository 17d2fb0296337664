//! The service on Cloud Run: what the platform asks of it, and what it does with deliveries.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod conformance;
mod contract;
mod deliveries;
#[cfg(feature = "otlp")]
mod exported;
#[cfg(not(feature = "otlp"))]
mod left_out;
mod outage;
mod proxy;
mod redrive;
mod secrets;
mod service;
mod start;
mod start_suite;
mod traces;
