//! The `serve` that runs here and owns the configured queue.

use crate::env::Env;
use crate::locations::QueueLocation;
use crate::open;
use crate::serve_address;
use labelrelay_core::config::Config;
use std::net::SocketAddr;

/// Its address; `None` when none runs, or it cannot be told.
pub(crate) fn address(config: &Config, env: &Env<'_>) -> Option<SocketAddr> {
    match open::queue_location(config, env) {
        Ok(QueueLocation::Sqlite(queue)) => serve_address::find(&queue),
        _ => None,
    }
}
