//! The pipeline, from request to message, with a queue that misbehaves on demand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub
)]

mod contradicting_settings;
mod credentials;
mod doubt;
mod endpoints;
mod envelope;
mod exchanges;
mod fallback;
mod identity;
mod paths;
mod queueing;
mod redrive_memory;
mod secrets;
mod secrets_meanwhile;
mod spool;
mod test_bench;
mod traces;
