//! Receives events, lets somebody work on them, and settles them.

mod acks;
mod group;
mod held;
mod keeper;
mod named_events;
mod run;
mod settings;
mod shared;
pub(crate) mod slots;

pub use settings::Settings;
pub use slots::{Slot, Slots};

use crate::outcome::Outcome;
use crate::stats::{Counters, Stats};
use labelrelay_core::{BoxFuture, EventSource, EventSourceError, ReceivedEvent};
use std::sync::Arc;
use std::time::Duration;

/// Whoever works on events, one at a time and several at once. Object-safe.
pub trait Work: Send + Sync + 'static {
    /// Works on one event. It waits for a slot by [`Slots::take`], and keeps it as long as it works.
    fn work<'a>(&'a self, event: &'a ReceivedEvent, slots: &'a Slots) -> BoxFuture<'a, Outcome>;

    /// Makes durable what it keeps. Nothing is acknowledged before.
    ///
    /// # Errors
    /// The reason, when it is not durable.
    fn sync(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Keeps for `time` from now on what it holds in other places. Called three times in each `time`.
    ///
    /// # Errors
    /// The reason, when that failed.
    fn keep(&self, time: Duration) -> BoxFuture<'_, Result<(), String>> {
        let _ = time;
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Receives the events of a queue and has them worked on: each is hidden from other consumers meanwhile, and one that
/// fails comes again and takes no other along.
///
/// Where the queue keeps the order of events ([`group`](ReceivedEvent::group)), those of one group are worked on one after
/// the other. What is held of a group behind one that comes again, comes again with it.
///
/// For events as they are. [`Consumer`](crate::Consumer) is for the changes that they bring.
///
/// ```
/// use labelrelay_consumer::{Outcome, Settings, Slots, Work, Worker};
/// use labelrelay_core::{BoxFuture, EventSource, ReceivedEvent};
/// use std::sync::Arc;
///
/// struct Print;
///
/// impl Work for Print {
///     fn work<'a>(&'a self, event: &'a ReceivedEvent, slots: &'a Slots) -> BoxFuture<'a, Outcome> {
///         Box::pin(async move {
///             let Some(_slot) = slots.take().await else {
///                 return Outcome::NotBegun;
///             };
///             println!("{} bytes", event.envelope.len());
///             Outcome::Done
///         })
///     }
/// }
///
/// async fn print(queue: Arc<dyn EventSource>) -> Result<(), labelrelay_consumer::RunError> {
///     let worker = Worker::new(queue, Arc::new(Print), Settings::default());
///     let stats = worker.run(std::future::pending()).await?;
///     println!("{} events", stats.acknowledged);
///     Ok(())
/// }
/// ```
pub struct Worker<W> {
    source: Arc<dyn EventSource>,
    work: Arc<W>,
    settings: Settings,
    counters: Arc<Counters>,
}

impl<W: Work> Worker<W> {
    /// Lets `work` work on the events of `source`.
    pub fn new(source: Arc<dyn EventSource>, work: Arc<W>, settings: Settings) -> Self {
        Self::counting(source, work, settings, Arc::default())
    }

    pub(crate) fn counting(
        source: Arc<dyn EventSource>,
        work: Arc<W>,
        settings: Settings,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            source,
            work,
            settings,
            counters,
        }
    }

    /// Counts of what was done so far.
    pub fn stats(&self) -> Stats {
        self.counters.shown()
    }
}

impl<W> std::fmt::Debug for Worker<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Why events are not received, or no more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A setting cannot be.
    #[error("{setting}: {cure}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// Cure.
        cure: &'static str,
    },
    /// There is nobody to hand changes to.
    #[error("no handler: register one with `on`")]
    NoHandler,
    /// Nothing could be received, or nothing that was handled could be acknowledged, and somebody has to put that right.
    #[error(transparent)]
    Source(#[from] EventSourceError),
    /// The task that acknowledges panicked. What was not acknowledged comes again.
    #[error("events can no longer be acknowledged, which is a bug: please report it")]
    NotAcknowledged,
    /// No receive succeeded within the time after which the run ends.
    #[error("no receive succeeded: {0}")]
    NothingReceived(EventSourceError),
}
