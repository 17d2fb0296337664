//! Takes an author's e-mail address out of a record.

use crate::error::{Failure, RecordError};
use crate::journal::{finish_rewriting, list_beside, rewrite};
use crate::open::begin;
use crate::reader::RecordFile;
use crate::totals::length;
use rusqlite::{Connection, ffi};

/// Rows of one transaction: whoever writes waits no longer than that takes.
const AT_ONCE: i64 = 256;

/// Stands where an address stood.
const FORGOTTEN: &[u8] = b"[forgotten]";

/// An e-mail address that is to be forgotten, in the ways in which it may be written.
pub struct Address(Vec<Vec<u8>>);

impl Address {
    /// The address, in whatever letters.
    pub fn new(address: &str) -> Self {
        Self(spellings(address))
    }

    /// The bytes without the address; `None` when it does not stand there. In a string of JSON, what stands in its place is
    /// JSON, too.
    pub fn taken_out_of(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        without(bytes, &self.0)
    }
}

impl RecordFile {
    /// Takes an e-mail address out of all that is kept, in whatever letters, and however a URL or JSON writes its `@`.
    /// Returns the number of deliveries in which it stood. What was removed is in no free page of the file either, and
    /// not in the journal.
    ///
    /// # Errors
    /// When the file cannot be read or written. What was done until then stays done.
    pub fn forget(&self, address: &str) -> Result<u64, RecordError> {
        let spellings = spellings(address);
        let forget = || -> Result<u64, Failure> {
            self.db.execute_batch("PRAGMA secure_delete = ON")?;
            let mut numbers = Vec::new();
            let transaction = begin(&self.db)?;
            // Somebody who did the same may have been killed at it.
            finish_rewriting(&self.path)?;
            drop(transaction);
            for (_, path) in list_beside(&self.path)? {
                // Meanwhile nothing is moved: what was read before it was rewritten is in the rows by then.
                let _transaction = begin(&self.db)?;
                numbers.extend(rewrite(&path, &|bytes| blanked(bytes, &spellings))?);
            }
            let mut after = 0;
            while let Some(last) = forget_in_rows(&self.db, after, &spellings, &mut numbers)? {
                after = last;
            }
            after = 0;
            while let Some(last) = forget_in_bodies(&self.db, after, &spellings, &mut numbers)? {
                after = last;
            }
            // Pages that were free before may hold it, too, and so may the journal.
            self.db.execute_batch("VACUUM")?;
            // Its first number tells that somebody looked at the journal all the time, so that it is still there.
            let is_busy: bool =
                self.db
                    .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if is_busy {
                let busy = ffi::Error::new(ffi::SQLITE_BUSY);
                return Err(rusqlite::Error::SqliteFailure(busy, None).into());
            }
            numbers.sort_unstable();
            numbers.dedup();
            Ok(numbers.len() as u64)
        };
        forget().map_err(|failure| failure.of(&self.path))
    }
}

