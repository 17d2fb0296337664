//! Receives messages and acknowledges them.

use super::dead_letters::count_dead;
use super::transaction::Durability;
use super::{QueueFile, columns};
use crate::queue_file_error::FileError;
use crate::sqlite::{ms, set_setting, setting};
use rusqlite::{Connection, OptionalExtension as _};
use std::fmt;
use std::time::Duration;

/// Longest visibility timeout. Also bounds what a clock that was set back can do: a message that seems
/// hidden for longer than this is visible.
const MAX_VISIBILITY: Duration = Duration::from_secs(12 * 3600);

/// Bytes of envelopes that one receive returns at most, beyond the first: they are in memory together.
const MAX_RECEIVE_BYTES: usize = 64 * 1024 * 1024;

/// Messages that one receive returns at most: its transaction keeps the owner waiting.
const MAX_RECEIVE: usize = 1000;

/// A message, taken for a while. `Debug` shows neither the envelope nor the receipt.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// Token that acknowledges it, until it is received again.
    pub receipt: String,
    /// How many times it was received, this time included.
    pub receive_count: u32,
    /// Order of arrival.
    pub seq: u64,
    /// The envelope, exactly as it was sent.
    pub envelope: Vec<u8>,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("seq", &self.seq)
            .field("receive_count", &self.receive_count)
            .field("envelope_bytes", &self.envelope.len())
            .finish_non_exhaustive()
    }
}

/// Result of an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledgement {
    /// The message is done with.
    Done,
    /// The receipt is not, or no longer, good: used before, or the message was received again since, or is
    /// a dead letter.
    Stale,
    /// Not a receipt of this queue.
    Malformed,
}

impl QueueFile {
    /// Takes up to `max` messages (1,000 at most), which nobody else gets within `visibility` (12 hours at
    /// most): first those whose visibility ran out, then new ones in order of arrival. Messages that were
    /// received too often become dead letters instead.
    ///
    /// # Errors
    /// When the file cannot be written; nothing is taken then.
    pub fn receive(&self, max: usize, visibility: Duration) -> Result<Vec<Delivery>, FileError> {
        let now = self.now_ms();
        let visible = now.saturating_add(ms(visibility.min(MAX_VISIBILITY)));
        let max = max.min(MAX_RECEIVE);
        // Lost with the power, a message is received again sooner: nothing that a consumer does not know.
        self.change(Durability::Soon, |transaction| {
            let mut taken = Taken {
                now,
                visible,
                bytes: 0,
                deliveries: Vec::new(),
            };
            taken.take_visible_again(transaction, max)?;
            taken.new_ones(transaction, max)?;
            Ok(taken.deliveries)
        })
    }

    /// Acknowledges a message, durably. A message whose visibility ran out can still be acknowledged as
    /// long as nobody received it again.
    ///
    /// # Errors
    /// When the file cannot be written; the message is not acknowledged then.
    pub fn acknowledge(&self, receipt: &str) -> Result<Acknowledgement, FileError> {
        Ok(self
            .acknowledge_all(&[receipt])?
            .into_iter()
            .next()
            .unwrap_or(Acknowledgement::Malformed))
    }

    /// Acknowledges several messages in one transaction; the answers are in the receipts' order.
    ///
    /// # Errors
    /// When the file cannot be written; none of them is acknowledged then.
    pub fn acknowledge_all(&self, receipts: &[&str]) -> Result<Vec<Acknowledgement>, FileError> {
        let now = self.now_ms();
        self.settle(receipts, |db, seq, receipt| {
            db.prepare_cached(
                "UPDATE deliveries SET state = 1, receipt = NULL, changed_ms = ?3 WHERE seq = ?1 AND state = 0 AND receipt = ?2",
            )?
            .execute((seq, receipt, now))
        })
    }

    /// Gives a message back before its visibility runs out: the next receive may take it. The receive
    /// counts all the same.
    ///
    /// # Errors
    /// When the file cannot be written; the message stays in flight then.
    pub fn release(&self, receipt: &str) -> Result<Acknowledgement, FileError> {
        Ok(self
            .release_all(&[receipt], Duration::ZERO)?
            .into_iter()
            .next()
            .unwrap_or(Acknowledgement::Malformed))
    }

