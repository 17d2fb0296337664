//! The custom handler: in this process behind the stand-in for the host, and as a program in front of
//! Azurite.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod conformance;
#[cfg(feature = "otlp")]
mod exported;
mod identity;
mod in_process;
mod label_studio;
mod outage;
mod program;
mod redrive;
mod setup;
mod start;
mod start_suite;
mod traces;
