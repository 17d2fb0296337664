//! Finds what can be read behind damage. A damaged page hides the events in it, and nothing says how many; a search by
//! number does not need that page to find what comes after it.

use crate::sqlite_error::is_damage;
use rusqlite::{Connection, OptionalExtension as _};

/// So many numbers are tried one by one. Behind them the steps grow, and two gaps with events between them may pass for
/// one.
const NEAR: u64 = 20_000;

/// Number of the first event from `from` on; an error if that lies in damage.
fn next_from(db: &Connection, from: u64) -> rusqlite::Result<Option<u64>> {
    let Ok(first) = i64::try_from(from) else {
        return Ok(None);
    };
    let next: Option<i64> = db
        .prepare_cached("SELECT seq FROM events WHERE seq >= ?1 ORDER BY seq LIMIT 1")?
        .query_row([first], |row| row.get(0))
        .optional()?;
    match next.map(i64::cast_unsigned) {
        // A page in which the numbers are in no order.
        Some(next) if next < from => Err(rusqlite::Error::IntegralValueOutOfRange(0, first)),
        next => Ok(next),
    }
}

/// The first number from `from` on at which an event, or the page that it would be in, cannot be read; `None` if there
/// is no such number.
///
/// # Errors
/// Those that are no damage.
pub(super) fn gap_from(
    db: &Connection,
    mut from: u64,
    is_readable: impl Fn(u64) -> rusqlite::Result<bool>,
) -> rusqlite::Result<Option<u64>> {
    loop {
        let Some(next) = unless_damaged(next_from(db, from))? else {
            return Ok(Some(from));
        };
        match next {
            None => return Ok(None),
            Some(seq) if is_readable(seq)? => from = seq.saturating_add(1),
            Some(seq) => return Ok(Some(seq)),
        }
    }
}

/// Number of the first event from `from` on that can be read, behind whatever damage lies before it.
///
/// # Errors
/// Those that are no damage.
pub(super) fn readable_from(
    db: &Connection,
    mut from: u64,
    is_readable: impl Fn(u64) -> rusqlite::Result<bool>,
) -> rusqlite::Result<Option<u64>> {
    loop {
        match unless_damaged(next_from(db, from))? {
            Some(None) => return Ok(None),
            Some(Some(seq)) if is_readable(seq)? => return Ok(Some(seq)),
            Some(Some(seq)) => from = seq.saturating_add(1),
            None => match end_of_gap(db, from)? {
                Some(end) => from = end,
                None => return Ok(None),
            },
        }
    }
}

/// The first number after `from`, which lies in damage, that does not; `None` if the damage has no end.
fn end_of_gap(db: &Connection, from: u64) -> rusqlite::Result<Option<u64>> {
    let is_whole = |number: u64| -> rusqlite::Result<bool> {
        Ok(unless_damaged(next_from(db, number))?.is_some())
    };
    let near = from.saturating_add(NEAR);
    for number in from.saturating_add(1)..=near {
        if is_whole(number)? {
            return Ok(Some(number));
        }
    }
    let mut damaged = near;
    let mut known = None;
    for number in likely_numbers(db)? {
        if number > near && known.is_none() && is_whole(number)? {
            known = Some(number);
        }
    }
    let mut step = NEAR;
    let mut whole = loop {
        if let Some(known) = known {
            break known;
        }
        let next = damaged.saturating_add(step);
        if i64::try_from(next).is_err() {
            return Ok(None);
        }
        if is_whole(next)? {
            break next;
        }
        damaged = next;
        step = step.saturating_mul(2);
    };
    while whole - damaged > 1 {
        let middle = damaged + (whole - damaged) / 2;
        if is_whole(middle)? {
            whole = middle;
        } else {
            damaged = middle;
        }
    }
    Ok(Some(whole))
}

/// Numbers that the other tables name, the lowest first: events are near them, though the first and the last of them may
/// lie in damage, and a queue that was long in use begins at some high number.
fn likely_numbers(db: &Connection) -> rusqlite::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for select in [
        "SELECT min(seq) FROM deliveries",
        "SELECT max(seq) FROM deliveries",
        "SELECT value FROM settings WHERE name = 'received_through'",
        "SELECT value + 1 FROM settings WHERE name = 'received_through'",
    ] {
        let number = db.query_row(select, [], |row| row.get::<_, Option<i64>>(0));
        let number = unless_damaged(number.optional())?.flatten().flatten();
        numbers.extend(number.and_then(|number| u64::try_from(number).ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// `None` for damage. Other errors stay what they are: they pass, and what they hide is there.
pub(super) fn unless_damaged<T>(read: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if is_damage(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
