//! The function: its handler in this process, and its binary behind the real tools.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod binary;
mod conformance;
mod edges;
mod event_builder;
#[cfg(feature = "otlp")]
mod exported;
mod failures;
mod fallback;
mod fronts;
mod handler;
mod init;
mod large_fallback;
mod no_secrets_in_logs;
#[cfg(feature = "otlp")]
mod runtime_api;
mod setup;
mod start;
