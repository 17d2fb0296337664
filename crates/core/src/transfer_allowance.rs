//! Large bodies: the time that copying one may take, and the size from which one is not read back.

use std::time::Duration;

/// A spooled body that is larger is not read back into memory as long as a blob store takes it, however
/// much the queue takes: an envelope of it costs several times its size on the way.
pub(crate) const READ_BACK_BYTES: u64 = 8 * 1024 * 1024;

/// Slowest rate at which a large body is copied before it is tried again: about a quarter of a gigabit a second.
const COPIED_BYTES_PER_SECOND: u64 = 32 * 1024 * 1024;

/// Time that copying this many bytes may take on top of copying a few.
pub(crate) fn transfer_allowance(bytes: u64) -> Duration {
    let micros = bytes.saturating_mul(1_000_000) / COPIED_BYTES_PER_SECOND;
    Duration::from_micros(micros)
}
