//! Shared by the integration tests: the program as a process, senders that speak HTTP byte for byte, recordings of
//! real senders, and the queue's content.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "helpers of tests fail a test by panicking"
)]

pub mod azure;
pub mod changes;
pub mod client;
pub mod contract;
pub mod export;
pub mod fixture;
pub mod label_studio;
pub mod passed_checks;
pub mod program;
pub mod random;
pub mod recording_proxy;
pub mod relay;
pub mod sender;
pub mod servers;
pub mod traced;
