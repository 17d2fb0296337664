//! A directory that nobody else can put anything into, and its files. Everything goes by the open directory, so
//! that what was looked at is what is used, and no link is followed.

use super::error::LocalDirError;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Far more than any file here has; another one is not ours.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

pub(super) struct Private {
    fd: File,
    path: PathBuf,
}

impl Private {
    /// The directory at `path`; `None` when there is none.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, LocalDirError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(CWD, path, flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => {
                return Err(match path.symlink_metadata() {
                    Ok(there) if there.is_symlink() => LocalDirError::Link(path.to_owned()),
                    Ok(there) if !there.is_dir() => LocalDirError::NoDirectory,
                    _ => error.into(),
                });
            }
        };
        let stat = fd.metadata()?;
        let me = rustix::process::geteuid().as_raw();
        if stat.uid() != me {
            return Err(LocalDirError::AnotherUser {
                owner: stat.uid(),
                me,
            });
        }
        let mode = stat.mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(LocalDirError::OthersWrite(mode));
        }
        let path = path.to_owned();
        Ok(Some(Self { fd, path }))
    }

    /// The same, made for nobody else if there is none.
    pub(super) fn make(path: &Path) -> Result<Self, LocalDirError> {
        match rustix::fs::mkdirat(CWD, path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let made = Self::open(path)?;
        made.ok_or_else(|| LocalDirError::Io(io::ErrorKind::NotFound.into()))
    }

    /// Tells whether others may look into the directory.
    pub(super) fn is_open_to_others(&self) -> io::Result<bool> {
        Ok(self.fd.metadata()?.mode() & 0o077 != 0)
    }

    /// Takes it back from everybody else.
    pub(super) fn close_to_others(&self) -> io::Result<()> {
        Ok(rustix::fs::fchmod(&self.fd, Mode::RWXU)?)
    }

    /// Tells whether there is a file of this name. Anything else of this name is an error.
    pub(super) fn has(&self, name: &str) -> Result<bool, LocalDirError> {
        let stat = match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        self.is_file(name, FileType::from_raw_mode(stat.st_mode))
            .map(|()| true)
    }

    /// The bytes of a file.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, LocalDirError> {
        let file = self.opened(name, OFlags::RDONLY)?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A file, locked until it is dropped; `contents` are written into a new or empty one.
    pub(super) fn locked(&self, name: &str, contents: &[u8]) -> Result<File, LocalDirError> {
        let mut file = self.opened(name, OFlags::RDWR | OFlags::CREATE)?;
        file.lock()?;
        if file.metadata()?.len() == 0 {
            file.write_all(contents)?;
        }
        Ok(file)
    }

    /// Makes a file, whole or not at all; `false` when there is one. Nobody else may be at it: hold a lock.
    pub(super) fn make_once(&self, name: &str, contents: &[u8]) -> Result<bool, LocalDirError> {
        if self.has(name)? {
            return Ok(false);
        }
        let new = format!("{name}.new");
        // Left behind by a start that was killed, or something else of this name: the name goes, and nothing
        // that it may lead to is touched.
        match rustix::fs::unlinkat(&self.fd, &new, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let mut file = self.opened(&new, flags)?;
        file.write_all(contents)?;
        file.sync_all()?;
        rustix::fs::renameat(&self.fd, &new, &self.fd, name)?;
        Ok(true)
    }

    /// Opens a regular file. It waits for nobody: one of another kind is found out after it is open.
    fn opened(&self, name: &str, flags: OFlags) -> Result<File, LocalDirError> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(fd) => fd,
            Err(Errno::LOOP | Errno::MLINK) => {
                return Err(LocalDirError::Link(self.path.join(name)));
            }
            Err(error) => return Err(error.into()),
        };
        let stat = rustix::fs::fstat(&fd)?;
        self.is_file(name, FileType::from_raw_mode(stat.st_mode))?;
        // Only what is written: a backup may link what is read.
        if flags.intersects(OFlags::RDWR | OFlags::WRONLY)
            && (stat.st_nlink > 1 || stat.st_uid != rustix::process::geteuid().as_raw())
        {
            return Err(LocalDirError::NotOurs(self.path.join(name)));
        }
        Ok(fd.into())
    }

    fn is_file(&self, name: &str, kind: FileType) -> Result<(), LocalDirError> {
        match kind {
            FileType::RegularFile => Ok(()),
            FileType::Symlink => Err(LocalDirError::Link(self.path.join(name))),
            _ => Err(LocalDirError::NoFile(self.path.join(name))),
        }
    }
}
