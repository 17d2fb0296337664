//! Files that are being written, before they have their own name.

use crate::private_files::private_file;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A temporary file that nobody wrote to for this long belongs to a process that was killed. Deliveries
/// take seconds.
const ABANDONED: Duration = Duration::from_secs(3600);

const SUFFIX: &str = ".tmp";

/// Random bytes in a name: processes in containers share directories as well as process numbers, and whoever
/// took another's file for its own would give half an object a name.
const RANDOM_BYTES: usize = 16;

/// A file that is removed when this is dropped, unless it was given its own name.
pub(crate) struct Temporary {
    path: PathBuf,
    /// Then there is nothing to remove.
    renamed: bool,
}

impl Temporary {
    /// Makes one in `dir`.
    pub(crate) fn make(dir: &Path) -> std::io::Result<(Self, File)> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).map_err(std::io::Error::other)?;
        let name = format!(".{:032x}{SUFFIX}", u128::from_be_bytes(random));
        let path = dir.join(name);
        let file = private_file(&path)?;
        let temporary = Self {
            path,
            renamed: false,
        };
        Ok((temporary, file))
    }

    /// Path of the file, for systems whose open files keep their names.
    #[cfg(not(unix))]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it the name `path`, unless that is taken.
    pub(crate) fn name(mut self, path: &Path) -> std::io::Result<()> {
        if rename_to_new(&self.path, path)? {
            self.renamed = true;
            return Ok(());
        }
        std::fs::hard_link(&self.path, path)
    }

    /// Gives it the name `path`, in place of the file that may have it.
    pub(crate) fn replace(mut self, path: &Path) -> std::io::Result<()> {
        std::fs::rename(&self.path, path)?;
        self.renamed = true;
        Ok(())
    }
}

/// Renames in one step, unless the new name is taken; `false` where the system or the file system has no such
/// step.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn rename_to_new(from: &Path, to: &Path) -> std::io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        // NFS, for one; EPERM and ENOSYS are old kernels' and filters of system calls.
        Err(Errno::INVAL | Errno::NOSYS | Errno::PERM | Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn rename_to_new(_: &Path, _: &Path) -> std::io::Result<bool> {
    Ok(false)
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // An error was said before; a file that is left is swept later.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Tells whether the file of these metadata belongs to nobody any more.
pub(crate) fn is_abandoned(about: &std::fs::Metadata) -> bool {
    let age = about
        .modified()
        .ok()
        .and_then(|written| SystemTime::now().duration_since(written).ok());
    age.is_some_and(|age| age > ABANDONED)
}

/// Removes what killed processes left in `dir`. They are in nobody's way but for their room, so what cannot
/// be removed stays.
pub(crate) fn sweep(dir: &Path) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if file
            && entry.file_name().to_str().is_some_and(is_ours)
            && entry.metadata().is_ok_and(|about| is_abandoned(&about))
        {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn is_ours(name: &str) -> bool {
    let random = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(SUFFIX));
    random.is_some_and(|random| {
        random.len() == 2 * RANDOM_BYTES
            && random
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}
