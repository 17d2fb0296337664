//! The page's handler, from the head of a request to the whole answer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod access;
mod answers;
mod fixtures;
mod media;
mod memory;
mod test_bench;
