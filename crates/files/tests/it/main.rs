//! The stores and the spool, against real files.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail it by panicking")]

mod fallback;
mod object_store;
mod spool;
mod store;
