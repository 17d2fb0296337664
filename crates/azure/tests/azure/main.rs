//! The back end of Azure: its connections against a server that falls silent, and all of it against the
//! real Azurite.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod blobs;
mod connections;
mod queue_source;
mod queues;
mod setup;
