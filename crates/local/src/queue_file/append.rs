//! Appends events that were not delivered but found, or that are sent again: beside a running owner, or without
//! one.

use super::transaction::Durability;
use super::{QueueFile, columns};
use crate::embedded::sequencer::{insert_row, next_number};
use crate::queue_file_error::FileError;
use crate::schema::INSERT_EVENT;
use labelrelay_core::OutboundMessage;
use rusqlite::Connection;
use rusqlite::wal::CheckpointMode;
use std::collections::HashSet;

/// Bytes that are appended between two moves of the journal into the file. Without them, the journal of a long
/// run would hold all of it, for an owner that is idle, or absent, moves none.
const CHECKPOINT_BYTES: usize = 4 * 1024 * 1024;

impl QueueFile {
    /// Appends those of `messages` whose id is on none of the events after `after`, in one transaction,
    /// durably; says for each whether it was appended. An event that is sent again on purpose always is.
    ///
    /// The owner is told by the file itself: it looks at the last number before it writes, and learns of
    /// what was appended, so that a delivery of the same event a moment later is a repeat.
    ///
    /// # Errors
    /// When the file cannot be written; none of them is appended then.
    pub fn append(&self, messages: &[OutboundMessage], after: u64) -> Result<Vec<bool>, FileError> {
        let received_ms = self.now_ms();
        let appended = self.change(Durability::Synced, |transaction| {
            let mut known = ids_after(transaction, after)?;
            let mut insert = transaction.prepare_cached(INSERT_EVENT)?;
            let mut next = next_number(transaction)?;
            let mut appended = Vec::with_capacity(messages.len());
            for message in messages {
                // An event that is sent again on purpose is meant to be there twice.
                let is_new = message.attributes.replayedtime.is_some()
                    || known.insert(message.id().to_owned());
                if is_new {
                    insert_row(&mut insert, next, received_ms, message)?;
                    next += 1;
                }
                appended.push(is_new);
            }
            Ok(appended)
        })?;
        let bytes: usize = messages.iter().map(|message| message.body.len()).sum();
        let unmoved = self.unmoved_bytes.get() + bytes;
        self.unmoved_bytes.set(unmoved);
        if unmoved >= CHECKPOINT_BYTES {
            self.unmoved_bytes.set(0);
            // A busy result means that another process is doing the same checkpoint.
            let _busy = self
                .db
                .wal_checkpoint_v2(Some("main"), CheckpointMode::PASSIVE);
        }
        Ok(appended)
    }
}

fn ids_after(db: &Connection, after: u64) -> rusqlite::Result<HashSet<String>> {
    db.prepare_cached("SELECT id FROM events WHERE seq > ?1")?
        // A damaged id is nobody's.
        .query_map([after.cast_signed()], |row| columns::text(row, 0))?
        .filter_map(Result::transpose)
        .collect()
}
