//! How far the archive has read the queue. It is kept in the queue's own file: so it goes where the queue goes, and what
//! removes events knows which of them are still to be written.

use crate::sqlite::{set_setting, setting};
use rusqlite::Connection;

/// Name of whoever writes, in numbers.
pub(crate) const WRITER: &str = "archive_writer";
/// The place that is written to, as a number.
pub(crate) const PLACE: &str = "archive_place";
/// Events up to this number are in the archive.
pub(crate) const THROUGH: &str = "archive_through";
/// Last event of the batch that is being written.
pub(crate) const BATCH: &str = "archive_batch";
/// Time for which an event that the archive has not is kept longer than others; 0 where nothing is archived any more.
pub(crate) const HOLD_MS: &str = "archive_hold_ms";
const LOST_FIRST: &str = "archive_lost_first";
const LOST_LAST: &str = "archive_lost_last";
const LOST_EVENTS: &str = "archive_lost_events";

/// What pruning has to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    /// Numbers up to this one may go as ever.
    pub(crate) through: i64,
    /// Numbers up to this one stay, whatever their age: a batch that is written twice has to be the same.
    pub(crate) batch: i64,
    /// The others behind it are kept so much longer.
    pub(crate) hold_ms: i64,
}

impl Held {
    /// Nothing is held.
    const NOTHING: Self = Self {
        through: i64::MAX,
        batch: i64::MAX,
        hold_ms: 0,
    };

    /// The same, but for a batch that is being written: nothing is kept for longer than others any more.
    pub(crate) fn released(self) -> Self {
        Self { hold_ms: 0, ..self }
    }
}

/// What is held for the archive now.
pub(crate) fn held(db: &Connection) -> rusqlite::Result<Held> {
    let hold_ms = setting(db, HOLD_MS)?.unwrap_or(0);
    if hold_ms <= 0 {
        return Ok(Held::NOTHING);
    }
    let through = setting(db, THROUGH)?.unwrap_or(0);
    let batch = setting(db, BATCH)?.unwrap_or(0).max(through);
    Ok(Held {
        through,
        batch,
        hold_ms,
    })
}

/// Events that were removed before the archive had them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostToArchive {
    /// Number of the first one.
    pub first: u64,
    /// Number of the last one. Others between them may be in the archive.
    pub last: u64,
    /// How many there are.
    pub events: u64,
}

/// Notes that these events are gone, as far as the archive has not got them. In the transaction that removes them.
pub(crate) fn note_removed(db: &Connection, removed: &[i64]) -> rusqlite::Result<()> {
    // Without it, nothing was ever archived.
    let Some(through) = setting(db, THROUGH)? else {
        return Ok(());
    };
    let too_early = || removed.iter().copied().filter(move |seq| *seq > through);
    let (Some(first), Some(last)) = (too_early().min(), too_early().max()) else {
        return Ok(());
    };
    let events = i64::try_from(too_early().count()).unwrap_or(i64::MAX);
    let first = setting(db, LOST_FIRST)?.map_or(first, |known| known.min(first));
    let last = setting(db, LOST_LAST)?.map_or(last, |known| known.max(last));
    let events = setting(db, LOST_EVENTS)?.map_or(events, |known| known.saturating_add(events));
    set_setting(db, LOST_FIRST, first)?;
    set_setting(db, LOST_LAST, last)?;
    set_setting(db, LOST_EVENTS, events)
}

/// What was removed too early, and not forgotten since.
pub(crate) fn lost(db: &Connection) -> rusqlite::Result<Option<LostToArchive>> {
    let number = |name| -> rusqlite::Result<Option<u64>> {
        Ok(setting(db, name)?.map(|value| value.max(0).cast_unsigned()))
    };
    let found = (
        number(LOST_FIRST)?,
        number(LOST_LAST)?,
        number(LOST_EVENTS)?,
    );
    let (Some(first), Some(last), Some(events)) = found else {
        return Ok(None);
    };
    Ok(Some(LostToArchive {
        first,
        last,
        events,
    }))
}

/// Forgets what was removed too early.
pub(crate) fn forget_lost(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM settings WHERE name IN (?1, ?2, ?3)")?
        .execute([LOST_FIRST, LOST_LAST, LOST_EVENTS])
        .map(|_| ())
}
