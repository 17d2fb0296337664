//! The thread that moves deliveries out of the journal, into the file where they are found.
//!
//! That costs many times what the journal costs. So it takes a tenth of a core, and rests while so many deliveries come
//! that they need the machine. Whoever reads, reads the journal, too.

use crate::class::PerClass;
use crate::error::RecordError;
use crate::intake::{Done, Load};
use crate::journal::Pending;
use crate::open_files::OpenFiles;
use crate::options::Options;
use crate::room;
use crate::set_aside::{can_be_set_aside, set_aside};
use crate::shared::{Rate, Shared, Turn};
use crate::store::Store;
use labelrelay_core::{Clock, chain};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Without deliveries, what is too old is looked for this often.
const IDLE: Duration = Duration::from_secs(60);

/// While the relay is busy, it is asked this often whether it still is.
const REST: Duration = Duration::from_secs(1);

/// A file that cannot be used is tried again this often.
const AGAIN: Duration = Duration::from_secs(5);

/// An end waits this long for what is left. Until the next start nobody takes deliveries, and that one goes on with the
/// rest: readers find it in the journal, too.
const LAST: Duration = Duration::from_millis(500);

/// Rows of one transaction: a few milliseconds.
const ROWS: usize = 256;

/// The same at the end, when nobody waits for the machine.
const LAST_ROWS: usize = 4096;

/// The same while the relay is busy and the journal has more than it may: most of it is left out.
const BUSY_ROWS: usize = 16;

pub(crate) struct Mover {
    path: PathBuf,
    options: Options,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    store: Option<Store>,
    has_failed: bool,
}

impl Mover {
    pub(crate) fn new(
        path: PathBuf,
        options: Options,
        clock: Arc<dyn Clock>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            path,
            options,
            clock,
            shared,
            store: None,
            has_failed: false,
        }
    }

    /// Moves what there is to move, until nothing is written any more.
    pub(crate) fn run(mut self) {
        give_way();
        let mut end = None;
        loop {
            let mut turn = self.shared.next(IDLE);
            if turn.is_closing && end.is_none() {
                end = Some(Instant::now() + LAST);
            }
            let is_new = turn.store.is_some();
            if is_new {
                self.store = turn.store.take();
            }
            // What waits is found in the journal, too.
            if room::is_low(&self.path, false) {
                self.shared.lock().lose(turn.lost);
                if turn.is_closing {
                    break;
                }
                self.shared.pause(AGAIN);
                continue;
            }
            let is_over = is_over(&turn.pending, &self.options);
            let rests = turn.rate == Rate::Busy && !is_over && !is_new && !turn.is_closing;
            if rests && turn.lost == PerClass::default() {
                self.shared.pause(REST);
                continue;
            }
            let rows = match turn.rate {
                _ if turn.is_closing => LAST_ROWS,
                Rate::Busy if is_over => BUSY_ROWS,
                Rate::Busy => 0,
                Rate::Calm => ROWS,
            };
            let begun = Instant::now();
            let is_empty = self.step(&turn, rows);
            if let Some(end) = end
                && (is_empty || self.has_failed || Instant::now() >= end)
            {
                break;
            }
            let spent = begun.elapsed();
            self.shared.pause(match turn.rate {
                _ if self.has_failed || self.store.is_none() => AGAIN,
                Rate::Busy => spent * 3,
                Rate::Calm => spent * 9,
            });
        }
        if let Some(journal) = &mut self.shared.lock().journal {
            journal.close();
        }
    }

    /// Moves so many rows; `true` if nothing is left to move.
    fn step(&mut self, turn: &Turn, rows: usize) -> bool {
        // A second time, after a file was set aside.
        let mut taken = self.take_in(turn, rows);
        if let Err(error) = &taken
            && self.make_room(turn, error)
        {
            taken = self.take_in(turn, rows);
        }
        match taken {
            Ok(done) => {
                if self.store.is_some() && std::mem::take(&mut self.has_failed) {
                    tracing::info!(name: "record_moves_again", file = %self.path.display(), "deliveries are moved into the record again");
                }
                if let Some(oldest) = done.oldest {
                    self.shared.needed.tell(oldest);
                }
                self.shared.retire(turn, &done)
            }
            Err(error) => {
                if !self.has_failed {
                    tracing::warn!(name: "record_not_moved", reason = %chain(&error), "deliveries wait in the journal of the record, where they are found, too; moving them is tried again every 5 seconds");
                }
                self.has_failed = true;
                self.store = None;
                self.shared.lock().lose(turn.lost);
                false
            }
        }
    }

    fn take_in(&mut self, turn: &Turn, rows: usize) -> Result<Done, RecordError> {
        if self.store.is_none() && self.has_failed {
            // Whoever begins a new record waits meanwhile.
            let mut state = self.shared.lock();
            // One that was begun since then comes with a turn of its own: numbers of this one mean nothing for it.
            if state.is_of(turn) && !state.files.are_displaced(&self.path) {
                self.store = Some(Store::open(&self.path)?);
                // `SQLite` has made anew what stands beside it.
                state.files = OpenFiles::at(&self.path).opened_after(state.files);
            }
        }
        let Some(store) = &self.store else {
            self.shared.lock().lose(turn.lost);
            return Ok(Done::default());
        };
        store.take_in(&Load {
            pending: &turn.pending,
            rows,
            lost: turn.lost,
            options: &self.options,
            now_ms: self.clock.now().as_millisecond(),
        })
    }

    /// Sets a file aside that can never be written, and begins another. `true` if that one is there.
    fn make_room(&mut self, turn: &Turn, error: &RecordError) -> bool {
        if !can_be_set_aside(error) {
            return false;
        }
        // Whoever writes the journal must not see the moment in which there is no file.
        let mut state = self.shared.lock();
        self.store = None;
        // Nor is a record set aside that was begun since then: the error is not its own.
        if !state.is_of(turn) || !set_aside(&self.path, error, !self.has_failed) {
            return false;
        }
        self.store = Store::open(&self.path).ok();
        state.files = OpenFiles::at(&self.path);
        self.store.is_some()
    }
}

