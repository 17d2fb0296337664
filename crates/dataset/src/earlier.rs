//! An earlier snapshot with the same options, from which the next one takes what did not change.

use crate::DatasetError;
use crate::manifest::{Files, Manifest};
use crate::output::private_dir;
use std::path::{Path, PathBuf};
use std::{fs, io};

pub(crate) struct Earlier {
    dir: PathBuf,
    /// The state that it says.
    pub(crate) revision: i64,
    files: Files,
}

impl Earlier {
    /// The snapshot in `dir`; `None` if nobody can say what is in it, or if its tables have another form than this.
    pub(crate) fn at(dir: &Path, revision: i64, form: &str) -> Option<Self> {
        let manifest = Manifest::read(dir).ok()?;
        if manifest.tables.as_deref() != Some(form) {
            return None;
        }
        Some(Self {
            dir: dir.to_owned(),
            revision,
            files: manifest.files,
        })
    }

    /// Takes a file over into the snapshot in `dir`; its digest. `None` if it is not there.
    pub(crate) fn take_over(&self, name: &str, dir: &Path) -> Result<Option<String>, DatasetError> {
        let Some(digest) = self.files.get(name) else {
            return Ok(None);
        };
        let (from, to) = (self.dir.join(name), dir.join(name));
        if let Some(folder) = to.parent() {
            private_dir(folder)?;
        }
        // Both names are of one file: it stays as long as one of them does. Not every file system knows that.
        let taken = fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop));
        match taken {
            Ok(()) => Ok(Some(digest.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DatasetError::io(&to)(error)),
        }
    }
}
