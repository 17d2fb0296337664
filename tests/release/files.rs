//! Files of the release under test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// End of the archive's name. The sdist is a `.tar.gz` too.
pub(crate) const ARCHIVE: &str = "-linux-gnu.tar.gz";

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

/// Names of all files.
pub(crate) fn names() -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder()).unwrap();
    entries
        .map(|entry| name(&entry.unwrap().path()).to_owned())
        .collect()
}

/// The one file whose name ends so.
pub(crate) fn one(end: &str) -> PathBuf {
    let found: Vec<String> = names()
        .into_iter()
        .filter(|name| name.ends_with(end))
        .collect();
    assert_eq!(found.len(), 1, "*{end} among {found:?}");
    folder().join(&found[0])
}

/// Prints the one file of a zip or tar archive that has this name, in whatever folder.
const PRINT: &str = r#"
import sys, tarfile, zipfile
archive, wanted = sys.argv[1:]
if zipfile.is_zipfile(archive):
    files = zipfile.ZipFile(archive)
    names, read = files.namelist(), files.read
else:
    files = tarfile.open(archive)
    names, read = files.getnames(), lambda name: files.extractfile(name).read()
[name] = [name for name in names if name.split("/")[-1] == wanted]
sys.stdout.buffer.write(read(name))
"#;

/// Text of a file in an archive.
pub(crate) fn text_in(archive: &Path, name: &str) -> String {
    let printed = python()
        .args(["-c", PRINT])
        .arg(archive)
        .arg(name)
        .output()
        .unwrap();
    assert!(
        printed.status.success(),
        "{name} in {}: {}",
        archive.display(),
        String::from_utf8_lossy(&printed.stderr)
    );
    String::from_utf8(printed.stdout).unwrap()
}

/// The Python beside uv, outside of any root.
pub(crate) fn python() -> Command {
    Command::new(variable("LABELRELAY_TEST_UV").with_file_name("python"))
}

pub(crate) fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Tells whether the files were built as for a release; else they are packed around a program of other tests.
pub(crate) fn are_released() -> bool {
    std::env::var_os("LABELRELAY_TEST_RELEASED").is_some()
}
