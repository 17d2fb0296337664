//! What the archive does with a queue file: it reads events by their numbers, and leaves a mark behind them.

use super::QueueFile;
use super::transaction::Durability;
use crate::archive_mark::{self, LostToArchive};
use crate::queue_file_error::FileError;
use crate::sqlite::{ms, set_setting, setting};
use rusqlite::Connection;
use std::time::Duration;

/// How far the archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArchiveMark {
    /// Name of whoever writes the archive, as a number: random, and the queue file's own.
    pub writer: u64,
    /// Events up to this number are in the archive.
    pub through: u64,
    /// Last event of the batch that was begun, if one was.
    pub batch: Option<u64>,
}

impl QueueFile {
    /// From now on, pruning leaves what is not in an archive for `hold` longer than other events, and counts what goes
    /// without. For whoever shall archive and does not know yet whether it can.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn hold_for_archive(&self, hold: Duration) -> Result<(), FileError> {
        self.change(Durability::Synced, |transaction| {
            if setting(transaction, archive_mark::THROUGH)?.is_none() {
                set_setting(transaction, archive_mark::THROUGH, 0)?;
            }
            Ok(set_setting(
                transaction,
                archive_mark::HOLD_MS,
                ms(hold).max(1),
            )?)
        })
    }

    /// Goes on to archive at `place`, or begins with the first event that is held. From now on, pruning leaves what is not
    /// in the archive for `hold` longer than other events. A mark of another place is forgotten: the archive there is no
    /// longer written. `writer` is the name to take where there is none.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn begin_archive(
        &self,
        place: u64,
        writer: u64,
        hold: Duration,
    ) -> Result<ArchiveMark, FileError> {
        self.change(Durability::Synced, |transaction| {
            let before = setting(transaction, archive_mark::PLACE)?;
            if before != Some(place.cast_signed()) {
                set_setting(transaction, archive_mark::PLACE, place.cast_signed())?;
                set_setting(transaction, archive_mark::THROUGH, 0)?;
                set_setting(transaction, archive_mark::BATCH, 0)?;
                if before.is_some() {
                    archive_mark::forget_lost(transaction)?;
                }
            }
            if setting(transaction, archive_mark::WRITER)?.is_none() {
                set_setting(transaction, archive_mark::WRITER, writer.cast_signed())?;
            }
            set_setting(transaction, archive_mark::HOLD_MS, ms(hold).max(1))?;
            Ok(mark(transaction)?)
        })
    }

    /// How far the archive at `place` is; `None` if nothing of this file was written there. Changes nothing.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn archive_mark(&self, place: u64) -> Result<Option<ArchiveMark>, FileError> {
        self.read(|db| {
            if setting(db, archive_mark::PLACE)? != Some(place.cast_signed()) {
                return Ok(None);
            }
            Ok(Some(mark(db)?))
        })
    }

    /// Nothing is archived any more: pruning keeps nothing for it. The mark stays for who begins again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn end_archive(&self) -> Result<(), FileError> {
        let holds = self.read(|db| Ok(setting(db, archive_mark::HOLD_MS)?))?;
        // Most queues never had an archive.
        if holds.unwrap_or(0) == 0 {
            return Ok(());
        }
        self.change(Durability::Synced, |transaction| {
            Ok(set_setting(transaction, archive_mark::HOLD_MS, 0)?)
        })
    }

    /// Says, durably, that the events behind the mark up to `last` are written now, as one batch. Until
    /// [`end_archive_batch`](Self::end_archive_batch), none of them is pruned: so whoever was ended in the middle writes
    /// the same batch again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn begin_archive_batch(&self, last: u64) -> Result<(), FileError> {
        self.change(Durability::Synced, |transaction| {
            Ok(set_setting(
                transaction,
                archive_mark::BATCH,
                last.cast_signed(),
            )?)
        })
    }

    /// Says that the events up to `through` are in the archive.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn end_archive_batch(&self, through: u64) -> Result<(), FileError> {
        // Lost with the power, it is said again after the same batch.
        self.change(Durability::Soon, |transaction| {
            Ok(set_setting(
                transaction,
                archive_mark::THROUGH,
                through.cast_signed(),
            )?)
        })
    }

    /// Number of acknowledged events that are kept because the archive has not got them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn held_for_archive(&self) -> Result<u64, FileError> {
        self.read(|db| {
            let through = archive_mark::held(db)?.through;
            let sql = "SELECT count(*) FROM deliveries WHERE state = 1 AND seq > ?1";
            let held: i64 = db
                .prepare_cached(sql)?
                .query_row([through], |row| row.get(0))?;
            Ok(held.max(0).cast_unsigned())
        })
    }

    /// Events that the archive has not yet, about: their numbers are counted.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn behind_archive(&self) -> Result<u64, FileError> {
        let last = self.last_number()?;
        let through = self.read(|db| Ok(setting(db, archive_mark::THROUGH)?))?;
        Ok(last.saturating_sub(through.unwrap_or(0).cast_unsigned()))
    }

    /// Gives the writer another name, because somebody else writes under this one: the file was copied.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn rename_archive_writer(&self, writer: u64) -> Result<(), FileError> {
        self.change(Durability::Synced, |transaction| {
            Ok(set_setting(
                transaction,
                archive_mark::WRITER,
                writer.cast_signed(),
            )?)
        })
    }

    /// Events that were pruned before they were in the archive, since this was last
    /// [forgotten](Self::forget_lost_to_archive).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn lost_to_archive(&self) -> Result<Option<LostToArchive>, FileError> {
        self.read(|db| Ok(archive_mark::lost(db)?))
    }

    /// Forgets them, if there are no more by now; says whether it did.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget_lost_to_archive(&self, told: LostToArchive) -> Result<bool, FileError> {
        self.change(Durability::Synced, |transaction| {
            if archive_mark::lost(transaction)? != Some(told) {
                return Ok(false);
            }
            archive_mark::forget_lost(transaction)?;
            Ok(true)
        })
    }
}

fn mark(db: &Connection) -> rusqlite::Result<ArchiveMark> {
    let number =
        |name| -> rusqlite::Result<u64> { Ok(setting(db, name)?.unwrap_or(0).cast_unsigned()) };
    let (through, batch) = (number(archive_mark::THROUGH)?, number(archive_mark::BATCH)?);
    Ok(ArchiveMark {
        writer: number(archive_mark::WRITER)?,
        through,
        batch: (batch > through).then_some(batch),
    })
}
