//! Lists and shows events without taking them.

use super::behind_damage::unless_damaged;
use super::{QueueFile, columns, reasons};
use crate::queue_file_error::FileError;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use std::fmt;

/// State of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// The next receive may take it.
    Ready,
    /// Received, and not visible to others for now.
    InFlight,
    /// Done with.
    Acknowledged,
    /// Received too often without being acknowledged, or rejected.
    Dead,
}

impl State {
    /// The name used in output and filters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::InFlight => "in_flight",
            Self::Acknowledged => "acknowledged",
            Self::Dead => "dead",
        }
    }
}

/// An event in the file, without its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Order of arrival; the id that `send` returns as the message id.
    pub seq: u64,
    /// When it was written, milliseconds since 1970 by the owner's time of day.
    pub received_ms: i64,
    /// Event id.
    pub id: String,
    /// Event type.
    pub event_type: String,
    /// `/` and the source's name.
    pub source: String,
    /// Kind and id of what it is about.
    pub subject: Option<String>,
    /// The event's state.
    pub state: State,
    /// Number of times that it was received.
    pub receive_count: u32,
    /// Of a dead letter, why it was rejected, in the words of whoever did that: 1,000 characters at most. The queue keeps none of
    /// what was received too often.
    pub reason: Option<String>,
    /// Length of the envelope.
    pub envelope_bytes: u64,
}

/// An event with its envelope, exactly as it was sent to the queue. `Debug` shows no envelope: it holds
/// other people's data, and tokens.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredEvent {
    /// Everything else.
    pub event: Event,
    /// The envelope.
    pub envelope: Vec<u8>,
}

impl fmt::Debug for StoredEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The length of the envelope is among the event's fields.
        f.debug_struct("StoredEvent")
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}

/// Columns of [`Event`], for `events e LEFT JOIN deliveries d`; `:now` is bound.
pub(super) const COLUMNS: &str = "e.seq, e.received_ms, e.id, e.type, e.source, e.subject, length(e.envelope), coalesce(d.receive_count, 0),
    CASE WHEN d.state IS NULL OR (d.state = 0 AND d.visible_ms <= :now) THEN 0 ELSE d.state + 1 END AS standing";

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let text = |index| columns::text(row, index).map(Option::unwrap_or_default);
    Ok(Event {
        seq: row.get::<_, i64>(0)?.cast_unsigned(),
        received_ms: columns::number(row, 1)?,
        id: text(2)?,
        event_type: text(3)?,
        source: text(4)?,
        subject: columns::text(row, 5)?,
        envelope_bytes: columns::number(row, 6)?.cast_unsigned(),
        receive_count: u32::try_from(columns::number(row, 7)?).unwrap_or(u32::MAX),
        reason: None,
        state: match row.get::<_, i64>(8)? {
            0 => State::Ready,
            1 => State::InFlight,
            2 => State::Acknowledged,
            _ => State::Dead,
        },
    })
}

/// Stands for the table where it cannot be read: every event is ready then.
const NO_DELIVERIES: &str =
    "(SELECT NULL AS seq, NULL AS state, NULL AS receive_count, NULL AS visible_ms)";

impl QueueFile {
    /// Table that is joined to events to know their states.
    pub(super) fn deliveries(&self) -> &'static str {
        if self.ignores_deliveries.get() {
            NO_DELIVERIES
        } else {
            "deliveries"
        }
    }

    /// The event with this number, envelope included; `None` when it was never there or is pruned.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn get(&self, seq: u64) -> Result<Option<StoredEvent>, FileError> {
        self.read(|db| {
            let mut stored = self.one(db, seq, self.deliveries())?;
            if let Some(stored) = &mut stored {
                add_reason(db, &mut stored.event)?;
            }
            Ok(stored)
        })
    }

    /// Tells whether the event with this number can be read, whatever became of its state.
    pub(super) fn is_readable_without_state(
        &self,
        db: &Connection,
        seq: u64,
    ) -> rusqlite::Result<bool> {
        let one = unless_damaged(self.one(db, seq, NO_DELIVERIES))?;
        Ok(one.flatten().is_some())
    }

    /// Tells whether the event with this number can be read as [`get`](Self::get) does.
    pub(super) fn is_readable(&self, db: &Connection, seq: u64) -> rusqlite::Result<bool> {
        let one = unless_damaged(self.one(db, seq, self.deliveries()))?;
        Ok(one.flatten().is_some())
    }

    fn one(
        &self,
        db: &Connection,
        seq: u64,
        deliveries: &str,
    ) -> rusqlite::Result<Option<StoredEvent>> {
        let sql = format!(
            "SELECT {COLUMNS}, e.envelope FROM events e LEFT JOIN {deliveries} d ON d.seq = e.seq WHERE e.seq = :seq"
        );
        db.prepare_cached(&sql)?
            .query_row(
                named_params! {":now": self.now_ms(), ":seq": seq.cast_signed()},
                stored,
            )
            .optional()
    }
}

/// Adds to a dead letter why it was rejected.
pub(super) fn add_reason(db: &Connection, event: &mut Event) -> rusqlite::Result<()> {
    if event.state == State::Dead {
        event.reason = reasons::of(db, event.seq.cast_signed())?;
    }
    Ok(())
}

pub(super) fn stored(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        event: event(row)?,
        envelope: columns::bytes(row, 9)?,
    })
}
