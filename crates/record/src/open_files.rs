//! The files of a record, as they were when it was opened: whoever puts another one in its place is noticed.
//!
//! `SQLite` goes on writing into a file that was moved away. By `stat` alone: opening and closing the file here would drop
//! the locks that `SQLite` has on it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// What stood at the names of a record's files.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OpenFiles {
    record: Option<Identity>,
    /// What `SQLite` has beside it.
    beside: [Option<Identity>; 2],
}

/// Endings of their names.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

impl OpenFiles {
    /// Looks at the files of the record at `path`.
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            record: identity(path).ok().flatten(),
            beside: BESIDE.map(|ending| identity(&with(path, ending)).ok().flatten()),
        }
    }

    /// The same files, but the record that stood there `before`, if there was one: if another one took its place while it
    /// was opened, that is noticed soon.
    pub(crate) fn opened_after(self, before: Self) -> Self {
        Self {
            record: before.record.or(self.record),
            ..self
        }
    }

    /// Tells whether the record at `path` is another one by now, or none. One that cannot be looked at is still the same.
    pub(crate) fn are_displaced(&self, path: &Path) -> bool {
        match identity(path) {
            Ok(Some(now)) => self.record.is_some_and(|known| known != now),
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Removes what `SQLite` left beside a record that is gone. Read with another one, it would damage that.
    pub(crate) fn remove_left_over(&self, path: &Path) {
        for (ending, known) in BESIDE.into_iter().zip(self.beside) {
            let name = with(path, ending);
            let is_ours =
                matches!((identity(&name), known), (Ok(Some(now)), Some(known)) if now == known);
            if is_ours {
                // One that stays is looked at by `SQLite`, which sets damage apart.
                let _ = std::fs::remove_file(&name);
            }
        }
    }
}

/// The path with this behind its name.
pub(crate) fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// The file of this name; `None` when there is none.
fn identity(path: &Path) -> io::Result<Option<Identity>> {
    let file = match path.metadata() {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    #[cfg(unix)]
    let (device, inode) = {
        use std::os::unix::fs::MetadataExt as _;
        (file.dev(), file.ino())
    };
    // Elsewhere, a file that is open cannot be replaced.
    #[cfg(not(unix))]
    let (device, inode) = {
        let _ = file;
        (0, 0)
    };
    Ok(Some(Identity { device, inode }))
}
