//! The back end of Google Cloud against emulators.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod outage;
mod pubsub;
mod pubsub_source;
mod setup;
mod storage;
