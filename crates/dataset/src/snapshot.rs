//! Snapshots: a dataset as it was at one moment, whole or not there at all.

use crate::choices::Choices;
use crate::counts::Counts;
use crate::earlier::Earlier;
use crate::export::{Format, parquet};
use crate::housekeeping::{finished, in_place, remove_old, remove_unfinished};
use crate::input::Input;
use crate::manifest::{self, SUMMARY};
use crate::options::Options;
use crate::output::{Output, hex, private_dir, sync_below, sync_dir};
use crate::store::parts;
use crate::verdict::{self, Verdict};
use crate::{DatasetError, Store, class_list, contents};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::{fs, io};

pub(crate) const SNAPSHOTS: &str = "snapshots";
pub(crate) const LATEST: &str = "latest.json";
pub(crate) const TABLE: &str = "snapshots.parquet";

/// Snapshots that stay in the table after they are gone, those after them included.
const KNOWN: i64 = 1000;

/// Name and version of this program.
const PROGRAM: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// A snapshot that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// Version of this description, and of `snapshot.json`. A program refuses one that is later than its own.
    #[serde(default = "manifest::first")]
    pub version: u32,
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
    /// Events that were taken in when it was written, by source and queue. A dataset of an earlier version counts from its
    /// first event with this one.
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// Choices of what is in it; `None` if an earlier version wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Choices>,
    /// The program that wrote it; empty if an earlier version did.
    #[serde(default)]
    pub program: String,
    /// The last comparison of what is in it with the platform, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verdict>,
}

/// Writes a snapshot, unless the last one says the same.
///
/// # Errors
/// [`DatasetError`] when it cannot be written. The last one stays, and stays the latest.
pub fn write(store: &mut Store, options: &Options) -> Result<Snapshot, DatasetError> {
    let (revision, fingerprint) = (store.revision()?, options.fingerprint());
    let failed = store.failed();
    let snapshots = store.dir.join(SNAPSHOTS);
    refuse_later(&store.dir)?;
    let newest = match newest(&store.db).map_err(&failed)? {
        Some((at, newest))
            if options_of(&store.db, newest.number).map_err(&failed)? == fingerprint
                && store.dir.join(&newest.path).join(SUMMARY).is_file() =>
        {
            Some((at, newest))
        }
        _ => None,
    };
    let last = newest.as_ref().filter(|(at, _)| *at == revision);
    let last = last.map(|(_, last)| last.clone());
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
    let mut earlier = None;
    let form = options
        .formats
        .contains(&Format::Parquet)
        .then(parquet::form);
    if let Some(form) = &form {
        earlier =
            newest.and_then(|(at, newest)| Earlier::at(&store.dir.join(newest.path), at, form));
        let since = earlier.as_ref().map_or(-1, |it| it.revision);
        parts::divide(&mut store.db, since, options.part_rows).map_err(&failed)?;
    }
    let unfinished = snapshots.join(format!(".unfinished-{number:06}"));
    let (counts, files) = contents::write(store, options, &unfinished, earlier.as_ref())?;
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
        version: manifest::VERSION,
        number,
        path: format!("{SNAPSHOTS}/{number:06}"),
        at: Timestamp::now().to_string(),
        counts,
        digest,
        inputs: store.inputs()?,
        policy: Some(Choices::of(options)),
        program: PROGRAM.to_owned(),
        verified: verdict::last(&store.db, Some(revision)).map_err(&failed)?,
    };
    let summary = json!({
        "version": manifest::VERSION, "snapshot": snapshot, "files": files, "options": fingerprint, "revision": revision, "tables": form,
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
    forget_gone(store)?;
    name_latest(store, &snapshot)?;
    remove_old(&snapshots, options, number)?;
    Ok(snapshot)
}

/// Forgets snapshots that are gone, but for the newest ones: a table with all that there ever were would grow for ever.
fn forget_gone(store: &Store) -> Result<(), DatasetError> {
    let there = finished(&store.dir.join(SNAPSHOTS))?;
    let there: Vec<u64> = there.into_iter().map(|(number, _)| number).collect();
    let there = serde_json::to_string(&there).unwrap_or_default();
    let forgotten = store.db.execute(
        "DELETE FROM snapshots WHERE number <= (SELECT max(number) FROM snapshots) - ?1
             AND number NOT IN (SELECT value FROM json_each(?2))",
        (KNOWN, there),
    );
    forgotten.map(drop).map_err(store.failed())
}

/// Leaves the last snapshot the latest.
fn keep_last(store: &Store, options: &Options, last: Snapshot) -> Result<Snapshot, DatasetError> {
    // A process may have ended before it named it.
    if latest(&store.dir).ok().as_ref() != Some(&last) {
        name_latest(store, &last)?;
    }
    remove_old(&store.dir.join(SNAPSHOTS), options, last.number)?;
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
/// [`DatasetError`] when there is none, or when a later version named it.
pub fn latest(dir: &Path) -> Result<Snapshot, DatasetError> {
    let path = dir.join(LATEST);
    let text = fs::read(&path).map_err(DatasetError::io(&path))?;
    manifest::check_version(&path, &text)?;
    serde_json::from_slice(&text).map_err(|error| {
        DatasetError::new(
            &path,
            format!("does not name a snapshot ({error})"),
            "write a new one: labelrelay dataset sync",
        )
    })
}

/// What a later version named the latest stays so: nothing is written over it.
pub(crate) fn refuse_later(dir: &Path) -> Result<(), DatasetError> {
    let path = dir.join(LATEST);
    match fs::read(&path) {
        Ok(text) => manifest::check_version(&path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(DatasetError::io(&path)(error)),
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
