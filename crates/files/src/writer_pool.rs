//! A pool of threads that write objects: a few for all of them, in the order in which they came. More of them write
//! no faster, for a disk has one journal; they take turns at random instead, and some wait for long.

use crate::disk_thread::{Answer, no_thread, spawn};
use futures_channel::oneshot;
use labelrelay_core::BlobError;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Number of threads that write at a time; their syncs share what the disk does for them.
const THREADS: usize = 8;

/// Time that a thread waits for more before it ends.
const IDLE: Duration = Duration::from_secs(10);

type Work = Box<dyn FnOnce() + Send>;

/// The threads of one store; they end by themselves.
#[derive(Default)]
pub(crate) struct WriterPool(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    threads: usize,
    /// Number of them that wait for more.
    idle: usize,
}

impl WriterPool {
    /// Runs `work` after what came before it, unless nobody waits for its answer by then.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
    ) -> Result<Answer<T>, BlobError> {
        let (done, answer) = oneshot::channel();
        let work = move || {
            if !done.is_canceled() {
                let _gone = done.send(work());
            }
        };
        let mut state = self.0.state();
        state.waiting.push_back(Box::new(work));
        if state.waiting.len() > state.idle && state.threads < THREADS {
            match self.0.thread() {
                Ok(()) => state.threads += 1,
                // Those that there are come to it.
                Err(_) if state.threads > 0 => {}
                Err(source) => {
                    state.waiting.pop_back();
                    return Err(no_thread(source));
                }
            }
        }
        drop(state);
        self.0.more.notify_one();
        Ok(answer)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn thread(self: &Arc<Self>) -> std::io::Result<()> {
        let this = Arc::clone(self);
        spawn(move || this.work()).map(drop)
    }

    /// Main loop of one thread.
    fn work(&self) {
        while let Some(work) = self.next() {
            // A panic is one event's: its answer says that there is none.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        }
    }

    /// The next in turn; `None` when it is time to end.
    fn next(&self) -> Option<Work> {
        let mut state = self.state();
        if state.waiting.is_empty() {
            state.idle += 1;
            let waited = self
                .more
                .wait_timeout_while(state, IDLE, |state| state.waiting.is_empty());
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.idle -= 1;
        }
        let work = state.waiting.pop_front();
        if work.is_none() {
            state.threads -= 1;
        }
        work
    }
}

impl fmt::Debug for WriterPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_executor::block_on;
    use std::sync::mpsc;

    #[test]
    fn few_threads_run_all_work_in_order_and_survive_a_panic() {
        let writers = WriterPool::default();
        let (open, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        // Every thread has something that does not end.
        let stuck: Vec<_> = (0..THREADS)
            .map(|_| {
                let gate = Arc::clone(&gate);
                let work = move || {
                    let _ended = gate.lock().unwrap().recv();
                    Ok(())
                };
                writers.run(work).unwrap()
            })
            .collect();
        let (said, order) = mpsc::channel();
        let waiting: Vec<_> = (0..100)
            .map(|n| {
                let said = said.clone();
                let work = move || {
                    assert!(n != 50, "this one breaks");
                    said.send(n).unwrap();
                    Ok(n)
                };
                writers.run(work).unwrap()
            })
            .collect();
        let nobody_waits = writers.run(|| -> Result<(), BlobError> { panic!("ran") });
        drop(nobody_waits.unwrap());
        assert_eq!(writers.0.state().threads, THREADS);
        // One of them goes on: what waits runs in its order.
        open.send(()).unwrap();
        for (n, waiting) in waiting.into_iter().enumerate() {
            match block_on(waiting) {
                Ok(answer) => assert_eq!(answer.unwrap(), n),
                Err(_) => assert_eq!(n, 50),
            }
        }
        drop((said, open));
        let expected: Vec<_> = (0..100).filter(|n| *n != 50).collect();
        assert_eq!(order.iter().collect::<Vec<_>>(), expected);
        for stuck in stuck {
            block_on(stuck).unwrap().unwrap();
        }
        assert_eq!(writers.0.state().threads, THREADS, "none was lost");
    }
}
