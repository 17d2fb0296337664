//! Reads a configuration file, whatever kind of file it is: an endless device does not fill the memory.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Far above any configuration.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reason why there is no text, as it follows the file's name, and the cure.
pub(super) struct Unreadable {
    pub(super) problem: String,
    pub(super) cure: &'static str,
}

impl Unreadable {
    fn new(problem: impl Into<String>, cure: &'static str) -> Self {
        Self {
            problem: problem.into(),
            cure,
        }
    }

    pub(super) fn io(error: &io::Error) -> Self {
        Self::new(
            format!("cannot be read: {error}"),
            "correct the path or the file's permissions, or put its text into LABELRELAY_CONFIG_TOML",
        )
    }
}

/// The text of the file at `path`, which somebody named. That may be a pipe, which is waited for: a shell gives
/// the output of a command as one.
pub(super) fn read(path: &Path) -> Result<String, Unreadable> {
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|opened| opened.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| match error.kind() {
        io::ErrorKind::IsADirectory => {
            Unreadable::new("is a directory", "name the file in it, labelrelay.toml")
        }
        _ => Unreadable::io(&error),
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Unreadable::new(
            format!("has more than {MAX_BYTES} bytes"),
            "name the configuration's own file",
        ));
    }
    String::from_utf8(bytes).map_err(|_| Unreadable::new("is not UTF-8", "save the file in UTF-8"))
}

/// Tells whether something of that name is there: also a link that leads nowhere.
pub(super) fn is_there(path: &Path) -> Result<bool, Unreadable> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Unreadable::io(&error)),
    }
}

/// The text of the file at `path`, which nobody named; `None` when there is nothing of that name. Whatever is there
/// and cannot be read (also a link that leads nowhere) is an error: taken for absent, another configuration would
/// be used instead of it. Nothing is waited for.
pub(super) fn read_if_there(path: &Path) -> Result<Option<String>, Unreadable> {
    if !is_there(path)? {
        return Ok(None);
    }
    // Opening a pipe would wait for whoever writes into it.
    match path.metadata() {
        Ok(found) if !found.is_file() => Err(Unreadable::new(
            "is no regular file",
            "replace or remove it, or name another in LABELRELAY_CONFIG",
        )),
        _ => read(path).map(Some),
    }
}
