//! Reasons why the directory of our own cannot be used, each with its cure.

use crate::error::CliError;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) enum LocalDirError {
    /// Something else has its name.
    NoDirectory,
    /// The directory is somebody else's, who could give us secrets that they know.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no owners"))]
    AnotherUser {
        owner: u32,
        me: u32,
    },
    /// Others could have put something into it.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no modes"))]
    OthersWrite(u32),
    /// The directory, or a file in it, is a link: what it leads to may be anybody's.
    Link(PathBuf),
    /// A file in it has several names, or is another user's: writing to it would change somebody's file.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no owners"))]
    NotOurs(PathBuf),
    /// Something in it is no file.
    NoFile(PathBuf),
    Io(io::Error),
}

impl LocalDirError {
    pub(super) fn about(self, directory: &Path) -> CliError {
        let shown = directory.display();
        match self {
            Self::NoDirectory => CliError::config(format_args!(
                "{shown} is no directory, and labelrelay keeps its own in one of that name; move it away, \
                 start elsewhere, or give --config FILE"
            )),
            Self::AnotherUser { owner, me } => CliError::config(format_args!(
                "{shown} belongs to user {owner}, and this is user {me}: whoever owns it knows the secrets in \
                 it, and says where events go. Start as user {owner} (in a container: --user {owner}), give it \
                 to this user (chown -R {me} {shown}), or say that it is meant: --config {}",
                directory.join(super::CONFIG).display()
            )),
            Self::OthersWrite(mode) => CliError::config(format_args!(
                "{shown} can be written by others (mode {mode:04o}), who may have put secrets of their own \
                 there. Look at what is in it, then: chmod 700 {shown}"
            )),
            Self::Link(path) => CliError::config(format_args!(
                "{} is a link, and labelrelay follows none to what it keeps for itself; put what it leads to in \
                 its place, or give --config FILE",
                path.display()
            )),
            Self::NotOurs(path) => CliError::config(format_args!(
                "{} has several names (hard links), or belongs to another user, and labelrelay writes its own \
                 files alone; it was left as it is: remove it, or give --config FILE",
                path.display()
            )),
            Self::NoFile(path) => CliError::config(format_args!(
                "{} is no file; move it away, or give --config FILE",
                path.display()
            )),
            Self::Io(error) => CliError::config(format_args!(
                "cannot use {shown}: {error}; start in a directory that may be written, or give --config FILE"
            )),
        }
    }
}

impl From<io::Error> for LocalDirError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

#[cfg(unix)]
impl From<rustix::io::Errno> for LocalDirError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}
