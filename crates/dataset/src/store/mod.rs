//! The working state: what is known of each annotation, in an `SQLite` file of the dataset's directory.

mod adopt;
mod annotation;
mod batch;
mod changes;
mod fold;
mod ground_truth;
mod inputs;
pub(crate) mod parts;
mod project;
mod read_ahead;
mod read_only;
mod region;
mod removal;
mod review;
mod revision;
mod schema;
mod scores;
mod steps;
mod task;
pub(crate) mod unreadable;
mod version;

use crate::input::Input;
use crate::output::{own_file, private_dir};
use crate::{DatasetError, Unreadable};
use batch::Batch;
use changes::Table;
use jiff::Timestamp;
use labelrelay_event::{Event, EventError};
use revision::{note_change, number};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use read_only::open_read_only;
pub(crate) use revision::revision;

/// Statements that stay prepared: more than one kind of event needs in turns.
const STATEMENTS: usize = 64;

const STATE: &str = "state.db";
const LOCK: &str = "lock";

/// The working state of a dataset. One process has it at a time.
#[derive(Debug)]
pub struct Store {
    pub(crate) db: Connection,
    pub(crate) dir: PathBuf,
    /// The queue that events come from; empty if nobody told it.
    queue: String,
    /// The lock on the directory, which ends with the process; none if it is only looked at.
    lock: Option<File>,
}

