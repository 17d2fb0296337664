//! Opens a queue file as its owner.

use super::checkpoint::{CheckpointLimits, Checkpointer, Journal};
use super::kept_for_record::Kept;
use super::ledger_figures::SharedFigures;
use super::options::Options;
use super::queue::{EmbeddedQueue, Running};
use super::sequencer::Sequencer;
use super::writer::{Trouble, Writer};
use crate::canonical_path;
use crate::disk_reserve;
use crate::displaced_files::QueueFiles;
use crate::foreign_files;
use crate::lock::{Lock, LockError};
use crate::queue_file_error::OpenError;
use crate::schema::{self, PAGE_BYTES};
use crate::sqlite::{BusyWait, begin, ms, set_setting, setting};
use labelrelay_core::Clock;
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

impl EmbeddedQueue {
    /// Opens the queue file at `path` as its owner, and makes it when there is none.
    ///
    /// # Errors
    /// [`OpenError`] names the file and the cure. A file that is something else, newer, or owned by another
    /// process is left as it is.
    pub fn open(
        path: impl AsRef<Path>,
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        open(path.as_ref(), options, clock)
    }
}

/// Keeps the file within its size. The journal counts as well, and is never longer than twice what it begins anew at, but
/// for a group.
fn limit_pages(db: &Connection, options: &Options) -> rusqlite::Result<()> {
    let journal_bytes = options.checkpoint_bytes.saturating_mul(2);
    let most = options
        .max_file_bytes
        .map(|bytes| bytes.saturating_sub(journal_bytes));
    // A write that the system refuses this process is better not begun.
    let limits = most.into_iter().chain(disk_reserve::file_size_limit());
    let Some(bytes) = limits.min() else {
        return Ok(());
    };
    let pages = i64::try_from(bytes / u64::from(PAGE_BYTES))
        .unwrap_or(i64::MAX)
        .clamp(1, MOST_PAGES);
    db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
}

fn open(path: &Path, options: Options, clock: Arc<dyn Clock>) -> Result<EmbeddedQueue, OpenError> {
    // First of all: the lock is beside the file itself, whatever path led here.
    let configured = path;
    let path = &canonical_path::resolve(path)?;
    let lock = Lock::take(path).map_err(|error| not_owned(path, error))?;
    foreign_files::plain(&disk_reserve::reserve(path))?;
    let had_reserve = disk_reserve::exists(path);
    let database = |source| OpenError::Database {
        path: path.to_owned(),
        source: disk_reserve::diagnose(source, path),
    };
    let thread = |source| OpenError::Io {
        path: path.to_owned(),
        what: "starting the writer's thread",
        source,
    };

    let busy_wait = BusyWait {
        total: options.busy_timeout,
        retry_every: Duration::from_micros(200),
    };
    let options = within_its_size(options, path);
    let mut db = schema::open_or_create(path, busy_wait)?;
    let sequencer = settings(&db, &options)
        .and_then(|()| Sequencer::read(&db, &options, &*clock))
        .map_err(database)?;

    limit_pages(&db, &options).map_err(database)?;

    let pages = |bytes: u64| {
        u32::try_from(bytes / u64::from(PAGE_BYTES))
            .unwrap_or(u32::MAX)
            .max(1)
    };
    let (step, begin) = (
        pages(options.checkpoint_step_bytes),
        pages(options.checkpoint_bytes),
    );
    // For whoever asks for the newest dead letters; without room for it, they are searched for.
    let _for_speed = db.execute_batch(
        "CREATE INDEX IF NOT EXISTS deliveries_died ON deliveries(changed_ms, seq) WHERE state = 2",
    );
    let files = QueueFiles::of(path, &db, Some(lock.file()))
        .map_err(database)?
        .asked_for(configured);
    let journal = Journal::new(CheckpointLimits {
        step,
        begin,
        rest: step / 2,
        bound: begin.saturating_mul(2),
    });
    journal.watch(&mut db).map_err(database)?;
    let checkpointer = Checkpointer::start(
        Arc::clone(&journal),
        schema::open_existing(path, busy_wait)?,
    )
    .map_err(thread)?;

    // Opening may have needed the reserve, which is the consumers'.
    if had_reserve {
        disk_reserve::take_back(path);
    }

    let (commands, inbox) = mpsc::sync_channel(options.max_waiting.max(1));
    let (max_message_bytes, derivation) = (options.max_message_bytes, options.derivation.clone());
    let trouble = Trouble::default();
    let ledger_figures = SharedFigures::new(Mutex::new(sequencer.ledger_figures()));
    let writer = Writer {
        db,
        files,
        path: path.to_owned(),
        trouble: trouble.clone(),
        ledger_figures: Arc::clone(&ledger_figures),
        journal,
        clock,
        kept: Kept::of(options.kept_for_record.clone()),
        options,
    };
    let writer = std::thread::Builder::new()
        .name("queue-writer".to_owned())
        .spawn(move || writer.run(sequencer, &inbox))
        .map_err(thread)?;
    let running = Mutex::new(Some(Running {
        writer,
        checkpointer,
        lock,
    }));
    Ok(EmbeddedQueue {
        path: path.to_owned(),
        max_message_bytes,
        trouble,
        ledger_figures,
        derivation,
        commands,
        running,
    })
}

fn not_owned(path: &Path, error: LockError) -> OpenError {
    match error {
        LockError::Held { pid } => OpenError::Owned {
            path: path.to_owned(),
            pid,
        },
        LockError::ForeignFile(foreign) => OpenError::ForeignFile(foreign),
        LockError::Io { path, what, source } => OpenError::Io { path, what, source },
    }
}

/// As many as `SQLite` can count.
const MOST_PAGES: i64 = 0xffff_fffe;

/// Parts of the largest size, and of the disk, of which one may be kept for the record at most.
const PARTS_OF_SIZE: u64 = 4;
const PARTS_OF_DISK: u64 = 10;

/// A journal in proportion to the largest size, so that most of that is for events. So is what is kept for the record.
fn within_its_size(mut options: Options, path: &Path) -> Options {
    let limits = options
        .max_file_bytes
        .into_iter()
        .chain(disk_reserve::file_size_limit());
    let largest = limits.min();
    if let Some(kept) = &mut options.kept_for_record {
        let of_size = largest.map_or(u64::MAX, |bytes| bytes / PARTS_OF_SIZE);
        let of_disk = disk_reserve::disk_bytes(path) / PARTS_OF_DISK;
        kept.bytes = kept.bytes.min(of_size).min(of_disk);
    }
    if let Some(bytes) = largest {
        let most = (bytes / 8).max(u64::from(PAGE_BYTES));
        options.checkpoint_bytes = options.checkpoint_bytes.min(most);
        options.checkpoint_step_bytes = options.checkpoint_step_bytes.min(most / 4);
    }
    options
}

/// Leaves the settings that hold for the readers in the file.
fn settings(db: &Connection, options: &Options) -> rusqlite::Result<()> {
    let wanted = [
        ("window_ms", ms(options.window)),
        ("retention_ms", ms(options.retention)),
        ("max_receives", i64::from(options.max_receives.max(1))),
    ];
    let transaction = begin(db)?;
    for (name, value) in wanted {
        if setting(db, name)? != Some(value) {
            set_setting(db, name, value)?;
        }
    }
    transaction.commit()
}
