//! Removes what was acknowledged long enough ago, a little at a time, so that no send waits for it.

use crate::archive_mark::{self, Held};
use crate::sqlite::begin;
use rusqlite::{Connection, OptionalExtension as _};

/// Events that one transaction removes at most, and their bytes: each page that is freed has to be read.
const BATCH_EVENTS: usize = 128;
const BATCH_BYTES: i64 = 4 * 1024 * 1024;

/// Acknowledged events that are looked through at most where the archive or the ledger holds some. They may hold millions, one
/// while it cannot be written, the other after a long time without it, and deliveries wait for whoever looks. A batch of the
/// archive, which stays for good, is smaller.
const LOOKED_THROUGH: i64 = 50_000;

/// The ledger has read all that there is, or there is none.
pub(crate) const NOTHING_UNREAD: i64 = i64::MAX;

/// Time for which an event that the ledger has still to read is kept longer than others. It reads a thousand in some
/// milliseconds: what it has not read by then, it cannot read, and the room is needed.
const UNREAD_HOLD_MS: i64 = 60 * 60 * 1000;

/// Result of one batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pruned {
    pub(crate) events: u64,
    pub(crate) more: bool,
}

/// Where an event stands among those that were acknowledged: by when that was, milliseconds since 1970, and by its number
/// among those of the same millisecond. It is the order of their index.
pub(crate) type Place = (i64, i64);

/// Behind every event.
pub(crate) const NOWHERE: Place = (i64::MAX, i64::MAX);

/// Before every event that was acknowledged at this time or later.
pub(crate) const fn at(changed_ms: i64) -> Place {
    (changed_ms, i64::MIN)
}

/// What pruning leaves, but for what the archive holds. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Events go that were acknowledged before this time.
    pub(crate) changed_ms: i64,
    /// Of these, none goes from this place on: the record of deliveries refers to it. [`NOWHERE`] if none stays for the
    /// record.
    pub(crate) recorded: Place,
    /// Nor one that was received at this time or later: the window of repeats compares with what is in the file.
    pub(crate) received_ms: i64,
    /// Number up to which the ledger of derived events has read the queue for good. Later events stay for longer.
    pub(crate) read: i64,
}

/// Finds what goes. Not by number: the oldest of the acknowledged are at the beginning of their own index. It is read up to
/// a place in it, and what stands behind that is not looked at, but for what was acknowledged in the same millisecond.
const FIND: &str = "SELECT d.seq, length(e.envelope) FROM deliveries d LEFT JOIN events e ON e.seq = d.seq
     WHERE d.state = 1 AND (d.changed_ms, d.seq) < (?1, ?9) AND (+d.seq <= ?4 OR (+d.seq > ?5 AND +d.changed_ms < ?6))
       AND (+d.seq <= ?7 OR +d.changed_ms < ?8)
       AND (e.received_ms IS NULL OR e.received_ms < ?2)
     ORDER BY d.changed_ms, d.seq LIMIT ?3";

/// Removes a batch of acknowledged events, the oldest first. What the archive has not got yet is kept for longer, as `held`
/// says.
pub(crate) fn acknowledged(
    db: &Connection,
    held: Held,
    bounds: Bounds,
) -> rusqlite::Result<Pruned> {
    let Bounds {
        changed_ms,
        recorded,
        received_ms,
        read,
    } = bounds;
    let expired_ms = changed_ms.saturating_sub(held.hold_ms);
    let unread_ms = changed_ms.saturating_sub(UNREAD_HOLD_MS);
    // What stays for the record is the end of the index that is read here: whatever its number, nothing of it is looked at.
    let end = at(changed_ms).min(recorded);
    let (end_ms, end_seq) = if held.hold_ms > 0 || read < NOTHING_UNREAD {
        within_reach(db, end)?
    } else {
        end
    };
    // Looks before it locks: most turns find nothing.
    let found: Vec<(i64, Option<i64>)> = db
        .prepare_cached(FIND)?
        .query_map(
            (
                end_ms,
                received_ms,
                i64::try_from(BATCH_EVENTS).unwrap_or(i64::MAX),
                held.through,
                held.batch,
                expired_ms,
                read,
                unread_ms,
                end_seq,
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

/// The end of those that are looked through: `end`, or an earlier place.
fn within_reach(db: &Connection, end: Place) -> rusqlite::Result<Place> {
    let find = "SELECT changed_ms FROM deliveries WHERE state = 1 AND (changed_ms, seq) < (?1, ?2)
                ORDER BY changed_ms, seq LIMIT 1 OFFSET ?3";
    let (end_ms, end_seq) = end;
    let last: Option<i64> = db
        .prepare_cached(find)?
        .query_row((end_ms, end_seq, LOOKED_THROUGH), |row| row.get(0))
        .optional()?;
    Ok(last.map_or(end, |last| at(last.saturating_add(1)).min(end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    /// Red if the ledger loses what it has still to read, or if it holds events for ever.
    #[test]
    fn events_that_the_ledger_has_not_read_stay_for_an_hour() {
        let dir = tempfile::TempDir::new().unwrap();
        let db = schema::new_in(&dir);
        for seq in 1..=3 {
            let event = (seq, 0, "id", "type", "/source", None::<&str>, &b"{}"[..]);
            db.execute(schema::INSERT_EVENT, event).unwrap();
            let acknowledged = "INSERT INTO deliveries(seq, state, receive_count, visible_ms, changed_ms) VALUES(?1, 1, 1, 0, 1000)";
            db.execute(acknowledged, [seq]).unwrap();
        }
        let removed = |changed_ms| {
            let held = archive_mark::held(&db).unwrap();
            let bounds = Bounds {
                changed_ms,
                recorded: NOWHERE,
                received_ms: i64::MAX,
                read: 1,
            };
            let pruned = acknowledged(&db, held, bounds);
            pruned.unwrap().events
        };
        assert_eq!(removed(2000), 1, "it was read");
        assert_eq!(removed(1000 + UNREAD_HOLD_MS), 0);
        assert_eq!(removed(1001 + UNREAD_HOLD_MS), 2);
    }

    /// Red if what stays for the record is looked at, or sorted.
    #[test]
    fn the_index_is_read_up_to_a_place_in_it() {
        let dir = tempfile::TempDir::new().unwrap();
        let db = schema::new_in(&dir);
        let plan = format!("EXPLAIN QUERY PLAN {FIND}");
        let mut read = db.prepare(&plan).unwrap();
        let steps = read
            .query_map((0, 0, 0, 0, 0, 0, 0, 0, 0), |row| row.get::<_, String>(3))
            .unwrap();
        let steps: Vec<_> = steps.map(Result::unwrap).collect();
        assert_eq!(steps.len(), 2, "{steps:?}");
        assert!(
            steps[0].contains("deliveries_acknowledged (changed_ms<?)"),
            "{steps:?}"
        );
        assert!(steps[1].contains("INTEGER PRIMARY KEY"), "{steps:?}");
    }
}
