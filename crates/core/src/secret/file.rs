use super::error::SecretError;
use super::regular_file;
use super::source::SecretSource;
use super::value::Secret;
use crate::BoxFuture;
use jiff::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

/// A secret in a file of its own, read again when the file changes.
///
/// One trailing line break is not part of the secret: editors and `echo` put it there, and it is the
/// most common reason why a signature does not match.
///
/// While the secret is being rotated, the next one is in a file beside it ([`next_beside`](Self::next_beside)), and
/// both are good. The rotation ends when that file takes the first one's place.
#[derive(Debug)]
pub struct FileSecret {
    path: PathBuf,
    next: PathBuf,
    not_after: Option<Timestamp>,
    seen: Mutex<Option<[Option<Stamp>; 2]>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl FileSecret {
    /// The secret in the file at `path`, refused after `not_after`.
    pub fn new(path: impl Into<PathBuf>, not_after: Option<Timestamp>) -> Self {
        let path = path.into();
        Self {
            next: Self::next_beside(&path),
            path,
            not_after,
            seen: Mutex::new(None),
        }
    }

    /// The file that holds the next secret while the one at `path` is being rotated.
    pub fn next_beside(path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(".rotating");
        PathBuf::from(name)
    }

    fn read(&self) -> Result<Vec<Secret>, SecretError> {
        // The stamps are taken before the read: a change between the two is then seen as one later.
        let stamps = self.stamps();
        // The next one first: where it takes the other's place meanwhile, it is found there.
        let next = self.next();
        let mut secrets = vec![self.secret(&self.path, regular_file::read_file(&self.path)?)?];
        match next {
            Ok(next) => secrets.extend(next),
            // Whoever keeps the last answer has both.
            Err(error) if error.retryable => return Err(error),
            // Nobody is to stop deliveries by what they put there.
            Err(_) => {}
        }
        if let Ok(mut seen) = self.seen.lock() {
            *seen = Some(stamps);
        }
        Ok(secrets)
    }

    /// The next secret, while there is one.
    fn next(&self) -> Result<Option<Secret>, SecretError> {
        if fs::symlink_metadata(&self.next).is_err() {
            return Ok(None);
        }
        let bytes = regular_file::read_of_owner(&self.next, &self.path)?;
        self.secret(&self.next, bytes).map(Some)
    }

    fn secret(&self, path: &Path, mut bytes: Vec<u8>) -> Result<Secret, SecretError> {
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        let name = format!("file:{}", path.display());
        Ok(Secret::new(name, bytes)?.until(self.not_after))
    }

    fn stamps(&self) -> [Option<Stamp>; 2] {
        [Stamp::of(&self.path), Stamp::of(&self.next)]
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let meta = fs::metadata(path).ok()?;
        Some(Self {
            modified: meta.modified().ok(),
            bytes: meta.len(),
        })
    }
}

impl SecretSource for FileSecret {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        Box::pin(std::future::ready(self.read()))
    }

    fn changed(&self) -> bool {
        self.seen
            .lock()
            .is_ok_and(|seen| *seen != Some(self.stamps()))
    }

    fn doubts(&self) -> Vec<String> {
        let mut doubts: Vec<_> = [&self.path, &self.next]
            .into_iter()
            .filter_map(|path| regular_file::open_to_others(path))
            .collect();
        match self.next() {
            Ok(None) => {}
            Ok(Some(_)) => doubts.push(format!(
                "a rotation of the secret in {} has not ended: the one in {} is good as well; run `labelrelay connect` with --rotate again",
                self.path.display(),
                self.next.display()
            )),
            Err(error) => doubts.push(error.to_string()),
        }
        doubts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(file: &FileSecret) -> Vec<String> {
        let secrets = file.fetch().await.unwrap();
        let text = |secret: &Secret| String::from_utf8(secret.expose().to_vec()).unwrap();
        secrets.iter().map(text).collect()
    }

    #[test]
    fn both_are_good_while_one_takes_the_other_s_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.secret");
        let next = FileSecret::next_beside(&path);
        fs::write(&path, "old\n").unwrap();
        let file = FileSecret::new(&path, None);
        let now = |file: &FileSecret| futures_executor::block_on(read(file));
        assert_eq!(now(&file), ["old"]);
        assert!(!file.changed());
        fs::write(&next, "new\n").unwrap();
        assert!(file.changed(), "the next one came");
        assert_eq!(now(&file), ["old", "new"]);
        assert!(!file.changed());
        let doubts = file.doubts();
        assert!(doubts.iter().any(|doubt| doubt.contains("--rotate")));
        fs::rename(&next, &path).unwrap();
        assert!(file.changed(), "the old one went");
        assert_eq!(now(&file), ["new"]);
        assert!(
            file.doubts()
                .iter()
                .all(|doubt| !doubt.contains("--rotate"))
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_next_one_that_somebody_else_could_have_chosen_is_not_taken() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.secret");
        let next = FileSecret::next_beside(&path);
        let known = folder.path().join("known");
        fs::write(&path, "old").unwrap();
        fs::write(&known, "new").unwrap();
        let is_refused = |what: &str| {
            let file = FileSecret::new(&path, None);
            assert_eq!(futures_executor::block_on(read(&file)), ["old"], "{what}");
            let doubts = file.doubts();
            assert!(
                doubts
                    .iter()
                    .any(|doubt| doubt.contains("a.secret.rotating")),
                "{doubts:?}"
            );
            fs::remove_file(&next).unwrap();
        };
        std::os::unix::fs::symlink(&known, &next).unwrap();
        is_refused("a link");
        fs::hard_link(&known, &next).unwrap();
        is_refused("another name of a file");
        fs::write(&next, "new").unwrap();
        fs::set_permissions(&next, fs::Permissions::from_mode(0o666)).unwrap();
        is_refused("a file that anybody may change");
        fs::write(&next, "").unwrap();
        is_refused("an empty file");
    }
}
