//! A file that cannot be used makes room for a fresh one, and stays beside it.

use std::io;
use std::path::{Path, PathBuf};

/// Gives the file at `path`, with its journal, another name: with `.` and `ending` behind it. One of that name from
/// before goes. Nobody in this process has the file open.
pub(crate) fn set_aside(path: &Path, ending: &str) -> io::Result<PathBuf> {
    let aside = with(path, &format!(".{ending}"));
    std::fs::rename(path, &aside)?;
    for journal in ["-wal", "-shm"] {
        let (from, to) = (with(path, journal), with(&aside, journal));
        // One of a file that was set aside before does not belong to this one.
        let moved = std::fs::rename(&from, &to);
        if moved.is_err() {
            let _ = std::fs::remove_file(&to);
        }
    }
    Ok(aside)
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
