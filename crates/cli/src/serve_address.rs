//! Address of the `serve` that runs here: a file beside its queue, for `send` and `status`.
//!
//! The file is locked for as long as the process lives, so what one left behind that was killed is not believed. A
//! delivery carries a secret, so neither is a file that somebody else could have written.

use std::net::SocketAddr;
#[cfg(not(unix))]
use std::path::Path;
#[cfg(unix)]
use std::path::{Path, PathBuf};

/// The address file of the `serve` whose queue is the file `queue`.
#[cfg(unix)]
fn beside(queue: &Path) -> PathBuf {
    let mut name = queue.to_owned().into_os_string();
    name.push(".address");
    PathBuf::from(name)
}

/// Where a `serve` listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listening {
    /// For deliveries.
    pub(crate) address: SocketAddr,
    /// For metrics; `None` where an older version did not say.
    pub(crate) admin: Option<SocketAddr>,
}

/// Address of the `serve` whose queue is the file `queue`; `None` when no `serve` runs, or nobody can tell.
pub(crate) fn find(queue: &Path) -> Option<SocketAddr> {
    listening(queue).map(|serve| serve.address)
}

#[cfg(unix)]
pub(crate) use locked::{ServeAddress, listening};

#[cfg(unix)]
mod locked {
    use super::{Listening, Path, PathBuf, beside};
    use rustix::fs::OFlags;
    use std::fs::{File, OpenOptions, TryLockError};
    use std::io::{Error, Read as _, Write as _};
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
    use std::time::Duration;

    /// A reader of the file holds its lock for a moment.
    const TRIES: u32 = 50;
    const PAUSE: Duration = Duration::from_millis(10);

    /// Two addresses, each with a line break, are not longer.
    const LONGEST: u64 = 128;

    /// Tells where this process listens, until it is dropped.
    pub(crate) struct ServeAddress {
        path: PathBuf,
        file: File,
    }

    impl ServeAddress {
        /// Called by the one process that owns the queue.
        pub(crate) fn publish(
            queue: &Path,
            Listening { address, admin }: Listening,
        ) -> std::io::Result<Self> {
            let path = beside(queue);
            let mut file = open(&path, true)?;
            if !is_trusted(&file, queue)? {
                return Err(Error::other(format!(
                    "{} is not a file of the queue's owner alone, with one name; it was left as it is: remove it",
                    path.display()
                )));
            }
            let mut tries = 0;
            while let Err(error) = file.try_lock() {
                tries += 1;
                match error {
                    TryLockError::WouldBlock if tries < TRIES => std::thread::sleep(PAUSE),
                    error => return Err(error.into()),
                }
            }
            file.set_len(0)?;
            let admin = admin.map_or_else(String::new, |admin| format!("{admin}\n"));
            file.write_all(format!("{address}\n{admin}").as_bytes())?;
            Ok(Self { path, file })
        }
    }

    impl Drop for ServeAddress {
        fn drop(&mut self) {
            // A process that has it open already reads nothing; the lock goes with the file.
            let _ = self.file.set_len(0);
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// Both addresses, as [`find`](super::find).
    pub(crate) fn listening(queue: &Path) -> Option<Listening> {
        let file = open(&beside(queue), false).ok()?;
        if !is_trusted(&file, queue).ok()? {
            return None;
        }
        match file.try_lock_shared() {
            // A lock that nobody holds means that the address is of a `serve` that has ended.
            Err(TryLockError::WouldBlock) => {}
            _ => return None,
        }
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).ok()?;
        let mut lines = text.lines();
        Some(Listening {
            address: lines.next()?.trim().parse().ok()?,
            admin: lines.next().and_then(|line| line.trim().parse().ok()),
        })
    }

    fn open(path: &Path, write: bool) -> std::io::Result<File> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        OpenOptions::new()
            .read(true)
            .write(write)
            .create(write)
            .mode(0o600)
            // No link is followed, and what is no file is not waited for.
            .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
            .open(path)
    }

    /// Tells whether the queue's owner alone can have written it.
    fn is_trusted(file: &File, queue: &Path) -> std::io::Result<bool> {
        let (its, queue_s) = (file.metadata()?, std::fs::metadata(queue)?);
        Ok(its.is_file()
            && its.nlink() <= 1
            && its.uid() == queue_s.uid()
            && its.mode() & 0o022 == 0)
    }
}

#[cfg(not(unix))]
pub(crate) use unlocked::{ServeAddress, listening};

/// Tells nothing, because a locked file cannot be read here.
#[cfg(not(unix))]
mod unlocked {
    use super::{Listening, Path};

    pub(crate) struct ServeAddress;

    impl ServeAddress {
        #[expect(clippy::unnecessary_wraps, reason = "the other systems' form can fail")]
        pub(crate) fn publish(_queue: &Path, _serve: Listening) -> std::io::Result<Self> {
            Ok(Self)
        }
    }

    pub(crate) fn listening(_queue: &Path) -> Option<Listening> {
        None
    }
}
