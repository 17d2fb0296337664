//! The ledger on this machine, as long as a run has it.

use super::version::Version;
use crate::error::CliError;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// More segments than this take longer to open than one whole ledger to save.
const MOST_SEGMENTS: usize = 24;

/// Segments of a ledger that is smaller than this are together no larger.
const SMALL_BYTES: u64 = 1024 * 1024;

pub(crate) struct LocalCopy {
    pub(super) folder: TempDir,
    /// Versions that went into it, and those that were saved of it.
    pub(super) had: Vec<Version>,
    /// Versions that could not be saved, or perhaps could.
    pub(super) unsaved: Vec<Version>,
    /// `true` after changes were taken out that no store has: the next save is of everything.
    pub(super) is_torn: bool,
    /// When it was last saved or fetched.
    pub(super) saved: Duration,
}

impl LocalCopy {
    /// A new copy, of which nothing is in a store yet. `now` is of the monotonic clock.
    pub(super) fn new(now: Duration) -> Result<Self, CliError> {
        let folder = tempfile::tempdir().map_err(|error| {
            let message = format!(
                "a directory for the ledger cannot be made in {}: {error}; set TMPDIR to one that can be written",
                std::env::temp_dir().display()
            );
            CliError::failed(message)
        })?;
        Ok(Self {
            folder,
            had: Vec::new(),
            unsaved: Vec::new(),
            is_torn: false,
            saved: now,
        })
    }

    /// File, which may not be there yet.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    /// Tells whether the next save is of everything, and takes all of the versions away.
    pub(super) fn wants_whole(&self) -> bool {
        let bytes = self.had.iter().map(|version| version.entry.ledger_bytes);
        let (all, largest) = (bytes.clone().sum::<u64>(), bytes.max().unwrap_or_default());
        self.is_torn
            || self.had.is_empty()
            || self.had.len() > MOST_SEGMENTS
            || all - largest > SMALL_BYTES.max(largest / 2)
    }
}
