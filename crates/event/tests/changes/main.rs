//! What events become: `docs/changes.md` is the specification, and `tests/fixtures/changes` decides.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod exact;
mod fixtures;
mod plain;
mod pointers;