/// Goes through the rows after `after`; the last number that was looked at, `None` at the end.
fn forget_in_rows(
    db: &Connection,
    after: i64,
    spellings: &[Vec<u8>],
    numbers: &mut Vec<i64>,
) -> rusqlite::Result<Option<i64>> {
    type Texts = [Option<String>; 5];
    let transaction = begin(db)?;
    let rows: Vec<(i64, Texts)> = transaction
        .prepare_cached(
            "SELECT number, path, reason, head, subject, delivery_id FROM deliveries WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?
        .query_map((after, AT_ONCE), |row| {
            let texts: Texts = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
            Ok((row.get::<_, i64>(0)?, texts))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (number, texts) in &rows {
        let cleaned = texts.each_ref().map(|text| {
            let text = text.as_ref()?;
            let clean = without(text.as_bytes(), spellings)?;
            Some(String::from_utf8_lossy(&clean).into_owned())
        });
        if cleaned.iter().all(Option::is_none) {
            continue;
        }
        numbers.push(*number);
        let [path, reason, head, subject, delivery] = cleaned;
        transaction
            .prepare_cached(
                "UPDATE deliveries SET path = coalesce(?1, path), reason = coalesce(?2, reason), head = coalesce(?3, head),
                     subject = coalesce(?4, subject), delivery_id = coalesce(?5, delivery_id) WHERE number = ?6",
            )?
            .execute((path, reason, head, subject, delivery, number))?;
    }
    transaction.commit()?;
    Ok(rows.last().map(|(number, _)| *number))
}

fn forget_in_bodies(
    db: &Connection,
    after: i64,
    spellings: &[Vec<u8>],
    numbers: &mut Vec<i64>,
) -> rusqlite::Result<Option<i64>> {
    let transaction = begin(db)?;
    let rows: Vec<(i64, i64, Vec<u8>)> = transaction
        .prepare_cached(
            "SELECT number, class, start FROM bodies WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?
        .query_map((after, AT_ONCE), |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, Vec<u8>>(2)?,
            ))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (number, class, start) in &rows {
        let Some(clean) = without(start, spellings) else {
            continue;
        };
        numbers.push(*number);
        transaction
            .prepare_cached("UPDATE bodies SET start = ?1 WHERE number = ?2")?
            .execute((&clean, number))?;
        let grown = length(clean.len()) - length(start.len());
        transaction
            .prepare_cached("UPDATE totals SET body_bytes = body_bytes + ?1 WHERE class = ?2")?
            .execute((grown, class))?;
    }
    transaction.commit()?;
    Ok(rows.last().map(|(number, ..)| *number))
}

/// The ways in which an address is written: as it is, in a URL, in JSON.
fn spellings(address: &str) -> Vec<Vec<u8>> {
    let written = ["@", "%40", "\\u0040"].map(|at| address.replace('@', at).into_bytes());
    let mut all = written.to_vec();
    all.dedup();
    all
}

/// The bytes without any of the spellings; `None` when none stands there. One that the end cuts off at its `@` or later
/// is gone, too. So is the end of a longer address: better one too many than one too few.
fn without(bytes: &[u8], spellings: &[Vec<u8>]) -> Option<Vec<u8>> {
    replaced(bytes, spellings, |out, _| out.extend_from_slice(FORGOTTEN))
}

/// The same, with as many bytes as before: what follows stays where it is.
fn blanked(bytes: &[u8], spellings: &[Vec<u8>]) -> Option<Vec<u8>> {
    replaced(bytes, spellings, |out, length| {
        let start = out.len();
        if length >= FORGOTTEN.len() {
            out.extend_from_slice(FORGOTTEN);
        }
        out.resize(start + length, b'*');
    })
}

/// The bytes, with what `put` writes for each spelling that has a length; `None` when none stands there.
fn replaced(
    bytes: &[u8],
    spellings: &[Vec<u8>],
    put: impl Fn(&mut Vec<u8>, usize),
) -> Option<Vec<u8>> {
    let begins = |rest: &[u8], spelling: &[u8]| {
        let length = spelling.len().min(rest.len());
        let (Some(rest), Some(part)) = (rest.get(..length), spelling.get(..length)) else {
            return None;
        };
        let is_whole = length == spelling.len();
        let is_told = is_whole || part.iter().any(|byte| b"@%\\".contains(byte));
        (length > 0 && is_told && rest.eq_ignore_ascii_case(part)).then_some(length)
    };
    let mut out = Vec::new();
    let mut rest = bytes;
    let mut is_changed = false;
    while let Some((&first, tail)) = rest.split_first() {
        let found = spellings.iter().find_map(|spelling| begins(rest, spelling));
        if let Some(length) = found {
            put(&mut out, length);
            rest = rest.get(length..).unwrap_or_default();
            is_changed = true;
        } else {
            out.push(first);
            rest = tail;
        }
    }
    is_changed.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_however_it_is_written() {
        let spellings = spellings("ann@example.org");
        for (before, after) in [
            ("by Ann@Example.org.", Some("by [forgotten].")),
            ("a=ann%40example.org&b", Some("a=[forgotten]&b")),
            (
                r#"{"email":"ann\u0040example.org"}"#,
                Some(r#"{"email":"[forgotten]"}"#),
            ),
            ("cut off: ann@exam", Some("cut off: [forgotten]")),
            ("cut off: ann", None),
            ("joan@example.com", None),
            ("", None),
        ] {
            let clean = without(before.as_bytes(), &spellings);
            assert_eq!(clean.as_deref(), after.map(str::as_bytes), "{before}");
            let blank = blanked(before.as_bytes(), &spellings);
            assert_eq!(blank.is_some(), after.is_some(), "{before}");
            let lengths = blank.map(|blank| blank.len()).into_iter();
            assert!(lengths.eq(after.map(|_| before.len())), "{before}");
        }
    }
}
