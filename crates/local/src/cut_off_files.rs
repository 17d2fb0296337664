//! Check that tells a queue file or journal that was cut off from one that became shorter by itself.
//!
//! `VACUUM` and the checkpoint after it shorten the file, a checkpoint shortens the journal, and by the next look
//! either may have grown again. So lengths that were seen one after the other prove nothing. This looks while
//! nobody can commit. Then the journal is as long as its index says, and each page of the database is in the file
//! or among the journal's pages that are yet to be moved. A page that is in neither was cut off.
//!
//! A file that was cut off can be long again by the next look: a checkpoint writes the newest pages where they
//! belong, and leaves a hole where the others were. So the holes are counted as well. Some are right: a checkpoint
//! that cannot move the whole journal leaves holes, and they are where the file became longer.

use rusqlite::{Connection, OpenFlags, ffi};
use std::fs::{File, Metadata};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Bytes before the journal's first page, and before each page of it.
const JOURNAL_HEAD: u64 = 32;
const FRAME_HEAD: u64 = 24;

/// `SQLite` never stores anything in the page that holds the locks of its rollback journal mode.
const LOCK_BYTE: u64 = 0x4000_0000;

/// Tries while somebody moves the journal into the file meanwhile, which goes on without commits.
const TRIES: usize = 100;

/// State of a file and its journal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing is missing. Neither may be shorter than this without another look.
    Whole { file_bytes: u64, journal_bytes: u64 },
    /// The file lacks pages.
    FileCutOff,
    /// The journal lacks pages.
    JournalCutOff,
}

/// Holes for which there is a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownHoles {
    /// Bytes of the holes, at most.
    pub(crate) bytes: u64,
    /// Length of the file that has them.
    pub(crate) file_bytes: u64,
}

/// Holes of a file that has more of them than before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Holes {
    /// Pages that hold nothing, or that the journal has yet to bring.
    Explained(KnownHoles),
    /// Content was cut off there.
    OfContent,
    /// None that `SQLite` knows of: this file system counts in another way, such as one that compresses.
    Unknown,
}

/// Why nothing can be told now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Undecided {
    #[error("{}", crate::sqlite_error::advice(.0))]
    Database(#[from] rusqlite::Error),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("another program moves its journal all the time")]
    Restless,
}

/// Length of a journal of so many pages.
pub(crate) fn journal_bytes(pages: u64, page_bytes: u64) -> u64 {
    match pages {
        0 => 0,
        pages => JOURNAL_HEAD + pages.saturating_mul(page_bytes + FRAME_HEAD),
    }
}

/// Bytes of a file for which the disk keeps no room: its holes.
pub(crate) fn hole_bytes(file: &Metadata) -> u64 {
    #[cfg(unix)]
    {
        // Of 512 bytes each, whatever the file system's own blocks are.
        let kept = std::os::unix::fs::MetadataExt::blocks(file).saturating_mul(512);
        file.len().saturating_sub(kept)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        0
    }
}

/// Bytes of the pages that hold nothing in a file of this length.
pub(crate) fn free_bytes(
    db: &Connection,
    page_bytes: u64,
    file_bytes: u64,
) -> rusqlite::Result<u64> {
    let free: i64 = db.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    let locks = u64::from(file_bytes > LOCK_BYTE);
    Ok(free
        .cast_unsigned()
        .saturating_add(locks)
        .saturating_mul(page_bytes))
}

/// Judges the holes of a file while nobody can commit. Reads all of its pages if nothing else explains the holes.
///
/// # Errors
/// [`Undecided`] when it could not look.
pub(crate) fn judge_holes(
    db: &Connection,
    database: &Path,
    journal: &Path,
    page_bytes: u64,
    known: KnownHoles,
) -> Result<Holes, Undecided> {
    match judge_holes_locked(db, database, journal, page_bytes, known) {
        Err(Undecided::Database(error)) if is_damage(&error) => Ok(Holes::OfContent),
        judged => judged,
    }
}

fn judge_holes_locked(
    db: &Connection,
    database: &Path,
    journal: &Path,
    page_bytes: u64,
    known: KnownHoles,
) -> Result<Holes, Undecided> {
    let nobody_commits = crate::sqlite::begin(db)?;
    let second = second(database)?;
    let progress = Progress::of(&second)?;
    let file = database.metadata()?;
    let now = KnownHoles {
        bytes: hole_bytes(&file),
        file_bytes: file.len(),
    };
    let free = free_bytes(&second, page_bytes, now.file_bytes)?;
    // The journal's other pages were in the file before: where one of those is missing, the journal is no reason.
    let first_new = known.file_bytes / page_bytes + 1;
    let last_new = now.file_bytes / page_bytes;
    let in_journal = progress.may_lack(journal, page_bytes, first_new, last_new)?;
    let explained = free
        .saturating_add(known.bytes)
        .saturating_add(in_journal.saturating_mul(page_bytes));
    let judged = if now.bytes <= explained {
        Holes::Explained(now)
    } else {
        let found: String = second.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        let yet_to_move = progress.pages.saturating_sub(progress.moved);
        if found != "ok" {
            Holes::OfContent
        } else if now.bytes <= free.saturating_add(yet_to_move.saturating_mul(page_bytes)) {
            Holes::Explained(now)
        } else {
            Holes::Unknown
        }
    };
    nobody_commits.rollback()?;
    Ok(judged)
}