impl Store {
    /// Opens the dataset in the directory `dir`, and makes both where there are none.
    ///
    /// # Errors
    /// [`DatasetError`] when it cannot be written, when another process has it, when it is damaged, or of a later format.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let dir = dir.as_ref();
        Self::open_if_free(dir)?.ok_or_else(|| {
            DatasetError::new(
                &dir.join(LOCK),
                "another process works on this dataset",
                "wait for its end (a `sync --follow` goes on until it is stopped), or name another directory",
            )
        })
    }

    /// The same; `None` when another process has it.
    ///
    /// # Errors
    /// As of [`open`](Self::open).
    pub fn open_if_free(dir: impl AsRef<Path>) -> Result<Option<Self>, DatasetError> {
        let dir = dir.as_ref();
        if dir.is_file() {
            return Err(DatasetError::new(dir, "is a file", "name a directory"));
        }
        private_dir(dir)?;
        let Some(lock) = lock(&dir.join(LOCK))? else {
            return Ok(None);
        };
        let path = dir.join(STATE);
        let failed = DatasetError::database(&path);
        // Made here, so that nobody else may read it: it holds names of annotators, and addresses with signatures.
        own_file(&path)?;
        let mut db = Connection::open(&path).map_err(&failed)?;
        db.busy_timeout(Duration::from_secs(5)).map_err(&failed)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        plan_once(&db).map_err(&failed)?;
        // FULL: what is committed may be acknowledged, and is on the disk then. 32 MiB of pages: an event is in six or more
        // trees, at places of its own, and the usual 2 MiB hold too little of them. As much goes into the log before it is
        // moved: a page that changes with each batch is then moved once for many.
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
             PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 8000;",
        )
        .map_err(&failed)?;
        schema::make(&mut db, &path)?;
        Ok(Some(Self {
            db,
            dir: dir.to_owned(),
            queue: String::new(),
            lock: Some(lock),
        }))
    }

    /// Opens the dataset in the directory `dir` to [compare](crate::compare) it, also while another process works on it.
    /// It takes nothing in.
    ///
    /// # Errors
    /// [`DatasetError`] when there is no dataset, or when it cannot be read.
    pub fn look(dir: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let dir = dir.as_ref();
        let (db, _) = open_read_only(dir)?;
        Ok(Self {
            db,
            dir: dir.to_owned(),
            queue: String::new(),
            lock: None,
        })
    }

    /// Tells whether there is a dataset in the directory `dir`. It makes nothing.
    pub fn is_there(dir: impl AsRef<Path>) -> bool {
        dir.as_ref().join(STATE).exists()
    }

    /// Tells whether the dataset is another process's to change.
    pub(crate) fn only_looks(&self) -> bool {
        self.lock.is_none()
    }

    /// Says from which queue or archive the events come that are folded next. A snapshot names it among its
    /// [inputs](crate::Snapshot::inputs).
    pub fn set_queue(&mut self, queue: &str) {
        queue.clone_into(&mut self.queue);
    }

    /// Takes events in, in one transaction, and tells of each whether it could be read. Those that could may be
    /// acknowledged: they are on the disk. One that could not changes nothing, and keeps no other from being taken in.
    ///
    /// Many events are asked for on a thread of their own while those before them are written: parse each as it is asked for.
    /// The body of a claimed event has to be [fetched](Event::with_body) before; else its cause is
    /// [`BodyClaimed`](labelrelay_event::ErrorKind::BodyClaimed).
    ///
    /// # Errors
    /// [`DatasetError`] when nothing was taken in.
    pub fn fold<'e, I>(&mut self, events: I) -> Result<Vec<Result<(), Unreadable>>, DatasetError>
    where
        I: IntoIterator<Item = Result<Event<'e>, EventError>>,
        I::IntoIter: ExactSizeIterator + Send,
    {
        let path = self.dir.join(STATE);
        let folded = self.fold_all(events.into_iter());
        folded.map_err(DatasetError::database(&path))
    }

    fn fold_all<'e>(
        &mut self,
        events: impl ExactSizeIterator<Item = Result<Event<'e>, EventError>> + Send,
    ) -> rusqlite::Result<Vec<Result<(), Unreadable>>> {
        let batch = Batch::begin(&mut self.db)?;
        let mut verdicts = Vec::with_capacity(events.len());
        let mut taken = inputs::Taken::default();
        // Mostly there are none, and then this costs one look a transaction.
        let has_unreadable = unreadable::count(&batch)? > 0;
        let mut has_changed = false;
        read_ahead::each(events, |read| {
            verdicts.push(match read {
                Err(error) => Err(Unreadable(error.clone())),
                Ok(read) => {
                    has_changed |= fold::take_in(&batch, read)?;
                    let attributes = read.event.attributes();
                    if has_unreadable {
                        has_changed |= unreadable::is_read(&batch, &attributes.id)?;
                    }
                    taken.add(&attributes.source, read.receipt.at);
                    Ok(())
                }
            });
            Ok::<(), rusqlite::Error>(())
        })?;
        note_newest(&batch, taken.newest())?;
        taken.note(&batch, &self.queue)?;
        batch.commit(has_changed)?;
        Ok(verdicts)
    }

    /// Notes events that cannot be read: the name of each (its id, else whatever the queue calls it), and the reason. To be
    /// called before they become dead letters, so that none is missing in the count. One that is read later, by a newer
    /// version, counts no more.
    ///
    /// # Errors
    /// [`DatasetError`]; nothing was noted then.
    pub fn note_unreadable(&mut self, events: &[(&str, &str)]) -> Result<(), DatasetError> {
        let failed = self.failed();
        self.note_all(events).map_err(failed)
    }

    fn note_all(&mut self, events: &[(&str, &str)]) -> rusqlite::Result<()> {
        let db = self.db.transaction()?;
        if unreadable::note(&db, events)? {
            note_change(&db)?;
        }
        db.commit()
    }

    /// Forgets who made an annotation: the author, and the platform's own JSON, in which the author stands too. What comes
    /// of the same author later is forgotten as it comes. Returns the number of annotations.
    ///
    /// Snapshots that were written before still say it: write another one, and keep no other.
    ///
    /// # Errors
    /// [`DatasetError`]; nothing was forgotten then. Or the files have the author still because somebody looks at them.
    pub fn forget_author(&mut self, author: &str) -> Result<usize, DatasetError> {
        let failed = self.failed();
        let (forgotten, is_in_log) = self.forget(author).map_err(failed)?;
        if is_in_log {
            return Err(DatasetError::new(
                &self.dir.join(STATE),
                "another process looks at this dataset, and its files say what was there before",
                "forget the author again once that has ended",
            ));
        }
        Ok(forgotten)
    }

    /// Tells whether an author was [forgotten](Self::forget_author) before.
    ///
    /// # Errors
    /// [`DatasetError`] when the state cannot be read.
    pub fn has_forgotten(&self, author: &str) -> Result<bool, DatasetError> {
        let known = self
            .db
            .prepare_cached("SELECT 1 FROM forgotten_authors WHERE author = ?1")
            .and_then(|mut known| known.exists([author]));
        known.map_err(self.failed())
    }

    /// How many annotations there were, and whether the log of `SQLite` still says so.
    fn forget(&mut self, author: &str) -> rusqlite::Result<(usize, bool)> {
        let batch = Batch::begin(&mut self.db)?;
        batch.execute(
            "INSERT OR IGNORE INTO forgotten_authors VALUES(?1)",
            [author],
        )?;
        let forgotten = scrub(&batch)?;
        batch.commit(forgotten > 0)?;
        // The log of SQLite has the pages of before, for as long as somebody reads them.
        let is_in_log = self
            .db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        Ok((forgotten, is_in_log))
    }

    /// Has the next snapshot be a new one, also if nothing changes.
    pub(crate) fn renew(&self) -> Result<(), DatasetError> {
        let renewed = self.db.unchecked_transaction().and_then(|db| {
            note_change(&db)?;
            db.commit()
        });
        renewed.map_err(self.failed())
    }

    /// Inputs up to now.
    pub(crate) fn inputs(&self) -> Result<Vec<Input>, DatasetError> {
        inputs::read(&self.db).map_err(self.failed())
    }

    pub(crate) fn failed(&self) -> impl Fn(rusqlite::Error) -> DatasetError + use<> {
        DatasetError::database(&self.dir.join(STATE))
    }

    /// Grows with each transaction that changes something.
    pub(crate) fn revision(&self) -> Result<i64, DatasetError> {
        revision(&self.db).map_err(self.failed())
    }
}

