//! Opens the file of a record.

use crate::error::RecordError;
use crate::open_files::with;
use crate::schema::{APPLICATION_ID, FORMAT, TABLES};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// Wait for another process that writes: `events forget`, or a backup.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// The file at `path`, made when there is none, for whoever writes.
pub(crate) fn to_write(path: &Path) -> Result<Connection, RecordError> {
    let cannot = |source| RecordError::File {
        path: path.to_owned(),
        source,
    };
    // `SQLite` would follow a link.
    if let Some(foreign) = labelrelay_files::foreign_file(path).map_err(cannot)? {
        return Err(RecordError::Foreign {
            path: path.to_owned(),
            what: foreign.to_string(),
        });
    }
    match labelrelay_files::private_file(path) {
        Ok(_new) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(cannot(error)),
    }
    let db = connect(path)?;
    prepare(&db, path)?;
    Ok(db)
}

/// The file at `path`, for whoever reads; `None` when there is none, or nothing was recorded yet.
pub(crate) fn to_read(path: &Path) -> Result<Option<Connection>, RecordError> {
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return Ok(None),
        Err(source) => {
            return Err(RecordError::File {
                path: path.to_owned(),
                source,
            });
        }
    }
    let db = connect(path)?;
    Ok(is_record(&db, path)?.then_some(db))
}

/// A transaction that waits for its turn before it reads, so that what it read is still so when it writes. It is
/// rolled back when it is dropped.
pub(crate) fn begin(db: &Connection) -> rusqlite::Result<Transaction<'_>> {
    Transaction::new_unchecked(db, TransactionBehavior::Immediate)
}

fn connect(path: &Path) -> Result<Connection, RecordError> {
    plain_journals(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(BUSY_WAIT)?;
        // Without it, a statement is planned anew for each value that is bound to it.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(db)
    };
    open().map_err(|source| RecordError::of(path, source))
}

/// Refuses files that `SQLite` would open beside the record and that are not its own, as the queue does: a directory may
/// come from somebody else, and so may a link in it, or a journal that has `SQLite` remove any file.
fn plain_journals(path: &Path) -> Result<(), RecordError> {
    let foreign = |what: String| RecordError::Foreign {
        path: path.to_owned(),
        what,
    };
    let [journal, wal, index] = ["-journal", "-wal", "-shm"].map(|ending| with(path, ending));
    for beside in [&journal, &wal, &index] {
        let cannot = |source| RecordError::File {
            path: beside.clone(),
            source,
        };
        if let Some(found) = labelrelay_files::foreign_file(beside).map_err(cannot)? {
            return Err(foreign(found.to_string()));
        }
    }
    if labelrelay_files::names_another_file(&journal) {
        return Err(foreign(format!(
            "{} names another file, which `SQLite` would remove; labelrelay writes no such journal: remove it",
            journal.display()
        )));
    }
    Ok(())
}

/// Makes the tables where there are none.
fn prepare(db: &Connection, path: &Path) -> Result<(), RecordError> {
    let failed = |source| RecordError::of(path, source);
    let is_there = is_record(db, path)?;
    let set = || -> rusqlite::Result<()> {
        // It answers with the mode.
        db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        // A loss of power may cost the newest rows, and damages nothing; the end of the process costs none.
        db.pragma_update(None, "synchronous", "NORMAL")
    };
    set().map_err(failed)?;
    if is_there {
        return Ok(());
    }
    let make = || -> rusqlite::Result<()> {
        let transaction = begin(db)?;
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", FORMAT)?;
        transaction.commit()
    };
    make().map_err(failed)
}

/// Tells whether the file has our tables; an empty one has none yet. Anything else is an error.
fn is_record(db: &Connection, path: &Path) -> Result<bool, RecordError> {
    let number = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let header = || -> rusqlite::Result<_> {
        // All of it at one moment: somebody may make the tables meanwhile.
        let _moment = Transaction::new_unchecked(db, TransactionBehavior::Deferred)?;
        Ok((
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_schema")?,
        ))
    };
    match header().map_err(|source| RecordError::of(path, source))? {
        (0, 0, 0) => Ok(false),
        (APPLICATION_ID, found, _) if found > FORMAT => Err(RecordError::Newer {
            path: path.to_owned(),
            found,
            known: FORMAT,
        }),
        (APPLICATION_ID, FORMAT, _) => Ok(true),
        (APPLICATION_ID, found, _) => Err(RecordError::Foreign {
            path: path.to_owned(),
            what: format!("its format {found} never existed"),
        }),
        _ => Err(RecordError::Foreign {
            path: path.to_owned(),
            what: "an SQLite database of another program".to_owned(),
        }),
    }
}