/// Tells whether the journal has more than the whole record may have.
fn is_over(pending: &Pending, options: &Options) -> bool {
    let sums = &pending.sums;
    let is_over = [
        (&sums.verified, &options.verified),
        (&sums.stranger, &options.stranger),
    ]
    .into_iter()
    .any(|(sums, limits)| {
        let is_over = sums.rows > limits.deliveries || sums.bytes > limits.bytes;
        is_over || sums.body_bytes > limits.body_bytes
    });
    is_over || pending.bytes > options.journal_bytes()
}

/// Lets other threads have the processor first, where a thread has a priority of its own.
#[cfg(target_os = "linux")]
fn give_way() {
    // Without it nothing is wrong.
    let _ = rustix::process::nice(10);
}

#[cfg(not(target_os = "linux"))]
const fn give_way() {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;
    #[cfg(unix)]
    use crate::open_files::with;
    use crate::reader::RecordFile;
    use crate::row::Row;
    use crate::writer::tests::write_group;
    use labelrelay_startup::SystemClock;
    use std::path::Path;

    /// Writes one group of deliveries with these ids.
    fn write(shared: &Arc<Shared>, path: &Path, ids: &[&str]) {
        let rows = ids.iter().map(|id| Row {
            event_id: Some((*id).to_owned()),
            verified_by: Some("env:SECRET".to_owned()),
            ..Row::default()
        });
        write_group(shared, path, &Options::default(), rows);
    }

    #[cfg(unix)]
    #[test]
    fn what_stands_beside_a_record_that_was_opened_again_is_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("queue.db.record");
        let shared = Arc::<Shared>::default();
        write(&shared, &path, &["e-1"]);
        let mut turn = shared.next(IDLE);
        // Moving it failed: nobody has the file open any more. What SQLite makes anew shall be other files.
        drop(turn.store.take());
        for other in ["one", "another"] {
            std::fs::write(dir.path().join(other), "").unwrap();
        }
        let clock = Arc::new(SystemClock::new());
        let mut mover = Mover::new(path.clone(), Options::default(), clock, Arc::clone(&shared));
        mover.has_failed = true;
        mover.step(&turn, ROWS);
        assert!(with(&path, "-wal").exists());
        // Another record takes its place.
        std::fs::rename(&path, dir.path().join("aside")).unwrap();
        let files = shared.lock().files;
        files.remove_left_over(&path);
        for ending in ["-wal", "-shm"] {
            assert!(!with(&path, ending).exists(), "{ending}");
        }
    }

    #[test]
    fn numbers_of_a_record_that_was_removed_are_not_taken_for_those_of_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("queue.db.record");
        let shared = Arc::<Shared>::default();
        write(&shared, &path, &["e-1", "e-2", "e-3"]);
        let mut turn = shared.next(IDLE);
        // Moving it failed, and so somebody removes the file, between this turn and its step.
        drop(turn.store.take());
        std::fs::remove_file(&path).unwrap();
        write(&shared, &path, &["e-4"]);
        let clock = Arc::new(SystemClock::new());
        let mut mover = Mover::new(path.clone(), Options::default(), clock, Arc::clone(&shared));
        mover.has_failed = true;
        mover.step(&turn, ROWS);
        write(&shared, &path, &["e-5"]);
        let record = RecordFile::open(&path).unwrap().unwrap();
        let found = record.list(&Filter::default(), usize::MAX).unwrap();
        let ids: Vec<_> = found.iter().map(|it| it.row.event_id.as_deref()).collect();
        assert_eq!(ids, [Some("e-4"), Some("e-5")]);
        assert_eq!(record.lost().unwrap(), 0);
    }
}
