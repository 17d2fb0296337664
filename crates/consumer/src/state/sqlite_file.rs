//! The `SQLite` file of a state: its tables, and each step as one transaction. The consumer in Python uses the same
//! tables.

use super::holders::with_holders;
use super::host::now;
use super::key_text::{key_of, keys_of, written, written_all};
use super::{Known, REMEMBERED, StateError};
use labelrelay_event::changes::Key;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Version of the tables, in the file's `user_version`.
const FORMAT: i64 = 1;

const TABLES: &str = "
create table if not exists things (
    key text primary key, version text, is_there integer not null default 0, until text not null default '',
    parents text not null default '[]', owner text, leased real not null default 0) without rowid;
create table if not exists below (parent text, key text, primary key (parent, key)) without rowid;
create table if not exists events (event text primary key, handled real not null) without rowid;
create table if not exists synced (one integer primary key check (one = 1), at real);
";

/// The last condition: a clock that was set back must not keep the lease of a dead process for ever.
const LEASE: &str = "
insert into things (key, owner, leased, is_there, parents) values (?1, ?2, ?3, ?5, ?6)
on conflict (key) do update set owner = excluded.owner, leased = excluded.leased,
    is_there = max(is_there, excluded.is_there), parents = case when excluded.is_there then excluded.parents else parents end
where owner is null or owner = excluded.owner or leased < ?4 or leased > ?4 + 86400
";

/// Events between two looks for ids that are old enough to forget: a look reads them all.
const LOOK_EVERY: u32 = 50_000;

/// Time that one process waits for another that writes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The file, for one thread.
pub(super) struct File {
    db: Connection,
    owner: String,
    /// Things that this process has the leases of.
    leased: HashSet<String>,
    until_look: u32,
    is_unsynced: bool,
}

impl From<rusqlite::Error> for StateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::new(error.to_string()).caused_by(error)
    }
}

