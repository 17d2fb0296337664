//! Removes what was acknowledged long enough ago, a little at a time, so that no send waits for it.

use crate::archive_mark::{self, Held};
use crate::sqlite::begin;
use rusqlite::{Connection, OptionalExtension as _};

/// Events that one transaction removes at most, and their bytes: each page that is freed has to be read.
const BATCH_EVENTS: usize = 128;
const BATCH_BYTES: i64 = 4 * 1024 * 1024;

/// Acknowledged events that are looked through at most where the archive holds some. It may hold millions while it cannot be
/// written, and deliveries wait for whoever looks. A batch of the archive, which stays for good, is smaller.
const LOOKED_THROUGH: i64 = 50_000;

/// Result of one batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pruned {
    pub(crate) events: u64,
    pub(crate) more: bool,
}

/// Removes acknowledged events: acknowledged before `changed_ms`, and received before `received_ms`, for the
/// window of repeats compares with what is in the file. What the archive has not got yet is kept for longer.
pub(crate) fn acknowledged(
    db: &Connection,
    changed_ms: i64,
    received_ms: i64,
) -> rusqlite::Result<Pruned> {
    // Not by number: the oldest of the acknowledged are at the beginning of their own index.
    let find = "SELECT d.seq, length(e.envelope) FROM deliveries d LEFT JOIN events e ON e.seq = d.seq
                WHERE d.state = 1 AND d.changed_ms < ?1 AND (+d.seq <= ?4 OR (+d.seq > ?5 AND d.changed_ms < ?6))
                  AND (e.received_ms IS NULL OR e.received_ms < ?2)
                ORDER BY d.changed_ms, d.seq LIMIT ?3";
    let held = archive_mark::held(db)?;
    let expired_ms = changed_ms.saturating_sub(held.hold_ms);
    let changed_ms = within_reach(db, held, changed_ms)?;
    // Looks before it locks: most turns find nothing.
    let found: Vec<(i64, Option<i64>)> = db
        .prepare_cached(find)?
        .query_map(
            (
                changed_ms,
                received_ms,
                i64::try_from(BATCH_EVENTS).unwrap_or(i64::MAX),
                held.through,
                held.batch,
                expired_ms,
            ),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect::<Result<_, _>>()?;
    if found.is_empty() {
        return Ok(Pruned {
            events: 0,
            more: false,
        });
    }
    let transaction = begin(db)?;
    let mut events = 0;
    let mut bytes = 0;
    let mut removed = Vec::with_capacity(found.len());
    for (seq, length) in &found {
        // Nothing leaves this state but by pruning, so what was found is still to be removed.
        db.prepare_cached("DELETE FROM events WHERE seq = ?1")?
            .execute([seq])?;
        events += db
            .prepare_cached("DELETE FROM deliveries WHERE seq = ?1 AND state = 1")?
            .execute([seq])? as u64;
        removed.push(*seq);
        bytes += length.unwrap_or(0);
        if bytes >= BATCH_BYTES {
            break;
        }
    }
    archive_mark::note_removed(&transaction, &removed)?;
    transaction.commit()?;
    let more = found.len() == BATCH_EVENTS || bytes >= BATCH_BYTES;
    Ok(Pruned { events, more })
}

/// The end of those that are looked through: `changed_ms`, or an earlier time.
fn within_reach(db: &Connection, held: Held, changed_ms: i64) -> rusqlite::Result<i64> {
    if held.hold_ms == 0 {
        return Ok(changed_ms);
    }
    let find = "SELECT changed_ms FROM deliveries WHERE state = 1 AND changed_ms < ?1
                ORDER BY changed_ms, seq LIMIT 1 OFFSET ?2";
    let last: Option<i64> = db
        .prepare_cached(find)?
        .query_row((changed_ms, LOOKED_THROUGH), |row| row.get(0))
        .optional()?;
    Ok(last.map_or(changed_ms, |last| last.saturating_add(1)))
}
