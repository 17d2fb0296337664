//! The tables of a queue file, and how a file is recognised as one.

use crate::canonical_path;
use crate::disk_reserve;
use crate::foreign_files;
use crate::queue_file_error::OpenError;
use crate::sqlite::{self, BusyWait};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, ffi};
use std::path::Path;

/// Says in the file's header whose it is: "`LbRq`".
const APPLICATION_ID: i64 = 0x4C62_5271;

/// Format of the tables below; a change of them needs a new number and a migration.
const VERSION: i64 = 1;

/// Frozen into users' files when they are made. Measured: see `MEASUREMENTS.md`.
pub(crate) const PAGE_BYTES: u32 = 16 * 1024;

const TABLES: &str = "
CREATE TABLE events(
    seq INTEGER PRIMARY KEY,        -- order of arrival, never used twice
    received_ms INTEGER NOT NULL,   -- time of day, since 1970
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    source TEXT NOT NULL,
    subject TEXT,
    envelope BLOB NOT NULL          -- last, so that a listing need not read it
) STRICT;
CREATE TABLE deliveries(            -- one row for each event that was received at least once
    seq INTEGER PRIMARY KEY,
    state INTEGER NOT NULL,         -- 0 in flight, 1 acknowledged, 2 dead
    receive_count INTEGER NOT NULL,
    visible_ms INTEGER NOT NULL,    -- in flight: when it may be received again
    changed_ms INTEGER NOT NULL,
    receipt BLOB                    -- in flight: what acknowledges it
) STRICT;
CREATE INDEX deliveries_in_flight ON deliveries(visible_ms, seq) WHERE state = 0;
CREATE INDEX deliveries_acknowledged ON deliveries(changed_ms, seq) WHERE state = 1;
CREATE INDEX deliveries_dead ON deliveries(seq) WHERE state = 2;
CREATE TABLE settings(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO settings VALUES('received_through', 0);
";

/// Statements that a connection keeps prepared: all that the writer and the ledger run. With fewer, they would push each
/// other out, and be prepared again for each delivery.
const STATEMENTS: usize = 64;

/// Appends an event.
pub(crate) const INSERT_EVENT: &str = "INSERT INTO events(seq, received_ms, id, type, source, subject, envelope) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Opens the file at `path`, which has to be a queue file already.
pub(crate) fn open_existing(path: &Path, busy_wait: BusyWait) -> Result<Connection, OpenError> {
    with_room(path, || existing(path, busy_wait))
}

fn existing(path: &Path, busy_wait: BusyWait) -> Result<Connection, OpenError> {
    if !path
        .try_exists()
        .map_err(|source| io(path, "looking for the queue file", source))?
    {
        return Err(OpenError::Missing {
            path: path.to_owned(),
        });
    }
    let db = connect(path, busy_wait)?;
    match recognise(&db, path)? {
        Found::Queue => configure(&db, path).map(|()| db),
        // The owner is just making it, or was ended while it did; its next start makes it a queue.
        Found::Nothing => Err(OpenError::Missing {
            path: path.to_owned(),
        }),
    }
}

/// Opens the file at `path`, and makes it a queue file when there is none, or an empty one.
pub(crate) fn open_or_create(path: &Path, busy_wait: BusyWait) -> Result<Connection, OpenError> {
    with_room(path, || existing_or_new(path, busy_wait))
}

/// Opens a queue, and once more with the room of the reserve where there is no other: `SQLite` makes the journal and
/// its index before anything can be read.
fn with_room<T>(path: &Path, open: impl Fn() -> Result<T, OpenError>) -> Result<T, OpenError> {
    let diagnose = |error| match error {
        OpenError::Database { path, source } => OpenError::Database {
            source: disk_reserve::diagnose(source, &path),
            path,
        },
        other => other,
    };
    match open().map_err(diagnose) {
        Err(OpenError::Database { source, .. })
            if disk_reserve::is_disk_full(&source) && disk_reserve::release(path) =>
        {
            open().map_err(diagnose)
        }
        opened => opened,
    }
}

/// A new queue file in `dir`, for tests of what is in it. It waits for nobody.
#[cfg(test)]
pub(crate) fn new_in(dir: &tempfile::TempDir) -> Connection {
    let busy_wait = BusyWait {
        total: std::time::Duration::ZERO,
        retry_every: std::time::Duration::ZERO,
    };
    open_or_create(&dir.path().join("queue.db"), busy_wait).unwrap()
}

fn existing_or_new(path: &Path, busy_wait: BusyWait) -> Result<Connection, OpenError> {
    match labelrelay_files::private_file(path) {
        Ok(_new) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(source) => return Err(io(path, "making the queue file", source)),
    }
    let mut db = connect(path, busy_wait)?;
    if let Found::Nothing = recognise(&db, path)? {
        create(&mut db).map_err(|source| database(path, source))?;
    }
    configure(&db, path)?;
    Ok(db)
}

fn create(db: &mut Connection) -> rusqlite::Result<()> {
    // The page size must be told before anything is written, and cannot be changed in WAL mode.
    db.pragma_update(None, "page_size", PAGE_BYTES)?;
    db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    change.execute_batch(TABLES)?;
    change.pragma_update(None, "application_id", APPLICATION_ID)?;
    change.pragma_update(None, "user_version", VERSION)?;
    change.commit()
}

enum Found {
    Queue,
    Nothing,
}

/// Looks at the header and the list of tables; changes nothing.
fn recognise(db: &Connection, path: &Path) -> Result<Found, OpenError> {
    let number = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let foreign = |what: String| OpenError::Foreign {
        path: path.to_owned(),
        what,
    };
    let look = || -> rusqlite::Result<_> {
        Ok((
            number("PRAGMA application_id")?,
            number("PRAGMA user_version")?,
            number("SELECT count(*) FROM sqlite_schema")?,
        ))
    };
    let (application, version, tables) =
        look().map_err(|source| match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => foreign("it is not an SQLite database".to_owned()),
            _ => database(path, source),
        })?;
    match (application, version, tables) {
        (0, 0, 0) => Ok(Found::Nothing),
        (APPLICATION_ID, VERSION, _) => Ok(Found::Queue),
        (APPLICATION_ID, found, _) if found > VERSION => Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: VERSION,
        }),
        (APPLICATION_ID, found, _) => Err(foreign(format!("its format {found} never existed"))),
        _ => Err(foreign(format!(
            "an SQLite database of another program, application id {application}"
        ))),
    }
}