    /// Gives several messages back in one transaction, to be received again when `delay` (12 hours at most)
    /// has passed; the answers are in the receipts' order. Their receives count all the same.
    ///
    /// # Errors
    /// When the file cannot be written; all of them stay in flight then.
    pub fn release_all(
        &self,
        receipts: &[&str],
        delay: Duration,
    ) -> Result<Vec<Acknowledgement>, FileError> {
        let now = self.now_ms();
        let visible = if delay.is_zero() {
            0
        } else {
            now.saturating_add(ms(delay.min(MAX_VISIBILITY)))
        };
        self.settle(receipts, |db, seq, receipt| {
            db.prepare_cached(
                "UPDATE deliveries SET visible_ms = ?4, receipt = NULL, changed_ms = ?3 WHERE seq = ?1 AND state = 0 AND receipt = ?2",
            )?
            .execute((seq, receipt, now, visible))
        })
    }

    /// Keeps several messages to whoever has them for `visibility` (12 hours at most) from now on, in one
    /// transaction; the answers are in the receipts' order. A message whose visibility ran out can still be
    /// kept as long as nobody received it again.
    ///
    /// # Errors
    /// When the file cannot be written; none of them is kept for longer then.
    pub fn extend_all(
        &self,
        receipts: &[&str],
        visibility: Duration,
    ) -> Result<Vec<Acknowledgement>, FileError> {
        let now = self.now_ms();
        let visible = now.saturating_add(ms(visibility.min(MAX_VISIBILITY)));
        self.settle(receipts, |db, seq, receipt| {
            db.prepare_cached(
                "UPDATE deliveries SET visible_ms = ?4, changed_ms = ?3 WHERE seq = ?1 AND state = 0 AND receipt = ?2",
            )?
            .execute((seq, receipt, now, visible))
        })
    }

    /// Makes dead letters of several messages that are in flight, in one transaction: nobody can use them as they
    /// are. The answers are in the receipts' order.
    ///
    /// # Errors
    /// When the file cannot be written; all of them stay in flight then.
    pub fn bury_all(&self, receipts: &[&str]) -> Result<Vec<Acknowledgement>, FileError> {
        let now = self.now_ms();
        self.settle(receipts, |db, seq, receipt| {
            db.prepare_cached(
                "UPDATE deliveries SET state = 2, receipt = NULL, changed_ms = ?3 WHERE seq = ?1 AND state = 0 AND receipt = ?2",
            )?
            .execute((seq, receipt, now))
            .and_then(|buried| count_dead(db, buried))
        })
    }

    fn settle(
        &self,
        receipts: &[&str],
        change: impl Fn(&Connection, i64, [u8; 16]) -> rusqlite::Result<usize>,
    ) -> Result<Vec<Acknowledgement>, FileError> {
        self.change(Durability::Synced, |transaction| {
            let mut settled = Vec::with_capacity(receipts.len());
            for receipt in receipts {
                settled.push(match parse(receipt) {
                    None => Acknowledgement::Malformed,
                    Some((seq, token)) if change(transaction, seq, token)? == 1 => {
                        Acknowledgement::Done
                    }
                    Some(_) => Acknowledgement::Stale,
                });
            }
            Ok(settled)
        })
    }
}

/// Rounds of one receive that find nothing but messages that were received too often. Bounded, for the
/// owner waits meanwhile; what is left is buried by the next receive.
const BURIALS: usize = 10;

/// Messages that one receive has taken so far.
struct Taken {
    now: i64,
    visible: i64,
    bytes: usize,
    deliveries: Vec<Delivery>,
}

impl Taken {
    /// Takes messages whose visibility ran out, soonest first, and makes dead letters of those that were
    /// received too often.
    fn take_visible_again(&mut self, db: &Connection, max: usize) -> Result<(), FileError> {
        let limit = setting(db, "max_receives")?.unwrap_or(i64::MAX);
        for _ in 0..BURIALS {
            let visible = self.visible_again(db, max - self.deliveries.len())?;
            for (seq, before) in &visible {
                if self.is_full(max) {
                    break;
                } else if i64::from(*before) >= limit {
                    bury(db, *seq, self.now)?;
                } else {
                    let mut read =
                        db.prepare_cached("SELECT envelope FROM events WHERE seq = ?1")?;
                    let envelope = read.query_row([seq], |row| columns::bytes(row, 0));
                    if let Some(envelope) = envelope.optional()? {
                        self.take(db, *seq, *before, envelope)?;
                    } else {
                        // A file that was recovered may have lost the event, and kept this. Nothing can be received.
                        db.prepare_cached("DELETE FROM deliveries WHERE seq = ?1")?
                            .execute([seq])?;
                    }
                }
            }
            if visible.is_empty() || self.is_full(max) {
                break;
            }
        }
        Ok(())
    }

