//! The state for whoever only looks at it.

use super::{STATE, Store, plan_once, schema};
use crate::DatasetError;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The state in the directory `dir`, and its path: to look at, while another process may work on it.
pub(crate) fn open_read_only(dir: &Path) -> Result<(Connection, PathBuf), DatasetError> {
    if !Store::is_there(dir) {
        return Err(DatasetError::new(
            dir,
            "there is no such dataset",
            "make it with `labelrelay dataset sync`",
        ));
    }
    let path = dir.join(STATE);
    let failed = DatasetError::database(&path);
    let mut db = open(&path, OpenFlags::empty()).map_err(&failed)?;
    if !can_be_read(&db) && is_whole(dir) {
        // SQLite makes files beside this one to read it. Where it cannot, nobody can change this one either, or nobody has
        // it open: then all is in it.
        let encoded = percent_encode(path.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC);
        let unchanging = PathBuf::from(format!("file:{encoded}?immutable=1"));
        db = open(&unchanging, OpenFlags::SQLITE_OPEN_URI).map_err(&failed)?;
    }
    schema::check(&db, &path)?;
    Ok((db, path))
}

fn open(path: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags | more)?;
    db.busy_timeout(Duration::from_secs(5))?;
    plan_once(&db)?;
    Ok(db)
}

/// Tells whether it can be opened in truth, which its first statement does.
fn can_be_read(db: &Connection) -> bool {
    let read = db.query_row("PRAGMA user_version", [], |_| Ok(()));
    let code = read.err().and_then(|error| error.sqlite_error_code());
    !matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// Tells whether nothing is left in the log of `SQLite`, which an unchanging state is read without.
fn is_whole(dir: &Path) -> bool {
    let log = dir.join(format!("{STATE}-wal")).metadata();
    log.map_or(true, |log| log.len() == 0)
}
