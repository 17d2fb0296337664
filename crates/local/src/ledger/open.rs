//! Opens a ledger's file.

use super::error::failed;
use super::schema::{APPLICATION_ID, MIGRATIONS, VERSION};
use crate::lock::{Lock, LockError};
use crate::sqlite::{self, BusyWait, begin};
use labelrelay_core::ledger::LedgerError;
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// Wait for the file: nobody else writes to it, but a backup may read it.
const BUSY_WAIT: BusyWait = BusyWait {
    total: Duration::from_secs(10),
    retry_every: Duration::from_millis(5),
};

/// Locks the ledger for one process: two at a time would send the same things.
pub(super) fn lock(path: &Path) -> Result<Lock, LedgerError> {
    Lock::take(path).map_err(|error| match error {
        LockError::Held { pid } => LedgerError::transient(format!(
            "{} is in use by {}: wait until that run ends, or end it",
            path.display(),
            pid.map_or_else(
                || "another process".to_owned(),
                |pid| format!("process {pid}")
            )
        )),
        LockError::ForeignFile(foreign) => LedgerError::permanent(foreign.to_string()),
        LockError::Io { path, what, source } => cannot(&path, what, source),
    })
}

/// The file at `path`, made when there is none.
pub(super) fn file(path: &Path) -> Result<Connection, LedgerError> {
    // `SQLite` would follow a link, and make an empty file that one leads to a ledger.
    let looked = labelrelay_files::foreign_file(path);
    if let Some(foreign) = looked.map_err(|source| cannot(path, "looking for the file", source))? {
        return Err(LedgerError::permanent(foreign.to_string()));
    }
    match labelrelay_files::private_file(path) {
        Ok(_new) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(source) => return Err(cannot(path, "making the file", source)),
    }
    let db = connect(path)?;
    let set = || -> rusqlite::Result<()> {
        db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "FULL")
    };
    migrate(&db, path)?;
    set().map_err(failed)?;
    Ok(db)
}

/// A copy of the file at `path`, empty when there is none. `SQLite` has it in a file of its own that has no name: a
/// ledger may be larger than the memory that a run shall take.
pub(super) fn copy(path: &Path) -> Result<Connection, LedgerError> {
    let mut nameless = Connection::open("").map_err(failed)?;
    sqlite::plan_once(&nameless).map_err(failed)?;
    if path.exists() {
        let db = connect(path)?;
        recognise(&db, path)?;
        let copy = Backup::new(&db, &mut nameless).map_err(failed)?;
        copy.run_to_completion(1000, Duration::ZERO, None)
            .map_err(failed)?;
    }
    migrate(&nameless, path)?;
    Ok(nameless)
}

/// The file at `path`, which must be a ledger. Its format may be an older one: all of them have the same tables.
pub(super) fn existing(path: &Path) -> Result<Connection, LedgerError> {
    let db = connect(path)?;
    if recognise(&db, path)? > 0 {
        return Ok(db);
    }
    Err(LedgerError::permanent(format!(
        "{} is not a ledger of this program (it is empty)",
        path.display()
    )))
}

/// The same, for whoever only reads.
pub(super) fn to_read(path: &Path) -> Result<Connection, LedgerError> {
    let db = existing(path)?;
    db.pragma_update(None, "query_only", true).map_err(failed)?;
    Ok(db)
}

/// The same, brought to our format.
pub(super) fn current(path: &Path) -> Result<Connection, LedgerError> {
    let db = existing(path)?;
    migrate(&db, path)?;
    Ok(db)
}

fn connect(path: &Path) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let mut db = Connection::open_with_flags(path, flags)?;
        sqlite::set_busy_wait(&mut db, BUSY_WAIT)?;
        sqlite::plan_once(&db)?;
        Ok(db)
    };
    open().map_err(|source| {
        let message = format!("{}: cannot be opened: {source}", path.display());
        LedgerError::permanent(message).caused_by(source)
    })
}

/// Makes the tables, or brings those of an older format to ours.
fn migrate(db: &Connection, path: &Path) -> Result<(), LedgerError> {
    let found = recognise(db, path)?;
    let Some(missing) = MIGRATIONS.get(found..).filter(|all| !all.is_empty()) else {
        return Ok(());
    };
    let make = || -> rusqlite::Result<()> {
        let transaction = begin(db)?;
        for migration in missing {
            transaction.execute_batch(migration)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()
    };
    make().map_err(failed)
}

/// Format of the ledger in the file; an empty file is none yet, and has format 0.
fn recognise(db: &Connection, path: &Path) -> Result<usize, LedgerError> {
    let number = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let foreign = |what: &str| {
        LedgerError::permanent(format!(
            "{} is not a ledger of this program ({what}); it was left as it is: move it away, and everything is looked for anew",
            path.display()
        ))
    };
    let header = || -> rusqlite::Result<_> {
        Ok((
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_schema")?,
        ))
    };
    match header().map_err(|error| foreign(&error.to_string()))? {
        (0, 0, 0) => Ok(0),
        (APPLICATION_ID, found, _) if found > VERSION => Err(LedgerError::permanent(format!(
            "{} has format {found}, this program knows formats up to {VERSION}: use the newer program; the file was left as it is",
            path.display()
        ))),
        (APPLICATION_ID, found, _) => usize::try_from(found)
            .ok()
            .filter(|&found| found > 0)
            .ok_or_else(|| foreign(&format!("its format {found} never existed"))),
        _ => Err(foreign("an SQLite database of another program")),
    }
}

fn cannot(path: &Path, what: &str, source: std::io::Error) -> LedgerError {
    let message = format!(
        "{}: {what}: {source}; the directory must exist and be writable",
        path.display()
    );
    LedgerError::permanent(message).caused_by(source)
}
