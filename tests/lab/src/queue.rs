//! The events that are in a queue, or were taken out of it: what the oracle sees.

use crate::database::Consumer;
use crate::seed_dir::{self, SeedDir};
use labelrelay_local::{Filter, QueueFile};
use labelrelay_startup::SystemClock;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;

/// Where the events of a seed are.
pub(crate) enum Queue<'a> {
    /// In the file in this folder.
    File(&'a SeedDir),
    /// With the one who consumes them.
    Consumed(&'a Consumer),
}

/// An event, as the queue had it.
pub(crate) struct Stored {
    /// What the queue says that its id is, if it does.
    pub(crate) id: Option<String>,
    pub(crate) envelope: Vec<u8>,
}

impl Queue<'_> {
    /// All events so far.
    pub(crate) fn events(&self) -> Vec<Stored> {
        match self {
            Self::File(seed_dir) => in_file(seed_dir),
            Self::Consumed(consumer) => {
                let received = consumer.received().into_iter();
                received
                    .map(|envelope| Stored { id: None, envelope })
                    .collect()
            }
        }
    }

    /// Tells whether everything was read from which more may be derived.
    pub(crate) fn is_read(&self) -> bool {
        match self {
            Self::File(seed_dir) => is_read(&seed_dir::queue(seed_dir.folder())),
            Self::Consumed(_) => true,
        }
    }
}

/// All events of which the ledger takes note are before its mark, and no work is put off.
const IS_READ: &str = "
    SELECT NOT EXISTS(SELECT 1 FROM ledger_rest) AND NOT EXISTS(
        SELECT 1 FROM events
        WHERE seq > (SELECT value FROM settings WHERE name = 'ledger_through')
            AND (type GLOB 'io.labelstud.annotation.*' OR type GLOB 'io.labelstud.task.*'))";

fn is_read(queue: &Path) -> bool {
    let db = Connection::open(queue).unwrap();
    // While the file cannot be read, it is not known.
    db.query_row(IS_READ, [], |row| row.get(0)).unwrap_or(false)
}

fn in_file(seed_dir: &SeedDir) -> Vec<Stored> {
    let file = QueueFile::open(
        seed_dir::queue(seed_dir.folder()),
        Arc::new(SystemClock::new()),
    )
    .unwrap();
    let stored = file.export(Filter::default()).map(|stored| {
        let stored = stored.unwrap();
        Stored {
            id: Some(stored.event.id),
            envelope: stored.envelope,
        }
    });
    stored.collect()
}
