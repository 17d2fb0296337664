//! The real path of a queue file. One file with two names would get two owners, and two journals.

use crate::queue_file_error::OpenError;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Links that are followed before they are taken for a circle, as the system does.
const MAX_LINKS: usize = 40;

/// The one path of the queue file that `path` leads to, whether it is there or yet to be made: absolute,
/// through no symbolic link. `SQLite` follows links as well, so its journal is beside the same file.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, OpenError> {
    let io = |what| {
        move |source| OpenError::Io {
            path: path.to_owned(),
            what,
            source,
        }
    };
    let mut at = path.to_owned();
    for _ in 0..MAX_LINKS {
        match at.canonicalize() {
            Ok(file) => return Ok(file),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(io("looking for the queue file")(source)),
        }
        let parent = match at.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => Path::new("/"),
        };
        let parent = parent
            .canonicalize()
            .map_err(io("looking for the directory of the queue file"))?;
        // A link to a file that is yet to be made.
        match at.read_link() {
            Ok(target) => at = parent.join(target),
            Err(_no_link) => {
                let name = at.file_name().ok_or(ErrorKind::IsADirectory.into());
                return Ok(parent.join(name.map_err(io("looking for the queue file"))?));
            }
        }
    }
    Err(io("following the links to the queue file")(
        std::io::Error::other("they lead in a circle"),
    ))
}

/// The file whose name is that of `file` with `end` after it: the files of a queue are beside one another.
pub(crate) fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Refuses a file that has further names in the directory tree (hard links). A lock and a journal belong to
/// a name: through another one, programs would not see each other, and would damage the file.
pub(crate) fn one_name(path: &Path) -> Result<(), OpenError> {
    #[cfg(unix)]
    {
        let file = path.metadata().map_err(|source| OpenError::Io {
            path: path.to_owned(),
            what: "looking at the queue file",
            source,
        })?;
        let names = std::os::unix::fs::MetadataExt::nlink(&file);
        if file.is_file() && names > 1 {
            return Err(OpenError::Linked {
                path: path.to_owned(),
                names,
            });
        }
    }
    Ok(())
}
