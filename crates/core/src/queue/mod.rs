//! Queues: what one must be able to do, and how it fails.

mod error;

pub use error::{QueueError, QueueErrorKind};

use crate::BoxFuture;
use crate::lease::Lease;
use bytes::Bytes;
use labelrelay_event::Attributes;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A durable queue. Object-safe; one value is shared by all requests, so implementations never hold
/// a lock across a send.
///
/// `send` returns `Ok` only when the message would survive a crash of everything on this side.
///
/// A queue in memory, as a test may have it:
///
/// ```
/// use labelrelay_core::{BoxFuture, EventQueue, OutboundMessage, QueueError, QueueLimits, Receipt};
/// use std::sync::Mutex;
///
/// #[derive(Default)]
/// struct InMemory(Mutex<Vec<OutboundMessage>>);
///
/// impl EventQueue for InMemory {
///     fn send<'a>(&'a self, message: &'a OutboundMessage) -> BoxFuture<'a, Result<Receipt, QueueError>> {
///         Box::pin(async move {
///             let mut events = self.0.lock().unwrap();
///             let key = message.deduplication_key();
///             if events.iter().any(|event| event.deduplication_key() == key) {
///                 return Ok(Receipt::repeat(None));
///             }
///             events.push(message.clone());
///             Ok(Receipt::new(None))
///         })
///     }
///
///     fn limits(&self) -> QueueLimits {
///         QueueLimits::bytes(256 * 1024)
///     }
///
///     fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
///         Box::pin(async { Ok(()) })
///     }
/// }
/// ```
pub trait EventQueue: Send + Sync {
    /// Puts one message on the queue, durably.
    ///
    /// # Errors
    /// [`QueueError`] says what failed and whether trying again can help. After an error the message
    /// may still be on the queue: a later send with the same id is then a repeat.
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>>;

    /// Limits of one message.
    fn limits(&self) -> QueueLimits;

    /// Copies of a message that this process has in memory while it is sent, beside the message itself.
    fn copies(&self) -> Copies {
        Copies::default()
    }

    /// Size in bytes above which the queue puts a message into a store, whole, and keeps a pointer to it; `None` if it
    /// never does. Such a message is copied from where it is, not as [`copies`](Self::copies) says, and takes longer.
    fn offloads_above(&self) -> Option<u64> {
        None
    }

    /// Bytes that the queue counts against [`QueueLimits::max_message_bytes`]; some count attributes too.
    fn message_bytes(&self, message: &OutboundMessage) -> u64 {
        message.body.len() as u64
    }

    /// Checks that the queue could take a message now; also opens connections ahead of the first one.
    ///
    /// # Errors
    /// The error that a send would meet.
    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>>;

    /// Number of dead letters beside the queue, for people. It is unknown where there is no place for them, and where
    /// sending needs less rights than counting.
    ///
    /// # Errors
    /// [`QueueError`] when the place is named and cannot be asked.
    fn dead_letters(&self) -> BoxFuture<'_, Result<DeadLetterCount, QueueError>> {
        Box::pin(std::future::ready(Ok(DeadLetterCount::Unknown(None))))
    }

    /// The right to do `work`, which one at a time of all processes on this queue is to do; `None` while another has it. A
    /// queue that knows nothing of other processes gives it to whoever asks.
    ///
    /// # Errors
    /// [`QueueError`] when the queue cannot be asked.
    fn lease<'a>(&'a self, work: &'a str) -> BoxFuture<'a, Result<Option<Lease>, QueueError>> {
        let _ = work;
        Box::pin(std::future::ready(Ok(Some(Lease::of(())))))
    }

    /// Fault behind a queue that takes every message, with its cure: nobody gets what it takes. `None` where there is
    /// none, and where sending needs less rights than looking.
    fn doubt(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(std::future::ready(None))
    }
}

/// Number of dead letters beside a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetterCount {
    /// As many as the queue's service says, which counts now and then.
    About(u64),
    /// As many as a look has shown. There may be more.
    AtLeast(u64),
    /// The queue does not tell. The words say how a person finds out, where there is a way.
    Unknown(Option<&'static str>),
}

impl From<Option<u64>> for DeadLetterCount {
    /// The number that a service gave, if it gave one.
    fn from(count: Option<u64>) -> Self {
        count.map_or(Self::Unknown(None), Self::About)
    }
}

/// Copies of messages that sending them makes in this process's memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copies {
    /// Of each message that is under way: what a client serialises.
    pub of_each: u64,
    /// Of one message after another: what a single writer binds and writes.
    pub of_one: u64,
}

/// One message, ready to send. `Debug` shows neither the envelope nor anything of its data.
#[derive(Clone)]
#[non_exhaustive]
pub struct OutboundMessage {
    /// Body of the queue's message: the envelope.
    pub body: Bytes,
    /// The envelope's attributes, for queues that carry some of them beside the body.
    pub attributes: Arc<Attributes>,
}

impl OutboundMessage {
    /// A message that carries `envelope`, whose attributes are these.
    pub fn new(attributes: impl Into<Arc<Attributes>>, envelope: impl Into<Bytes>) -> Self {
        Self {
            body: envelope.into(),
            attributes: attributes.into(),
        }
    }

    /// Event id.
    pub fn id(&self) -> &str {
        &self.attributes.id
    }

    /// Key by which the queue recognises a repeat, where it does that: the id, and for an event that is sent again
    /// on purpose the time of that as well, so that it is not taken for a repeat of the first.
    pub fn deduplication_key(&self) -> Cow<'_, str> {
        match &self.attributes.replayedtime {
            None => Cow::Borrowed(self.id()),
            Some(time) => Cow::Owned(format!("{}@{time}", self.id())),
        }
    }

    /// Event type, for filtering without parsing.
    pub fn event_type(&self) -> &str {
        &self.attributes.event_type
    }

    /// `/` and the source's name.
    pub fn source(&self) -> &str {
        &self.attributes.source
    }

    /// Kind and id of what the event is about.
    pub fn subject(&self) -> Option<&str> {
        self.attributes.subject.as_deref()
    }

    /// Group id or ordering key, where the queue has such a thing.
    pub fn partition_key(&self) -> &str {
        self.attributes
            .partitionkey
            .as_deref()
            .unwrap_or(&self.attributes.source)
    }
}

impl fmt::Debug for OutboundMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundMessage")
            .field("id", &self.id())
            .field("type", &self.event_type())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Limits of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Largest message in bytes, attributes included; what is larger is claim-checked.
    pub max_message_bytes: u64,
    /// `true` if the queue refuses the characters that XML 1.0 refuses (SQS): U+FFFE, U+FFFF and control characters
    /// other than tab, line feed and carriage return.
    pub xml_characters_only: bool,
    /// `true` if a line break within a message would split it (`stdout:`).
    pub single_line: bool,
}

impl QueueLimits {
    /// A queue that takes any bytes up to `max_message_bytes`.
    pub const fn bytes(max_message_bytes: u64) -> Self {
        Self {
            max_message_bytes,
            xml_characters_only: false,
            single_line: false,
        }
    }
}

/// Proof that a message is durably on the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The queue's own id of the message, where it gives one.
    pub message_id: Option<String>,
    /// `true` if the queue already had a message with this id within its window, and kept that one.
    pub repeat: bool,
}

impl Receipt {
    /// The message is new to the queue.
    pub const fn new(message_id: Option<String>) -> Self {
        Self {
            message_id,
            repeat: false,
        }
    }

    /// The queue has the message already, durably.
    pub const fn repeat(message_id: Option<String>) -> Self {
        Self {
            message_id,
            repeat: true,
        }
    }
}
