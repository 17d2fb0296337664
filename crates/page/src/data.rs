//! What the page shows, and where it comes from.

use std::fmt;

/// Deliveries and states, for the page. Every method may wait for a disk.
pub trait PageData: Send + Sync {
    /// Deliveries that pass, the newest first, `limit` at most. The page asks for one more than it shows.
    ///
    /// # Errors
    /// [`DataError`] when the record cannot be read.
    fn list(&self, query: &ListQuery, limit: usize) -> Result<Listing, DataError>;

    /// One delivery, by its name in the record (`r12`) or an id of it; `None` when there is none.
    ///
    /// # Errors
    /// [`DataError`] when the record cannot be read.
    fn delivery(&self, name: &str) -> Result<Option<Delivery>, DataError>;

    /// Parts of the way from the platform to the data set, in its order. It is asked for all the time.
    fn strip(&self) -> Vec<PartState>;

    /// Sources, with what to enter on their platforms, and how they are now.
    fn sources(&self) -> Vec<SourceView>;

    /// Does something with the event of a delivery, which is named as for [`delivery`](Self::delivery); `None` when there
    /// is no such delivery. Somebody who looks on asked for it, and had the token.
    ///
    /// # Errors
    /// [`DataError`] when the record or the queue cannot be read or written.
    fn act(&self, name: &str, action: Action) -> Result<Option<Acted>, DataError> {
        let _ = (name, action);
        let words = "nothing can be done with this event from here";
        Ok(Some(Acted::Refused(words.to_owned())))
    }
}

/// What can be done with the event of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A dead letter is made ready again, as if it had never been received.
    Retry,
    /// The event goes onto the queue once more, with the same id and the same bytes.
    Replay,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Retry, Self::Replay];

    /// The name: `retry`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Replay => "replay",
        }
    }
}

/// What became of an action, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acted {
    /// It was done.
    Done(String),
    /// It was not, because the event is not in the state for it.
    Refused(String),
}

/// Which deliveries are meant; the default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Any id, or its beginning: of the record, the event, the platform's delivery, the subject or the project.
    pub search: Option<String>,
    /// Name of the source.
    pub source: Option<String>,
    /// Event type.
    pub event_type: Option<String>,
    /// Id of the project on the platform.
    pub project: Option<String>,
    /// Kind and id of what the event is about.
    pub subject: Option<String>,
    /// Outcomes.
    pub show: Show,
    /// Only what came at this time or later, milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Only what came before this time.
    pub before_ms: Option<i64>,
    /// Only numbers above this one.
    pub after: Option<i64>,
    /// Only numbers below this one.
    pub before: Option<i64>,
}

/// Outcomes that are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Show {
    /// All of them.
    #[default]
    All,
    /// What came onto the queue.
    Accepted,
    /// What the queue had already.
    Repeat,
    /// What the configuration does not forward.
    Filtered,
    /// What was refused or failed: every status from 400 on.
    Refused,
}

/// Deliveries that passed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// They, the newest first.
    pub deliveries: Vec<Summary>,
    /// Number of the newest delivery in the record, whether it passes or not. Read it no later than the deliveries.
    pub newest: Option<i64>,
    /// Deliveries that the record is missing, because more came than could be written.
    pub lost: u64,
}

/// One delivery, as a line of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Number in the record; a later delivery has a higher one.
    pub number: i64,
    /// When it came, milliseconds since 1970.
    pub arrived_ms: i64,
    /// Status of the answer; 0 where it is not known, and then neither is the time that it took.
    pub status: u16,
    /// Outcome, by its name.
    pub outcome: String,
    /// Name of the source.
    pub source: Option<String>,
    /// Event type.
    pub event_type: Option<String>,
    /// Kind and id of what the event is about.
    pub subject: Option<String>,
    /// Id of the project on the platform.
    pub project: Option<String>,
    /// Event id.
    pub event_id: Option<String>,
    /// The platform's own id of the delivery.
    pub delivery_id: Option<String>,
    /// Why it was refused or failed.
    pub reason: Option<String>,
    /// From the arrival to the end, in microseconds.
    pub elapsed_us: i64,
    /// Length of the body, as far as it was read.
    pub body_bytes: i64,
}

impl Summary {
    /// The name by which it is found: `r` and the number.
    pub fn name(&self) -> String {
        format!("r{}", self.number)
    }
}

/// One delivery, with everything that is known of it. Its texts are shown as they are: blot out what is secret before.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not states"
)]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The line of the list.
    pub summary: Summary,
    /// Method; `None` when no head was understood.
    pub method: Option<String>,
    /// Path, without the query.
    pub path: Option<String>,
    /// Lines of the head: name, colon, value.
    pub head: Option<String>,
    /// Address that counted as the sender's.
    pub client: Option<String>,
    /// Which of several relays took it, where they share the record.
    pub replica: Option<String>,
    /// Name of the secret that matched.
    pub verified_by: Option<String>,
    /// SHA-256 of the body, when all of it was read.
    pub body_sha256: Option<String>,
    /// From the first byte handed to the queue to its receipt, in microseconds.
    pub queue_us: Option<i64>,
    /// `true` if its end came after the sender had to have its answer.
    pub late: bool,
    /// `true` if the event went into the fallback.
    pub fell_back: bool,
    /// `true` if the body went to the blob store.
    pub claimed: bool,
    /// `true` if the body lay in the spool.
    pub spooled: bool,
    /// A way out of a refusal, as a sentence.
    pub cure: Option<String>,
    /// What became of the event on the queue, as a sentence.
    pub queue_state: Option<String>,
    /// The message, as it is on the queue.
    pub message: Option<Vec<u8>>,
    /// The body, where the message does not hold it.
    pub body: BodyPart,
    /// The event about the same subject before this one.
    pub previous: Option<Previous>,
    /// What can be done with its event now.
    pub actions: Vec<Action>,
}

/// A body, or a part of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BodyPart {
    /// The message holds it.
    #[default]
    None,
    /// All of it.
    Whole(Vec<u8>),
    /// The first part of it.
    Start(Vec<u8>),
    /// It is not here; why, as a sentence.
    Missing(String),
}

/// The version before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Previous {
    /// The name by which its delivery is found.
    pub name: String,
    /// The message, as it was on the queue.
    pub message: Vec<u8>,
    /// The body, where it was claim-checked.
    pub body: Option<Vec<u8>>,
}

/// A part of the way from the platform to the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The platforms.
    Source,
    /// The program that takes deliveries in.
    Relay,
    /// The queue.
    Queue,
    /// Who reads the queue.
    Consumer,
    /// The data set that is made of it.
    Dataset,
}

impl Part {
    /// The name: `queue`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Relay => "relay",
            Self::Queue => "queue",
            Self::Consumer => "consumer",
            Self::Dataset => "dataset",
        }
    }
}

/// State of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartState {
    /// The part.
    pub part: Part,
    /// `true` if it does what it shall.
    pub is_ok: bool,
    /// One sentence; with its cure, if it does not.
    pub words: String,
}

/// A source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceView {
    /// Its name.
    pub name: String,
    /// Name of the platform, for people.
    pub platform: String,
    /// What to enter on the platform: label and value.
    pub enter: Vec<(String, String)>,
    /// What its deliveries tell: label and value.
    pub facts: Vec<(String, String)>,
    /// What is wrong with its webhooks, its deliveries or its pulls, as sentences.
    pub findings: Vec<String>,
}

/// Why something cannot be shown, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataError(pub String);

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DataError {}
