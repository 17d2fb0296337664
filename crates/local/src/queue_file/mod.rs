//! The reading side of a queue file: all that the verbs `events` and `queue` do, beside a running owner. `pull`
//! appends by it what it found.
//!
//! Blocking, one connection, any number of processes. Each call is one small transaction: an owner that
//! sends meanwhile waits for a millisecond or two, and a reader waits as patiently as it was told to.

mod append;
mod archiving;
mod behind_damage;
mod columns;
mod dead_letters;
pub use dead_letters::DeadLetter;
pub(crate) use dead_letters::bury_expired;
mod delivery;
mod envelope_damage;
mod event;
mod event_attributes;
mod examine;
mod export;
mod filter;
mod reasons;
mod receive;
mod received;
mod stats;
mod taken;
mod transaction;
mod try_write;
mod write_throttle;
mod written_since;

pub use archiving::ArchiveMark;
pub use delivery::Delivery;
pub(crate) use delivery::MAX_VISIBILITY;
pub use envelope_damage::{StoredEnvelope, envelope_damage};
pub use event::{Event, State, StoredEvent};
pub use event_attributes::EventAttributes;
pub use export::Export;
pub use filter::{Filter, Pattern};
pub use receive::Acknowledgement;
pub use received::Received;
pub use stats::QueueStats;

use crate::archive_mark::{self, Held};
use crate::canonical_path;
use crate::disk_reserve;
use crate::displaced_files::QueueFiles;
use crate::prune;
use crate::queue_file_error::{FileError, OpenError};
use crate::schema;
use crate::sqlite::{BusyWait, ms, now_ms, setting};
use labelrelay_core::Clock;
use rusqlite::Connection;
use std::cell::Cell;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time that a reader waits for its turn to write. Long, for an owner under load leaves short gaps only.
const BUSY_WAIT: BusyWait = BusyWait {
    total: Duration::from_secs(10),
    retry_every: Duration::from_millis(1),
};

/// A queue file, opened for receiving, acknowledging and looking.
pub struct QueueFile {
    db: Connection,
    path: PathBuf,
    clock: Arc<dyn Clock>,
    throttle: write_throttle::WriteThrottle,
    /// Boxed, for a queue file is passed around and this is most of it.
    files: Box<QueueFiles>,
    /// Bytes that were appended since the journal was last moved into the file.
    unmoved_bytes: Cell<usize>,
    /// The reserve's room was needed, and the rest of it is taken back at the end.
    gave_up_reserve: Cell<bool>,
    /// The table of what happened to events is damaged, and they are read without it.
    ignores_deliveries: Cell<bool>,
}

impl Drop for QueueFile {
    fn drop(&mut self) {
        if self.gave_up_reserve.get() {
            self.move_journal();
            disk_reserve::take_back(&self.path);
        }
    }
}

impl QueueFile {
    /// Opens the queue file at `path`.
    ///
    /// # Errors
    /// [`OpenError`] when there is none, when it is something else or newer, or when it cannot be written.
    pub fn open(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let path = canonical_path::resolve(path.as_ref()).map_err(|error| match error {
            // A missing directory counts as a missing file: `serve` makes both.
            OpenError::Io { path, source, .. } if source.kind() == ErrorKind::NotFound => {
                OpenError::Missing { path }
            }
            other => other,
        })?;
        let had_reserve = disk_reserve::exists(&path);
        let db = schema::open_existing(&path, BUSY_WAIT)?;
        let gave_up = had_reserve && !disk_reserve::exists(&path);
        let files = QueueFiles::of(&path, &db, None).map_err(|source| OpenError::Database {
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            db,
            files: Box::new(files),
            path,
            clock,
            throttle: write_throttle::WriteThrottle::default(),
            unmoved_bytes: Cell::new(0),
            gave_up_reserve: Cell::new(gave_up),
            ignores_deliveries: Cell::new(false),
        })
    }

    /// Settings that the owner left in the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn settings(&self) -> Result<QueueSettings, FileError> {
        let millis =
            |value: Option<i64>| Duration::from_millis(value.unwrap_or(0).max(0).cast_unsigned());
        self.read(|db| {
            Ok(QueueSettings {
                window: millis(setting(db, "window_ms")?),
                retention: millis(setting(db, "retention_ms")?),
                max_receives: u32::try_from(setting(db, "max_receives")?.unwrap_or(5))
                    .unwrap_or(u32::MAX),
            })
        })
    }

    /// Removes events that were acknowledged more than `older_than` ago, and says how many. Events within
    /// the window of repeats stay: a repeat is recognised by what is in the file. Those that the owner keeps
    /// [for the record](crate::KeptForRecord) go.
    ///
    /// # Errors
    /// When the file cannot be written; what was removed before is removed.
    pub fn prune(&self, older_than: Duration) -> Result<u64, FileError> {
        self.prune_held(older_than, |held| held)
    }

    /// The same, and those that wait to be archived go, too. They will never be in the archive, which is told so.
    ///
    /// # Errors
    /// When the file cannot be written; what was removed before is removed.
    pub fn prune_unarchived(&self, older_than: Duration) -> Result<u64, FileError> {
        self.prune_held(older_than, Held::released)
    }

    fn prune_held(
        &self,
        older_than: Duration,
        held: impl Fn(Held) -> Held,
    ) -> Result<u64, FileError> {
        let now = now_ms(&*self.clock);
        let window = ms(self.settings()?.window);
        let mut events = 0;
        loop {
            self.throttle.wait();
            self.check_files()?;
            let since = Instant::now();
            let pruned = self.with_room(|| {
                let bounds = prune::Bounds {
                    changed_ms: now.saturating_sub(ms(older_than)),
                    // Whoever prunes by hand wants the room.
                    recorded: prune::NOWHERE,
                    received_ms: now.saturating_sub(window),
                    read: prune::NOTHING_UNREAD,
                };
                let held = held(archive_mark::held(&self.db)?);
                Ok(prune::acknowledged(&self.db, held, bounds)?)
            })?;
            // Takes the whole time for having it, for the share of it that was waiting is not known here.
            self.throttle.record(since, since);
            events += pruned.events;
            if !pruned.more {
                // So that what was freed can be used at once, on a full disk too.
                self.move_journal();
                return Ok(events);
            }
        }
    }

    fn now_ms(&self) -> i64 {
        now_ms(&*self.clock)
    }
}

impl std::fmt::Debug for QueueFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueueFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Settings of the owner that readers go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueSettings {
    /// Time for which a repeat is recognised.
    pub window: Duration,
    /// Time for which an acknowledged event is kept.
    pub retention: Duration,
    /// Number of times that a message is received before it becomes a dead letter.
    pub max_receives: u32,
}
