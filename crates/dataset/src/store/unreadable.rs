//! Events that could not be read, and became dead letters: they are counted, each once, until they can be read after all.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

/// The longest reason that is kept, in characters.
const LONGEST: usize = 1000;

/// Notes events that are not in the list; `true` if there were some.
pub(super) fn note(db: &Transaction<'_>, events: &[(&str, &str)]) -> rusqlite::Result<bool> {
    let at = Timestamp::now().to_string();
    let mut are_new = 0;
    for (name, reason) in events {
        let reason: String = reason.chars().take(LONGEST).collect();
        are_new += db
            .prepare_cached("INSERT OR IGNORE INTO unreadable VALUES(?1, ?2, ?3)")?
            .execute((name, &reason, &at))?;
    }
    Ok(are_new > 0)
}

/// Takes an event out of the list that was read after all; `true` if it was there.
pub(super) fn is_read(db: &Transaction<'_>, event: &str) -> rusqlite::Result<bool> {
    let forgotten = db
        .prepare_cached("DELETE FROM unreadable WHERE name = ?1")?
        .execute([event])?;
    Ok(forgotten > 0)
}

pub(crate) fn count(db: &Connection) -> rusqlite::Result<u64> {
    let count: i64 = db
        .prepare_cached("SELECT count(*) FROM unreadable")?
        .query_row([], |row| row.get(0))?;
    Ok(count.cast_unsigned())
}
