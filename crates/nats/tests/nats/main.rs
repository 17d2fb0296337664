//! NATS `JetStream` as a queue, against a real server.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod failures;
mod queue;
mod refused;
mod setup;
mod source;
mod view;
