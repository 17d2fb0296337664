//! Core's reading of every fixture: recorded requests, the documents' samples, and edge cases.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that misses something shall fail"
)]

mod edge;
mod endpoints;
mod event_header;
mod fixtures;
mod from_api;
mod json;
mod recorded;
mod samples;
