//! Dead letters: messages become some, and are brought back. They are listed with [`State::Dead`].

use super::behind_damage::unless_damaged;
use super::transaction::Durability;
use super::{Event, Filter, QueueFile, State, columns, reasons};
use crate::queue_file_error::FileError;
use crate::sqlite::{set_setting, setting};
use rusqlite::{Connection, OptionalExtension as _};

/// Setting that counts all that ever became dead letters.
pub(super) const DEAD_LETTERS: &str = "dead_letters";

/// Messages that one call makes dead letters of at most, so that no send waits for it.
const BURIED_AT_ONCE: i64 = 1000;

/// Makes dead letters of messages that were received too often and are visible again.
///
/// A receive does this for what it meets; but where the consumer is gone, nobody receives, and that is
/// when somebody looks for dead letters.
pub(crate) fn bury_expired(db: &Connection, now: i64) -> rusqlite::Result<usize> {
    let limit = setting(db, "max_receives")?.unwrap_or(i64::MAX);
    // Looks before it writes: nearly always there is none.
    let any = "SELECT 1 FROM deliveries WHERE state = 0 AND visible_ms <= ?1 AND receive_count >= ?2 LIMIT 1";
    if !db.prepare_cached(any)?.exists((now, limit))? {
        return Ok(0);
    }
    db.prepare_cached(
        "UPDATE deliveries SET state = 2, receipt = NULL, changed_ms = ?1 WHERE seq IN (
             SELECT seq FROM deliveries WHERE state = 0 AND visible_ms <= ?1 AND receive_count >= ?2 LIMIT ?3)",
    )?
    .execute((now, limit, BURIED_AT_ONCE))
    .and_then(|buried| count_dead(db, buried))
}

/// Counts messages that became dead letters, in the file, for they do so in whatever process looks.
pub(super) fn count_dead(db: &Connection, buried: usize) -> rusqlite::Result<usize> {
    if buried > 0 {
        let more = i64::try_from(buried).unwrap_or(i64::MAX);
        let before = setting(db, DEAD_LETTERS)?.unwrap_or(0);
        set_setting(db, DEAD_LETTERS, before.saturating_add(more))?;
    }
    Ok(buried)
}

/// A dead letter, as somebody is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Order of arrival.
    pub seq: u64,
    /// Event id.
    pub id: String,
    /// Event type.
    pub event_type: String,
    /// Kind and id of what the event is about.
    pub subject: Option<String>,
    /// Number of times that it was received.
    pub receive_count: u32,
    /// Why it was rejected, in the words of whoever did that: 1,000 characters at most. The queue keeps none of what was
    /// received too often.
    pub reason: Option<String>,
    /// `false` if nothing is known of it but its number, because it lies in damage.
    pub is_readable: bool,
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
                states: vec![State::Dead],
                ..Filter::default()
            },
            limit,
        )
    }

    /// The newest dead letters, the newest first, `limit` at most.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn newest_dead(&self, limit: usize) -> Result<Vec<DeadLetter>, FileError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|db| {
            let mut newest = db.prepare_cached(
                "SELECT seq, receive_count FROM deliveries WHERE state = 2 ORDER BY changed_ms DESC, seq DESC LIMIT ?1",
            )?;
            let newest = newest.query_map([limit], |row| {
                Ok((row.get::<_, i64>(0)?, columns::number(row, 1)?))
            })?;
            let mut dead = Vec::new();
            for letter in newest {
                let (seq, receive_count) = letter?;
                dead.extend(letter_of(db, seq, receive_count)?);
            }
            Ok(dead)
        })
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
        let back = self.change(Durability::Synced, |transaction| {
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
        })?;
        // Room that the next rejection takes again; nobody is told of them any more.
        let _for_room = self.change(Durability::Soon, |transaction| {
            Ok(reasons::forget_old(transaction)?)
        });
        Ok(back)
    }
}

/// The dead letter with this number; `None` if its event is not in the file.
fn letter_of(
    db: &Connection,
    seq: i64,
    receive_count: i64,
) -> rusqlite::Result<Option<DeadLetter>> {
    let mut letter = DeadLetter {
        seq: seq.cast_unsigned(),
        id: String::new(),
        event_type: String::new(),
        subject: None,
        receive_count: u32::try_from(receive_count).unwrap_or(u32::MAX),
        reason: reasons::of(db, seq)?,
        is_readable: false,
    };
    let event = db
        .prepare_cached("SELECT id, type, subject FROM events WHERE seq = ?1")?
        .query_row([seq], |row| {
            let text = |index| columns::text(row, index).map(Option::unwrap_or_default);
            Ok((text(0)?, text(1)?, columns::text(row, 2)?))
        })
        .optional();
    match unless_damaged(event)? {
        Some(Some((id, event_type, subject))) => {
            (letter.id, letter.event_type, letter.subject) = (id, event_type, subject);
            letter.is_readable = true;
            Ok(Some(letter))
        }
        Some(None) => Ok(None),
        None => Ok(Some(letter)),
    }
}
