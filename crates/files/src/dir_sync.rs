//! Syncs a directory for many at once: a new name lasts when its directory is synced, and one sync does for all
//! names that were there when it began.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Result;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

/// Failures that somebody may not have looked at yet. Everybody looks as soon as it is awake.
const MAX_FAILURES: usize = 1024;

/// A directory, and who waits for its names to last.
#[derive(Debug)]
pub(crate) struct DirSync {
    dir: PathBuf,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Tickets given out: whoever has one waits for a sync that begins after it.
    tickets: u64,
    /// Tickets up to this one have had their sync.
    done: u64,
    /// Somebody syncs.
    busy: bool,
    /// Tickets whose sync failed, and how. Never tried again on their behalf: a disk that has failed once says
    /// the next time that all is well.
    failures: VecDeque<(RangeInclusive<u64>, std::io::ErrorKind, String)>,
}

impl DirSync {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            state: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes every name last that is in the directory now. Waits for the disk.
    pub(crate) fn sync(&self) -> Result<()> {
        self.sync_by(sync)
    }

    fn sync_by(&self, sync: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.tickets += 1;
        let mine = state.tickets;
        while state.busy && state.done < mine {
            state = self
                .ended
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.done < mine {
            state.busy = true;
            let (first, last) = (state.done + 1, state.tickets);
            drop(state);
            let outcome = sync(&self.dir);
            state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.busy = false;
            state.done = last;
            if let Err(error) = outcome {
                if state.failures.len() == MAX_FAILURES {
                    state.failures.pop_front();
                }
                let failure = (first..=last, error.kind(), error.to_string());
                state.failures.push_back(failure);
            }
            self.ended.notify_all();
        }
        let mut failures = state.failures.iter();
        match failures.find(|(tickets, ..)| tickets.contains(&mine)) {
            None => Ok(()),
            Some((_, kind, message)) => Err(std::io::Error::new(*kind, message.clone())),
        }
    }
}

/// Makes the names in a directory last.
pub(crate) fn sync(dir: &Path) -> Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn callers_during_a_sync_share_the_next_one() {
        const WAITING: usize = 16;
        let dir_sync = DirSync::new("unused".into());
        let syncs = AtomicUsize::new(0);
        let (begun, go_on) = (Barrier::new(2), Barrier::new(2));
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                dir_sync.sync_by(|_| {
                    begun.wait();
                    go_on.wait();
                    Ok(())
                })
            });
            begun.wait();
            let waiting: Vec<_> = (0..WAITING)
                .map(|_| {
                    scope.spawn(|| {
                        dir_sync.sync_by(|_| {
                            syncs.fetch_add(1, Ordering::Relaxed);
                            Err(std::io::Error::other("broken"))
                        })
                    })
                })
                .collect();
            while dir_sync.state.lock().unwrap().tickets <= WAITING as u64 {
                std::thread::yield_now();
            }
            assert_eq!(
                syncs.load(Ordering::Relaxed),
                0,
                "what is under way may have begun before their names were there"
            );
            go_on.wait();
            first.join().unwrap().unwrap();
            for waiting in waiting {
                let error = waiting.join().unwrap().unwrap_err();
                assert_eq!(error.to_string(), "broken", "all hear of it");
            }
        });
        assert_eq!(syncs.load(Ordering::Relaxed), 1);
        dir_sync.sync_by(|_| Ok(())).unwrap();
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let dir_sync = DirSync::new(dir.path().to_owned());
        dir_sync.sync().unwrap();
        drop(dir);
        let error = dir_sync.sync().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    }
}
