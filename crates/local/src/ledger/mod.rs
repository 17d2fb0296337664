//! A ledger in an `SQLite` file of its own, beside the queue file: its writes never hold the queue up.

mod changes;
mod error;
mod open;
mod open_read_only;
mod same_server;
mod schema;
mod silence;
mod sync;
mod unsaved;
mod walk;

pub use unsaved::LedgerChanges;

use crate::canonical_path::beside;
use crate::lock::Lock;
use crate::sqlite::begin;
use error::failed;
use jiff::Timestamp;
use labelrelay_core::ledger::{Key, Known, Ledger, LedgerError, Walk};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, named_params};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The ledger of one source, in a file that may hold those of others. Held by one process at a time.
#[derive(Debug)]
pub struct LedgerFile {
    db: Connection,
    source: String,
    /// `true` if changes are noted, for a store that keeps the ledger.
    tracks: bool,
    lock: Option<Arc<Lock>>,
}

impl LedgerFile {
    /// Opens the ledger of `source` in the file at `path`, and makes what is not there. `server` is the
    /// platform that it is about: another one's things have the same ids.
    ///
    /// # Errors
    /// [`LedgerError`] when another process has it, when the file is something else or cannot be written, and
    /// when the ledger is about another server.
    pub fn open(path: &Path, source: &str, server: &str) -> Result<Self, LedgerError> {
        let lock = open::lock(path)?;
        let db = open::file(path)?;
        let ledger = Self {
            db,
            source: source.to_owned(),
            tracks: false,
            lock: Some(Arc::new(lock)),
        };
        ledger.is_about(server, path)?;
        Ok(ledger)
    }

    /// The same ledger once more, for another thread of this process. Both record; each waits for the other.
    ///
    /// # Errors
    /// [`LedgerError`] when the file cannot be opened, or when this is only a copy.
    pub fn another(&self) -> Result<Self, LedgerError> {
        let path = self.db.path().filter(|path| !path.is_empty());
        let Some(path) = path else {
            return Err(LedgerError::permanent("a copy has no file"));
        };
        Ok(Self {
            db: open::file(Path::new(path))?,
            source: self.source.clone(),
            tracks: self.tracks,
            lock: self.lock.clone(),
        })
    }

    /// A copy of the ledger at `path`, or an empty one, for a run that shall leave nothing behind: in a file that has no
    /// name and goes with it, of which the memory holds a part.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn copy(path: &Path, source: &str, server: &str) -> Result<Self, LedgerError> {
        let ledger = Self {
            db: open::copy(path)?,
            source: source.to_owned(),
            tracks: false,
            lock: None,
        };
        ledger.is_about(server, path)?;
        Ok(ledger)
    }

    /// The file of the ledger that belongs to the queue file at `queue`.
    pub fn beside(queue: &Path) -> PathBuf {
        beside(queue, ".ledger")
    }

    /// A time in the project's row.
    fn time_of(&self, column: &str, project: &str) -> Result<Option<Timestamp>, LedgerError> {
        let select = format!("SELECT {column} FROM projects WHERE source = ?1 AND project = ?2");
        let micros: Option<Option<i64>> = self
            .db
            .query_row(&select, (&self.source, project), |row| row.get(0))
            .optional()
            .map_err(failed)?;
        Ok(micros
            .flatten()
            .and_then(|micros| Timestamp::from_microsecond(micros).ok()))
    }

    fn change(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), LedgerError> {
        let change = || {
            let transaction = begin(&self.db)?;
            work(&transaction)?;
            transaction.commit()
        };
        change().map_err(failed)
    }
}

impl Ledger for LedgerFile {
    fn known(&self, keys: &[Key]) -> Result<Vec<Option<Known>>, LedgerError> {
        let read = || {
            let mut select = self.db.prepare_cached(
                "SELECT project, holder, event_id, sequence, gone FROM things WHERE source = ?1 AND kind = ?2 AND id = ?3",
            )?;
            let one = |key: &Key| {
                select
                    .query_row((&self.source, &key.kind, &key.id), |row| known(row, 0))
                    .optional()
            };
            keys.iter().map(one).collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed)
    }

