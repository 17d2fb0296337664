//! Files beside a queue that have the names of its own, and are none: a directory may come from somebody else.

use crate::canonical_path::beside;
use crate::queue_file_error::OpenError;
use std::path::Path;

/// Refuses a foreign file in the place where one of ours is about to be made or written.
pub(crate) fn plain(path: &Path) -> Result<(), OpenError> {
    match labelrelay_files::foreign_file(path) {
        Ok(None) => Ok(()),
        Ok(Some(foreign)) => Err(OpenError::ForeignFile(foreign)),
        Err(source) => Err(OpenError::Io {
            path: path.to_owned(),
            what: "looking at a file beside the queue file",
            source,
        }),
    }
}

/// Refuses files that `SQLite` would open beside the queue file and that are not its own. It follows no link,
/// but would write through a hard link. And it removes the file that an old journal names as its super-journal:
/// where a directory came from somebody else, that may be any file.
pub(crate) fn plain_journals(database: &Path) -> Result<(), OpenError> {
    let [journal, wal, index] = ["-journal", "-wal", "-shm"].map(|end| beside(database, end));
    for path in [&journal, &wal, &index] {
        plain(path)?;
    }
    if labelrelay_files::names_another_file(&journal) {
        return Err(OpenError::Journal { path: journal });
    }
    Ok(())
}
