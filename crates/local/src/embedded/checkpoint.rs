//! Moves what was committed from the journal (WAL) into the file, on a thread of its own.
//!
//! A checkpoint writes and syncs megabytes; made by the writer, every send behind it would wait, and a
//! large one slows the writer's own syncs too. So this thread moves what was committed in small steps.
//! Beside a writer that never pauses it cannot finish, though: something is always committed meanwhile, and
//! `SQLite` begins the journal anew only when all of it was moved. So now and then, when this thread has
//! moved nearly all of a long journal, the writer moves the small rest between two groups. [`Journal`] is
//! what the two tell each other.

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest journal, in pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct CheckpointLimits {
    /// So much is moved at a time.
    pub(super) step: u32,
    /// The journal shall begin anew.
    pub(super) begin: u32,
    /// So little is left that the writer may move it itself.
    pub(super) rest: u32,
    /// The writer moves all by itself, however long sends wait: the disk is slower than the senders.
    pub(super) bound: u32,
}

/// State of the journal, shared by the writer and the checkpointer.
#[derive(Debug)]
pub(super) struct Journal {
    limits: CheckpointLimits,
    pages: AtomicU32,
    /// Pages at the journal's beginning that the checkpointer has moved.
    moved: AtomicU32,
    /// The checkpointer has done its part.
    rest_is_small: AtomicBool,
    /// The files are not what they were: nothing is moved.
    halted: AtomicBool,
    /// Length at which the writer tries again after a reader kept it from finishing.
    again_at: AtomicU32,
    wake: Mutex<Wake>,
    wake_signal: Condvar,
}

#[derive(Debug, Default)]
struct Wake {
    due: bool,
    stop: bool,
}

impl Journal {
    pub(super) fn new(limits: CheckpointLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            pages: AtomicU32::new(0),
            moved: AtomicU32::new(0),
            rest_is_small: AtomicBool::new(false),
            halted: AtomicBool::new(false),
            again_at: AtomicU32::new(limits.bound),
            wake: Mutex::default(),
            wake_signal: Condvar::new(),
        })
    }

    /// Learns the journal's length from each commit of the writer's connection.
    pub(super) fn watch(self: &Arc<Self>, db: &mut Connection) -> rusqlite::Result<()> {
        let journal = Arc::clone(self);
        db.wal_hook(Some(move |_: &mut Wal, pages: i32| {
            journal.pages.store(pages.unsigned_abs(), Ordering::Relaxed);
            Ok(())
        }))
    }

    /// Number of pages that it had after the writer's last commit.
    pub(super) fn pages(&self) -> u32 {
        self.pages.load(Ordering::Relaxed)
    }

    /// Tells whether the journal is longer than it becomes unless a reader of old pages is in the way.
    pub(super) fn is_longer_than_it_should(&self) -> bool {
        self.pages() > self.limits.bound
    }

    /// Keeps the checkpointer from touching the files, or lets it again.
    pub(super) fn halt(&self, halt: bool) {
        self.halted.store(halt, Ordering::Release);
    }

    /// The writer's part, between two groups.
    pub(super) fn tend(&self, db: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if self.rest_is_small.load(Ordering::Acquire)
            || pages >= self.again_at.load(Ordering::Relaxed)
        {
            // When the checkpointer is at it, this is tried again after the next group.
            self.try_to_empty(db);
        } else if pages.saturating_sub(self.moved.load(Ordering::Relaxed)) >= self.limits.step
            || pages >= self.limits.begin
        {
            let mut wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
            if !wake.due {
                wake.due = true;
                self.wake_signal.notify_one();
            }
        }
    }

    /// Moves all of it now, and says whether no reader was in the way. Where the checkpointer is at it, this waits
    /// for `patience`.
    pub(super) fn empty(&self, db: &Connection, patience: Duration) -> bool {
        let begun = Instant::now();
        loop {
            match self.try_to_empty(db) {
                Some(emptied) => return emptied,
                None if begun.elapsed() >= patience => return false,
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Moves all of it, unless another one is at it, and says whether no reader was in the way.
    fn try_to_empty(&self, db: &Connection) -> Option<bool> {
        let (log, moved) = checkpoint(db)?;
        let emptied = log == moved;
        if emptied {
            self.pages.store(0, Ordering::Relaxed);
            self.moved.store(0, Ordering::Relaxed);
            self.again_at.store(self.limits.bound, Ordering::Relaxed);
        } else {
            // A reader of old pages is in the way: not before the journal has grown much more.
            let next = self.pages().saturating_add(self.limits.bound);
            self.again_at.store(next, Ordering::Relaxed);
        }
        self.rest_is_small.store(false, Ordering::Release);
        Some(emptied)
    }

    fn stop(&self) {
        self.wake
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stop = true;
        self.wake_signal.notify_one();
    }

    /// The checkpointer's life.
    fn run(&self, db: &Connection) {
        let mut wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
        while !wake.stop {
            if !wake.due || self.rest_is_small.load(Ordering::Acquire) {
                // The writer clears `rest_is_small` without a signal: it gives one at its next group.
                wake.due = false;
                wake = self
                    .wake_signal
                    .wait(wake)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            drop(wake);
            if !self.halted.load(Ordering::Acquire)
                && let Some((log, moved)) = checkpoint(db)
            {
                self.moved.store(moved, Ordering::Relaxed);
                let small = log.saturating_sub(moved) <= self.limits.rest;
                self.rest_is_small
                    .store(small && log >= self.limits.begin, Ordering::Release);
            }
            wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
            wake.due = false;
        }
    }
}

/// Length of the journal and how much of it is in the file now; `None` when another one is at it.
pub(super) fn checkpoint(db: &Connection) -> Option<(u32, u32)> {
    let (log, moved) = db
        .wal_checkpoint_v2(Some("main"), CheckpointMode::PASSIVE)
        .ok()?;
    Some((u32::try_from(log).ok()?, u32::try_from(moved).ok()?))
}

/// The checkpointer's thread; stops when it is dropped.
#[derive(Debug)]
pub(super) struct Checkpointer {
    journal: Arc<Journal>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn start(journal: Arc<Journal>, db: Connection) -> std::io::Result<Self> {
        let its = Arc::clone(&journal);
        let thread = std::thread::Builder::new()
            .name("queue-checkpoint".to_owned())
            .spawn(move || its.run(&db))?;
        Ok(Self {
            journal,
            thread: Some(thread),
        })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.journal.stop();
        if let Some(thread) = self.thread.take() {
            // It has nothing to say; a panic of it was printed where it happened.
            let _ = thread.join();
        }
    }
}
