//! Takes a prefix over from a working directory that is lost: its snapshots stay, and go in their turn.

use super::{Publisher, WRITER};
use crate::DatasetError;
use crate::manifest::{Manifest, SUMMARY, check_version};
use crate::output::private_dir;
use crate::snapshot::{LATEST, SNAPSHOTS, Snapshot};
use crate::store::Store;
use std::collections::BTreeSet;
use std::path::Path;

/// After so many numbers without a snapshot, no older ones are looked for: a store is not asked what it has.
const MISSING: u32 = 20;

impl Publisher {
    /// Makes the prefix ours, and has our snapshots go on after those that are there.
    pub(super) async fn take_over(&mut self, store: &Store) -> Result<(), DatasetError> {
        let latest = self.target.get(LATEST).await;
        let latest = latest.map_err(|error| self.failed(&error))?;
        if let Some(text) = &latest {
            // Nothing is written over what a later version published.
            let place = format!("{}/{LATEST}", self.url);
            check_version(Path::new(&place), text)?;
        }
        // A copy of this directory has its name of now, and what is there may be of that copy.
        self.published.rename(&store.dir)?;
        // The last snapshot here has a number that may be taken there.
        store.renew()?;
        let latest: Option<Snapshot> = latest.and_then(|text| serde_json::from_slice(&text).ok());
        if let Some(latest) = latest {
            // The next number is above all that lie there.
            make_place(store, latest.number)?;
            let mut missing = 0;
            for number in (1..=latest.number).rev() {
                if self.note_files(number).await? {
                    make_place(store, number)?;
                    missing = 0;
                } else {
                    missing += 1;
                }
                if missing == MISSING {
                    break;
                }
            }
        }
        self.published.latest = None;
        self.published.write(&store.dir)?;
        let text = serde_json::to_vec(&self.owner(None)).unwrap_or_default();
        let replaced = self.target.replace(WRITER, text.into()).await;
        replaced.map_err(|error| self.failed(&error))
    }

    /// Notes the files of a snapshot that another working directory published: its parts stay as long as it does. `false` if
    /// there is no such snapshot.
    async fn note_files(&mut self, number: u64) -> Result<bool, DatasetError> {
        let path = format!("{SNAPSHOTS}/{number:06}");
        let summary = format!("{path}/{SUMMARY}");
        let text = self.target.get(&summary).await;
        let text = text.map_err(|error| self.failed(&error))?;
        let manifest = text.and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
        let Some(manifest) = manifest else {
            return Ok(false);
        };
        let files = manifest.files.keys();
        // This directory may have begun to publish the same number.
        let ours = self.published.snapshots.remove(&number);
        let mut names: BTreeSet<String> = ours.into_iter().flatten().collect();
        names.extend(files.map(|name| manifest.object(&path, name)));
        names.extend([summary, format!("{path}/{WRITER}")]);
        let names = names.into_iter().collect();
        self.published.snapshots.insert(number, names);
        Ok(true)
    }
}

/// Makes the directory of a snapshot that is in the store alone. When it goes, as one of ours would, the snapshot goes there.
fn make_place(store: &Store, number: u64) -> Result<(), DatasetError> {
    let dir = store.dir.join(SNAPSHOTS);
    private_dir(&dir.join(format!("{number:06}")))
}
