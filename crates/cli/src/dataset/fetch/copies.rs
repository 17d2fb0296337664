//! Copies of media on the disk: whole ones, each with its digest in a list beside them.

use crate::file_beside::sync_folder;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use jiff::Timestamp;
use labelrelay_event::Digest;
use labelrelay_files::private_dir;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The list of what was fetched: address, file, size, digest, time.
const LIST: &str = "fetched.jsonl";

/// Why there is no copy.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is about this one.
    Medium(String),
    /// No other could be written either.
    Disk(PathBuf, io::Error),
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::Medium(why)
    }
}

/// The directory of the copies.
pub(super) struct Copies {
    dir: PathBuf,
    list: File,
    max_bytes: u64,
}

impl Copies {
    pub(super) fn open(dir: PathBuf, max_bytes: u64) -> Result<Self, Failure> {
        let list = private_dir(&dir).and_then(|()| {
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(dir.join(LIST))
        });
        match list {
            Ok(list) => Ok(Self {
                dir,
                list,
                max_bytes,
            }),
            Err(error) => Err(Failure::Disk(dir, error)),
        }
    }

    /// Tells whether there is a copy in this place.
    pub(super) fn has(&self, place: &Path) -> bool {
        self.dir.join(place).is_file()
    }

    /// Keeps what a body brings, if all of it comes.
    pub(super) async fn keep(
        &self,
        address: &str,
        place: &Path,
        mut body: Incoming,
    ) -> Result<(), Failure> {
        let too_large = || format!("it has more than {} bytes: see --max-bytes", self.max_bytes);
        // What says itself that it is too large need not come.
        if body.size_hint().lower() > self.max_bytes {
            return Err(too_large().into());
        }
        let path = self.dir.join(place);
        let dir = path.parent().unwrap_or(&self.dir);
        let failed = |error: io::Error| of_disk(&path, error);
        private_dir(dir).map_err(failed)?;
        let mut file = NamedTempFile::new_in(dir).map_err(failed)?;
        let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| format!("the answer broke off: {error}"))?;
            let part: Bytes = frame.into_data().unwrap_or_default();
            bytes = bytes.saturating_add(part.len() as u64);
            if bytes > self.max_bytes {
                return Err(too_large().into());
            }
            hash.update(&part);
            file.write_all(&part).map_err(failed)?;
        }
        let digest = Digest::from_bytes(hash.finalize().into());
        // First: every copy that is there has its digest noted.
        let line = json!({
            "address": without_query(address), "path": place.to_string_lossy(), "bytes": bytes,
            "sha256": digest.to_hex(), "at": Timestamp::now().to_string(),
        });
        let list = (&self.list).write_all(format!("{line}\n").as_bytes());
        list.and_then(|()| self.list.sync_data())
            .map_err(|error| Failure::Disk(self.dir.join(LIST), error))?;
        // Without this, a loss of power could leave the name of a copy, and not its bytes.
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        // The folders of its path may be new as well.
        dir.ancestors()
            .take_while(|folder| folder.starts_with(&self.dir))
            .for_each(sync_folder);
        Ok(())
    }
}

/// What a query holds may be a signature.
pub(super) fn without_query(address: &str) -> &str {
    address.split('?').next().unwrap_or(address)
}

/// A name that cannot be there is about one medium; a disk that takes nothing is about all.
fn of_disk(path: &Path, error: io::Error) -> Failure {
    match error.kind() {
        ErrorKind::StorageFull
        | ErrorKind::QuotaExceeded
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem => Failure::Disk(path.to_owned(), error),
        _ => Failure::Medium(format!("cannot write {}: {error}", path.display())),
    }
}
