//! Snapshots: a dataset as it was at one moment, whole or not there at all.

use crate::class_list::{self, ClassList};
use crate::export::parquet::{self, Shown};
use crate::export::{Format, Rejects, Writer, writer};
use crate::housekeeping::{finished, in_place, remove_old, remove_unfinished};
use crate::options::Options;
use crate::output::{Output, hex, private_dir, sync_below, sync_dir};
use crate::selection::{self, Policy, Tally};
use crate::store::unreadable;
use crate::verdict::{self, Verdict};
use crate::{DatasetError, Store};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub(crate) const SNAPSHOTS: &str = "snapshots";
pub(crate) const LATEST: &str = "latest.json";
pub(crate) const TABLE: &str = "snapshots.parquet";
const SUMMARY: &str = "snapshot.json";

/// A snapshot that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// Its number, from 1.
    pub number: u64,
    /// Directory within that of the dataset.
    pub path: String,
    /// When it was written.
    pub at: String,
    /// Its contents.
    pub counts: Counts,
    /// SHA-256 over the names and digests of all its files: a training run notes it down.
    pub digest: String,
    /// The last comparison of what is in it with the platform, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verdict>,
}

/// Counts of what a snapshot holds, and of what it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[serde(default)]
pub struct Counts {
    /// Images, or whatever the tasks are about.
    pub samples: u64,
    /// Annotations that are in it.
    pub annotations: u64,
    /// Classes, those that nobody uses any more included.
    pub classes: u64,
    /// Annotations that were left out: the annotator skipped the task.
    pub skipped: u64,
    /// Annotations that were left out, because another one of their task was chosen.
    pub not_chosen: u64,
    /// Annotations that were left out, because their task is in another state.
    pub other_state: u64,
    /// Annotations that were left out, because nobody knows their task.
    pub without_task: u64,
    /// Annotations that are in it although an unsigned header says that they are gone.
    pub deletion_unconfirmed: u64,
    /// Media of which there is no copy where [`Options::media`] says.
    pub media_missing: u64,
    /// Regions that a format cannot express; `rejects.jsonl` has each with its reason.
    pub rejected: u64,
    /// Events that could not be read, and are dead letters.
    #[serde(default)]
    pub unreadable: u64,
}

/// Writes a snapshot, unless the last one says the same.
///
/// # Errors
/// [`DatasetError`] when it cannot be written. The last one stays, and stays the latest.
pub fn write(store: &mut Store, options: &Options) -> Result<Snapshot, DatasetError> {
    let (revision, fingerprint) = (store.revision()?, options.fingerprint());
    let failed = store.failed();
    let snapshots = store.dir.join(SNAPSHOTS);
    let last = match newest(&store.db).map_err(&failed)? {
        Some((at, last))
            if at == revision
                && options_of(&store.db, last.number).map_err(&failed)? == fingerprint
                && store.dir.join(&last.path).join(SUMMARY).is_file() =>
        {
            Some(last)
        }
        _ => None,
    };
    // Copies of media come and go without a change of the state.
    if options.media.is_empty()
        && let Some(last) = &last
    {
        return keep_last(store, options, last.clone());
    }
    private_dir(&snapshots)?;
    remove_unfinished(&snapshots)?;
    class_list::retire(&mut store.db).map_err(&failed)?;
    let number = next_number(store)?;
    let unfinished = snapshots.join(format!(".unfinished-{number:06}"));
    let (counts, files) = write_files(store, options, &unfinished)?;
    let mut hash = Sha256::new();
    for (name, digest) in &files {
        hash.update(format!("{digest}  {name}\n"));
    }
    let digest = hex(&hash.finalize());
    if let Some(last) = last.filter(|last| last.counts == counts && last.digest == digest) {
        fs::remove_dir_all(&unfinished).map_err(DatasetError::io(&unfinished))?;
        return keep_last(store, options, last);
    }
    let snapshot = Snapshot {
        number,
        path: format!("{SNAPSHOTS}/{number:06}"),
        at: Timestamp::now().to_string(),
        counts,
        digest,
        verified: verdict::last(&store.db, Some(revision)).map_err(&failed)?,
    };
    let summary = json!({
        "snapshot": snapshot, "files": files, "options": fingerprint, "revision": revision,
    });
    let mut file = Output::create(&unfinished.join(SUMMARY))?;
    file.line(&summary)?;
    file.end()?;
    sync_below(&unfinished)?;
    let finished = store.dir.join(&snapshot.path);
    fs::rename(&unfinished, &finished).map_err(DatasetError::io(&finished))?;
    sync_dir(&snapshots)?;
    let text = serde_json::to_string(&snapshot).unwrap_or_default();
    store
        .db
        .execute(
            "INSERT INTO snapshots VALUES(?1, ?2, ?3, ?4, ?5)",
            (
                number.cast_signed(),
                &snapshot.at,
                revision,
                &fingerprint,
                &text,
            ),
        )
        .map_err(&failed)?;
    name_latest(store, &snapshot)?;
    remove_old(&snapshots, options.keep.max(1), number)?;
    Ok(snapshot)
}

/// Leaves the last snapshot the latest.
fn keep_last(store: &Store, options: &Options, last: Snapshot) -> Result<Snapshot, DatasetError> {
    // A process may have ended before it named it.
    if latest(&store.dir).ok().as_ref() != Some(&last) {
        name_latest(store, &last)?;
    }
    remove_old(&store.dir.join(SNAPSHOTS), options.keep.max(1), last.number)?;
    Ok(last)
}

