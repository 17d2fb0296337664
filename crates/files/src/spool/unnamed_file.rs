//! A file without a name.

use crate::temporary_file::Temporary;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// A file that is gone when it is closed.
pub(super) struct Unnamed {
    pub(super) file: Arc<File>,
    kind: Kind,
}

enum Kind {
    /// Never had a name, and may get one.
    #[cfg(target_os = "linux")]
    Nameless,
    /// Has lost its name, for good.
    #[cfg(unix)]
    Unlinked,
    /// Loses its name at the end.
    #[cfg(not(unix))]
    Named(Temporary),
}

impl Unnamed {
    pub(super) fn make(dir: &Path) -> std::io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Some(file) = nameless(dir)? {
            let kind = Kind::Nameless;
            return Ok(Self {
                file: file.into(),
                kind,
            });
        }
        let (name, file) = Temporary::make(dir)?;
        #[cfg(unix)]
        let kind = {
            drop(name);
            Kind::Unlinked
        };
        #[cfg(not(unix))]
        let kind = Kind::Named(name);
        Ok(Self {
            file: file.into(),
            kind,
        })
    }

    /// Makes it durable, and gives it the name `path`; `false` when it cannot have that one.
    pub(super) fn link(&self, path: &Path) -> std::io::Result<bool> {
        match &self.kind {
            #[cfg(target_os = "linux")]
            Kind::Nameless => name(&self.file, path),
            #[cfg(unix)]
            Kind::Unlinked => Ok(false),
            #[cfg(not(unix))]
            Kind::Named(name) => {
                self.file.sync_all()?;
                match std::fs::hard_link(name.path(), path) {
                    Ok(()) => Ok(true),
                    Err(error) if error.kind() == std::io::ErrorKind::CrossesDevices => Ok(false),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Has the bytes of this range written soon, so that making all of them durable is a short wait.
    pub(super) fn write_back(&self, from: u64, bytes: u64) {
        // Advice that what was just written is not needed begins to write it, and drops nothing that is
        // not written yet: so the bytes are still in memory when they are read in a moment.
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{Advice, fadvise};
            let bytes = std::num::NonZeroU64::new(bytes);
            let _only_advice = fadvise(&self.file, from, bytes, Advice::DontNeed);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (from, bytes);
    }
}

/// `None` where the file system knows no such files.
#[cfg(target_os = "linux")]
fn nameless(dir: &Path) -> std::io::Result<Option<File>> {
    use rustix::fs::{Mode, OFlags, open};
    use rustix::io::Errno;
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match open(dir, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => Ok(Some(file.into())),
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOSYS | Errno::INVAL) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(target_os = "linux")]
fn name(file: &File, path: &Path) -> std::io::Result<bool> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use rustix::io::Errno;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::MetadataExt as _;
    let dir = path.parent().unwrap_or(path);
    if file.metadata()?.dev() != dir.metadata()?.dev() {
        return Ok(false);
    }
    file.sync_all()?;
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    match linkat(CWD, open, CWD, path, AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => Ok(true),
        // No /proc, or a mount of its own on the same device: whoever asks writes a copy then.
        Err(Errno::NOENT | Errno::XDEV | Errno::PERM | Errno::ACCESS | Errno::OPNOTSUPP) => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
