//! Postgres as a queue, against a real server.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod encrypted;
mod failures;
mod objects;
mod password;
mod queue;
#[cfg(feature = "record")]
mod record;
mod refused;
mod rights;
mod setup;
mod source;