/// Where several start at the same moment with a new file, `SQLite` does not wait for this, whatever it was told.
fn use_wal(db: &Connection) -> Result<(), rusqlite::Error> {
    let begun = Instant::now();
    loop {
        // It answers with the mode.
        let done = db.query_row("pragma journal_mode = wal", [], |_| Ok(()));
        let code = done
            .as_ref()
            .err()
            .and_then(rusqlite::Error::sqlite_error_code);
        let is_busy = matches!(
            code,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        );
        if !is_busy || begun.elapsed() >= PATIENCE {
            return done;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl File {
    pub(super) fn open(path: &Path) -> Result<Result<Self, StateError>, rusqlite::Error> {
        let mut db = Connection::open(path)?;
        db.busy_timeout(PATIENCE)?;
        // Without it, a statement is planned anew for each value that is bound to it.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        let format: i64 = db.query_row("pragma user_version", [], |row| row.get(0))?;
        if format > FORMAT {
            let path = path.display();
            return Ok(Err(StateError::new(format!(
                "{path} is of a newer labelrelay (format {format}): use that, or another file"
            ))));
        }
        use_wal(&db)?;
        db.execute_batch("pragma synchronous = normal")?;
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(TABLES)?;
        transaction.execute_batch(&format!("pragma user_version = {FORMAT}"))?;
        transaction.commit()?;
        Ok(Ok(Self {
            db,
            owner: random_name(),
            leased: HashSet::new(),
            until_look: 0,
            is_unsynced: false,
        }))
    }

    /// A transaction that waits for its turn before it reads, so that what it read is still so when it writes.
    fn change<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        self.is_unsynced = true;
        let transaction = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Tells whether it is time to look for old ids.
    fn looks_now(&mut self) -> bool {
        let looks = self.until_look == 0;
        self.until_look = if looks {
            LOOK_EVERY
        } else {
            self.until_look - 1
        };
        looks
    }

    pub(super) fn was_handled(&self, event: &str) -> Result<bool, StateError> {
        let found = self
            .db
            .prepare_cached("select 1 from events where event = ?1")?
            .exists([event])?;
        Ok(found)
    }

    pub(super) fn handled(&mut self, event: &str) -> Result<(), StateError> {
        let looks = self.looks_now();
        self.change(|db| remember(db, event, looks))
    }

    pub(super) fn enter(
        &mut self,
        key: &Key<'static>,
        parents: &[Key<'static>],
        lease: Duration,
        comes: bool,
    ) -> Result<Option<HashMap<Key<'static>, Known>>, StateError> {
        let (name, owner, now) = (written(key), self.owner.clone(), now());
        let entered = self.change(|db| {
            let found = with_holders(key, parents, |key| known(db, key))?;
            let before = found
                .get(key)
                .map_or(&[][..], |known| known.parents.as_slice());
            let after = if parents.is_empty() { before } else { parents };
            let until = now + lease.as_secs_f64();
            let taken = db.prepare_cached(LEASE)?.execute((
                &name,
                &owner,
                until,
                now,
                comes,
                written_all(after),
            ))?;
            if taken == 0 {
                return Ok(None);
            }
            if before != parents {
                let mut insert =
                    db.prepare_cached("insert or ignore into below values (?1, ?2)")?;
                for parent in parents {
                    insert.execute((written(parent), &name))?;
                }
            }
            Ok(Some(found))
        })?;
        if entered.is_some() {
            self.leased.insert(name);
        }
        Ok(entered)
    }

    pub(super) fn leave(
        &mut self,
        key: &Key<'static>,
        known: Option<&Known>,
        event: Option<&str>,
    ) -> Result<bool, StateError> {
        let (name, owner) = (written(key), self.owner.clone());
        self.leased.remove(&name);
        let looks = event.is_some() && self.looks_now();
        self.change(|db| {
            let Some(known) = known else {
                db.prepare_cached("update things set owner = null where key = ?1 and owner = ?2")?
                    .execute((&name, &owner))?;
                return Ok(true);
            };
            let written = db
                .prepare_cached(
                    "update things set version = ?1, is_there = ?2, parents = ?3, owner = null where key = ?4 and owner = ?5",
                )?
                .execute((
                    &known.version,
                    known.is_there,
                    written_all(&known.parents),
                    &name,
                    &owner,
                ))?;
            if written == 0 {
                return Ok(false);
            }
            if let Some(event) = event {
                remember(db, event, looks)?;
            }
            Ok(true)
        })
    }

    pub(super) fn keep(&mut self, lease: Duration) -> Result<(), StateError> {
        let (names, owner) = (self.leased.clone(), self.owner.clone());
        if names.is_empty() {
            return Ok(());
        }
        let until = now() + lease.as_secs_f64();
        self.change(|db| {
            let mut update =
                db.prepare_cached("update things set leased = ?1 where key = ?2 and owner = ?3")?;
            for name in &names {
                update.execute((until, name, &owner))?;
            }
            Ok(())
        })
    }

    pub(super) fn remove(&mut self, key: &Key<'static>, until: &str) -> Result<(), StateError> {
        let name = written(key);
        self.change(|db| {
            db.prepare_cached("insert into things (key, until) values (?1, ?2) on conflict (key) do update set until = max(until, excluded.until)")?
                .execute((name, until))?;
            Ok(())
        })
    }

    pub(super) fn below(&self, key: &Key<'static>) -> Result<Vec<Key<'static>>, StateError> {
        let mut select = self
            .db
            .prepare_cached("select key from below where parent = ?1")?;
        let names = select.query_map([written(key)], |row| row.get::<_, String>(0))?;
        names.map(|name| key_of(&name?)).collect()
    }

    pub(super) fn sync(&mut self) -> Result<(), StateError> {
        if !self.is_unsynced {
            return Ok(());
        }
        // One synced transaction takes everything before it to the disk: they share the journal.
        self.db.execute_batch("pragma synchronous = full")?;
        let synced = self.change(|db| {
            db.execute("insert or replace into synced values (1, ?1)", [now()])?;
            Ok(())
        });
        self.db.execute_batch("pragma synchronous = normal")?;
        synced?;
        self.is_unsynced = false;
        Ok(())
    }

    /// Gives up the leases that this process has.
    pub(super) fn free_leases(&mut self) -> Result<(), StateError> {
        let (names, owner) = (std::mem::take(&mut self.leased), self.owner.clone());
        self.change(|db| {
            for name in &names {
                db.execute(
                    "update things set owner = null where key = ?1 and owner = ?2",
                    (name, &owner),
                )?;
            }
            Ok(())
        })
    }
}

fn known(db: &Transaction<'_>, key: &Key<'static>) -> Result<Option<Known>, StateError> {
    let row = db
        .prepare_cached("select version, is_there, until, parents from things where key = ?1")?
        .query_row([written(key)], |row| {
            let parents: String = row.get(3)?;
            let known = Known {
                version: row.get(0)?,
                is_there: row.get(1)?,
                until: row.get(2)?,
                parents: Vec::new(),
            };
            Ok((known, parents))
        })
        .optional()?;
    let Some((mut known, parents)) = row else {
        return Ok(None);
    };
    known.parents = keys_of(&parents)?;
    Ok(Some(known))
}

fn remember(db: &Transaction<'_>, event: &str, looks: bool) -> Result<(), StateError> {
    let now = now();
    db.prepare_cached("insert or replace into events values (?1, ?2)")?
        .execute((event, now))?;
    if looks {
        let oldest = now - REMEMBERED.as_secs_f64();
        db.execute("delete from events where handled < ?1", [oldest])?;
    }
    Ok(())
}

/// A name that no other process has.
fn random_name() -> String {
    let mut bytes = [0_u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // Unique on this host all the same, as long as its clock moves.
        return format!("{:x}-{:x}", now().to_bits(), std::process::id());
    }
    bytes.iter().fold(String::new(), |mut name, byte| {
        // Writing into memory does not fail.
        let _ = write!(name, "{byte:02x}");
        name
    })
}
