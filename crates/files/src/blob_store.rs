//! A directory as a blob store (`file:///directory`), for claim checks and as a fallback on one machine.

use crate::blob_error::failed;
use crate::dir_sync::DirSync;
use crate::disk_thread::{answer, on_thread};
use crate::file_uri;
use crate::object_writer::Object;
use crate::private_files::private_dir;
use crate::temporary_file::{self, Temporary};
use crate::writer_pool::WriterPool;
use bytes::Bytes;
use labelrelay_core::blob::Fetched;
use labelrelay_core::{BlobError, BlobStore, BoxFuture, BoxStream, Payload};
use std::io::{ErrorKind, Write as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Stores each object as one file below a directory.
///
/// An object is written to a file of another name, synced, and then given its own name, which fails when that
/// is taken: so a name never stands for half an object, and nothing is ever overwritten.
/// Each that arrives as a stream is written by a thread of its own, so that no other waits for its sender; what
/// is in hand, by a few threads in turn. A future that is dropped leaves nothing behind; the thread notices it a
/// moment later.
#[derive(Debug)]
pub struct FileBlobStore {
    dir_sync: Arc<DirSync>,
    writers: WriterPool,
}

impl FileBlobStore {
    /// Opens the directory `dir`, and makes it (mode 0700) when there is none. Removes what processes that
    /// were killed left there half written, an hour after.
    ///
    /// # Errors
    /// When it cannot be made, or is not a directory.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, BlobError> {
        let dir = dir.as_ref();
        private_dir(dir).map_err(|source| failed("making the directory", dir, source))?;
        // Absolute, for it becomes part of URIs that other programs resolve.
        let dir = dir
            .canonicalize()
            .map_err(|source| failed("opening the directory", dir, source))?;
        if !dir.is_dir() {
            return Err(failed(
                "opening the directory",
                &dir,
                ErrorKind::NotADirectory.into(),
            ));
        }
        temporary_file::sweep(&dir);
        Ok(Self {
            dir_sync: Arc::new(DirSync::new(dir)),
            writers: WriterPool::default(),
        })
    }

    /// Path of the store's directory.
    pub(crate) fn dir(&self) -> &Path {
        self.dir_sync.dir()
    }

    /// The file of `key`: below the directory, whatever the key says.
    pub(crate) fn path(&self, key: &str) -> Result<PathBuf, BlobError> {
        let plain = |part: &str| {
            !part.starts_with('.')
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        let parts = Path::new(key)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !parts
            || key.len() > 512
            || key
                .split('/')
                .any(|part| part.is_empty() || part.len() > 200 || !plain(part))
        {
            let message = "a key is made of A-Z a-z 0-9 - _ . and of / between names that do not begin with a dot".to_owned();
            return Err(BlobError::permanent(message));
        }
        Ok(self.dir().join(key))
    }

    /// Stores an object under `key`, unless it is there already.
    pub(crate) async fn store(
        &self,
        key: &str,
        length: u64,
        body: BoxStream<'_, std::io::Result<Bytes>>,
    ) -> Result<PathBuf, BlobError> {
        let path = self.path(key)?;
        self.object(&path, length).store(body).await?;
        Ok(path)
    }

    /// The same for an object that is in hand, as events are.
    pub(crate) async fn store_whole(&self, key: &str, object: Bytes) -> Result<(), BlobError> {
        let path = self.path(key)?;
        let length = object.len() as u64;
        self.object(&path, length)
            .store_whole(object, &self.writers)
            .await
            .map(drop)
    }

    /// The same; a body in a spool on this file system is linked, not copied.
    pub(crate) async fn store_payload(
        &self,
        key: &str,
        body: &Payload,
    ) -> Result<PathBuf, BlobError> {
        let path = self.path(key)?;
        let object = || self.object(&path, body.len());
        let adopted = match body.spooled() {
            Some(spooled) => object().adopt(spooled).await?,
            None => false,
        };
        if !adopted {
            object().store(body.stream()).await?;
        }
        Ok(path)
    }

    pub(crate) fn object(&self, path: &Path, length: u64) -> Object {
        Object {
            dir_sync: Arc::clone(&self.dir_sync),
            path: path.to_owned(),
            length,
        }
    }

    /// Checks that a file can be written.
    pub(crate) async fn probe(&self) -> Result<(), BlobError> {
        let dir = self.dir().to_owned();
        let probe = move || {
            Temporary::make(&dir)
                .and_then(|(_removed, mut file)| file.write_all(b"?"))
                .map_err(|source| failed("writing into the directory", &dir, source))
        };
        answer(on_thread(probe)?).await
    }
}

impl BlobStore for FileBlobStore {
    fn put<'a>(
        &'a self,
        key: &'a str,
        length: u64,
        body: BoxStream<'a, std::io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        Box::pin(async move { Ok(file_uri::of(&self.store(key, length, body).await?)) })
    }

    fn put_payload<'a>(
        &'a self,
        key: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        Box::pin(async move { Ok(file_uri::of(&self.store_payload(key, body).await?)) })
    }

    fn get<'a>(&'a self, uri: &'a str) -> BoxFuture<'a, Result<Fetched, BlobError>> {
        Box::pin(async move {
            let Some(path) = file_uri::file_of(uri) else {
                return Ok(Fetched::Elsewhere);
            };
            let dir = self.dir().to_owned();
            answer(on_thread(move || read_below(&dir, &path))?).await
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(self.probe())
    }
}

/// Reads the file at `path`, if that is one below `dir`, whatever links there are on the way.
fn read_below(dir: &Path, path: &Path) -> Result<Fetched, BlobError> {
    let is_plain = path.components().all(|part| {
        matches!(
            part,
            Component::RootDir | Component::Prefix(_) | Component::Normal(_)
        )
    });
    let real = match path.canonicalize() {
        _ if !is_plain => return Ok(Fetched::Elsewhere),
        Ok(real) => real,
        Err(error) if error.kind() == ErrorKind::NotFound && path.starts_with(dir) => {
            return Ok(Fetched::Gone);
        }
        Err(source) if path.starts_with(dir) => {
            return Err(failed("reading the body", path, source));
        }
        Err(_) => return Ok(Fetched::Elsewhere),
    };
    if !real.starts_with(dir) || real == dir {
        return Ok(Fetched::Elsewhere);
    }
    match std::fs::read(&real) {
        Ok(body) => Ok(Fetched::Body(body.into())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Fetched::Gone),
        Err(source) => Err(failed("reading the body", &real, source)),
    }
}
