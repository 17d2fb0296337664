//! The owner's schedule of pruning.

use super::options::Options;
use crate::archive_mark;
use crate::prune::{self, Bounds, Place, Pruned};
use crate::sqlite::ms;
use rusqlite::Connection;
use std::time::Duration;

/// Longest that the writer sleeps at a time: it looks at the queue's files when it wakes.
const IDLE: Duration = Duration::from_secs(1);

/// Decides whether it is time to prune.
pub(super) struct PruneSchedule {
    every: Duration,
    due: Duration,
}

impl PruneSchedule {
    pub(super) fn new(every: Duration) -> Self {
        Self {
            every,
            due: Duration::ZERO,
        }
    }

    /// Time that the writer may sleep.
    pub(super) fn patience(&self, now: Duration) -> Duration {
        self.due.saturating_sub(now).min(IDLE)
    }

    /// Nothing can be pruned now: it is time again after a pause. Without it, the writer would not sleep at all.
    pub(super) fn put_off(&mut self, now: Duration) {
        self.due = self.due.max(now + IDLE);
    }

    /// Prunes a batch when it is time; the next is due at once when there is more, else after the interval. Where room is
    /// wanted, it is time again after a pause at the latest.
    ///
    /// # Errors
    /// The batch's; it is tried again after the interval.
    pub(super) fn take(
        &mut self,
        now: Duration,
        wants_room: bool,
        batch: impl FnOnce() -> rusqlite::Result<Pruned>,
    ) -> rusqlite::Result<()> {
        if wants_room {
            self.due = self.due.min(now + IDLE);
        }
        if now >= self.due {
            self.due = now + self.every;
            if batch()?.more {
                self.due = now;
            }
        }
        Ok(())
    }
}

/// The owner's own batch: what was acknowledged longer ago than the retention, and stands before `recorded`. The ledger needs
/// no event up to `read`.
pub(super) fn prune_batch(
    db: &Connection,
    now: i64,
    options: &Options,
    recorded: Place,
    read: Option<u64>,
) -> rusqlite::Result<Pruned> {
    let burying = db.unchecked_transaction()?;
    crate::queue_file::bury_expired(&burying, now)?;
    burying.commit()?;
    let bounds = Bounds {
        changed_ms: now.saturating_sub(ms(options.retention)),
        recorded,
        received_ms: now.saturating_sub(ms(options.window)),
        read: read.map_or(prune::NOTHING_UNREAD, u64::cast_signed),
    };
    prune::acknowledged(db, archive_mark::held(db)?, bounds)
}
