//! Snapshots in an object store, for training runs on other machines.
//!
//! One working directory writes to a prefix: `writer.json` there, which is created once and never replaced, says which. The
//! number of each snapshot is taken in the same way, so two copies of a working directory find out that they are two.
//!
//! Parts of tables are named by their digests: a snapshot brings those alone that the one before has not.

mod take_over;

use crate::DatasetError;
use crate::housekeeping::finished;
use crate::manifest::{Manifest, PARTS, part_name};
use crate::published::Published;
use crate::snapshot::{LATEST, SNAPSHOTS, Snapshot, TABLE};
use crate::store::Store;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use labelrelay_core::object_store::{Created, NewObject};
use labelrelay_core::{BlobError, ObjectStore};
use labelrelay_event::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The working directory that writes to a prefix.
const WRITER: &str = "writer.json";

/// Files that are on their way at once.
const AT_ONCE: usize = 8;

/// So much of a file is in memory at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// A prefix of an object store, as the place of a dataset's snapshots.
pub struct Publisher {
    target: Arc<dyn ObjectStore>,
    /// The target's URL, for messages.
    url: String,
    published: Published,
}

/// The owner of a prefix, or of a snapshot's number.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    writer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

impl Publisher {
    /// Makes the prefix that of this dataset, if it is nobody's. With `takes_over`, also if it is another one's, or that of a
    /// copy of this one: they find out when they publish next. What is written after that is a new snapshot.
    ///
    /// # Errors
    /// [`DatasetError`] when another dataset is published there, when this one is published elsewhere, when the store
    /// cannot tell two writers apart, or cannot be written.
    pub async fn open(
        store: &Store,
        target: Arc<dyn ObjectStore>,
        url: &str,
        takes_over: bool,
    ) -> Result<Self, DatasetError> {
        let mut publisher = Self {
            target,
            url: url.to_owned(),
            published: Published::read(&store.dir, url)?,
        };
        // Before the name is used: a name that is lost would be somebody else's.
        publisher.published.write(&store.dir)?;
        let owner = publisher.owner(None);
        if !publisher.create(WRITER, &owner).await? {
            // A store that takes it twice would take anything from two.
            if publisher.create(WRITER, &owner).await? {
                return Ok(publisher);
            }
            return Err(publisher.error(
                "the store replaces an object that was to be created once, so two writers would not notice each other",
                "name a store that knows the condition If-None-Match",
            ));
        }
        if takes_over {
            publisher.take_over(store).await?;
        } else {
            publisher.check_owner().await?;
        }
        Ok(publisher)
    }

    /// Brings the snapshot to the target, names it the latest there, and removes those that are gone here.
    ///
    /// # Errors
    /// [`DatasetError`]; the latest one there stays the latest, and the next call goes on.
    pub async fn publish(
        &mut self,
        store: &Store,
        snapshot: &Snapshot,
    ) -> Result<(), DatasetError> {
        let text = serde_json::to_string(snapshot).unwrap_or_default();
        if self.published.latest.as_ref() == Some(&text) {
            return self.remove_old(store).await;
        }
        self.check_owner().await?;
        let dir = store.dir.join(&snapshot.path);
        let files = files_below(&dir)?;
        let manifest = Manifest::read(&dir)?;
        // By the object's name: two tables may have the same file.
        let objects = files.iter().map(|name| {
            let object = manifest.object(&snapshot.path, name);
            (object, name.as_str())
        });
        let objects: BTreeMap<String, &str> = objects.collect();
        let there = self.parts_there().await?;
        let claim = format!("{}/{WRITER}", snapshot.path);
        let mut names: Vec<String> = objects.keys().cloned().collect();
        names.push(claim.clone());
        // Noted first, so that whatever gets there is removed one day.
        let before = self.published.snapshots.insert(snapshot.number, names);
        self.published.write(&store.dir)?;
        let owner = self.owner(Some(&snapshot.digest));
        if self.create(&claim, &owner).await?
            && self.read_owner(&claim).await?.as_ref() != Some(&owner)
        {
            // Nothing of it is there, and what is there is not ours to remove.
            self.published.snapshots.remove(&snapshot.number);
            self.published
                .snapshots
                .extend(before.map(|names| (snapshot.number, names)));
            self.published.write(&store.dir)?;
            return Err(self.error(
                format!(
                    "another process published a snapshot {} there",
                    snapshot.number
                ),
                "let one working directory alone publish to this prefix; to go on with this one, add --take-over",
            ));
        }
        let new = objects
            .iter()
            .filter(|(object, _)| !there.contains(*object));
        let uploads: Vec<_> = new
            .map(|(object, name)| self.upload(dir.join(name), object))
            .collect();
        stream::iter(uploads)
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        let table = store.dir.join(TABLE);
        if table.is_file() {
            let table = fs::read(&table).map_err(DatasetError::io(&table))?;
            let replaced = self.target.replace(TABLE, table.into()).await;
            replaced.map_err(|error| self.failed(&error))?;
        }
        let replaced = self
            .target
            .replace(LATEST, format!("{text}\n").into())
            .await;
        replaced.map_err(|error| self.failed(&error))?;
        self.published.latest = Some(text);
        self.published.write(&store.dir)?;
        self.remove_old(store).await
    }

