//! Knowledge of what was published from a working directory, in a file of that directory.

use crate::housekeeping::in_place;
use crate::output::{Output, hex};
use crate::{DatasetError, Store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

const PUBLISHED: &str = "published.json";

/// Contents of `published.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Published {
    pub(crate) url: String,
    /// Name of this working directory: random.
    pub(crate) writer: String,
    /// The latest snapshot there, as `latest.json` says it.
    pub(crate) latest: Option<String>,
    /// Files of each snapshot that may be there.
    pub(crate) snapshots: BTreeMap<u64, Vec<String>>,
}

impl Published {
    /// What the directory `dir` says; `None` if nothing was published from it.
    fn there(dir: &Path) -> Result<Option<Self>, DatasetError> {
        let path = dir.join(PUBLISHED);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(DatasetError::io(&path)(error)),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            DatasetError::new(
                &path,
                format!("is damaged ({error})"),
                "remove it, and run `labelrelay dataset sync` with --take-over",
            )
        })
    }

    pub(crate) fn read(dir: &Path, url: &str) -> Result<Self, DatasetError> {
        let path = dir.join(PUBLISHED);
        let Some(published) = Self::there(dir)? else {
            return Ok(Self {
                url: url.to_owned(),
                writer: random_name(&path)?,
                ..Self::default()
            });
        };
        if published.url == url {
            return Ok(published);
        }
        Err(DatasetError::new(
            &path,
            format!("this dataset is published to {}", published.url),
            "name that one, or another working directory with --work",
        ))
    }

    /// Gives this working directory another name.
    pub(crate) fn rename(&mut self, dir: &Path) -> Result<(), DatasetError> {
        self.writer = random_name(&dir.join(PUBLISHED))?;
        Ok(())
    }

    pub(crate) fn write(&self, dir: &Path) -> Result<(), DatasetError> {
        in_place(dir, PUBLISHED, |path| {
            let mut file = Output::create(path)?;
            file.write(&serde_json::to_string(self).unwrap_or_default())?;
            file.end().map(drop)
        })
    }
}

impl Store {
    /// The URL that snapshots of this dataset are published to, if there is one.
    ///
    /// # Errors
    /// [`DatasetError`] when the file that says it cannot be read.
    pub fn published_to(&self) -> Result<Option<String>, DatasetError> {
        let published = Published::there(&self.dir)?;
        Ok(published.map(|published| published.url))
    }
}

fn random_name(path: &Path) -> Result<String, DatasetError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| {
        DatasetError::new(
            path,
            format!("the operating system has no random bytes: {error}"),
            "run this again",
        )
    })?;
    Ok(hex(&random))
}
