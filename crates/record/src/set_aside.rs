//! A file that cannot be used makes room for a fresh one, and stays beside it.

use crate::error::RecordError;
use crate::open_files::with;
use labelrelay_core::chain;
use std::io;
use std::path::{Path, PathBuf};

/// Tells whether a file with this error can never be written, and may make room for another.
pub(crate) const fn can_be_set_aside(error: &RecordError) -> bool {
    ending(error).is_some()
}

const fn ending(error: &RecordError) -> Option<&'static str> {
    match error {
        RecordError::Damaged { .. } => Some("damaged"),
        RecordError::Newer { .. } => Some("newer"),
        _ => None,
    }
}

/// Gives the file at `path`, with what `SQLite` has beside it, another name: with `.damaged` or `.newer` behind it. One
/// of that name from before goes. Nobody in this process has the file open. `true` if it has it; the log is told, also of
/// a failure that is the first one (`is_first`).
pub(crate) fn set_aside(path: &Path, error: &RecordError, is_first: bool) -> bool {
    let Some(ending) = ending(error) else {
        return false;
    };
    match renamed(path, ending) {
        Ok(aside) => {
            tracing::error!(name: "record_set_aside", reason = %chain(error), set_aside = %aside.display(), "the record cannot be used; it was set aside, and a new one begins");
            true
        }
        Err(cannot) if is_first => {
            tracing::error!(name: "record_not_set_aside", reason = %chain(error), error = %cannot, "the record cannot be used, and cannot be renamed either: move it away");
            false
        }
        Err(_) => false,
    }
}

fn renamed(path: &Path, ending: &str) -> io::Result<PathBuf> {
    let aside = with(path, &format!(".{ending}"));
    std::fs::rename(path, &aside)?;
    for journal in ["-wal", "-shm"] {
        let (from, to) = (with(path, journal), with(&aside, journal));
        // One of a file that was set aside before does not belong to this one.
        let moved = std::fs::rename(&from, &to);
        if moved.is_err() {
            let _ = std::fs::remove_file(&to);
        }
    }
    Ok(aside)
}
