//! The most memory that a server takes, by arithmetic, and its way back to the system.

#[cfg(all(feature = "memory", target_os = "linux", target_env = "gnu"))]
mod trim;

use crate::ServeOptions;
use crate::options::READ_BUFFER_BYTES;
use labelrelay_core::Relay;

/// The program itself: its threads, the log's buffers, the caches of the embedded queue, its window of
/// repeats, which is 12 bytes for each event of the last five minutes, and 16 MiB of the ledger from which it derives
/// events: one event of 2 MiB at a time, what it tells, and a thousand events that follow.
pub const PROGRAM_BYTES: u64 = 80 * 1024 * 1024;

/// A connection, beside its read buffer: what is written to it, and what is under way on it.
const CONNECTION_BYTES: u64 = 8 * 1024;

/// The most that a server of `relay` has in memory: the program, a read buffer for each connection, and
/// everything of the deliveries that are under way.
pub fn most_bytes(relay: &Relay, options: &ServeOptions) -> u64 {
    let connection = READ_BUFFER_BYTES as u64 + CONNECTION_BYTES;
    PROGRAM_BYTES + connection * options.max_connections as u64 + relay.max_bytes_in_flight()
}

/// Has memory go back to the system after bursts from now on, to the end of the runtime. Does nothing where
/// the allocator does that by itself.
///
/// # Panics
/// Outside of a Tokio runtime with time.
pub fn give_back_after_bursts() {
    #[cfg(all(feature = "memory", target_os = "linux", target_env = "gnu"))]
    trim::start();
}
