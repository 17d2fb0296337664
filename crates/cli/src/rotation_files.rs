//! Files of a rotation: the secret's own, and beside it the next secret and what is to be remembered of the rotation.
//!
//! A relay takes the secrets of the first two ([`FileSecret`]). The rotation ends when the second takes the first
//! one's place. Whatever breaks off before leaves both good, and the next run goes on from there.

use crate::file_beside::{folder_of, sync_folder, written};
use labelrelay_core::secret::FileSecret;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Far more than the ids of all webhooks of a workspace.
const MAX_BYTES: u64 = 1024 * 1024;

pub(crate) struct RotationFiles {
    pub(crate) current: PathBuf,
    pub(crate) next: PathBuf,
}

/// The file that a relay makes as soon as a delivery shows the secret in `next`.
pub(crate) fn shown_beside(next: &Path) -> PathBuf {
    with_end(next, ".shown")
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

impl RotationFiles {
    /// Files of a rotation of the secret in the file at `current`.
    pub(crate) fn of(current: &Path) -> Self {
        Self {
            next: FileSecret::next_beside(current),
            current: current.to_owned(),
        }
    }

    /// Tells whether a rotation has begun and not ended.
    pub(crate) fn is_under_way(&self) -> bool {
        fs::symlink_metadata(&self.next).is_ok()
    }

    /// Tells whether a delivery has shown the next secret.
    pub(crate) fn is_shown(&self) -> bool {
        shown_beside(&self.next).exists()
    }

    /// Makes the next secret good, unless a rotation is under way. `remember` is kept until its end.
    pub(crate) fn begin(&self, secret: &str, remember: &[String]) -> io::Result<()> {
        if self.is_under_way() {
            return Ok(());
        }
        let there = fs::symlink_metadata(&self.current)?;
        if !there.is_file() {
            return Err(io::Error::other(
                "it is a link or no regular file: whatever keeps the secret there would undo the change; change it where it is kept",
            ));
        }
        // Of a rotation that ended meanwhile.
        remove(&shown_beside(&self.next))?;
        self.write(&self.remembered_file(), &remember.join("\n"), &there, true)?;
        self.write(&self.next, secret, &there, false)
    }

    /// Words that [`begin`](Self::begin) got when the rotation began.
    pub(crate) fn remembered(&self) -> io::Result<Vec<String>> {
        use std::io::Read as _;
        let mut text = String::new();
        File::open(self.remembered_file())?
            .take(MAX_BYTES)
            .read_to_string(&mut text)?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Puts the next secret into the place of the current one, which is no longer good from then on.
    pub(crate) fn end(&self) -> io::Result<()> {
        fs::rename(&self.next, &self.current)?;
        sync_folder(folder_of(&self.current));
        remove(&self.remembered_file())?;
        remove(&shown_beside(&self.next))
    }

    fn remembered_file(&self) -> PathBuf {
        with_end(&self.next, ".old")
    }

    /// Writes a file, whole or not at all, for those who may read the secret.
    fn write(&self, path: &Path, text: &str, like: &fs::Metadata, replace: bool) -> io::Result<()> {
        // Mode of the secret, as far as that concerns these two.
        let mode = |mode| 0o600 | mode & 0o040;
        let folder = folder_of(&self.current);
        let new = written(folder, ".labelrelay-rotation-", text, like, mode)?;
        let kept = if replace {
            new.persist(path)
        } else {
            // Of two rotations that begin at once, the first one's secret counts.
            match new.persist_noclobber(path) {
                Err(error) if error.error.kind() == ErrorKind::AlreadyExists => return Ok(()),
                kept => kept,
            }
        };
        kept.map_err(|error| error.error)?;
        sync_folder(folder);
        Ok(())
    }
}

/// Notes that a delivery has shown the secret in the file `next`.
pub(crate) fn note_shown(next: &Path) {
    let next = next.to_owned();
    // A disk may keep its caller waiting. Where there is no thread, the next delivery has another chance.
    let thread = std::thread::Builder::new().name("rotation".to_owned());
    let _ = thread.spawn(move || {
        let shown = shown_beside(&next);
        if !next.exists() || shown.exists() {
            return;
        }
        if let Err(error) = File::create_new(&shown)
            && error.kind() != ErrorKind::AlreadyExists
        {
            tracing::warn!(name: "rotation_not_noted", file = %shown.display(), %error, "a delivery came with the new secret, and `labelrelay connect --rotate` cannot be told: let this program write there, or make the file by hand");
        }
    });
}

/// The file of the next secret, where a secret of this name is one.
pub(crate) fn next_called(name: &str) -> Option<&Path> {
    let path = Path::new(name.strip_prefix("file:")?);
    (path.extension() == Some(OsStr::new("rotating"))).then_some(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_begins_once_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let current = folder.path().join("a.secret");
        fs::write(&current, "old").unwrap();
        let files = RotationFiles::of(&current);
        assert!(!files.is_under_way());
        let ids = ["1".to_owned(), "2".to_owned()];
        files.begin("new", &ids).unwrap();
        files.begin("newer", &[]).unwrap();
        assert_eq!(fs::read_to_string(&files.next).unwrap(), "new");
        assert_eq!(files.remembered().unwrap(), ids);
        assert!(files.is_under_way() && !files.is_shown());
        File::create_new(shown_beside(&files.next)).unwrap();
        assert!(files.is_shown());
        files.end().unwrap();
        assert_eq!(fs::read_to_string(&current).unwrap(), "new");
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[cfg(unix)]
    #[test]
    fn the_next_one_is_for_the_same_readers_and_a_link_is_left_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let current = folder.path().join("a.secret");
        for (mode, expected) in [
            (0o600, 0o600),
            (0o640, 0o640),
            (0o644, 0o640),
            (0o400, 0o600),
        ] {
            fs::write(&current, "old").unwrap();
            fs::set_permissions(&current, fs::Permissions::from_mode(mode)).unwrap();
            let files = RotationFiles::of(&current);
            files.begin("new", &[]).unwrap();
            let made = fs::metadata(&files.next).unwrap().permissions().mode() & 0o7777;
            assert_eq!(made, expected, "{mode:o}");
            files.end().unwrap();
            fs::remove_file(&current).unwrap();
        }
        std::os::unix::fs::symlink("elsewhere", &current).unwrap();
        let files = RotationFiles::of(&current);
        let error = files.begin("new", &[]).unwrap_err();
        assert!(error.to_string().contains("where it is kept"), "{error}");
        assert!(!files.is_under_way());
    }

    #[test]
    fn only_a_next_secret_is_noted() {
        let next = Path::new("/a/b.secret.rotating");
        assert_eq!(next_called("file:/a/b.secret.rotating"), Some(next));
        for other in ["file:/a/b.secret", "env:X.rotating", "file:", ""] {
            assert_eq!(next_called(other), None, "{other}");
        }
    }
}