    /// Parts of tables that are there for certain: those of the latest snapshot there. If that is not the one that this
    /// directory published last, a copy of the directory may have removed any of them.
    async fn parts_there(&self) -> Result<BTreeSet<String>, DatasetError> {
        let there = self.target.get(LATEST).await;
        let there = there.map_err(|error| self.failed(&error))?;
        let there = there.as_deref().map(<[u8]>::trim_ascii_end);
        let latest = self.published.latest.as_deref();
        let latest = latest.filter(|text| there == Some(text.as_bytes()));
        let latest = latest.and_then(|text| serde_json::from_str::<Snapshot>(text).ok());
        let names = latest.and_then(|latest| self.published.snapshots.get(&latest.number));
        let parts = names.into_iter().flatten();
        let parts = parts.filter(|name| name.starts_with(PARTS));
        Ok(parts.cloned().collect())
    }

    async fn upload(&self, path: PathBuf, object: &str) -> Result<(), DatasetError> {
        let (length, digest) = measure(&path).map_err(DatasetError::io(&path))?;
        if object.starts_with(PARTS) && part_name(&digest.to_hex()) != object {
            return Err(DatasetError::new(
                &path,
                "is not what was written",
                "remove its snapshot's directory, and run this again",
            ));
        }
        let file = File::open(&path).map_err(DatasetError::io(&path))?;
        let content = NewObject {
            length,
            digest,
            body: Box::pin(stream::iter(Chunks(file))),
        };
        // One that is there is this one: the number is ours, and a snapshot never changes. A part is named by its digest.
        let created = self.target.create(object, content).await;
        created.map(drop).map_err(|error| self.failed(&error))
    }

    /// Removes the snapshots there that are gone here, but for the parts that others have too.
    async fn remove_old(&mut self, store: &Store) -> Result<(), DatasetError> {
        let there = finished(&store.dir.join(SNAPSHOTS))?;
        let published = self.published.snapshots.keys().copied();
        let gone: Vec<u64> = published
            .filter(|number| there.iter().all(|(here, _)| here != number))
            .collect();
        if !gone.is_empty() {
            self.check_owner().await?;
        }
        for number in gone {
            let all = self.published.snapshots.iter();
            let others = all.filter(|(other, _)| **other != number);
            let kept: BTreeSet<&String> = others.flat_map(|(_, names)| names).collect();
            let names = self.published.snapshots.get(&number);
            let names = names.into_iter().flatten();
            let removals: Vec<_> = names
                .filter(|name| !kept.contains(name))
                .map(|name| async { self.target.remove(name).await })
                .collect();
            let removed = stream::iter(removals).buffer_unordered(AT_ONCE);
            let removed = removed.try_collect::<()>().await;
            removed.map_err(|error| self.failed(&error))?;
            self.published.snapshots.remove(&number);
            self.published.write(&store.dir)?;
        }
        Ok(())
    }

    /// A process that goes on finds out that another working directory took the prefix over: what is there is no longer for
    /// this one to replace or to remove.
    async fn check_owner(&self) -> Result<(), DatasetError> {
        if self.read_owner(WRITER).await?.as_ref() == Some(&self.owner(None)) {
            return Ok(());
        }
        Err(self.error(
            "another working directory publishes its dataset there",
            "name another prefix; or, if that directory is lost, add --take-over",
        ))
    }

    fn owner(&self, digest: Option<&str>) -> Owner {
        Owner {
            writer: self.published.writer.clone(),
            digest: digest.map(ToOwned::to_owned),
        }
    }

    /// Creates an object; tells whether one was there before.
    async fn create(&self, name: &str, owner: &Owner) -> Result<bool, DatasetError> {
        let text = Bytes::from(serde_json::to_vec(owner).unwrap_or_default());
        let created = self.target.create(name, NewObject::of(text)).await;
        let created = created.map_err(|error| self.failed(&error))?;
        Ok(created == Created::Existed)
    }

    async fn read_owner(&self, name: &str) -> Result<Option<Owner>, DatasetError> {
        let found = self.target.get(name).await;
        let found = found.map_err(|error| self.failed(&error))?;
        Ok(found.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    fn failed(&self, error: &BlobError) -> DatasetError {
        let cure = "the snapshot is complete in the working directory: run this again";
        DatasetError {
            retryable: error.retryable,
            ..self.error(labelrelay_core::chain(error), cure)
        }
    }

    fn error(&self, problem: impl Into<String>, cure: &str) -> DatasetError {
        DatasetError::new(Path::new(&self.url), problem, cure)
    }
}

/// Names of all files below a directory, with slashes, in order.
fn files_below(dir: &Path) -> Result<Vec<String>, DatasetError> {
    let mut files = Vec::new();
    let mut dirs: Vec<(PathBuf, String)> = vec![(dir.to_owned(), String::new())];
    while let Some((dir, prefix)) = dirs.pop() {
        let failed = DatasetError::io(&dir);
        for entry in fs::read_dir(&dir).map_err(&failed)? {
            let path = entry.map_err(&failed)?.path();
            // A snapshot's own names are plain.
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("{prefix}{name}");
            if path.is_dir() {
                dirs.push((path, format!("{name}/")));
            } else {
                files.push(name);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn measure(path: &Path) -> io::Result<(u64, Digest)> {
    let (mut hash, mut length) = (Sha256::new(), 0);
    for chunk in Chunks(File::open(path)?) {
        let chunk = chunk?;
        length += chunk.len() as u64;
        hash.update(&chunk);
    }
    Ok((length, Digest::from_bytes(hash.finalize().into())))
}

/// A file in pieces.
struct Chunks(File);

impl Iterator for Chunks {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let limit = CHUNK_BYTES as u64;
        match (&self.0).take(limit).read_to_end(&mut chunk) {
            Ok(0) => None,
            Ok(_) => Some(Ok(chunk.into())),
            Err(error) => Some(Err(error)),
        }
    }
}
