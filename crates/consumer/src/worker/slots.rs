//! Slots: so many events are worked on at the same time, and after a stop no other begins.

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

/// The slots of a consumer. Whoever works on an event takes one, and waits here until one is free.
#[derive(Debug, Clone)]
pub struct Slots {
    free: Arc<Semaphore>,
    phase: watch::Receiver<Phase>,
    aside: Arc<AtomicUsize>,
}

/// A slot, which is free again once this is dropped.
#[derive(Debug)]
pub struct Slot {
    _permit: OwnedSemaphorePermit,
}

/// Closes the slots.
#[derive(Debug)]
pub(crate) struct Control(watch::Sender<Phase>);

/// Slots for `concurrency` events.
pub(crate) fn slots(concurrency: usize) -> (Slots, Control) {
    let (sender, phase) = watch::channel(Phase::Running);
    let slots = Slots {
        free: Arc::new(Semaphore::new(concurrency.min(Semaphore::MAX_PERMITS))),
        phase,
        aside: Arc::default(),
    };
    (slots, Control(sender))
}

impl Control {
    pub(crate) fn stop(&self) {
        self.0.send_replace(Phase::Stopping);
    }

    pub(crate) fn end(&self) {
        self.0.send_replace(Phase::Over);
    }
}

impl Slots {
    /// Waits for a slot. `None` once the time to begin anything is over: the event is
    /// [not begun](crate::Outcome::NotBegun) then.
    pub async fn take(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.free).acquire_owned();
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
        // Whoever closes the slots is gone: so is everything else.
        let _ = phases.wait_for(|now| *now >= phase).await;
    }

    /// Counts an event that waits for another one, and so keeps no slot from anybody.
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
