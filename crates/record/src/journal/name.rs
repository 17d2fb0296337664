//! The name of a journal, by which a record of several relays knows what it has of it. It begins with the journal's
//! numbers: a journal that was empty at a start begins anew with both.

use super::directory::beside;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Its file in the directory of the journal: the name, a space, and the place up to which the record has the journal
/// whatever it knows of the name.
const NAME: &str = "name";

/// The same while it is written.
const HALF: &str = "name.half";

/// Longest name.
const MOST_BYTES: usize = 64;

/// The name of the journal beside the record `record`, and the place from which on it goes by that name; `None` where it
/// has none yet.
pub(crate) fn read(record: &Path) -> io::Result<Option<(String, i64)>> {
    let bytes = match fs::read(file(&beside(record))) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // One that a loss of power has cut off is none.
    let text = String::from_utf8(bytes).ok();
    let named = text.and_then(|text| {
        let (name, from) = text.strip_suffix('\n')?.split_once(' ')?;
        Some((name.to_owned(), from.parse().ok()?))
    });
    Ok(named.filter(|(name, _)| !name.is_empty() && name.len() <= MOST_BYTES))
}

/// Gives it this name from the place `from` on. A kill leaves the name that it had, or this one.
pub(crate) fn write(record: &Path, name: &str, from: i64) -> io::Result<()> {
    let dir = beside(record);
    labelrelay_files::private_dir(&dir)?;
    let half = dir.join(HALF);
    remove(&half)?;
    let mut new = labelrelay_files::private_file(&half)?;
    new.write_all(format!("{name} {from}\n").as_bytes())?;
    new.sync_data()?;
    drop(new);
    fs::rename(half, file(&dir))
}

/// Takes its name away.
pub(super) fn remove_in(dir: &Path) -> io::Result<()> {
    remove(&dir.join(HALF))?;
    remove(&file(dir))
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn file(dir: &Path) -> PathBuf {
    dir.join(NAME)
}
