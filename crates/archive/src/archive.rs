//! A place that is an archive: its version, and its files.

use crate::error::ArchiveError;
use crate::layout::{LAYOUT, Segment, VERSION_FILE};
use crate::packed::{Lines, Packed, pack};
use bytes::Bytes;
use labelrelay_core::object_store::{Created, NewObject};
use labelrelay_core::{BlobError, ObjectStore};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;

/// An archive.
#[derive(Clone)]
pub struct Archive {
    store: Arc<dyn ObjectStore>,
    /// For messages: without a signature.
    url: String,
    id: u64,
}

/// What the version's file says.
#[derive(Serialize, Deserialize)]
struct Version {
    layout: u64,
    /// The archive's own random name: who wrote to it knows whether this is still the same one.
    #[serde(default)]
    id: String,
}

impl Archive {
    /// Opens the archive in `store`, which is at `url`.
    ///
    /// # Errors
    /// [`ArchiveError`] when there is none, when it has another layout, or cannot be read.
    pub async fn open(store: Arc<dyn ObjectStore>, url: &str) -> Result<Self, ArchiveError> {
        let missing = || ArchiveError::Missing {
            url: url.to_owned(),
        };
        let id = version(&*store, url).await?.ok_or_else(missing)?;
        Ok(Self::of(store, url, id))
    }

    /// Opens the archive in `store`, which is at `url`. Where there is none, makes one whose random name is `id`.
    ///
    /// # Errors
    /// [`ArchiveError`] when it has another layout, or cannot be read or written.
    pub async fn open_or_create(
        store: Arc<dyn ObjectStore>,
        url: &str,
        id: u64,
    ) -> Result<Self, ArchiveError> {
        if let Some(id) = version(&*store, url).await? {
            return Ok(Self::of(store, url, id));
        }
        let version = Version {
            layout: LAYOUT,
            id: format!("{id:016x}"),
        };
        let text = serde_json::to_vec(&version).unwrap_or_default();
        let created = store.create(VERSION_FILE, NewObject::of(text.into())).await;
        created.map_err(|source| failed(url, source))?;
        // Two programs may begin at once: what is there counts for both.
        Self::open(store, url).await
    }

    fn of(store: Arc<dyn ObjectStore>, url: &str, id: u64) -> Self {
        Self {
            store,
            url: url.to_owned(),
            id,
        }
    }

    /// The archive's own random name.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// URL of the archive, for messages.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lines of a file; `None` if it is gone.
    ///
    /// # Errors
    /// [`ArchiveError`] when the store cannot be read.
    pub async fn read(&self, segment: &Segment) -> Result<Option<Lines>, ArchiveError> {
        let packed = self.fetch(segment).await?;
        Ok(packed.as_ref().map(Packed::unpack))
    }

    /// A file as it is stored: several may be on their way at once. `None` if it is gone.
    ///
    /// # Errors
    /// [`ArchiveError`] when the store cannot be read.
    pub async fn fetch(&self, segment: &Segment) -> Result<Option<Packed>, ArchiveError> {
        Ok(self.get(&segment.name()).await?.map(Packed::of))
    }

    /// Writes a file. One that is there already, with the same events and perhaps with more, stays. One that lacks some of
    /// them, for somebody cut it off, is written anew.
    ///
    /// # Errors
    /// [`ArchiveError::Taken`] when one is there with events that are not among these, or the store's error.
    pub(crate) async fn write(
        &self,
        segment: &Segment,
        lines: &[Vec<u8>],
    ) -> Result<(), ArchiveError> {
        let name = segment.name();
        let packed = pack(lines.iter().map(Vec::as_slice))?;
        if self.create(&name, packed.clone()).await? == Created::New {
            return Ok(());
        }
        let there = self.get(&name).await?.unwrap_or_default();
        if there == packed {
            return Ok(());
        }
        let there = Lines::unpack(&there);
        // Of a file that was cut off in its last bytes, all lines can be read.
        let is_whole = there.damage().is_none();
        let (there, ours): (HashSet<_>, HashSet<_>) = (
            there.whole().collect(),
            lines.iter().map(Vec::as_slice).collect(),
        );
        if is_whole && there.is_superset(&ours) {
            // Another version of this program packs otherwise.
            Ok(())
        } else if there.is_subset(&ours) {
            self.replace(&name, packed).await
        } else {
            Err(ArchiveError::Taken {
                url: self.url.clone(),
                name,
            })
        }
    }

    pub(crate) async fn create(&self, name: &str, content: Bytes) -> Result<Created, ArchiveError> {
        let created = self.store.create(name, NewObject::of(content)).await;
        created.map_err(|source| failed(&self.url, source))
    }

    pub(crate) async fn replace(&self, name: &str, content: Bytes) -> Result<(), ArchiveError> {
        let replaced = self.store.replace(name, content).await;
        replaced.map_err(|source| failed(&self.url, source))
    }

    pub(crate) async fn remove(&self, name: &str) -> Result<(), ArchiveError> {
        let removed = self.store.remove(name).await;
        removed.map_err(|source| failed(&self.url, source))
    }

    pub(crate) async fn get(&self, name: &str) -> Result<Option<Bytes>, ArchiveError> {
        let found = self.store.get(name).await;
        found.map_err(|source| failed(&self.url, source))
    }

    pub(crate) async fn names(&self, beginning: &str) -> Result<Vec<String>, ArchiveError> {
        let names = self.store.list(beginning).await;
        names.map_err(|source| failed(&self.url, source))
    }
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

fn failed(url: &str, source: BlobError) -> ArchiveError {
    ArchiveError::Store {
        url: url.to_owned(),
        source,
    }
}

/// The random name of the archive in `store`; `None` if there is none.
async fn version(store: &dyn ObjectStore, url: &str) -> Result<Option<u64>, ArchiveError> {
    let text = store.get(VERSION_FILE).await;
    let Some(text) = text.map_err(|source| failed(url, source))? else {
        return Ok(None);
    };
    let foreign = || ArchiveError::Foreign {
        url: url.to_owned(),
        name: VERSION_FILE.to_owned(),
    };
    let version: Version = serde_json::from_slice(&text).map_err(|_| foreign())?;
    if version.layout != LAYOUT {
        return Err(ArchiveError::OtherLayout {
            url: url.to_owned(),
            found: version.layout,
            known: LAYOUT,
        });
    }
    let id = u64::from_str_radix(&version.id, 16).map_err(|_| foreign())?;
    Ok(Some(id))
}
