//! Faults at a moment, and between two of them.

use crate::fault::{Fault, Faults};

/// A moment: what is wrong, and how far things have come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Snapshot {
    pub(super) faults: Faults,
    /// Number of times that each fault has begun.
    pub(super) begun: [u32; Fault::ALL.len()],
    pub(crate) process: u32,
    pub(crate) rotations: u32,
}

impl Snapshot {
    /// Faults at any time between this moment and a later one.
    pub(crate) fn until(&self, later: &Self) -> Faults {
        let begun = Fault::ALL
            .into_iter()
            .zip(self.begun.iter().zip(&later.begun));
        let begun = begun.filter(|(_, (before, after))| before != after);
        let all = begun.map(|(fault, _)| Faults::of(fault));
        all.fold(self.faults.and(later.faults), Faults::and)
    }
}
