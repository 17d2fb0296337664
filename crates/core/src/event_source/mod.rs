//! The consumer's side of queues: what one must be able to do, and how it fails.

mod limits;

pub use limits::{
    Burial, LONGEST_VISIBILITY, bury, bury_too_often, check_visibility, split_too_often,
};

use crate::BoxFuture;
use bytes::Bytes;
use std::fmt;
use std::time::Duration;

/// A queue from which events are received. Object-safe; one value is shared by all workers.
///
/// An event that was received is nobody else's until its visibility runs out. It is received again then, unless it was
/// acknowledged or rejected. So a consumer that dies loses nothing.
///
/// Some queues keep the order of events that belong together, and name their [group](ReceivedEvent::group). They may hand
/// out several of one group at once. Whoever wants the order works on them one after the other, and gives back what follows
/// one that failed: no queue does that.
///
/// The answers of [`ack`](Self::ack) and [`retry`](Self::retry) are in the receipts' order. A receipt that is no longer
/// good is told as [`Settled::Stale`] where the queue tells it. SQS and Pub/Sub do not tell of an acknowledgement that came
/// too late: it may be told as [`Settled::Done`] there, and the event comes again.
pub trait EventSource: Send + Sync {
    /// Tells whether the queue, or this source, makes dead letters of events that were received too often. Where neither
    /// does, whoever consumes counts, and only what was the event's own fault: a queue cannot tell that from a stop or from
    /// an outage of something else.
    fn limits_receives(&self) -> bool {
        true
    }

    /// Takes up to `max` events for as long as `visibility`, which is refused if the queue hides none for so long. Returns as
    /// soon as there is one. Returns without one once `wait` has passed and the queue was heard of: a queue that cannot be
    /// reached is an error, however short the wait. Fewer than `max` say nothing about what is left.
    ///
    /// A message that makes no sense keeps no other one back: it is logged, left out, and comes again.
    ///
    /// # Errors
    /// [`EventSourceError`] when the queue cannot be read, or when no message of an answer makes sense.
    fn receive(
        &self,
        max: usize,
        visibility: Duration,
        wait: Duration,
    ) -> BoxFuture<'_, Result<Vec<ReceivedEvent>, EventSourceError>>;

    /// Acknowledges several events, durably: they are done with.
    ///
    /// # Errors
    /// [`EventSourceError`] when the queue did not take one of them. All were tried, and some may be acknowledged.
    fn ack<'a>(
        &'a self,
        receipts: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<Settled>, EventSourceError>>;

    /// Gives several events back, to be received again when `after` has passed. A longer time than the queue hides anything
    /// is cut to that. Their receives count.
    ///
    /// # Errors
    /// [`EventSourceError`] when the queue did not take one of them. All were tried. What was not taken is received again
    /// when its visibility runs out.
    fn retry<'a>(
        &'a self,
        receipts: &'a [&'a str],
        after: Duration,
    ) -> BoxFuture<'a, Result<Vec<Settled>, EventSourceError>>;

    /// Keeps one event for `visibility` from now on, or for what is left of the longest time that the queue hides it.
    ///
    /// Some queues give the event another receipt ([`Extended::Until`]). If that answer is lost, or this future is dropped
    /// before it came, no receipt is good any more, and the event comes again. So wait for an extension before you settle.
    ///
    /// # Errors
    /// [`EventSourceError`] when the queue did not take it, as far as is known. The event is kept for as long as before, or
    /// until the answer that was lost said.
    fn extend<'a>(
        &'a self,
        receipt: &'a str,
        visibility: Duration,
    ) -> BoxFuture<'a, Result<Extended, EventSourceError>>;

    /// Moves one event to the dead letters, with `reason` where they have room for it, and only then acknowledges it.
    /// A source that has no place for dead letters refuses to be opened. After [`Settled::Stale`] the event comes again, and
    /// is a dead letter only if its receipt ceased to be good in this very moment.
    ///
    /// # Errors
    /// [`EventSourceError`] when it is not a dead letter, or not known to be one. It is received again then, at the latest
    /// after the time for which it was hidden meanwhile. Its receipt, which may be another one now, is good as before: give
    /// it back by that, if it is to come at another time.
    fn reject<'a>(
        &'a self,
        event: &'a mut ReceivedEvent,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<Settled, EventSourceError>>;
}

