//! Reads the file of a secret, if it is one: a pipe or a device would wait for somebody at its other end, and has
//! no end.

use super::error::SecretError;
use std::fs::{File, FileType, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// Far more than any secret has.
const MAX_BYTES: u64 = 64 * 1024;

/// Bytes of the secret file at `path`. What is no regular file, and what is too large for one of a secret, is refused and
/// not waited for.
///
/// # Errors
/// [`SecretError`] when it is not such a file, or cannot be read.
pub fn read_file(path: &Path) -> Result<Vec<u8>, SecretError> {
    read_if(path, true, |_| Ok(()))
}

/// Reads it if it was put there by whoever keeps the file at `other`: the same owner, who alone may change it, and no
/// link to a file of another name. Somebody who can make files in that folder could choose the secret otherwise.
#[cfg(unix)]
pub(super) fn read_of_owner(path: &Path, other: &Path) -> Result<Vec<u8>, SecretError> {
    use std::os::unix::fs::MetadataExt as _;
    let owner = std::fs::metadata(other).map(|there| there.uid()).ok();
    read_if(path, false, |there| {
        if Some(there.uid()) == owner && there.nlink() == 1 && there.mode() & 0o022 == 0 {
            return Ok(());
        }
        Err(SecretError::permanent(format!(
            "the secret file {} is not taken: it must have the owner of {}, no other name, and no other user who may change it; remove it",
            path.display(),
            other.display()
        )))
    })
}

#[cfg(not(unix))]
pub(super) fn read_of_owner(path: &Path, _: &Path) -> Result<Vec<u8>, SecretError> {
    read_file(path)
}

fn read_if(
    path: &Path,
    follow: bool,
    check: impl FnOnce(&Metadata) -> Result<(), SecretError>,
) -> Result<Vec<u8>, SecretError> {
    let unreadable = |error: &io::Error| SecretError {
        retryable: !matches!(
            error.kind(),
            ErrorKind::NotFound | ErrorKind::PermissionDenied
        ),
        message: format!("cannot read the secret file {}: {error}", path.display()),
    };
    if !follow && std::fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) {
        return Err(SecretError::permanent(format!(
            "the secret file {} is not taken: it is a link; remove it",
            path.display()
        )));
    }
    // Looked at before it is opened, because opening some devices does something, and after it, because it may
    // be another one by then.
    let there = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    is_file(path, there.file_type())?;
    let file = open(path, follow).map_err(|error| unreadable(&error))?;
    let there = file.metadata().map_err(|error| unreadable(&error))?;
    is_file(path, there.file_type())?;
    check(&there)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(SecretError::permanent(format!(
            "the secret file {} has more than {MAX_BYTES} bytes: it is another one; name the one that holds the secret and nothing else",
            path.display()
        )));
    }
    Ok(bytes)
}

fn is_file(path: &Path, kind: FileType) -> Result<(), SecretError> {
    if kind.is_file() {
        return Ok(());
    }
    Err(SecretError::permanent(format!(
        "the secret file {} is {}; name a regular file that holds the secret and nothing else",
        path.display(),
        name_of(kind)
    )))
}

#[cfg(unix)]
fn open(path: &Path, follow: bool) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let mut flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    flags.set(OFlags::NOFOLLOW, !follow);
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

#[cfg(not(unix))]
fn open(path: &Path, _: bool) -> io::Result<File> {
    File::open(path)
}

#[cfg(unix)]
fn name_of(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a named pipe (FIFO)"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn name_of(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a directory"
    } else {
        "no regular file"
    }
}

/// Warning of a secret file that others than its owner and readers of its group get at, with its cure.
#[cfg(unix)]
pub fn open_to_others(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o7777;
    let what = match (mode & 0o004 != 0, mode & 0o022 != 0) {
        (false, false) => return None,
        (true, false) => "read",
        (false, true) => "change",
        (true, true) => "read and change",
    };
    let path = path.display();
    Some(format!(
        "others can {what} the secret file {path} (mode {mode:04o}); close it to them: chmod 600 {path}"
    ))
}

/// Warning of a secret file that others get at: none where files have no modes.
#[cfg(not(unix))]
pub fn open_to_others(_: &Path) -> Option<String> {
    None
}
