//! The changes that events become: `docs/changes.md` is the specification, and `tests/fixtures/changes` decides.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod control_tags;
mod errors;
mod exact;
mod fixtures;
mod json_pointers;
mod labelbox_samples;
mod large;
mod plain;
mod spans;
