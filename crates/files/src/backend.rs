//! The directories of a machine as a back end: stores, and neither queues nor secrets.

use crate::{FileBlobStore, FileFallback};
use jiff::Timestamp;
use labelrelay_core::backend::{BackEnd, BackEndError, Forms, Location, Opening};
use labelrelay_core::config::SecretRef;
use labelrelay_core::{BlobError, BlobStore, EventQueue, FallbackStore, SecretSource, chain};
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Opens `file:DIRECTORY`, and makes the directory where there is none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Directories;

const FORMS: Forms = Forms {
    queue: "a queue of another back end",
    store: "file:///absolute/DIRECTORY",
    secret: "file:/path",
};

impl BackEnd for Directories {
    fn forms(&self) -> Forms {
        FORMS
    }

    fn queue<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn EventQueue>> {
        let error = BackEndError::new(at.url, "is not the URL of a queue", "name a queue");
        Box::pin(ready(Err(error)))
    }

    fn blob_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn BlobStore>> {
        let opened = directory(at).and_then(|directory| {
            FileBlobStore::open(directory).map_err(|error| not_opened(at, &error))
        });
        Box::pin(ready(opened.map(|store| Arc::new(store) as _)))
    }

    fn fallback<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
        let opened = directory(at).and_then(|directory| {
            FileFallback::open(directory).map_err(|error| not_opened(at, &error))
        });
        Box::pin(ready(opened.map(|store| Arc::new(store) as _)))
    }

    fn secret<'a>(
        &'a self,
        reference: &'a SecretRef,
        _: Option<Timestamp>,
    ) -> Opening<'a, Box<dyn SecretSource>> {
        let cure = "name one of env:NAME or file:/path";
        let error = BackEndError::new(
            &reference.to_string(),
            "is in no store of this machine",
            cure,
        );
        Box::pin(ready(Err(error)))
    }
}

fn directory(at: Location<'_>) -> Result<PathBuf, BackEndError> {
    let path = match at.url.split_once(':') {
        Some(("file", rest)) => path_in(rest, at.base_dir),
        _ => None,
    };
    path.ok_or_else(|| {
        let cure = format!("write {}", FORMS.store);
        BackEndError::new(at.url, "names no directory", cure)
    })
}

fn not_opened(at: Location<'_>, error: &BlobError) -> BackEndError {
    let cure = "name a directory that this program may write to";
    BackEndError::new(at.url, format!("cannot be opened: {}", chain(error)), cure)
}

/// The path in what stands behind a URL's scheme: `FILE`, which is relative to `base`, `/FILE` or `///FILE`. Two
/// slashes would begin a host name, which a file has not.
pub fn path_in(rest: &str, base: &Path) -> Option<PathBuf> {
    let path = match rest.strip_prefix("//") {
        Some(absolute) if absolute.starts_with('/') => absolute,
        Some(_) => return None,
        None => rest,
    };
    (!path.is_empty() && !path.starts_with(':')).then(|| base.join(path))
}
