//! Turns: so many events are worked on at the same time, and after a stop no other begins.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// Nothing more is received.
    Stopping,
    /// Nothing more begins.
    Over,
}

/// Whoever works on an event waits here for its turn.
#[derive(Debug, Clone)]
pub struct Turn {
    slots: Arc<Semaphore>,
    phase: watch::Receiver<Phase>,
    aside: Arc<AtomicUsize>,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub struct Slot {
    _permit: OwnedSemaphorePermit,
}

/// Ends turns.
#[derive(Debug)]
pub(crate) struct Control(watch::Sender<Phase>);

/// Turns for `concurrency` events.
pub(crate) fn turns(concurrency: usize) -> (Turn, Control) {
    let (sender, phase) = watch::channel(Phase::Running);
    let turn = Turn {
        slots: Arc::new(Semaphore::new(concurrency.min(Semaphore::MAX_PERMITS))),
        phase,
        aside: Arc::default(),
    };
    (turn, Control(sender))
}

impl Control {
    pub(crate) fn stop(&self) {
        self.0.send_replace(Phase::Stopping);
    }

    pub(crate) fn end(&self) {
        self.0.send_replace(Phase::Over);
    }
}

impl Turn {
    /// Waits for a turn. `None` once the time to begin anything is over: the event is
    /// [not begun](crate::Outcome::NotBegun) then.
    pub async fn take(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.slots).acquire_owned();
        let permit = self.unless_over(permit).await?.ok()?;
        Some(Slot { _permit: permit })
    }

    /// Completes once nothing more is received. Whoever waits for something outside should not wait on then.
    pub async fn stopping(&self) {
        self.reached(Phase::Stopping).await;
    }

    /// Runs `work`, which nothing is begun by; `None` once the time to begin anything is over.
    pub(crate) async fn unless_over<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.reached(Phase::Over) => None,
            done = work => Some(done),
        }
    }

    async fn reached(&self, phase: Phase) {
        let mut phases = self.phase.clone();
        // Whoever ends turns is gone: so is everything else.
        let _ = phases.wait_for(|now| *now >= phase).await;
    }

    /// Counts an event that waits for another one, and so keeps no turn from anybody.
    pub(crate) fn aside(&self) -> Aside<'_> {
        self.aside.fetch_add(1, Ordering::Relaxed);
        Aside(&self.aside)
    }

    pub(crate) fn waiting_aside(&self) -> usize {
        self.aside.load(Ordering::Relaxed)
    }
}

/// Counts as long as it lives.
pub(crate) struct Aside<'a>(&'a AtomicUsize);

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
