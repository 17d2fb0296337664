//! Shared by labelrelay's tests: senders, a clock that stands still, a queue in memory that fails on demand, and
//! conformance suites as plain functions.
//!
//! Nothing here stands in for a component that a test could run for real; the queue in memory is for
//! tests of what the pipeline does when a queue misbehaves.

// Helpers of tests fail a test by panicking.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc
)]

#[cfg(feature = "adapters")]
pub mod adapter_suite;
pub mod blob_suite;
pub mod clock;
pub mod fallback_suite;
pub mod fixtures;
pub mod in_memory;
mod memory_queue;
pub mod object_suite;
pub mod queue_suite;
#[cfg(feature = "record")]
pub mod record_suite;
pub mod request;
pub mod source_suite;
pub mod start_suite;
