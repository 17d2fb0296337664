//! The HTTP surface over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[cfg(feature = "admin")]
mod admin;
mod connections;
mod deliveries;
mod refused;
mod slots;
mod stop;
mod support;
mod under_way;
