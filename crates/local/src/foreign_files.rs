//! Files beside a queue that have the names of its own, and are none: a directory may come from somebody else.

use crate::canonical_path::beside;
use crate::queue_file_error::OpenError;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
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

/// Last bytes of a journal that ends with the name of another file.
const NAMES_ANOTHER: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// Refuses files that `SQLite` would open beside the queue file and that are not its own. It follows no link,
/// but would write through a hard link. And it removes the file that an old journal names as its super-journal:
/// where a directory came from somebody else, that may be any file.
pub(crate) fn plain_journals(database: &Path) -> Result<(), OpenError> {
    let [journal, wal, index] = ["-journal", "-wal", "-shm"].map(|end| beside(database, end));
    for path in [&journal, &wal, &index] {
        plain(path)?;
    }
    let last = || -> std::io::Result<[u8; 8]> {
        let mut file = File::open(&journal)?;
        file.seek(SeekFrom::End(-8))?;
        let mut last = [0; 8];
        file.read_exact(&mut last)?;
        Ok(last)
    };
    // There is none, or it is too short to name anything.
    if last().is_ok_and(|last| last == NAMES_ANOTHER) {
        return Err(OpenError::Journal { path: journal });
    }
    Ok(())
}
