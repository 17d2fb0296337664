//! Files that a program keeps for itself in a directory where others may have put something of that name.
//!
//! Opening such a name, cutting the file off and writing to it would destroy whatever a link there leads to. So no
//! link is followed, and a file that has a second name, or is another user's, is refused.

use crate::private_files::private_file;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Attempts while others make and remove the file.
const TRIES: u32 = 10;

/// A file that is not ours to write. Nothing was written to it.
#[derive(Debug)]
pub struct ForeignFile {
    path: PathBuf,
    why: Why,
}

#[derive(Debug, Clone, Copy)]
enum Why {
    Link,
    NoFile,
    #[cfg_attr(not(unix), expect(dead_code, reason = "they are not counted there"))]
    Names(u64),
    #[cfg_attr(not(unix), expect(dead_code, reason = "there are no owners"))]
    Owner {
        its: u32,
        me: u32,
    },
}

impl std::fmt::Display for ForeignFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path.display();
        match self.why {
            Why::Link => write!(f, "{path} is a link, and what it leads to may be anybody's"),
            Why::NoFile => write!(f, "{path} is no regular file"),
            Why::Names(names) => write!(
                f,
                "{path} has {names} names (hard links), so it may be a file that somebody needs"
            ),
            Why::Owner { its, me } => {
                write!(f, "{path} belongs to user {its}, and this is user {me}")
            }
        }?;
        f.write_str(
            "; labelrelay writes its own files alone, and left it as it is: remove it, or name a queue in another directory",
        )
    }
}

impl std::error::Error for ForeignFile {}

/// Why one of our own files could not be opened.
#[derive(Debug)]
pub enum OwnFileError {
    /// The file is not ours.
    ForeignFile(ForeignFile),
    /// The system's error.
    Io(io::Error),
}

impl From<io::Error> for OwnFileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Opens a file of ours, and makes it (for this user alone) where there is none. It lies beside another one, whose
/// owner may have made it as well.
///
/// # Errors
/// [`OwnFileError::ForeignFile`] for a link, whatever it leads to, for what is no regular file, for a file with several
/// names, and for one of another user.
pub fn own_file(path: &Path, beside: &Path) -> Result<File, OwnFileError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match private_file(path) {
            Ok(new) => return Ok(new),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(foreign) = foreign_file(path)? {
            return Err(OwnFileError::ForeignFile(foreign));
        }
        match open(path) {
            Ok(file) => {
                let about = file.metadata()?;
                let why = why(&about).or_else(|| another_owner(&about, beside));
                return match why {
                    Some(why) => Err(OwnFileError::ForeignFile(ForeignFile {
                        path: path.to_owned(),
                        why,
                    })),
                    None => Ok(file),
                };
            }
            // It was removed, or a link took its place, since it was looked at.
            Err(_) if tries < TRIES && path.symlink_metadata().is_ok_and(|it| it.is_symlink()) => {}
            Err(error) if tries < TRIES && error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Finds something of this name that is no plain file with one name. For files that a library opens.
///
/// # Errors
/// When it cannot be looked at.
pub fn foreign_file(path: &Path) -> io::Result<Option<ForeignFile>> {
    match path.symlink_metadata() {
        Ok(about) => Ok(why(&about).map(|why| ForeignFile {
            path: path.to_owned(),
            why,
        })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn why(about: &Metadata) -> Option<Why> {
    if about.is_symlink() {
        return Some(Why::Link);
    }
    if !about.is_file() {
        return Some(Why::NoFile);
    }
    #[cfg(unix)]
    {
        let names = std::os::unix::fs::MetadataExt::nlink(about);
        if names > 1 {
            return Some(Why::Names(names));
        }
    }
    None
}

#[cfg(unix)]
fn another_owner(about: &Metadata, beside: &Path) -> Option<Why> {
    use std::os::unix::fs::MetadataExt as _;
    let (its, me) = (about.uid(), rustix::process::geteuid().as_raw());
    let is_beside_its_own = || beside.metadata().is_ok_and(|other| other.uid() == its);
    (its != me && !is_beside_its_own()).then_some(Why::Owner { its, me })
}

#[cfg(not(unix))]
fn another_owner(_: &Metadata, _: &Path) -> Option<Why> {
    None
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        // No link is followed, and what is no file is not waited for.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        std::os::unix::fs::OpenOptionsExt::custom_flags(
            &mut options,
            i32::try_from(flags.bits()).unwrap_or_default(),
        );
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("own");
        for _ in 0..2 {
            assert!(
                own_file(&path, &path)
                    .unwrap()
                    .metadata()
                    .unwrap()
                    .is_file()
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_of_others_are_left_as_they_are() {
        use std::os::unix::fs::symlink;
        type Put = fn(&Path, &Path) -> io::Result<()>;
        let directory = tempfile::tempdir().unwrap();
        let (own, precious) = (
            directory.path().join("own"),
            directory.path().join("precious"),
        );
        std::fs::write(&precious, "precious").unwrap();
        let puts: [(Put, &str); 4] = [
            (|to, own| symlink(to, own), "is a link"),
            (
                |to, own| symlink(to.with_extension("none"), own),
                "is a link",
            ),
            (|to, own| std::fs::hard_link(to, own), "2 names"),
            (
                |_, own| {
                    let kind = rustix::fs::FileType::Fifo;
                    let mode = rustix::fs::Mode::RUSR;
                    Ok(rustix::fs::mknodat(rustix::fs::CWD, own, kind, mode, 0)?)
                },
                "no regular file",
            ),
        ];
        for (put, word) in puts {
            put(&precious, &own).unwrap();
            match own_file(&own, &own) {
                Err(OwnFileError::ForeignFile(foreign)) => {
                    assert!(foreign.to_string().contains(word), "{foreign}");
                }
                other => panic!("{word}: {other:?}"),
            }
            std::fs::remove_file(&own).unwrap();
        }
        assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
        assert!(!directory.path().join("precious.none").exists());
    }
}
