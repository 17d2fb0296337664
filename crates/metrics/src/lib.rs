//! Counts and measurements of what happens to requests, with one table of names: [`Metrics`] is an observer that keeps
//! them, and writes them in Prometheus' format, from which they are exported as well.

mod ages;
mod archive;
mod dropped;
mod labels;
mod metrics;
pub mod observe;
mod pull;
mod queue;
mod record;
mod silence;

pub use archive::ArchiveGauges;
pub use metrics::Metrics;
pub use queue::{LedgerGauges, QueueGauges};
