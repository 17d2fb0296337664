//! A queue in a directory of its own.

use futures_executor::block_on;
use labelrelay_core::{EventQueue as _, OutboundMessage, QueueError, Receipt};
use labelrelay_local::{EmbeddedQueue, OpenError, Options, QueueFile};
use labelrelay_testkit::clock::FakeClock;
use labelrelay_testkit::queue_suite;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

pub(crate) struct QueueDir {
    pub(crate) dir: TempDir,
    pub(crate) clock: FakeClock,
}

impl QueueDir {
    pub(crate) fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            clock: FakeClock::at("2026-11-21T09:00:00Z"),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("queue.db")
    }

    pub(crate) fn open(&self) -> EmbeddedQueue {
        self.try_open(Options::default()).unwrap()
    }

    pub(crate) fn open_with(&self, change: impl FnOnce(&mut Options)) -> EmbeddedQueue {
        let mut options = Options::default();
        change(&mut options);
        self.try_open(options).unwrap()
    }

    pub(crate) fn try_open(&self, options: Options) -> Result<EmbeddedQueue, OpenError> {
        EmbeddedQueue::open(self.path(), options, Arc::new(self.clock.clone()))
    }

    pub(crate) fn file(&self) -> QueueFile {
        QueueFile::open(self.path(), Arc::new(self.clock.clone())).unwrap()
    }
}

pub(crate) fn message(id: &str) -> OutboundMessage {
    queue_suite::message(id, format!("{{\"of\":{id:?}}}").as_bytes())
}

pub(crate) fn try_send(queue: &EmbeddedQueue, id: &str) -> Result<Receipt, QueueError> {
    block_on(queue.send(&message(id)))
}

pub(crate) fn send(queue: &EmbeddedQueue, id: &str) -> Receipt {
    try_send(queue, id).unwrap()
}

/// Ids of all events in the file, in order.
pub(crate) fn ids(file: &QueueFile) -> Vec<String> {
    file.list(&labelrelay_local::Filter::default(), usize::MAX)
        .unwrap()
        .into_iter()
        .map(|event| event.id)
        .collect()
}
