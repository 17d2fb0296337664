//! Directories of snapshots: which there are, and which go.

use crate::DatasetError;
use crate::options::Options;
use crate::output::sync_dir;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Snapshots that lie there, oldest first.
pub(crate) fn finished(dir: &Path) -> Result<Vec<(u64, PathBuf)>, DatasetError> {
    let failed = DatasetError::io(dir);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(&failed)? {
        let path = entry.map_err(&failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(number) = name.and_then(|name| name.parse().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Removes the rest of a process that died.
pub(crate) fn remove_unfinished(dir: &Path) -> Result<(), DatasetError> {
    let failed = DatasetError::io(dir);
    for entry in fs::read_dir(dir).map_err(&failed)? {
        let path = entry.map_err(&failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(".unfinished-") {
            fs::remove_dir_all(&path).map_err(DatasetError::io(&path))?;
        }
    }
    Ok(())
}

/// Removes the snapshots that are neither among the last ones nor young enough to be kept.
pub(crate) fn remove_old(dir: &Path, options: &Options, newest: u64) -> Result<(), DatasetError> {
    let there = finished(dir)?;
    let old = there.len().saturating_sub(options.keep.max(1));
    for (number, path) in there.into_iter().take(old) {
        if number != newest && is_older(&path, options.keep_for) {
            fs::remove_dir_all(&path).map_err(DatasetError::io(&path))?;
        }
    }
    Ok(())
}

/// Tells whether a directory was filled this long ago. One from the future is young, for a clock was set back; and so may
/// be one that cannot be looked at. None is too young for no age at all.
fn is_older(dir: &Path, age: Duration) -> bool {
    let filled = fs::metadata(dir).and_then(|about| about.modified());
    age.is_zero() || filled.is_ok_and(|at| at.elapsed().unwrap_or_default() >= age)
}

/// Writes a file beside its place, and puts it there in one step.
pub(crate) fn in_place(
    dir: &Path,
    name: &str,
    write: impl FnOnce(&Path) -> Result<(), DatasetError>,
) -> Result<(), DatasetError> {
    let beside = dir.join(format!(".{name}"));
    let _ = fs::remove_file(&beside);
    write(&beside)?;
    let written = fs::File::open(&beside).and_then(|file| file.sync_all());
    written.map_err(DatasetError::io(&beside))?;
    let path = dir.join(name);
    fs::rename(&beside, &path).map_err(DatasetError::io(&path))?;
    sync_dir(dir)
}
