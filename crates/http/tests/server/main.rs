//! The HTTP surface over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod connections;
mod deliveries;
mod places;
mod stop;
mod support;
