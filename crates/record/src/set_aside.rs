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

/// Files of one ending that are kept. They are as large as a record, and a disk that damages each would be full of them.
const KEPT: u32 = 3;

/// Gives the file at `path`, with what `SQLite` has beside it, another name: with `.damaged` or `.newer` behind it. One
/// of that name from before gets `.1` behind its own, and so on; the oldest of three goes. Nobody in this process has the file open. `true` if it has it; the log is told, also of
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
    let name = |before: u32| match before {
        0 => with(path, &format!(".{ending}")),
        before => with(path, &format!(".{ending}.{before}")),
    };
    let first_free = (0..KEPT).find(|before| !is_there(&name(*before)));
    for before in (1..=first_free.unwrap_or(KEPT - 1)).rev() {
        rename_with_journals(&name(before - 1), &name(before))?;
    }
    let aside = name(0);
    rename_with_journals(path, &aside)?;
    Ok(aside)
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn rename_with_journals(path: &Path, aside: &Path) -> io::Result<()> {
    std::fs::rename(path, aside)?;
    for journal in ["-wal", "-shm"] {
        let (from, to) = (with(path, journal), with(aside, journal));
        // One of a file that was set aside before does not belong to this one.
        let moved = std::fs::rename(&from, &to);
        if moved.is_err() {
            let _ = std::fs::remove_file(&to);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{read_to_string, write};

    /// Red if a second damage overwrites what was left of the first, or if a third piles up more.
    #[test]
    fn what_was_set_aside_before_stays_and_the_oldest_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("queue.db.record");
        let aside = |ending: &str| read_to_string(with(&path, ending)).ok();
        for damage in ["first", "second", "third", "fourth"] {
            write(&path, damage).unwrap();
            let journal = with(&path, "-wal");
            if damage != "second" {
                write(journal, format!("journal of the {damage}")).unwrap();
            }
            let renamed = renamed(&path, "damaged").unwrap();
            assert_eq!(renamed, with(&path, ".damaged"));
            assert!(!path.exists());
        }
        for (ending, left) in [
            (".damaged", Some("fourth")),
            (".damaged-wal", Some("journal of the fourth")),
            (".damaged.1", Some("third")),
            (".damaged.1-wal", Some("journal of the third")),
            (".damaged.2", Some("second")),
            (".damaged.2-wal", None),
            (".damaged.3", None),
        ] {
            assert_eq!(aside(ending).as_deref(), left, "{ending}");
        }
        // One that somebody moved away leaves room for those before it.
        std::fs::remove_file(with(&path, ".damaged")).unwrap();
        write(&path, "fifth").unwrap();
        renamed(&path, "damaged").unwrap();
        assert_eq!(aside(".damaged").as_deref(), Some("fifth"));
        assert_eq!(aside(".damaged.1").as_deref(), Some("third"));
    }
}