/// Another connection. It has read nothing yet, so that it sees what is in the file.
fn second(database: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(database, flags)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ffi::ErrorCode::DatabaseCorrupt | ffi::ErrorCode::NotADatabase)
    )
}

/// Looks while nobody can commit, for which it waits as long as `db` waits to write.
///
/// # Errors
/// [`Undecided`] when it could not look.
pub(crate) fn judge(
    db: &Connection,
    database: &Path,
    journal: &Path,
    page_bytes: u64,
) -> Result<Verdict, Undecided> {
    judge_locked(db, database, journal, page_bytes).or_else(|error| match &error {
        // Only the journal is read so that a page that is not there is an error.
        Undecided::Database(rusqlite::Error::SqliteFailure(
            ffi::Error {
                extended_code: ffi::SQLITE_IOERR_SHORT_READ,
                ..
            },
            _,
        )) => Ok(Verdict::JournalCutOff),
        Undecided::Database(damage) if is_damage(damage) => Ok(Verdict::FileCutOff),
        _ => Err(error),
    })
}

fn judge_locked(
    db: &Connection,
    database: &Path,
    journal: &Path,
    page_bytes: u64,
) -> Result<Verdict, Undecided> {
    // `SQLite` removes the journal of an empty file where it opens one, so this comes before the second connection.
    if database.metadata()?.len() < page_bytes {
        return Ok(Verdict::FileCutOff);
    }
    let nobody_commits = crate::sqlite::begin(db)?;
    let pages: i64 = db.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let pages = pages.cast_unsigned();
    // Within a transaction a connection does not say how long its journal is.
    let second = second(database)?;
    for _ in 0..TRIES {
        let before = Progress::of(&second)?;
        let file_bytes = database.metadata()?.len();
        let journal_bytes = journal_bytes(before.pages, page_bytes);
        if journal.metadata()?.len() < journal_bytes {
            return Ok(Verdict::JournalCutOff);
        }
        let in_file = file_bytes / page_bytes;
        let whole = in_file > 0
            && pages > 0
            && (in_file >= pages
                || before.may_lack(journal, page_bytes, in_file + 1, pages)? == pages - in_file);
        // Pages that were moved meanwhile are in the file by now.
        if Progress::of(&second)? == before {
            nobody_commits.rollback()?;
            return Ok(if whole {
                Verdict::Whole {
                    file_bytes,
                    journal_bytes,
                }
            } else {
                Verdict::FileCutOff
            });
        }
    }
    Err(Undecided::Restless)
}

/// Pages of the journal that are in the file.
#[derive(Debug, PartialEq, Eq)]
struct Progress {
    pages: u64,
    moved: u64,
}

impl Progress {
    fn of(db: &Connection) -> rusqlite::Result<Self> {
        let number = |value: i64| u64::try_from(value).unwrap_or(0);
        db.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| {
            Ok(Self {
                pages: number(row.get(1)?),
                moved: number(row.get(2)?),
            })
        })
    }

    /// Counts the pages from `first` to `last` that the file may lack: those in the part of the journal that is yet to
    /// be moved, and the one that is never stored. The journal, unlike the file, may be opened and closed here: nobody
    /// locks it.
    fn may_lack(
        &self,
        journal: &Path,
        page_bytes: u64,
        first: u64,
        last: u64,
    ) -> std::io::Result<u64> {
        let lock_page = LOCK_BYTE / page_bytes + 1;
        let wanted = first..=last;
        let mut journal = BufReader::with_capacity(4, File::open(journal)?);
        let mut found = Vec::new();
        for frame in self.moved..self.pages {
            let at = JOURNAL_HEAD + frame * (page_bytes + FRAME_HEAD);
            journal.seek(SeekFrom::Start(at))?;
            let mut page = [0; 4];
            journal.read_exact(&mut page)?;
            let page = u32::from_be_bytes(page).into();
            if wanted.contains(&page) {
                found.push(page);
            }
        }
        if wanted.contains(&lock_page) {
            found.push(lock_page);
        }
        found.sort_unstable();
        found.dedup();
        Ok(found.len() as u64)
    }
}