    /// Numbers and receive counts of messages whose visibility ran out; or that a clock which was set back
    /// would hide for too long. Two queries, for each of them is a range of the index, however many
    /// messages are in flight.
    fn visible_again(&self, db: &Connection, max: usize) -> rusqlite::Result<Vec<(i64, u32)>> {
        let mut found = Vec::new();
        let too_far = self.now.saturating_add(ms(MAX_VISIBILITY));
        for (range, bound) in [("visible_ms <= ?1", self.now), ("visible_ms > ?1", too_far)] {
            let find = format!(
                "SELECT seq, receive_count FROM deliveries WHERE state = 0 AND {range} ORDER BY visible_ms, seq LIMIT ?2"
            );
            let left = i64::try_from(max - found.len()).unwrap_or(i64::MAX);
            let mut find = db.prepare_cached(&find)?;
            for row in find.query_map([bound, left], |row| Ok((row.get(0)?, row.get(1)?)))? {
                found.push(row?);
            }
        }
        Ok(found)
    }

    fn new_ones(&mut self, db: &Connection, max: usize) -> Result<(), FileError> {
        let through = setting(db, "received_through")?.unwrap_or(0);
        let mut last = through;
        {
            let mut find =
                db.prepare_cached("SELECT seq, envelope FROM events WHERE seq > ?1 ORDER BY seq")?;
            let mut rows = find.query([through])?;
            while !self.is_full(max)
                && let Some(row) = rows.next()?
            {
                last = row.get(0)?;
                self.take(db, last, 0, columns::bytes(row, 1)?)?;
            }
        }
        if last > through {
            set_setting(db, "received_through", last)?;
        }
        Ok(())
    }

    fn is_full(&self, max: usize) -> bool {
        self.deliveries.len() >= max || self.bytes >= MAX_RECEIVE_BYTES
    }

    fn take(
        &mut self,
        db: &Connection,
        seq: i64,
        before: u32,
        envelope: Vec<u8>,
    ) -> Result<(), FileError> {
        let mut token = [0; 16];
        getrandom::fill(&mut token)
            .map_err(|error| FileError::System(std::io::Error::other(error)))?;
        let receive_count = before.saturating_add(1);
        db.prepare_cached(
            "INSERT INTO deliveries(seq, state, receive_count, visible_ms, changed_ms, receipt) VALUES(?1, 0, ?2, ?3, ?4, ?5)
             ON CONFLICT(seq) DO UPDATE SET receive_count = excluded.receive_count, visible_ms = excluded.visible_ms,
                                            changed_ms = excluded.changed_ms, receipt = excluded.receipt",
        )?
        .execute((seq, receive_count, self.visible, self.now, token))?;
        self.bytes += envelope.len();
        self.deliveries.push(Delivery {
            receipt: format(seq, token),
            receive_count,
            seq: seq.cast_unsigned(),
            envelope,
        });
        Ok(())
    }
}

/// Makes a dead letter of a message.
fn bury(db: &Connection, seq: i64, now: i64) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "UPDATE deliveries SET state = 2, receipt = NULL, changed_ms = ?2 WHERE seq = ?1",
    )?
    .execute((seq, now))
    .and_then(|buried| count_dead(db, buried))
}

/// `<number>-<32 hex digits>`: where to look, and what only the receiver knows.
fn format(seq: i64, token: [u8; 16]) -> String {
    format!("{seq}-{:032x}", u128::from_be_bytes(token))
}

fn parse(receipt: &str) -> Option<(i64, [u8; 16])> {
    let (seq, token) = receipt.split_once('-')?;
    let digits = seq.bytes().all(|b| b.is_ascii_digit());
    let hex = token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit());
    if !digits || !hex {
        return None;
    }
    Some((
        seq.parse().ok()?,
        u128::from_str_radix(token, 16).ok()?.to_be_bytes(),
    ))
}
