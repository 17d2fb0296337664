use super::error::SecretError;
use super::regular_file;
use super::source::SecretSource;
use super::value::Secret;
use crate::BoxFuture;
use jiff::Timestamp;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::SystemTime;

/// A secret in a file of its own, read again when the file changes.
///
/// One trailing line break is not part of the secret: editors and `echo` put it there, and it is the
/// most common reason why a signature does not match.
#[derive(Debug)]
pub struct FileSecret {
    path: PathBuf,
    name: String,
    not_after: Option<Timestamp>,
    seen: Mutex<Option<Stamp>>,
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
            name: format!("file:{}", path.display()),
            path,
            not_after,
            seen: Mutex::new(None),
        }
    }

    fn read(&self) -> Result<Secret, SecretError> {
        // The stamp is taken before the read: a change between the two is then seen as one later.
        let stamp = self.stamp();
        let mut bytes = regular_file::read(&self.path)?;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        let secret = Secret::new(self.name.as_str(), bytes)?.until(self.not_after);
        if let Ok(mut seen) = self.seen.lock() {
            *seen = stamp;
        }
        Ok(secret)
    }

    fn stamp(&self) -> Option<Stamp> {
        let meta = fs::metadata(&self.path).ok()?;
        Some(Stamp {
            modified: meta.modified().ok(),
            bytes: meta.len(),
        })
    }
}

impl SecretSource for FileSecret {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        Box::pin(std::future::ready(self.read().map(|secret| vec![secret])))
    }

    fn changed(&self) -> bool {
        self.seen.lock().is_ok_and(|seen| *seen != self.stamp())
    }

    fn doubts(&self) -> Vec<String> {
        regular_file::open_to_others(&self.path)
            .into_iter()
            .collect()
    }
}
