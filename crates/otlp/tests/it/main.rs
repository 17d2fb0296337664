//! A pipeline with a tracer, and an exporter whose collector does what a test tells it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs
)]

mod collector;
mod exporting;
mod flushing;
mod spans;
