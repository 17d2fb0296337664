//! A file that is written beside another one, whole, before it takes a place: for those who may read the other one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use tempfile::NamedTempFile;

/// Folder of the file at `path`.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Makes names durable, where a folder can be synced.
pub(crate) fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// A new file in `folder` with this text, durable, with the owner and group of the other file. Its mode is `mode` of
/// the other file's. Persist it, then [`sync_folder`].
pub(crate) fn written(
    folder: &Path,
    prefix: &str,
    text: &str,
    like: &fs::Metadata,
    mode: fn(u32) -> u32,
) -> io::Result<NamedTempFile> {
    let new = tempfile::Builder::new()
        .prefix(prefix)
        .tempfile_in(folder)?;
    let mut file = new.as_file();
    file.write_all(text.as_bytes())?;
    give_to_the_same(file, like, mode)?;
    file.sync_all()?;
    Ok(new)
}

/// Tries, with a file that has no name and is gone at once, whether [`written`] could make one.
pub(crate) fn could_be_written(
    folder: &Path,
    like: &fs::Metadata,
    mode: fn(u32) -> u32,
) -> io::Result<()> {
    let file = tempfile::tempfile_in(folder)?;
    give_to_the_same(&file, like, mode)
}

#[cfg(unix)]
fn give_to_the_same(file: &File, like: &fs::Metadata, mode: fn(u32) -> u32) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (like.uid(), like.gid()) {
        fchown(file, Some(like.uid()), Some(like.gid()))?;
    }
    file.set_permissions(fs::Permissions::from_mode(mode(like.mode())))
}

#[cfg(not(unix))]
fn give_to_the_same(_: &File, _: &fs::Metadata, _: fn(u32) -> u32) -> io::Result<()> {
    Ok(())
}
