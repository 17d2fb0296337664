//! Sums over all rows of a class, kept in the file: nobody counts a million rows at a start.

use crate::class::{Class, PerClass};
use rusqlite::Connection;

/// Sums over the rows of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) deliveries: i64,
    pub(crate) bytes: i64,
    pub(crate) body_bytes: i64,
    /// Deliveries that found no room on the way to the file.
    pub(crate) lost: i64,
}

pub(crate) fn read(db: &Connection) -> rusqlite::Result<PerClass<Totals>> {
    let mut all = PerClass::<Totals>::default();
    let mut select = db.prepare_cached(
        "SELECT deliveries, bytes, body_bytes, lost FROM totals WHERE class = ?1",
    )?;
    for class in Class::ALL {
        *all.of_mut(class) = select.query_row([class.number()], |row| {
            Ok(Totals {
                deliveries: row.get(0)?,
                bytes: row.get(1)?,
                body_bytes: row.get(2)?,
                lost: row.get(3)?,
            })
        })?;
    }
    Ok(all)
}

pub(crate) fn write(db: &Connection, all: &PerClass<Totals>) -> rusqlite::Result<()> {
    let mut update = db.prepare_cached(
        "UPDATE totals SET deliveries = ?1, bytes = ?2, body_bytes = ?3, lost = ?4 WHERE class = ?5",
    )?;
    for class in Class::ALL {
        let totals = all.of(class);
        update.execute((
            totals.deliveries,
            totals.bytes,
            totals.body_bytes,
            totals.lost,
            class.number(),
        ))?;
    }
    Ok(())
}

/// A length as the file has it.
pub(crate) fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A bound as the file's numbers can be held against.
pub(crate) fn bound(most: u64) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