    fn record(
        &mut self,
        seen: &[(Key, Known)],
        look: Option<u64>,
        arrivals: Option<u64>,
    ) -> Result<(), LedgerError> {
        self.change(|db| {
            let mut read = db.prepare_cached(
                "SELECT project, holder, event_id, sequence, gone FROM things WHERE source = ?1 AND kind = ?2 AND id = ?3",
            )?;
            let mut write = db.prepare_cached(
                "INSERT INTO things(source, kind, id, project, holder, event_id, sequence, gone, look)
                 VALUES(:source, :kind, :id, :project, :holder, :event_id, coalesce(:sequence, :until), :gone, :look)
                 ON CONFLICT(source, kind, id) DO UPDATE SET
                     project = coalesce(excluded.project, project), holder = coalesce(excluded.holder, holder),
                     event_id = excluded.event_id, gone = excluded.gone,
                     -- each project counts its own looks
                     look = max(excluded.look, iif(coalesce(excluded.project, project) IS project, look, 0)),
                     sequence = iif(excluded.gone, coalesce(:sequence, sequence, :until), excluded.sequence)",
            )?;
            let mut look_again = db.prepare_cached(
                "UPDATE things SET look = max(look, ?4) WHERE source = ?1 AND kind = ?2 AND id = ?3",
            )?;
            let mut note = db.prepare_cached(unsaved::NOTE)?;
            for (key, new) in seen {
                let place = (&self.source, &key.kind, &key.id);
                if self.tracks {
                    note.execute(place)?;
                }
                let old = read.query_row(place, |row| known(row, 0)).optional()?;
                if old.is_some_and(|old| old.covers(new)) {
                    if let Some(look) = look {
                        look_again.execute((&self.source, &key.kind, &key.id, look.cast_signed()))?;
                    }
                    continue;
                }
                write.execute(named_params! {
                    ":source": self.source, ":kind": key.kind, ":id": key.id,
                    ":project": new.project, ":holder": new.holder, ":event_id": new.event_id,
                    ":sequence": new.sequence, ":until": new.until, ":gone": new.gone,
                    ":look": look.unwrap_or(0).cast_signed(),
                })?;
            }
            if let Some(arrivals) = arrivals {
                db.execute(
                    "UPDATE sources SET arrivals = ?2 WHERE source = ?1",
                    (&self.source, arrivals.cast_signed()),
                )?;
            }
            Ok(())
        })
    }

    fn queue_position(&self) -> Result<u64, LedgerError> {
        let arrivals = self.db.query_row(
            "SELECT arrivals FROM sources WHERE source = ?1",
            [&self.source],
            |row| row.get::<_, i64>(0),
        );
        arrivals.map(i64::cast_unsigned).map_err(failed)
    }

    fn begin(&mut self, project: &str) -> Result<u64, LedgerError> {
        let begun = self.db.query_row(
            "INSERT INTO projects(source, project, look) VALUES(?1, ?2, 1)
             ON CONFLICT(source, project) DO UPDATE SET look = look + 1 RETURNING look",
            (&self.source, project),
            |row| row.get::<_, i64>(0),
        );
        begun.map(i64::cast_unsigned).map_err(failed)
    }

