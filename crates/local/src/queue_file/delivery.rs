//! A message that was received, and the receipt that acknowledges it.

use std::fmt;
use std::time::Duration;

/// Longest visibility timeout. Also bounds what a clock that was set back can do: a message that seems
/// hidden for longer than this is visible.
pub(crate) const MAX_VISIBILITY: Duration = Duration::from_secs(12 * 3600);

/// A message, taken for a while. `Debug` shows neither the envelope nor the receipt.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// Token that acknowledges it, until it is received again.
    pub receipt: String,
    /// Number of times that it was received, this time included.
    pub receive_count: u32,
    /// Order of arrival.
    pub seq: u64,
    /// The envelope, exactly as it was sent.
    pub envelope: Vec<u8>,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("seq", &self.seq)
            .field("receive_count", &self.receive_count)
            .field("envelope_bytes", &self.envelope.len())
            .finish_non_exhaustive()
    }
}

/// `<number>-<32 hex digits>`: where to look, and what only the receiver knows.
pub(super) fn receipt(seq: i64, token: [u8; 16]) -> String {
    format!("{seq}-{:032x}", u128::from_be_bytes(token))
}
