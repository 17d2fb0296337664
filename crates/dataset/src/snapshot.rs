//! Snapshots: a dataset as it was at one moment, whole or not there at all.

use crate::class_list::ClassList;
use crate::export::{Format, Rejects, Writer, parquet, writer};
use crate::media_copy::MediaCopy;
use crate::output::{Output, hex, private_dir, sync_below, sync_dir};
use crate::selection::{self, Policy, Tally, Which};
use crate::split::Splits;
use crate::store::unreadable;
use crate::{DatasetError, Store};
use jiff::Timestamp;
use rusqlite::OptionalExtension as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Changes with every change of what is written, so that a snapshot of before does not pass for one of now.
const WRITER: u32 = 1;

pub(crate) const SNAPSHOTS: &str = "snapshots";
pub(crate) const LATEST: &str = "latest.json";
const SUMMARY: &str = "snapshot.json";

/// Contents of a snapshot, and how many of them are kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Formats.
    pub formats: Vec<Format>,
    /// Annotations of a task that are exported.
    pub which: Which,
    /// Sizes of the parts.
    pub splits: Splits,
    /// A state in the workflow that a task has to be in: `approved`.
    pub state: Option<String>,
    /// Copies of the media: samples name them in place of the platform's addresses, and their heads say sizes that the
    /// platform does not say.
    pub media: Vec<MediaCopy>,
    /// Snapshots that are kept, the newest among them. At least one.
    pub keep: usize,
}

impl Options {
    /// This format, and defaults for the rest: the latest annotation of each task, 80/10/10 percent, ten snapshots.
    pub fn of(format: Format) -> Self {
        Self {
            formats: vec![format],
            which: Which::default(),
            splits: Splits::default(),
            state: None,
            media: Vec::new(),
            keep: 10,
        }
    }

    /// Whatever two snapshots of one state must have in common to be equal.
    fn fingerprint(&self) -> String {
        let formats: Vec<&str> = self.formats.iter().map(|it| it.as_str()).collect();
        let mut fingerprint = json!({
            "formats": formats, "which": self.which.as_str(), "splits": self.splits.percents(), "state": self.state,
            "writer": WRITER,
        });
        if !self.media.is_empty() {
            let media = self
                .media
                .iter()
                .map(|it| json!([it.address, it.path.to_string_lossy()]));
            fingerprint["media"] = media.collect();
        }
        fingerprint.to_string()
    }

    /// Options of the last snapshot in the dataset, with ten that are kept; `None` if there is none.
    ///
    /// # Errors
    /// [`DatasetError`] when the state cannot be read.
    pub fn of_last(store: &Store) -> Result<Option<Self>, DatasetError> {
        let text: Option<String> = store
            .db
            .query_row(
                "SELECT options FROM snapshots ORDER BY number DESC LIMIT 1",
                [],
                |row| row.get(0),
            )
            .optional()
            .map_err(store.failed())?;
        Ok(text.and_then(|text| Self::parse(&serde_json::from_str(&text).ok()?)))
    }

    fn parse(told: &Value) -> Option<Self> {
        let formats = told.get("formats")?.as_array()?.iter();
        let named = |name: &Value| {
            Format::ALL
                .into_iter()
                .find(|it| Some(it.as_str()) == name.as_str())
        };
        let percent = |place: usize| u8::try_from(told.get("splits")?.get(place)?.as_u64()?).ok();
        let which = told.get("which")?.as_str()?;
        Some(Self {
            formats: formats.map(named).collect::<Option<_>>()?,
            which: Which::ALL.into_iter().find(|it| it.as_str() == which)?,
            splits: Splits::percent(percent(0)?, percent(1)?, percent(2)?)?,
            state: told.get("state")?.as_str().map(ToOwned::to_owned),
            media: media_of(told).unwrap_or_default(),
            ..Self::of(Format::Coco)
        })
    }
}

