//! A directory as a fallback (`file:///directory`): one file for each event, until the queue has it.

use crate::blob_error::failed;
use crate::blob_store::FileBlobStore;
use crate::disk_thread::{answer, on_thread};
use crate::file_stream::contents;
use crate::temporary_file::is_abandoned;
use bytes::Bytes;
use labelrelay_core::fallback::{BODIES, StoredBody};
use labelrelay_core::{BlobError, BoxFuture, FallbackStore, Payload};
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

/// Suffix of a key's file. Files without it are not events, and are left alone.
const SUFFIX: &str = ".json";

/// Stores each envelope as a file of its own, written as [`FileBlobStore`] writes objects: a name never
/// stands for half an envelope.
#[derive(Debug)]
pub struct FileFallback(FileBlobStore);

impl FileFallback {
    /// Opens the directory `dir`, and makes it (mode 0700) when there is none. Removes bodies whose envelopes
    /// are not there, because a process was killed between the two, an hour after.
    ///
    /// # Errors
    /// When it cannot be made, or is not a directory.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, BlobError> {
        let store = FileBlobStore::open(dir)?;
        sweep_bodies(store.dir());
        Ok(Self(store))
    }

    /// The file called `name`, with its length; `None` when there is none.
    async fn stream(&self, name: &str) -> Result<Option<StoredBody>, BlobError> {
        let path = self.0.path(name)?;
        let open = move || match File::open(&path).and_then(|file| Ok((file.metadata()?, file))) {
            Ok((about, file)) => Ok(Some((about.len(), file))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("reading the event", &path, source)),
        };
        let found = answer(on_thread(open)?).await?;
        Ok(found.map(|(bytes, file)| StoredBody {
            bytes,
            stream: contents(file.into(), bytes),
        }))
    }
}

impl FallbackStore for FileFallback {
    fn put<'a>(&'a self, key: &'a str, envelope: Bytes) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move { self.0.store_whole(&file_name(key), envelope).await })
    }

    fn list<'a>(
        &'a self,
        after: Option<&'a str>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(async move {
            let (dir, after) = (self.0.dir().to_owned(), after.map(str::to_owned));
            let list = move || {
                let mut keys =
                    keys(&dir).map_err(|source| failed("reading the directory", &dir, source))?;
                keys.retain(|key| after.as_ref().is_none_or(|after| key > after));
                keys.sort_unstable();
                keys.truncate(max);
                Ok(keys)
            };
            answer(on_thread(list)?).await
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(async move {
            let path = self.0.path(&file_name(key))?;
            let read = move || match std::fs::read(&path) {
                Ok(bytes) => Ok(Some(bytes.into())),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(source) => Err(failed("reading the event", &path, source)),
            };
            answer(on_thread(read)?).await
        })
    }

    fn get_stream<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(async move { self.stream(&file_name(key)).await })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let path = self.0.path(&file_name(key))?;
            // Not synced: what comes back after a crash is a repeat at worst.
            let remove = move || match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    Err(failed("removing the event", &path, error))
                }
                _ => Ok(()),
            };
            answer(on_thread(remove)?).await
        })
    }

    fn put_body<'a>(
        &'a self,
        name: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move { self.0.store_payload(name, body).await.map(drop) })
    }

    fn get_body<'a>(
        &'a self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(async move { self.stream(name).await })
    }

    fn remove_body<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let path = self.0.path(name)?;
            let remove = move || {
                match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(failed("removing the body", &path, error));
                    }
                    _ => {}
                }
                // Each body has a directory of its own; what cannot be removed is in nobody's way.
                if let Some(dir) = path.parent() {
                    let _ = std::fs::remove_dir(dir);
                }
                Ok(())
            };
            answer(on_thread(remove)?).await
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(self.0.probe())
    }
}

fn file_name(key: &str) -> String {
    format!("{key}{SUFFIX}")
}

/// Removes bodies without an envelope. They only take room, so one that cannot be removed stays.
fn sweep_bodies(dir: &Path) {
    let Ok(entries) = std::fs::read_dir(dir.join(BODIES)) else {
        return;
    };
    for entry in entries.flatten() {
        let key = entry.file_name();
        let Some(key) = key.to_str() else { continue };
        let alone = dir
            .join(file_name(key))
            .try_exists()
            .is_ok_and(|exists| !exists);
        if alone && entry.metadata().is_ok_and(|about| is_abandoned(&about)) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn keys(dir: &Path) -> std::io::Result<Vec<String>> {
    let mut keys = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        let key = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
        // A file that is being written begins with a dot.
        keys.extend(key.filter(|key| !key.starts_with('.')).map(str::to_owned));
    }
    Ok(keys)
}
