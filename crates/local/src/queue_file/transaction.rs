//! Transactions of a reader that change the file: the wait for its turn, and the reserve for a full disk.

use super::QueueFile;
use crate::disk_reserve;
use crate::queue_file_error::FileError;
use crate::sqlite::begin;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, Transaction};
use std::time::Instant;

/// Attempts with the room of the reserve.
const TRIES: u32 = 3;

/// Endurance of a change in a loss of power. Either survives the end of any process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// On the disk when the call returns.
    Synced,
    /// On the disk with the next change that is; losing it does no harm.
    Soon,
}

impl QueueFile {
    /// Runs `work` in a transaction of its own, and commits what it did. What lies in files that are not there
    /// any more is not done.
    pub(super) fn change<T>(
        &self,
        durability: Durability,
        work: impl Fn(&Transaction<'_>) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        self.with_room(|| self.change_once(durability, &work))
    }

    /// Runs `change`, and once more with the room of the reserve when there is no other.
    pub(super) fn with_room<T>(
        &self,
        change: impl Fn() -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        let diagnose = |error| match error {
            FileError::Database(error) | FileError::Full(error) => {
                FileError::from(disk_reserve::diagnose(error, &self.path)).of(&self.path)
            }
            other => other,
        };
        let mut changed = change().map_err(diagnose);
        // Another consumer may take the reserve back meanwhile.
        for _ in 0..TRIES {
            if !matches!(changed, Err(FileError::Full(_))) {
                break;
            }
            if disk_reserve::release(&self.path) {
                self.gave_up_reserve.set(true);
            }
            self.move_journal();
            changed = change().map_err(diagnose);
        }
        changed
    }

    /// Moves the journal into the file, as far as nobody is in the way: it begins anew then, in the room that it
    /// has already.
    pub(super) fn move_journal(&self) {
        let _as_far_as_it_goes = self
            .db
            .wal_checkpoint_v2(Some("main"), CheckpointMode::PASSIVE);
    }

    fn change_once<T>(
        &self,
        durability: Durability,
        work: impl Fn(&Transaction<'_>) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        self.throttle.wait();
        self.check_files()?;
        let level = if durability == Durability::Synced {
            "FULL"
        } else {
            "NORMAL"
        };
        self.db.pragma_update(None, "synchronous", level)?;
        let asked = Instant::now();
        let transaction = begin(&self.db)?;
        let had = Instant::now();
        let done = work(&transaction).and_then(|done| Ok((done, transaction.commit()?)));
        self.throttle.record(asked, had);
        let (done, ()) = done?;
        self.check_files()?;
        Ok(done)
    }

    /// Runs `work`, which only reads. Damage is told with the file's name.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        work(&self.db).map_err(|error| error.of(&self.path))
    }

    /// Checks that the files are still the ones that were opened.
    pub(super) fn check_files(&self) -> Result<(), FileError> {
        self.files
            .check(&self.db)
            .map_err(|displaced| FileError::Displaced(displaced.to_string()))
    }
}
