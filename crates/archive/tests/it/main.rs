//! The archive, in real directories and behind real queues.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail it by panicking")]

mod bad_input;
mod compact;
mod feeder;
mod support;
