//! `snapshot.json`: which files a snapshot has.

use crate::DatasetError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Its name in the snapshot.
pub(crate) const SUMMARY: &str = "snapshot.json";

/// Version of `snapshot.json` and `latest.json`. It changes when a reader of before would take them for what they are not;
/// members that are only added do not change it.
pub(crate) const VERSION: u32 = 1;

/// Version of those that do not say it.
pub(crate) const fn first() -> u32 {
    1
}

/// Refuses what a later version wrote. What is no manifest at all is for whoever reads the rest.
pub(crate) fn check_version(path: &Path, text: &[u8]) -> Result<(), DatasetError> {
    #[derive(Deserialize)]
    struct Versioned {
        #[serde(default)]
        version: u64,
    }
    match serde_json::from_slice::<Versioned>(text) {
        Ok(Versioned { version }) if version > u64::from(VERSION) => Err(DatasetError::new(
            path,
            format!("has version {version}, and this program knows {VERSION}"),
            "use the labelrelay that wrote it, or a later one",
        )),
        _ => Ok(()),
    }
}

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
    /// Form of its tables, if it has some.
    #[serde(default)]
    pub(crate) tables: Option<String>,
}

impl Manifest {
    pub(crate) fn read(dir: &Path) -> Result<Self, DatasetError> {
        let path = dir.join(SUMMARY);
        let text = fs::read(&path).map_err(DatasetError::io(&path))?;
        check_version(&path, &text)?;
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
            Some(digest) if is_of_table(file) => part_name(digest),
            _ => format!("{snapshot}/{file}"),
        }
    }
}

/// Tells whether a file is in the folder of a table. Snapshots of before had a file for each table, which was not shared.
fn is_of_table(file: &str) -> bool {
    let in_tables = file.strip_prefix(TABLES);
    in_tables.is_some_and(|name| name.contains('/'))
}

/// Name in an object store of the part of a table with this digest.
pub(crate) fn part_name(digest: &str) -> String {
    format!("{PARTS}{digest}.parquet")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red if snapshots share what they do not, or if a file of a snapshot of before is looked for elsewhere.
    #[test]
    fn parts_of_tables_are_shared_and_nothing_else_is() {
        let names = [
            "parquet/tasks/label-studio.1/first.last.parquet",
            "parquet/tasks.parquet",
            "jsonl/samples.jsonl",
        ];
        let files = names.map(|name| (name.to_owned(), "12".to_owned()));
        let manifest = Manifest {
            files: files.into(),
            tables: None,
        };
        let objects = names.map(|name| manifest.object("snapshots/000001", name));
        let expected = [
            "parts/12.parquet",
            "snapshots/000001/parquet/tasks.parquet",
            "snapshots/000001/jsonl/samples.jsonl",
        ];
        assert_eq!(objects, expected);
    }
}
