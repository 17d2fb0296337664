//! Leaves the owner room: whoever reads in a loop would else hold the file for most of the time, and
//! deliveries wait for the owner.

use super::QueueFile;
use crate::error::FileError;
use crate::room;
use crate::sqlite::begin;
use rusqlite::Transaction;
use rusqlite::wal::CheckpointMode;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// A reader that had to wait for its turn leaves the file alone, after it had it, for three times as long
/// as it had it; one that found it free, for as long. Without pauses, two readers in a loop made 64 senders
/// wait 340 ms at the 99th percentile; with these, no difference could be told from noise.
const SHARES: [u32; 2] = [1, 3];

/// A look at a locked file comes this much later at the earliest.
const WAITED: Duration = Duration::from_micros(500);

/// Bounds of the pause: a disk that hangs for a moment is no reason to stay away.
const PAUSE: [Duration; 2] = [Duration::from_micros(300), Duration::from_millis(50)];

/// When this reader may write again.
#[derive(Debug, Default)]
pub(super) struct Turn(Cell<Option<Instant>>);

impl Turn {
    /// Waits for this reader's turn.
    pub(super) fn wait(&self) {
        if let Some(next) = self.0.get() {
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }

    /// Notes that the file was asked for, was had, and no longer is.
    pub(super) fn done(&self, asked: Instant, had: Instant) {
        let [free, contended] = SHARES;
        let waited = had.saturating_duration_since(asked) >= WAITED;
        let share = if waited { contended } else { free };
        let [least, most] = PAUSE;
        let pause = had.elapsed().saturating_mul(share).clamp(least, most);
        self.0.set(Instant::now().checked_add(pause));
    }
}

/// How well a change survives a loss of power. Either survives the end of any process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// It is on the disk when the call returns.
    Synced,
    /// It is on the disk with the next change that is; losing it does no harm.
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
        let understood = |error| match error {
            FileError::Database(error) | FileError::Full(error) => {
                FileError::from(room::understood(error, &self.path))
            }
            other => other,
        };
        let changed = change().map_err(understood);
        if !matches!(changed, Err(FileError::Full(_))) {
            return changed;
        }
        room::give_up(&self.path);
        self.move_journal();
        change().map_err(understood)
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
        self.turn.wait();
        self.look()?;
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
        self.turn.done(asked, had);
        let (done, ()) = done?;
        self.look()?;
        Ok(done)
    }

    /// Whether the files are still the ones that were opened.
    pub(super) fn look(&self) -> Result<(), FileError> {
        self.whereabouts
            .look(&self.db)
            .map_err(|displaced| FileError::Displaced(displaced.to_string()))
    }
}
