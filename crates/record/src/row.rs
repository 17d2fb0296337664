//! One delivery, as the record has it.

use crate::class::Class;

/// Room that a row takes beside its texts: numbers, and what the indexes repeat.
pub(crate) const ROW_BYTES: usize = 256;

/// One delivery. Its texts are blotted out already.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not states"
)]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// When it came, milliseconds since 1970.
    pub arrived_ms: i64,
    /// Status of the answer.
    pub status: u16,
    /// Outcome, by its name.
    pub outcome: String,
    /// Name of the source that it was for.
    pub source: Option<String>,
    /// Method; `None` when no head was understood.
    pub method: Option<String>,
    /// Path, without the query.
    pub path: Option<String>,
    /// Lines of the head: name, colon, value.
    pub head: Option<String>,
    /// Address that counted as the sender's.
    pub client: Option<String>,
    /// Why it was refused or failed.
    pub reason: Option<String>,
    /// Event id.
    pub event_id: Option<String>,
    /// Event type.
    pub event_type: Option<String>,
    /// Kind and id of what the event is about.
    pub subject: Option<String>,
    /// Id of the project on the platform.
    pub project: Option<String>,
    /// The platform's own id of the delivery.
    pub delivery_id: Option<String>,
    /// Name of the secret that matched.
    pub verified_by: Option<String>,
    /// Length of the body, as far as it was read.
    pub body_bytes: i64,
    /// SHA-256 of the body, when all of it was read.
    pub body_sha256: Option<String>,
    /// From the arrival to the end, in microseconds.
    pub elapsed_us: i64,
    /// Of that: from the first byte handed to the queue to its receipt.
    pub queue_us: Option<i64>,
    /// `true` if this end came after the sender had to have its answer.
    pub late: bool,
    /// `true` if the event is in the fallback.
    pub fell_back: bool,
    /// `true` if the body went to the blob store.
    pub claimed: bool,
    /// `true` if the body lay in the spool.
    pub spooled: bool,
    /// The first part of the body, where it became no event.
    pub body_start: Option<Vec<u8>>,
}

impl Row {
    /// Kind of the row: who knows no secret makes rows of strangers, whatever it sends.
    pub fn class(&self) -> Class {
        if self.verified_by.is_some() {
            Class::Verified
        } else {
            Class::Stranger
        }
    }

    /// Facts that have no column of their own.
    pub fn flags(&self) -> i64 {
        flags([self.late, self.fell_back, self.claimed, self.spooled])
    }

    /// Takes facts out of their column.
    pub const fn set_flags(&mut self, flags: i64) {
        self.late = flags & 1 != 0;
        self.fell_back = flags & 2 != 0;
        self.claimed = flags & 4 != 0;
        self.spooled = flags & 8 != 0;
    }
}

/// Facts as bits, the first one lowest.
pub(crate) fn flags(facts: [bool; 4]) -> i64 {
    let facts = facts.into_iter().rev();
    facts.fold(0, |bits, fact| (bits << 1) | i64::from(fact))
}

/// A row with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Number in the record; a later delivery has a higher one.
    pub number: i64,
    /// The row, without its body.
    pub row: Row,
    /// Which of several relays took it, where they share the record.
    pub replica: Option<String>,
}

impl Recorded {
    /// A row with its number, in a record of one relay.
    pub const fn new(number: i64, row: Row) -> Self {
        Self {
            number,
            row,
            replica: None,
        }
    }

    /// The name by which it is found: `r` and the number.
    pub fn name(&self) -> String {
        format!("r{}", self.number)
    }
}
