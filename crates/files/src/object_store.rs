//! A directory as an object store (`file:///directory`): one file for each object, under the object's own name.

use crate::blob_error::failed;
use crate::blob_store::FileBlobStore;
use crate::disk_thread::{answer, on_thread};
use bytes::Bytes;
use labelrelay_core::object_store::{Created, NewObject};
use labelrelay_core::{BlobError, BoxFuture, ObjectStore};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// File systems take no longer names, and this leaves room.
const MAX_PART: usize = 200;

/// Stores each object as one file below a directory, written as [`FileBlobStore`] writes objects: a name never stands for
/// half an object. Files whose names begin with a dot are none of its objects, and no link is followed when it is listed.
#[derive(Debug)]
pub struct FileObjectStore(FileBlobStore);

impl FileObjectStore {
    /// Opens the directory `dir`, and makes it (mode 0700) when there is none. Removes what processes that were killed left
    /// there half written, an hour after.
    ///
    /// # Errors
    /// When it cannot be made, or is not a directory.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, BlobError> {
        FileBlobStore::open(dir).map(Self)
    }

    /// The file of the object called `name`: below the directory, whatever the name says.
    fn path(&self, name: &str) -> Result<PathBuf, BlobError> {
        if name.split('/').all(is_plain) {
            return Ok(self.0.dir().join(name));
        }
        Err(BlobError::permanent(format!(
            "`{}` is no name of a file here: between slashes it needs words of up to {MAX_PART} bytes that do not begin with a dot",
            name.escape_debug()
        )))
    }
}

/// Tells whether a part of a name stands for the file of that name on every system.
fn is_plain(part: &str) -> bool {
    let odd = |character: char| character.is_control() || matches!(character, '\\' | ':');
    !part.is_empty() && !part.starts_with('.') && part.len() <= MAX_PART && !part.contains(odd)
}

impl ObjectStore for FileObjectStore {
    fn create<'a>(
        &'a self,
        name: &'a str,
        object: NewObject<'a>,
    ) -> BoxFuture<'a, Result<Created, BlobError>> {
        Box::pin(async move {
            let path = self.path(name)?;
            self.0.object(&path, object.length).store(object.body).await
        })
    }

    fn replace<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let path = self.path(name)?;
            let object = self.0.object(&path, content.len() as u64);
            answer(on_thread(move || object.replace(&content))?).await
        })
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(async move {
            let path = self.path(name)?;
            let read = move || match std::fs::read(&path) {
                Ok(bytes) => Ok(Some(bytes.into())),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(source) => Err(failed("reading the object", &path, source)),
            };
            answer(on_thread(read)?).await
        })
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let path = self.path(name)?;
            // Not synced: what comes back after a crash is removed once more.
            let remove = move || match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    Err(failed("removing the object", &path, error))
                }
                _ => Ok(()),
            };
            answer(on_thread(remove)?).await
        })
    }

    fn list<'a>(&'a self, beginning: &'a str) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(async move {
            let (dir, beginning) = (self.0.dir().to_owned(), beginning.to_owned());
            answer(on_thread(move || names_below(&dir, &beginning))?).await
        })
    }
}

/// Names of all files below `dir` that begin with `beginning`, in order.
fn names_below(dir: &Path, beginning: &str) -> Result<Vec<String>, BlobError> {
    let mut names = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = dir.join(&folder);
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            // Somebody removed it meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(source) => return Err(failed("reading the directory", &path, source)),
        };
        for entry in entries {
            let read = |source| failed("reading the directory", &path, source);
            let entry = entry.map_err(read)?;
            let name = entry.file_name();
            let Some(part) = name.to_str().filter(|part| is_plain(part)) else {
                continue;
            };
            let kind = match entry.file_type() {
                Ok(kind) => kind,
                // Some file systems look for it only now.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(source) => return Err(read(source)),
            };
            let mut name = format!("{folder}{part}");
            if kind.is_dir() {
                name.push('/');
                // Other folders hold nothing that begins so.
                if name.starts_with(beginning) || beginning.starts_with(&name) {
                    folders.push(name);
                }
            } else if kind.is_file() && name.starts_with(beginning) {
                names.push(name);
            }
        }
    }
    names.sort_unstable();
    Ok(names)
}
