//! The name of a journal, by which a record of several relays knows what it has of it. It begins with the journal's
//! numbers: a journal that was empty at a start begins anew with both.

use super::directory::beside;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Its file in the directory of the journal.
const NAME: &str = "name";

/// Longest name.
const MOST_BYTES: usize = 64;

/// The name of the journal beside the record `record`; `None` where it has none yet.
pub(crate) fn read(record: &Path) -> io::Result<Option<String>> {
    let bytes = match fs::read(file(&beside(record))) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // One that a loss of power has cut off is none.
    let text = String::from_utf8(bytes).ok();
    let name = text.and_then(|text| Some(text.strip_suffix('\n')?.to_owned()));
    Ok(name.filter(|name| !name.is_empty() && name.len() <= MOST_BYTES))
}

/// Gives it this name.
pub(crate) fn write(record: &Path, name: &str) -> io::Result<()> {
    let dir = beside(record);
    labelrelay_files::private_dir(&dir)?;
    remove_in(&dir)?;
    let mut file = labelrelay_files::private_file(&file(&dir))?;
    file.write_all(format!("{name}\n").as_bytes())?;
    file.sync_data()
}

/// Takes its name away.
pub(super) fn remove_in(dir: &Path) -> io::Result<()> {
    match fs::remove_file(file(dir)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn file(dir: &Path) -> PathBuf {
    dir.join(NAME)
}
