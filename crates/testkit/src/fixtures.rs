//! Path of the fixtures, for every crate of the workspace.

use std::path::PathBuf;

/// The folder `tests/fixtures` of the repository.
pub fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}
