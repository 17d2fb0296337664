//! File descriptors of this process, of which each connection of the load takes one.

use rustix::process::{Resource, getrlimit};

/// Descriptors for all else.
const OTHERS: u64 = 100;

/// Connections that this process can have open.
pub(super) fn connections() -> u64 {
    // No limit is none that a benchmark meets.
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    most.saturating_sub(OTHERS)
}
