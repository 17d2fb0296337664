//! What the two threads of a record share: the journal, which one writes, and what the other moves out of it.

use crate::class::PerClass;
use crate::intake::Done;
use crate::journal::{Journal, Pending};
use crate::needed::Needed;
use crate::open_files::OpenFiles;
use crate::store::Store;
use std::fs::File;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Deliveries of one group from which on the relay is busy: 2,000 a second.
const BUSY_ROWS: u64 = 200;

/// The last group tells this long how busy the relay is.
const TELLS_FOR: Duration = Duration::from_secs(1);

/// How much the relay has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rate {
    /// There is time for more.
    Calm,
    /// Whatever is done beside the deliveries is time that they miss.
    Busy,
}

#[derive(Default)]
pub(crate) struct State {
    /// `None` until the record was opened.
    pub(crate) journal: Option<Journal>,
    /// Deliveries that were lost, and are not noted in the record yet.
    pub(crate) lost: PerClass<u64>,
    /// The record's files, as they were when it was opened.
    pub(crate) files: OpenFiles,
    /// The record, on its way to the thread that moves.
    handed: Option<Store>,
    /// Held as long as one of the threads runs; `None` until the record was opened for the first time.
    pub(crate) lock: Option<File>,
    /// Counts the journals: numbers of one mean nothing for another.
    generation: u64,
    /// The last group: when it was written, and its deliveries.
    group: Option<(Instant, u64)>,
    is_closing: bool,
}

impl State {
    /// Begins with a record, which has these files, and its journal.
    pub(crate) fn begin(
        &mut self,
        store: Store,
        files: OpenFiles,
        journal: Journal,
    ) -> &mut Journal {
        self.files = files;
        self.handed = Some(store);
        self.begin_journal(journal)
    }

    /// Begins with a journal, whose record is elsewhere.
    pub(crate) fn begin_journal(&mut self, journal: Journal) -> &mut Journal {
        self.generation += 1;
        self.journal.insert(journal)
    }

    /// Tells whether the turn is about the journal that is written by now, and so about the record at its path.
    pub(crate) const fn is_of(&self, turn: &Turn) -> bool {
        self.generation == turn.generation
    }

    /// Notes that a group of so many deliveries was written.
    pub(crate) fn note_group(&mut self, rows: u64) {
        self.group = Some((Instant::now(), rows));
    }

    /// Notes deliveries that were lost.
    pub(crate) const fn lose(&mut self, lost: PerClass<u64>) {
        self.lost.verified = self.lost.verified.saturating_add(lost.verified);
        self.lost.stranger = self.lost.stranger.saturating_add(lost.stranger);
    }

    fn is_idle(&self) -> bool {
        let is_moved = self.journal.as_ref().is_none_or(Journal::is_empty);
        let is_noted = self.lost == PerClass::default();
        is_moved && is_noted && self.handed.is_none() && !self.is_closing
    }

    fn rate(&self) -> Rate {
        match self.group {
            Some((at, rows)) if rows > BUSY_ROWS && at.elapsed() < TELLS_FOR => Rate::Busy,
            _ => Rate::Calm,
        }
    }
}

/// What the thread that moves is told.
pub(crate) struct Turn {
    /// The record that is to be used from now on.
    pub(crate) store: Option<Store>,
    pub(crate) pending: Pending,
    pub(crate) lost: PerClass<u64>,
    pub(crate) rate: Rate,
    pub(crate) is_closing: bool,
    generation: u64,
}

#[derive(Default)]
pub(crate) struct Shared {
    /// What the queue is told.
    pub(crate) needed: Needed,
    /// `true` while deliveries are not recorded.
    pub(crate) is_failing: Arc<AtomicBool>,
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    /// Tells the queue by `needed`, and others by `is_failing` whether deliveries are recorded.
    pub(crate) fn telling(needed: Needed, is_failing: Arc<AtomicBool>) -> Self {
        Self {
            needed,
            is_failing,
            ..Self::default()
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; and if something did, the journal's files say what is so.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the thread that moves that there is something to do.
    pub(crate) fn notify(&self) {
        self.changed.notify_all();
    }

    /// Waits until there is something to do, `idle` at most.
    pub(crate) fn next(&self, idle: Duration) -> Turn {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), idle, |state| state.is_idle());
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        Turn {
            store: state.handed.take(),
            pending: state
                .journal
                .as_ref()
                .map(Journal::pending)
                .unwrap_or_default(),
            lost: std::mem::take(&mut state.lost),
            rate: state.rate(),
            is_closing: state.is_closing,
            generation: state.generation,
        }
    }

    /// Waits for this time; for the end, or for another record, no longer.
    pub(crate) fn pause(&self, time: Duration) {
        let waited = self.changed.wait_timeout_while(self.lock(), time, |state| {
            !state.is_closing && state.handed.is_none()
        });
        drop(waited);
    }

    /// Removes what was moved in this turn; `true` if nothing is left.
    pub(crate) fn retire(&self, turn: &Turn, done: &Done) -> bool {
        let mut state = self.lock();
        let is_same = state.is_of(turn);
        let Some(journal) = &mut state.journal else {
            return true;
        };
        if is_same {
            for path in &done.damaged {
                journal.keep_damaged(path);
            }
            journal.retire(done.moved);
        }
        journal.is_empty()
    }

    /// Nothing is written into the journal any more.
    pub(crate) fn close(&self) {
        self.lock().is_closing = true;
        self.changed.notify_all();
    }
}