/// Keeps the plan of a statement for all that is bound to it. Otherwise `SQLite` plans it anew for each new value, which takes
/// longer than the statement.
fn plan_once(db: &Connection) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(drop)
}

/// When the relay received the newest event that was taken in.
pub(crate) fn newest_event(db: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let at = number(db, NEWEST)?;
    Ok(at.and_then(|at| Timestamp::from_millisecond(at).ok()))
}

/// Name of the time of the newest event, in milliseconds since 1970.
const NEWEST: &str = "newest_event_ms";

fn note_newest(db: &Transaction<'_>, newest: Option<Timestamp>) -> rusqlite::Result<()> {
    let Some(newest) = newest else {
        return Ok(());
    };
    db.prepare_cached(
        "INSERT INTO state VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
    )?
    .execute((NEWEST, newest.as_millisecond()))
    .map(drop)
}

/// Takes forgotten authors out of all annotations; how many there were.
fn scrub(db: &Batch<'_>) -> rusqlite::Result<usize> {
    let of_them = "author IN (SELECT author FROM main.forgotten_authors)";
    db.execute(
        &format!(
            "UPDATE main.regions SET raw = 'null'
             WHERE annotation IN (SELECT row FROM main.annotations WHERE {of_them})"
        ),
        [],
    )?;
    let mut scrubbed = db.prepare(&format!(
        "UPDATE main.annotations SET author = NULL, raw = NULL WHERE {of_them}
         RETURNING source, project_id, task_id"
    ))?;
    let mut scrubbed = scrubbed.query([])?;
    let mut count = 0;
    while let Some(row) = scrubbed.next()? {
        let source: String = row.get(0)?;
        let (project, task): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
        let (project, task) = (project.as_deref(), task.as_deref());
        db.touch(Table::Annotations, &source, project, task)?;
        count += 1;
    }
    Ok(count)
}

/// The lock on a directory; `None` while another process has it.
fn lock(path: &Path) -> Result<Option<File>, DatasetError> {
    let failed = DatasetError::io(path);
    let file = own_file(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::StatementStatus;

    /// Red if a snapshot plans its statements anew for each task, which was 40 % of the time that it took.
    #[test]
    fn a_statement_is_planned_once_whatever_is_bound_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let written = Store::open(dir.path()).unwrap();
        let (looked_at, _) = open_read_only(dir.path()).unwrap();
        let sql = "SELECT region_id FROM regions WHERE annotation = ?1 ORDER BY position";
        for db in [&written.db, &looked_at] {
            for annotation in 2..6 {
                let mut statement = db.prepare_cached(sql).unwrap();
                assert!(!statement.exists([annotation]).unwrap());
                assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
            }
        }
    }
}
