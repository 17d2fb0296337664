//! Files of the repository that tests hold against the program.

use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn file(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}