fn connect(path: &Path, busy_wait: BusyWait) -> Result<Connection, OpenError> {
    canonical_path::one_name(path)?;
    foreign_files::plain_journals(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let mut db = Connection::open_with_flags(path, flags)?;
        sqlite::set_busy_wait(&mut db, busy_wait)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        sqlite::plan_once(&db)?;
        Ok(db)
    };
    let db = open().map_err(|source| database(path, source))?;
    // SQLite falls back to reading in silence where it may not write.
    if db
        .is_readonly("main")
        .map_err(|source| database(path, source))?
    {
        let source = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        return Err(io(path, "opening the queue file for writing", source));
    }
    Ok(db)
}

/// Sets the pragmas of each connection, which are not kept in the file.
fn configure(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let set = || -> rusqlite::Result<()> {
        db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "FULL")?;
        // Checkpoints are made where nobody waits for them: see `embedded::checkpoint`.
        db.query_row("PRAGMA wal_autocheckpoint = 0", [], |_| Ok(()))?;
        db.pragma_update(None, "cache_size", sqlite::CACHE_SIZE)
    };
    set().map_err(|source| match source.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => io(
            path,
            "making the journal beside the queue file",
            std::io::Error::other(source),
        ),
        _ => database(path, source),
    })
}

fn database(path: &Path, source: rusqlite::Error) -> OpenError {
    let code = match &source {
        rusqlite::Error::SqliteFailure(ffi::Error { code, .. }, _) => Some(*code),
        _ => None,
    };
    match code {
        Some(ErrorCode::CannotOpen) => io(
            path,
            "opening the queue file",
            std::io::Error::other(source),
        ),
        _ => OpenError::Database {
            path: path.to_owned(),
            source,
        },
    }
}

fn io(path: &Path, what: &'static str, source: std::io::Error) -> OpenError {
    OpenError::Io {
        path: path.to_owned(),
        what,
        source,
    }
}
