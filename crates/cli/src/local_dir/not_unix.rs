//! The local directory on systems whose files have no Unix owners and modes.

use super::error::LocalDirError;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

pub(super) struct Private {
    path: PathBuf,
}

impl Private {
    pub(super) fn open(path: &Path) -> Result<Option<Self>, LocalDirError> {
        match path.symlink_metadata() {
            Ok(there) if there.is_symlink() => Err(LocalDirError::Link(path.to_owned())),
            Ok(there) if !there.is_dir() => Err(LocalDirError::NoDirectory),
            Ok(_) => Ok(Some(Self {
                path: path.to_owned(),
            })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn make(path: &Path) -> Result<Self, LocalDirError> {
        match fs::create_dir(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
        Self::open(path)?.ok_or_else(|| LocalDirError::Io(ErrorKind::NotFound.into()))
    }

    pub(super) fn is_open_to_others(&self) -> std::io::Result<bool> {
        Ok(false)
    }

    pub(super) fn close_to_others(&self) -> std::io::Result<()> {
        Ok(())
    }

    pub(super) fn has(&self, name: &str) -> Result<bool, LocalDirError> {
        let path = self.path.join(name);
        match path.symlink_metadata() {
            Ok(there) if there.is_symlink() => Err(LocalDirError::Link(path)),
            Ok(there) if !there.is_file() => Err(LocalDirError::NoFile(path)),
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, LocalDirError> {
        Ok(fs::read(self.path.join(name))?)
    }

    pub(super) fn locked(&self, name: &str, contents: &[u8]) -> Result<File, LocalDirError> {
        self.has(name)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(self.path.join(name))?;
        file.lock()?;
        if file.metadata()?.len() == 0 {
            file.write_all(contents)?;
        }
        Ok(file)
    }

    pub(super) fn make_once(&self, name: &str, contents: &[u8]) -> Result<bool, LocalDirError> {
        if self.has(name)? {
            return Ok(false);
        }
        let new = self.path.join(format!("{name}.new"));
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&new, self.path.join(name))?;
        Ok(true)
    }
}
