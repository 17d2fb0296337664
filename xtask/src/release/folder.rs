//! The folder that a release's files are put into.

use crate::Outcome;
use crate::paths::target;
use std::path::{Path, PathBuf};

pub(super) struct Folder(PathBuf);

impl Folder {
    /// With what earlier steps have put there.
    pub(super) fn open() -> Outcome<Self> {
        let path = target()?.join("release-files");
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// With nothing in it.
    pub(super) fn empty() -> Outcome<Self> {
        Self::empty_at(target()?.join("release-files"))
    }

    pub(super) fn empty_at(path: PathBuf) -> Outcome<Self> {
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Names of the files, in order.
    pub(super) fn files(&self) -> Outcome<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.0)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The one file whose name ends so.
    pub(super) fn one(&self, end: &str) -> Outcome<PathBuf> {
        let mut files = self.files()?;
        files.retain(|name| name.ends_with(end));
        match files.as_slice() {
            [name] => Ok(self.join(name)),
            others => Err(format!(
                "{} holds {} files *{end}, and not one",
                self.0.display(),
                others.len()
            )
            .into()),
        }
    }

    /// Makes an empty folder for files on their way into one file.
    pub(super) fn stage(&self, name: &str) -> Outcome<PathBuf> {
        let path = self.0.with_file_name("release-stage").join(name);
        if path.exists() {
            std::fs::remove_dir_all(&path)?;
        }
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Prints what is there.
    pub(super) fn list(&self) -> Outcome {
        println!("\n{}", self.0.display());
        for name in self.files()? {
            let bytes = std::fs::metadata(self.join(&name))?.len();
            println!("{bytes:>12} bytes  {name}");
        }
        Ok(())
    }
}
