//! The HTTP surface of labelrelay: turns requests into deliveries, and answers into responses.
//!
//! It knows nothing of platforms, envelopes or queues, and holds no rule of its own about who gets
//! which status: that is core's. What it adds is the connection: bodies as streams, the answer in
//! time, work that goes on when the sender hangs up, and a stop that finishes what was accepted.

mod accept;
#[cfg(feature = "admin")]
pub mod admin;
mod body_stream;
mod connection;
pub mod export;
pub mod memory;
mod options;
mod server;
mod service;
mod slots;
mod tasks;
mod well_formed;

#[cfg(feature = "admin")]
pub use labelrelay_metrics::observe;
pub use options::ServeOptions;
pub use server::{serve, serve_with};
pub use service::respond;
pub use tasks::Tasks;
