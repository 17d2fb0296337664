//! The addresses of all media that a dataset is about, for whoever fetches copies of them.

use crate::DatasetError;
use crate::about::{About, Configs};
use crate::store::open_read_only;
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// Tasks that are read at once.
const TASKS: u32 = 256;

/// Addresses of the media of all tasks that are there, some tasks at a time.
///
/// They are whole: what stands behind a `?` may be the signature without which nothing is to be had. An address that several
/// tasks share comes several times.
///
/// ```
/// use labelrelay_dataset::{MediaList, Store};
/// # let dir = tempfile::tempdir()?;
/// # let dir = dir.path();
///
/// let store = Store::open(dir)?; // as long as it works, no other process may
/// assert!(MediaList::open(dir)?.next().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MediaList {
    db: Connection,
    path: PathBuf,
    configs: Configs,
    /// Source and id of the last task that was read.
    behind: (String, String),
}

/// A task: source, id, project.
type Task = (String, String, Option<String>);

impl MediaList {
    /// Opens the dataset in `dir`. Another process may work on it.
    ///
    /// # Errors
    /// [`DatasetError`] when there is no dataset, or when it cannot be read.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let (db, path) = open_read_only(dir.as_ref())?;
        Ok(Self {
            db,
            path,
            configs: Configs::default(),
            behind: (String::new(), String::new()),
        })
    }

    /// The next tasks; none at the end.
    fn tasks(&self) -> rusqlite::Result<Vec<Task>> {
        let mut tasks = self.db.prepare_cached(
            "SELECT source, task_id, project_id FROM tasks
             WHERE deleted = 0 AND (source, task_id) > (?1, ?2) ORDER BY source, task_id LIMIT ?3",
        )?;
        let (source, task) = &self.behind;
        let tasks = tasks.query_map((source, task, TASKS), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        tasks.collect()
    }

    fn read(&mut self) -> rusqlite::Result<Option<Vec<String>>> {
        let tasks = self.tasks()?;
        let Some((source, task, _)) = tasks.last() else {
            return Ok(None);
        };
        self.behind = (source.clone(), task.clone());
        let mut addresses = Vec::new();
        for (source, task, project) in tasks {
            let about = About::read(&self.db, &source, &task)?;
            let config = self.configs.of(&self.db, &source, project.as_deref())?;
            addresses.append(&mut about.all_media(config));
        }
        Ok(Some(addresses))
    }
}

impl Iterator for MediaList {
    type Item = Result<Vec<String>, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read();
        if read.is_err() {
            // What failed once is not asked for again and again: nothing comes behind the last string.
            self.behind.0 = char::MAX.to_string();
        }
        read.map_err(DatasetError::database(&self.path)).transpose()
    }
}
