//! Tries whether the file takes an event and gives it back. Nobody ever sees that event, and nothing of it is left.

use super::QueueFile;
use crate::embedded::sequencer::{insert_row, next_number};
use crate::queue_file_error::FileError;
use crate::schema::INSERT_EVENT;
use crate::sqlite::begin;
use labelrelay_core::OutboundMessage;
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};
use rusqlite::Connection;
use std::time::Instant;

/// Data of the event: anything but nothing.
const DATA: &[u8] = b"{}";

impl QueueFile {
    /// Writes an event and reads it back, in a transaction that is rolled back: no reader and no consumer sees it, and its
    /// number is given again. Works beside a running owner, which waits for a millisecond or two.
    ///
    /// It does not tell whether there is room on the disk: nothing is written before a transaction is committed.
    ///
    /// # Errors
    /// When the file takes no event, or gives back another one.
    pub fn try_write(&self) -> Result<(), FileError> {
        self.throttle.wait();
        self.check_files()?;
        let asked = Instant::now();
        let transaction = begin(&self.db)?;
        let had = Instant::now();
        let tried = write_and_read(&transaction, self.now_ms());
        let rolled_back = transaction.rollback();
        self.throttle.record(asked, had);
        let tried = tried.and(rolled_back).map_err(FileError::from);
        tried.map_err(|error| error.of(&self.path))
    }
}

/// The message in the file, if it is what was sent.
const READ_BACK: &str =
    "SELECT 1 FROM events WHERE seq = ?1 AND id = ?2 AND source = ?3 AND envelope = ?4";

fn write_and_read(db: &Connection, now_ms: i64) -> rusqlite::Result<()> {
    let message = message();
    let next = next_number(db)?;
    let mut insert = db.prepare_cached(INSERT_EVENT)?;
    insert_row(&mut insert, next, now_ms, &message)?;
    let wanted = (
        next.cast_signed(),
        message.id(),
        message.source(),
        &message.body[..],
    );
    // What is not there is an error.
    db.query_row(READ_BACK, wanted, |_| Ok(()))
}

fn message() -> OutboundMessage {
    let event_type = EventType::from_static("io.labelstud.probe.created");
    let digest = Digest::of(DATA);
    let time = "1970-01-01T00:00:00Z";
    let attributes = Attributes::new("probe", "/probe", &event_type, &digest, time);
    let envelope = encode(&attributes, DataEncoding::Json, DATA.len(), [DATA]);
    OutboundMessage::new(attributes, envelope)
}
