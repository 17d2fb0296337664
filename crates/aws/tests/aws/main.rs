//! The back end of AWS against servers that speak its protocols, and against one that misbehaves.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod credentials;
mod extended;
mod logs;
mod misbehaving;
mod permissions;
mod s3;
mod secrets;
mod setup;
mod sqs;
mod sqs_client;
mod sqs_source;
