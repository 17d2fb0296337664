//! The result of one seed.

use crate::record::Record;
use crate::violation::Violation;

/// Result of one seed.
pub(crate) struct Verdict {
    pub(crate) records: Vec<Record>,
    pub(crate) violations: Vec<Violation>,
    /// Processes that were started.
    pub(crate) processes: u32,
    /// Derived events that were found.
    pub(crate) derived: usize,
}
