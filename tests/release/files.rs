//! Files of the release under test.

use std::path::{Path, PathBuf};

/// Their folder.
pub(crate) fn folder() -> PathBuf {
    variable("LABELRELAY_TEST_RELEASE")
}

/// A path that `cargo xtask` tells.
pub(crate) fn variable(name: &str) -> PathBuf {
    let path = std::env::var_os(name);
    path.unwrap_or_else(|| panic!("{name} is not set; run `cargo xtask release --dry-run`"))
        .into()
}

/// The one file whose name ends so.
pub(crate) fn one(end: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| name(path).ends_with(end))
        .collect();
    assert_eq!(found.len(), 1, "*{end} in {}", folder().display());
    found.remove(0)
}

pub(crate) fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Tells whether the files were built as for a release; else they are packed around a program of other tests.
pub(crate) fn are_released() -> bool {
    std::env::var_os("LABELRELAY_TEST_RELEASED").is_some()
}