/// Settings of a source of events, for
/// [`CommandLineBackEnd::event_source`](crate::backend::CommandLineBackEnd::event_source).
///
/// ```
/// use labelrelay_core::SourceOptions;
///
/// let options = SourceOptions::default()
///     .dead_letter("sqs://eu-central-1/123456789012/failed")
///     .max_receives(3);
/// assert_eq!(options.max_receives, Some(3));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceOptions {
    /// The queue or topic that rejected events go to, as a URL or by its name; without it, the queue's own place for
    /// dead letters.
    pub dead_letter: Option<String>,
    /// Receives after which an event becomes a dead letter, for whatever reason, where the queue has no limit of its own
    /// (Azure, and SQS without a redrive policy): the source hands it out so many times, at least once, and then buries it.
    /// A queue with a limit goes by its own. Unless it is set, the source buries none, and whoever consumes counts
    /// ([`limits_receives`](EventSource::limits_receives)).
    pub max_receives: Option<u32>,
}

impl SourceOptions {
    /// The limit for consumers that count, where none is set.
    pub const MAX_RECEIVES: u32 = 5;

    /// The same with a queue or topic for rejected events.
    #[must_use]
    pub fn dead_letter(mut self, place: impl Into<String>) -> Self {
        self.dead_letter = Some(place.into());
        self
    }

    /// The same with a limit of receives.
    #[must_use]
    pub fn max_receives(mut self, receives: u32) -> Self {
        self.max_receives = Some(receives);
        self
    }
}

/// An event, taken for a while. `Debug` shows neither the envelope nor the receipt.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedEvent {
    /// The envelope, exactly as it was sent; or a pointer to it, as the queue has it.
    pub envelope: Bytes,
    /// Token that settles it, until it is received again.
    pub receipt: String,
    /// Number of times that it was received, this time included; `None` where the queue does not count.
    pub receive_count: Option<u32>,
    /// The queue's own name of the event, for logs: a message's id, a number in a file.
    pub place: String,
    /// Name of the events whose order the queue keeps: the group of a FIFO queue, the ordering key of an ordered
    /// subscription. `None` where the queue keeps no order.
    pub group: Option<String>,
    /// Size in bytes of the whole envelope, where the queue says it of one that is elsewhere: `envelope` is a pointer to it
    /// then.
    pub offloaded_bytes: Option<u64>,
}

impl ReceivedEvent {
    /// An event whose receives the queue does not count.
    pub fn new(
        envelope: impl Into<Bytes>,
        receipt: impl Into<String>,
        place: impl Into<String>,
    ) -> Self {
        Self {
            envelope: envelope.into(),
            receipt: receipt.into(),
            receive_count: None,
            place: place.into(),
            group: None,
            offloaded_bytes: None,
        }
    }

    /// The same event, in an order with the others of `group`.
    #[must_use]
    pub fn in_group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// The same event, whose envelope is elsewhere and has this size.
    #[must_use]
    pub fn offloaded(mut self, bytes: Option<u64>) -> Self {
        self.offloaded_bytes = bytes;
        self
    }

    /// The same event, received so many times, this time included.
    #[must_use]
    pub fn received(mut self, times: u32) -> Self {
        self.receive_count = Some(times);
        self
    }
}

impl fmt::Debug for ReceivedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedEvent")
            .field("place", &self.place)
            .field("receive_count", &self.receive_count)
            .field("envelope_bytes", &self.envelope.len())
            .finish_non_exhaustive()
    }
}

/// Result of an acknowledgement and the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// As was asked.
    Done,
    /// The receipt is not, or no longer, good: somebody else may have the event, or it is settled already.
    Stale,
}

/// Result of keeping an event for longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extended {
    /// The event is kept. From now on this receipt is the good one: some queues give another each time.
    Until(String),
    /// The receipt is not, or no longer, good: somebody else may have the event.
    Stale,
}

/// Why a source of events could not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{resource}: {problem}: {cure}")]
#[non_exhaustive]
pub struct EventSourceError {
    /// The queue.
    pub resource: String,
    /// The problem. Never holds payload or secrets.
    pub problem: String,
    /// The cure.
    pub cure: String,
    /// `true` if the same call may succeed later though nobody changes anything.
    pub retryable: bool,
}

impl EventSourceError {
    /// An error that somebody has to put right.
    ///
    /// ```
    /// use labelrelay_core::EventSourceError;
    ///
    /// let error = EventSourceError::new("queue.db", "the file is locked", "try again").retryable();
    /// assert_eq!(error.to_string(), "queue.db: the file is locked: try again");
    /// assert!(error.retryable);
    /// ```
    pub fn new(
        resource: impl Into<String>,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            resource: resource.into(),
            problem: problem.into(),
            cure: cure.into(),
            retryable: false,
        }
    }

    /// The same error, which may pass by itself.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }
}
