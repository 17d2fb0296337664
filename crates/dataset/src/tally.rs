//! Counts of a choice.

/// Counts of a choice.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) samples: u64,
    pub(crate) chosen: u64,
    /// Of these, those that an unsigned header says are gone.
    pub(crate) marked: u64,
    pub(crate) skipped: u64,
    pub(crate) other_versions: u64,
    pub(crate) other_state: u64,
    pub(crate) without_task: u64,
    /// Media of which there is no copy where one is to be.
    pub(crate) media_missing: u64,
}