    fn missing(
        &self,
        project: &str,
        look: u64,
        after: Option<&Key>,
        max: usize,
    ) -> Result<Vec<(Key, Known)>, LedgerError> {
        let (kind, id) = after.map_or(("", ""), |key| (key.kind.as_str(), key.id.as_str()));
        let read = || {
            self.db
                .prepare_cached(
                    "SELECT kind, id, project, holder, event_id, sequence, gone
                     FROM things INDEXED BY things_in_project
                     WHERE source = :source AND (kind, id) > (:kind, :id)
                       AND project = :project AND gone = 0 AND look < :look
                     ORDER BY kind, id LIMIT :max",
                )?
                .query_map(
                    named_params! {
                        ":source": self.source, ":kind": kind, ":id": id, ":project": project,
                        ":look": look.cast_signed(), ":max": i64::try_from(max).unwrap_or(i64::MAX),
                    },
                    |row| {
                        Ok((
                            Key::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?),
                            known(row, 2)?,
                        ))
                    },
                )?
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed)
    }

    fn count(&self, project: &str, kind: &str) -> Result<u64, LedgerError> {
        let count = self
            .db
            .prepare_cached(
                "SELECT count(*) FROM things INDEXED BY things_in_project
                 WHERE source = ?1 AND project = ?2 AND kind = ?3 AND gone = 0",
            )
            .and_then(|mut select| {
                select.query_row((&self.source, project, kind), |row| row.get::<_, i64>(0))
            });
        count.map(i64::cast_unsigned).map_err(failed)
    }

    fn last_full_pass(&self, project: &str) -> Result<Option<Timestamp>, LedgerError> {
        self.time_of("full", project)
    }

    fn watermark(&self, project: &str) -> Result<Option<Timestamp>, LedgerError> {
        self.time_of("watermark", project)
    }

    fn finish(
        &mut self,
        project: &str,
        watermark: Timestamp,
        full: Option<Timestamp>,
    ) -> Result<(), LedgerError> {
        self.change(|db| {
            db.execute(
                "UPDATE projects SET watermark = ?3, full = coalesce(?4, full) WHERE source = ?1 AND project = ?2",
                (
                    &self.source,
                    project,
                    watermark.as_microsecond(),
                    full.map(Timestamp::as_microsecond),
                ),
            )?;
            if full.is_some() {
                walk::write(db, &self.source, project, None)?;
            }
            Ok(())
        })
    }

    fn note_deliveries(&mut self, projects: &BTreeSet<&str>) -> Result<(), LedgerError> {
        self.change(|db| silence::note_deliveries(db, &self.source, projects))
    }

    fn note_undelivered(&mut self, project: &str, changes: u64) -> Result<(), LedgerError> {
        silence::note_undelivered(&self.db, &self.source, project, changes).map_err(failed)
    }

    fn take_silent(&mut self, projects: &[&str]) -> Result<Vec<(String, u64)>, LedgerError> {
        let mut silent = Vec::new();
        self.change(|db| {
            silent = silence::take(db, &self.source, projects)?;
            Ok(())
        })?;
        Ok(silent)
    }

    fn walk(&self, project: &str) -> Result<Option<Walk>, LedgerError> {
        walk::read(&self.db, &self.source, project).map_err(failed)
    }

    fn keep_walk(&mut self, project: &str, walk: Option<&Walk>) -> Result<(), LedgerError> {
        walk::write(&self.db, &self.source, project, walk).map_err(failed)
    }

    fn projects(&self) -> Result<Vec<String>, LedgerError> {
        let read = || {
            self.db
                .prepare_cached("SELECT project FROM projects WHERE source = ?1 AND watermark IS NOT NULL ORDER BY project")?
                .query_map([&self.source], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(failed)
    }

    fn forget(&mut self, project: &str) -> Result<(), LedgerError> {
        self.change(|db| {
            let place = (&self.source, project);
            db.execute(
                "DELETE FROM things WHERE source = ?1 AND project = ?2",
                place,
            )?;
            db.execute(
                "DELETE FROM projects WHERE source = ?1 AND project = ?2",
                place,
            )?;
            if self.tracks {
                unsaved::note_forgotten(db)?;
            }
            Ok(())
        })
    }
}

fn known(row: &Row<'_>, first: usize) -> rusqlite::Result<Known> {
    Ok(Known {
        project: row.get(first)?,
        holder: row.get(first + 1)?,
        event_id: row.get(first + 2)?,
        sequence: row.get(first + 3)?,
        gone: row.get(first + 4)?,
        until: None,
    })
}
