//! End to end: the real program, real senders or their recorded requests, a real queue on disk.
//!
//! `cargo xtask e2e` runs these against a release build, Label Studio included.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod archive;
mod archive_kills;
mod changes;
#[path = "../changes_differential/mod.rs"]
mod changes_differential;
mod connect;
mod consumers;
mod contract;
mod crash;
mod dataset;
mod dataset_edits;
mod dataset_kills;
mod dataset_training;
mod derived;
#[cfg(unix)]
mod documents;
mod fallback;
mod forgery;
mod hang_up;
mod label_studio;
mod page;
mod python_consumer;
#[path = "../readers/mod.rs"]
mod readers;
mod reconcile;
mod recorded;
mod repeats;
mod rust_consumer;
mod shutdown;
mod slow_disk;
mod telemetry;
mod traffic;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Held for reading by each test that waits for other programs most of the time: two of these run at once.
static MACHINE: RwLock<()> = RwLock::new(());

/// Held by a test that others may run beside.
fn beside_others() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// Held by a test that compares times.
fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}
