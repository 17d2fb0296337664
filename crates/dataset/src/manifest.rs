//! `snapshot.json`: which files a snapshot has.

use crate::DatasetError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Its name in the snapshot.
pub(crate) const SUMMARY: &str = "snapshot.json";

/// Names of files within a snapshot, and their digests.
pub(crate) type Files = BTreeMap<String, String>;

/// Where tables are within a snapshot.
pub(crate) const TABLES: &str = "parquet/";

/// Where they are in an object store: snapshots share the files that are the same in both.
pub(crate) const PARTS: &str = "parts/";

/// Part of its contents.
#[derive(Debug, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) files: Files,
}

impl Manifest {
    pub(crate) fn read(dir: &Path) -> Result<Self, DatasetError> {
        let path = dir.join(SUMMARY);
        let text = fs::read(&path).map_err(DatasetError::io(&path))?;
        serde_json::from_slice(&text).map_err(|error| {
            DatasetError::new(
                &path,
                format!("is damaged ({error})"),
                "remove its directory, and run `labelrelay dataset sync` again",
            )
        })
    }

    /// Name in an object store of a file of the snapshot that is at `snapshot` there.
    pub(crate) fn object(&self, snapshot: &str, file: &str) -> String {
        match self.files.get(file) {
            Some(digest) if file.starts_with(TABLES) => part_name(digest),
            _ => format!("{snapshot}/{file}"),
        }
    }
}

/// Name in an object store of the part of a table with this digest.
pub(crate) fn part_name(digest: &str) -> String {
    format!("{PARTS}{digest}.parquet")
}