/// Copies of the media, as a fingerprint has them.
fn media_of(told: &Value) -> Option<Vec<MediaCopy>> {
    let copies = told.get("media")?.as_array()?.iter();
    let copies = copies.map(|copy| {
        let text = |place: usize| copy.get(place)?.as_str();
        format!("{}={}", text(0)?, text(1)?).parse().ok()
    });
    copies.collect()
}

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
    let before: Option<(i64, String, String)> = store
        .db
        .query_row(
            "SELECT revision, options, summary FROM snapshots ORDER BY number DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()
        .map_err(&failed)?;
    let before = before
        .filter(|(at, with, _)| *at == revision && *with == fingerprint)
        .and_then(|(.., summary)| serde_json::from_str::<Snapshot>(&summary).ok())
        .filter(|last| store.dir.join(&last.path).join(SUMMARY).is_file());
    // Copies of media come and go without a change of the state.
    if options.media.is_empty()
        && let Some(last) = before
    {
        return keep_last(store, options, last);
    }
    private_dir(&snapshots)?;
    remove_unfinished(&snapshots)?;
    let number = next_number(store)?;
    let unfinished = snapshots.join(format!(".unfinished-{number:06}"));
    let (counts, files) = write_files(store, options, &unfinished)?;
    let mut hash = Sha256::new();
    for (name, digest) in &files {
        hash.update(format!("{digest}  {name}\n"));
    }
    let digest = hex(&hash.finalize());
    if let Some(last) = before.filter(|last| last.digest == digest && last.counts == counts) {
        fs::remove_dir_all(&unfinished).map_err(DatasetError::io(&unfinished))?;
        return keep_last(store, options, last);
    }
    let snapshot = Snapshot {
        number,
        path: format!("{SNAPSHOTS}/{number:06}"),
        at: Timestamp::now().to_string(),
        counts,
        digest,
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
    name_latest(&store.dir, &text)?;
    remove_old(&snapshots, options.keep.max(1), number)?;
    Ok(snapshot)
}

/// Leaves the last snapshot the latest.
fn keep_last(store: &Store, options: &Options, last: Snapshot) -> Result<Snapshot, DatasetError> {
    // A process may have ended before it named it.
    if latest(&store.dir).ok().as_ref() != Some(&last) {
        name_latest(
            &store.dir,
            &serde_json::to_string(&last).unwrap_or_default(),
        )?;
    }
    remove_old(&store.dir.join(SNAPSHOTS), options.keep.max(1), last.number)?;
    Ok(last)
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
        files.extend(parquet::write(
            &moment,
            dir,
            options.splits,
            store.failed(),
        )?);
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

/// Snapshots that lie there, oldest first.
fn finished(dir: &Path) -> Result<Vec<(u64, PathBuf)>, DatasetError> {
    let failed = DatasetError::io(dir);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(&failed)? {
        let path = entry.map_err(&failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(number) = name.and_then(|name| name.parse().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Removes the rest of a process that died.
fn remove_unfinished(dir: &Path) -> Result<(), DatasetError> {
    let failed = DatasetError::io(dir);
    for entry in fs::read_dir(dir).map_err(&failed)? {
        let path = entry.map_err(&failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(".unfinished-") {
            fs::remove_dir_all(&path).map_err(DatasetError::io(&path))?;
        }
    }
    Ok(())
}

fn remove_old(dir: &Path, keep: usize, newest: u64) -> Result<(), DatasetError> {
    let there = finished(dir)?;
    let old = there.len().saturating_sub(keep);
    for (number, path) in there.into_iter().take(old) {
        if number != newest {
            fs::remove_dir_all(&path).map_err(DatasetError::io(&path))?;
        }
    }
    Ok(())
}

/// Names the latest snapshot: readers see the one before or this one, and nothing between.
fn name_latest(dir: &Path, text: &str) -> Result<(), DatasetError> {
    let beside = dir.join(format!(".{LATEST}"));
    let _ = fs::remove_file(&beside);
    let mut file = Output::create(&beside)?;
    file.write(text)?;
    file.write("\n")?;
    file.end()?;
    let written = fs::File::open(&beside).and_then(|file| file.sync_all());
    written.map_err(DatasetError::io(&beside))?;
    let path = dir.join(LATEST);
    fs::rename(&beside, &path).map_err(DatasetError::io(&path))?;
    sync_dir(dir)
}
