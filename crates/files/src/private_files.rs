//! Files and directories that nobody else may read.

use std::fs::{DirBuilder, File, OpenOptions};
use std::path::Path;

/// Makes a file for this user alone, where there is none.
///
/// # Errors
/// When there is one, or none can be made.
pub fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a directory for this user alone, and those above it, unless it is there.
///
/// # Errors
/// When it cannot be made.
pub fn private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}
