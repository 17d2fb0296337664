//! Dead letters: looking at them is listing with [`State::Dead`]; here messages become some, and are
//! brought back.

use super::turn::Durability;
use super::{Event, Filter, QueueFile, State};
use crate::error::FileError;
use crate::sqlite::setting;
use rusqlite::Connection;

/// Messages that one call makes dead letters of at most, so that no send waits for it.
const BURIED_AT_ONCE: i64 = 1000;

/// Makes dead letters of messages that were received too often and are visible again.
///
/// A receive does this for what it meets; but where the consumer is gone, nobody receives, and that is
/// when somebody looks for dead letters.
pub(crate) fn bury_expired(db: &Connection, now: i64) -> rusqlite::Result<usize> {
    let limit = setting(db, "max_receives")?.unwrap_or(i64::MAX);
    db.prepare_cached(
        "UPDATE deliveries SET state = 2, receipt = NULL, changed_ms = ?1 WHERE seq IN (
             SELECT seq FROM deliveries WHERE state = 0 AND visible_ms <= ?1 AND receive_count >= ?2 LIMIT ?3)",
    )?
    .execute((now, limit, BURIED_AT_ONCE))
}

impl QueueFile {
    /// Dead letters in order of arrival, `limit` at most.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn dead(&self, limit: usize) -> Result<Vec<Event>, FileError> {
        self.bury();
        self.list(
            &Filter {
                state: Some(State::Dead),
                ..Filter::default()
            },
            limit,
        )
    }

    /// Makes dead letters of what has become one by now. Whoever may only read sees them as in flight.
    pub fn bury(&self) {
        let now = self.now_ms();
        let _read_only = self.change(Durability::Soon, |transaction| {
            Ok(bury_expired(transaction, now)?)
        });
    }

    /// Makes dead letters ready again, as if they had never been received: those with the numbers given,
    /// or all. Says how many.
    ///
    /// # Errors
    /// When the file cannot be written; none is changed then.
    pub fn requeue_dead(&self, only: Option<&[u64]>) -> Result<u64, FileError> {
        const BACK: &str = "UPDATE deliveries SET state = 0, receive_count = 0, visible_ms = 0, changed_ms = ?1 WHERE state = 2";
        let now = self.now_ms();
        self.change(Durability::Synced, |transaction| {
            bury_expired(transaction, now)?;
            let mut changed = 0;
            match only {
                None => changed += transaction.prepare_cached(BACK)?.execute([now])?,
                Some(numbers) => {
                    let mut back = transaction.prepare_cached(&format!("{BACK} AND seq = ?2"))?;
                    for seq in numbers {
                        changed += back.execute([now, seq.cast_signed()])?;
                    }
                }
            }
            Ok(changed as u64)
        })
    }
}