/// The newest snapshot in the state, and the revision that it says.
pub(crate) fn newest(db: &Connection) -> rusqlite::Result<Option<(i64, Snapshot)>> {
    let found: Option<(i64, String)> = db
        .query_row(
            "SELECT revision, summary FROM snapshots ORDER BY number DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    Ok(
        found
            .and_then(|(revision, summary)| Some((revision, serde_json::from_str(&summary).ok()?))),
    )
}

fn options_of(db: &Connection, number: u64) -> rusqlite::Result<String> {
    let statement = "SELECT options FROM snapshots WHERE number = ?1";
    db.query_row(statement, [number.cast_signed()], |row| row.get(0))
}

/// Names the newest snapshot again, after something was added to what is known of it.
pub(crate) fn name_again(store: &Store) -> Result<(), DatasetError> {
    match newest(&store.db).map_err(store.failed())? {
        Some((_, snapshot)) => name_latest(store, &snapshot),
        None => Ok(()),
    }
}

/// The snapshot that `latest.json` in the dataset's directory names.
///
/// # Errors
/// [`DatasetError`] when there is none.
pub fn latest(dir: &Path) -> Result<Snapshot, DatasetError> {
    let path = dir.join(LATEST);
    let text = fs::read_to_string(&path).map_err(DatasetError::io(&path))?;
    serde_json::from_str(&text).map_err(|error| {
        DatasetError::new(
            &path,
            format!("does not name a snapshot ({error})"),
            "write a new one: labelrelay dataset sync",
        )
    })
}

type Files = BTreeMap<String, String>;

fn write_files(
    store: &Store,
    options: &Options,
    dir: &Path,
) -> Result<(Counts, Files), DatasetError> {
    let failed = store.failed();
    // One moment for all that is read.
    let moment = store.db.unchecked_transaction().map_err(&failed)?;
    let classes = ClassList::read(&moment).map_err(&failed)?;
    let mut rejects = Rejects::create(dir)?;
    let mut writers: Vec<Box<dyn Writer + '_>> = Vec::new();
    for format in &options.formats {
        writers.extend(writer(*format, dir, &classes)?);
    }
    let policy = Policy {
        which: options.which,
        splits: options.splits,
        state: options.state.clone(),
        media: options.media.clone(),
        addresses: options.addresses,
        authors: options.authors,
    };
    let mut counts = Counts {
        classes: classes.0.len() as u64,
        ..Counts::default()
    };
    let tally: Tally = selection::each(&moment, &policy, |sample| {
        counts.samples += 1;
        for writer in &mut writers {
            writer.sample(&sample, &mut rejects)?;
        }
        Ok::<(), Stop>(())
    })
    .map_err(|stop| match stop {
        Stop::Dataset(error) => error,
        Stop::Database(error) => failed(error),
    })?;
    counts.annotations = tally.chosen;
    counts.deletion_unconfirmed = tally.marked;
    counts.skipped = tally.skipped;
    counts.not_chosen = tally.other_versions;
    counts.other_state = tally.other_state;
    counts.without_task = tally.without_task;
    counts.media_missing = tally.media_missing;
    counts.rejected = rejects.count;
    counts.unreadable = unreadable::count(&moment).map_err(&failed)?;
    let mut files: Files = [rejects.end()?].into();
    for writer in writers {
        files.extend(writer.end()?);
    }
    if options.formats.contains(&Format::Parquet) {
        let shown = Shown {
            splits: policy.splits,
            addresses: policy.addresses,
            authors: policy.authors,
        };
        files.extend(parquet::write(&moment, dir, shown, store.failed())?);
    }
    Ok((counts, files))
}

enum Stop {
    Dataset(DatasetError),
    Database(rusqlite::Error),
}

impl From<DatasetError> for Stop {
    fn from(error: DatasetError) -> Self {
        Self::Dataset(error)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// One above all that were ever written, and above what lies there.
fn next_number(store: &Store) -> Result<u64, DatasetError> {
    let known: i64 = store
        .db
        .query_row(
            "SELECT coalesce(max(number), 0) FROM snapshots",
            [],
            |row| row.get(0),
        )
        .map_err(store.failed())?;
    let there = finished(&store.dir.join(SNAPSHOTS))?;
    let last = there.last().map_or(0, |(number, _)| *number);
    Ok(last.max(known.cast_unsigned()) + 1)
}

/// Names the latest snapshot: readers see the one before or this one, and nothing between. Where there is Parquet, the table
/// of snapshots is written anew before.
fn name_latest(store: &Store, snapshot: &Snapshot) -> Result<(), DatasetError> {
    let options = options_of(&store.db, snapshot.number).map_err(store.failed())?;
    if Options::parse(&options).is_some_and(|it| it.formats.contains(&Format::Parquet)) {
        in_place(&store.dir, TABLE, |path| {
            parquet::write_snapshots(&store.db, path, store.failed())
        })?;
    }
    in_place(&store.dir, LATEST, |path| {
        let mut file = Output::create(path)?;
        file.write(&serde_json::to_string(snapshot).unwrap_or_default())?;
        file.write("\n")?;
        file.end().map(drop)
    })
}
