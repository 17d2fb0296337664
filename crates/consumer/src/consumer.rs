//! A consumer: hands every change to its handlers, and tells the queue what became of the event.

use crate::failure::Failure;
use crate::incoming::Incoming;
use crate::rules::{Handler, Rules};
use crate::state::State;
use crate::stats::Stats;
use crate::worker::{RunError, Settings, Worker};
use labelrelay_core::{BlobStore, EventSource};
use labelrelay_event::changes::Kind;
use std::fmt;
use std::sync::Arc;

/// Hands every change that the events of a queue bring to its handlers: the newest version of each thing last, and never two
/// of one thing at the same time.
///
/// Its clones share what it remembers, and keep things apart among themselves: let clones of one consumer receive from
/// several queues.
///
/// A handler may be called twice for one change: write so that the second time changes nothing.
///
/// ```
/// use labelrelay_consumer::{Consumer, Failure, Incoming, MemoryState, RunError};
/// use labelrelay_core::EventSource;
/// use labelrelay_event::changes::{Change, Kind, Record};
/// use std::sync::Arc;
///
/// async fn keep(incoming: Incoming) -> Result<(), Failure> {
///     let Change::Changed(changed) = incoming.change() else {
///         println!("gone {}", incoming.key());
///         return Ok(());
///     };
///     if let Some(Record::Annotation(annotation)) = changed.record.as_deref() {
///         println!("there {} with {} regions", changed.key, annotation.regions.len());
///     }
///     Ok(())
/// }
///
/// async fn consume(queue: Arc<dyn EventSource>) -> Result<(), RunError> {
///     let consumer = Consumer::new(MemoryState::new()).on([Kind::Annotation, Kind::Label], keep);
///     consumer.run(queue, std::future::pending()).await?;
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Consumer {
    pub(crate) rules: Rules,
    settings: Settings,
}

impl Consumer {
    /// A consumer that remembers in `state` what it handled. It has no handler yet.
    pub fn new(state: impl State + 'static) -> Self {
        let settings = Settings::default();
        Self {
            rules: Rules::new(Arc::new(state), settings.visibility),
            settings,
        }
    }

    /// Calls `handler` for every change of these kinds. Several handlers of a kind are called in the order in which they
    /// were registered, until one fails.
    #[must_use]
    pub fn on<F, Fut>(mut self, kinds: impl IntoIterator<Item = Kind>, handler: F) -> Self
    where
        F: Fn(Incoming) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let kinds = Some(kinds.into_iter().collect());
        self.rules.handlers.push(Handler::new(kinds, handler));
        self
    }

    /// Calls `handler` for every change.
    #[must_use]
    pub fn on_all<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(Incoming) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        self.rules.handlers.push(Handler::new(None, handler));
        self
    }

    /// Reads from `store`, too, what was too large for the queue: bodies, and whole envelopes. A consumer reads from the stores that it was given
    /// and from no other, whatever an envelope or a pointer says.
    #[must_use]
    pub fn blob_store(mut self, store: Arc<dyn BlobStore>) -> Self {
        self.rules.stores.push(store);
        self
    }

    /// Receives and settles by these settings.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.rules.lease = settings.visibility;
        self.settings = settings;
        self
    }

    /// Counts of what was done since the consumer was made; its clones count together with it.
    pub fn stats(&self) -> Stats {
        self.rules.counters.shown()
    }

    /// Handles the events of `source` until `stop` completes, or nothing came for [`Settings::until_idle`].
    ///
    /// Then nothing more is received. What was begun is finished, what was not begun within [`Settings::drain`] is given
    /// back. If the future is dropped instead, everything that is held comes again when its visibility timeout is over.
    /// Needs a Tokio runtime with its timer around it; one of several threads, if handlers keep their thread busy.
    ///
    /// # Errors
    /// [`RunError`]. A queue that cannot be read is tried again, unless it never could be and somebody has to put that
    /// right.
    pub async fn run(
        &self,
        source: Arc<dyn EventSource>,
        stop: impl Future<Output = ()>,
    ) -> Result<Stats, RunError> {
        if self.rules.handlers.is_empty() {
            return Err(RunError::NoHandler);
        }
        let rules = Arc::new(self.rules.clone());
        let counters = Arc::clone(&self.rules.counters);
        let worker = Worker::counting(source, rules, self.settings.clone(), counters);
        worker.run(stop).await
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("handlers", &self.rules.handlers.len())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
