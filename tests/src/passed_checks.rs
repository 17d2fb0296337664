//! Checks that take minutes and depend on files alone are not repeated over what they passed before.

use crate::servers::installed;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// All that a check depends on.
pub struct Input {
    name: &'static str,
    hash: Sha256,
}

impl Input {
    /// The input of the check `name`, which `tool` makes. The folder that a tool is installed in carries its
    /// version, so that another version is another input. `source` is the text of the check itself.
    pub fn new(name: &'static str, tool: &Path, source: &str) -> Self {
        let mut input = Self {
            name,
            hash: Sha256::new(),
        };
        input.take(tool.as_os_str().as_encoded_bytes());
        input.take(source.as_bytes());
        input
    }

    /// With a file, or with all files of a folder and of those in it. Where they lie is no input: a fresh
    /// clone is no change.
    #[must_use]
    pub fn with(mut self, path: &Path) -> Self {
        let mut files = Vec::new();
        collect(path, &mut files);
        files.sort();
        assert!(!files.is_empty(), "there is nothing in {}", path.display());
        for file in files {
            let below = file.strip_prefix(path).unwrap();
            self.take(below.as_os_str().as_encoded_bytes());
            self.take(&std::fs::read(&file).unwrap());
        }
        self
    }

    /// Makes the check, unless it has passed with this input before; remembers that it passed. It says so on
    /// the test's output either way.
    pub fn unless_passed(self, check: impl FnOnce()) {
        self.unless_in(&installed("LABELRELAY_TEST_CACHE").join("passed"), check);
    }

    fn unless_in(self, folder: &Path, check: impl FnOnce()) {
        let hash = self.hash.finalize();
        let hash = u128::from_be_bytes(hash[..16].try_into().unwrap());
        let file = folder.join(format!("{}-{hash:032x}", self.name));
        if file.exists() {
            println!("{}: skipped, passed before with the same input", self.name);
            return;
        }
        check();
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(&file, "").unwrap();
        println!("{}: passed", self.name);
    }

    /// With its length, so that no two lists of pieces are one text.
    fn take(&mut self, bytes: &[u8]) {
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), files);
        }
    } else if path.exists() {
        files.push(path.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn only_failed_and_changed_files_are_checked_again() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, file) = (folder.path().join("passed"), folder.path().join("file"));
        let checked = Cell::new(0);
        let check = |tool: &str, source| {
            let input = Input::new("it", Path::new(tool), source).with(&file);
            input.unless_in(&cache, || checked.set(checked.get() + 1));
            checked.take()
        };
        std::fs::write(&file, "one").unwrap();
        let failing = Input::new("it", Path::new("tool-1"), "source").with(&file);
        let failed =
            std::panic::AssertUnwindSafe(|| failing.unless_in(&cache, || panic!("as meant")));
        assert!(std::panic::catch_unwind(failed).is_err());
        assert_eq!(check("tool-1", "source"), 1, "a failure is not remembered");
        assert_eq!(check("tool-1", "source"), 0);
        assert_eq!(check("tool-2", "source"), 1, "another version");
        assert_eq!(check("tool-1", "other"), 1, "another check");
        std::fs::write(&file, "two").unwrap();
        assert_eq!(check("tool-1", "source"), 1, "another file");
        assert_eq!(check("tool-1", "source"), 0);
    }
}
