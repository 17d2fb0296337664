//! Where the files of a journal are.

use std::path::{Path, PathBuf};

/// The directory of the journal that belongs to the record in the file `record`.
pub(super) fn beside(record: &Path) -> PathBuf {
    let mut name = record.as_os_str().to_owned();
    name.push(".journal");
    PathBuf::from(name)
}
