//! The embedded queue and the blob store, against real files.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail it by panicking")]

mod append;
mod blob;
mod conformance;
mod crash;
mod fallback;
mod faults;
mod journal;
mod ledger;
mod owner;
mod prune;
mod reading;
mod repeats;
mod support;
