//! Removes the oldest rows of a class, and the oldest bodies, until both are within their bounds.

use crate::class::Class;
use crate::options::Limits;
use crate::totals::{Totals, bound};
use rusqlite::{Connection, OptionalExtension as _};

/// Rows that are looked at together.
const AT_ONCE: i64 = 64;

/// Removes what is too much or older than `oldest_ms`, `most` rows at most: the rest waits for the next time.
pub(crate) fn enforce(
    db: &Connection,
    class: Class,
    totals: &mut Totals,
    limits: &Limits,
    oldest_ms: i64,
    most: usize,
) -> rusqlite::Result<()> {
    let mut left = most;
    let mut select = db.prepare_cached(
        "SELECT number, arrived_ms, bytes FROM deliveries WHERE class = ?1 ORDER BY number LIMIT ?2",
    )?;
    'deliveries: loop {
        let oldest = select.query_map((class.number(), AT_ONCE), |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, i64>(2)?,
            ))
        })?;
        let oldest = oldest.collect::<rusqlite::Result<Vec<_>>>()?;
        if oldest.is_empty() {
            break;
        }
        for (number, arrived_ms, bytes) in oldest {
            let stays = totals.deliveries <= bound(limits.deliveries)
                && totals.bytes <= bound(limits.bytes)
                && arrived_ms >= oldest_ms;
            if stays || left == 0 {
                break 'deliveries;
            }
            left -= 1;
            db.prepare_cached("DELETE FROM deliveries WHERE number = ?1")?
                .execute([number])?;
            totals.deliveries -= 1;
            totals.bytes -= bytes;
            remove_body(db, number, totals)?;
        }
    }
    while totals.body_bytes > bound(limits.body_bytes) {
        let oldest: Option<i64> = db
            .prepare_cached("SELECT number FROM bodies WHERE class = ?1 ORDER BY number LIMIT 1")?
            .query_row([class.number()], |row| row.get(0))
            .optional()?;
        let Some(number) = oldest else {
            // The sum was wrong: there is nothing that it could be of.
            totals.body_bytes = 0;
            break;
        };
        remove_body(db, number, totals)?;
    }
    Ok(())
}

/// When the oldest row of a class came. By the index of classes, whose rows stand in the order of their numbers.
pub(crate) fn oldest_ms(db: &Connection, class: Class) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT arrived_ms FROM deliveries WHERE class = ?1 ORDER BY number LIMIT 1")?
        .query_row([class.number()], |row| row.get(0))
        .optional()
}

fn remove_body(db: &Connection, number: i64, totals: &mut Totals) -> rusqlite::Result<()> {
    let removed: Option<i64> = db
        .prepare_cached("DELETE FROM bodies WHERE number = ?1 RETURNING length(start)")?
        .query_row([number], |row| row.get(0))
        .optional()?;
    totals.body_bytes -= removed.unwrap_or(0);
    Ok(())
}
