//! Receives messages and acknowledges them.

use super::dead_letters::count_dead;
use super::delivery::{Delivery, MAX_VISIBILITY};
use super::received::KnownDamage;
use super::taken::Taken;
use super::transaction::Durability;
use super::{QueueFile, Received, reasons};
use crate::queue_file_error::FileError;
use crate::sqlite::{ms, setting};
use rusqlite::Connection;
use std::cell::Cell;
use std::time::Duration;

/// Messages that one receive returns at most: its transaction keeps the owner waiting.
const MAX_RECEIVE: usize = 1000;

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
    /// received too often, or that cannot be read, become dead letters instead.
    ///
    /// # Errors
    /// When the file cannot be written; nothing is taken then. When nothing can be taken because of damage.
    pub fn receive(&self, max: usize, visibility: Duration) -> Result<Vec<Delivery>, FileError> {
        let received = self.receive_around_damage(max, visibility)?;
        match received.damage {
            Some(damage) if received.deliveries.is_empty() => Err(damage),
            _ => Ok(received.deliveries),
        }
    }

    /// Tells whether a receive may take something, or has something to bury. A read, unlike the receive: nobody who writes
    /// waits for it. `true` too where that cannot be told; the receive then says why.
    pub fn may_receive(&self) -> bool {
        let looked = self
            .check_files()
            .and_then(|()| self.read(|db| self.has_visible(db)));
        looked.unwrap_or(true)
    }

    fn has_visible(&self, db: &Connection) -> Result<bool, FileError> {
        let now = self.now_ms();
        // As the receive asks: a clock that was set back hides nothing for ever. Each is an end of the index.
        let too_far = now.saturating_add(ms(MAX_VISIBILITY));
        for (range, bound) in [("visible_ms <= ?1", now), ("visible_ms > ?1", too_far)] {
            let any = format!("SELECT 1 FROM deliveries WHERE state = 0 AND {range} LIMIT 1");
            if db.prepare_cached(&any)?.exists([bound])? {
                return Ok(true);
            }
        }
        let through = setting(db, "received_through")?.unwrap_or(0);
        let mut fresh = db.prepare_cached("SELECT 1 FROM events WHERE seq >= ?1 LIMIT 1")?;
        Ok(fresh.exists([through.saturating_add(1)])?)
    }

    /// The same, and says what cannot be read: a damaged page keeps no event back that is not in it.
    ///
    /// # Errors
    /// When the file cannot be written; nothing is taken then.
    pub fn receive_around_damage(
        &self,
        max: usize,
        visibility: Duration,
    ) -> Result<Received, FileError> {
        let now = self.now_ms();
        let visible = now.saturating_add(ms(visibility.min(MAX_VISIBILITY)));
        let max = max.min(MAX_RECEIVE);
        let mut all = Received::default();
        let mut known = KnownDamage::default();
        loop {
            let met = Cell::new(None);
            // Lost with the power, a message is received again sooner: nothing that a consumer does not know.
            let taken = self.change(Durability::Soon, |transaction| {
                let mut taken = Taken::new(now, visible, &known);
                let done = taken
                    .take_visible_again(transaction, max)
                    .and_then(|()| taken.new_ones(transaction, max));
                met.set(taken.met);
                done.map(|()| (taken.received, taken.is_cut_off))
            });
            let (received, is_cut_off) = match (taken, met.get()) {
                (Ok(taken), _) => taken,
                (Err(damage), Some(met)) => {
                    if let Err(error) = known.look_at(met, damage.of(&self.path), self) {
                        return all.or_failed(error);
                    }
                    continue;
                }
                (Err(error), None) => return all.or_failed(error),
            };
            all.extend(received);
            // A large gap takes several transactions.
            if !is_cut_off || !all.deliveries.is_empty() || max == 0 {
                all.damage = known.error;
                return Ok(all);
            }
        }
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
    /// are. The answers are in the receipts' order. The `reason` is kept with each of them, 1,000 characters of it at most.
    ///
    /// # Errors
    /// When the file cannot be written; all of them stay in flight then.
    pub fn bury_all(
        &self,
        receipts: &[&str],
        reason: Option<&str>,
    ) -> Result<Vec<Acknowledgement>, FileError> {
        let reasons = vec![reason; receipts.len()];
        self.bury_each(receipts, &reasons)
    }

    /// The same, with a reason for each, in the order of the receipts.
    ///
    /// # Errors
    /// When the file cannot be written; all of them stay in flight then.
    pub fn bury_each(
        &self,
        receipts: &[&str],
        reasons: &[Option<&str>],
    ) -> Result<Vec<Acknowledgement>, FileError> {
        let now = self.now_ms();
        self.keep_reasons(receipts, reasons, now)?;
        self.settle(receipts, |db, seq, receipt| {
            db.prepare_cached(
                "UPDATE deliveries SET state = 2, receipt = NULL, changed_ms = ?3 WHERE seq = ?1 AND state = 0 AND receipt = ?2",
            )?
            .execute((seq, receipt, now))
            .and_then(|buried| count_dead(db, buried))
        })
    }

    /// Keeps why messages become dead letters at this time. Those that then do not stay as they are.
    fn keep_reasons(
        &self,
        receipts: &[&str],
        reasons: &[Option<&str>],
        died_ms: i64,
    ) -> Result<(), FileError> {
        let told = receipts
            .iter()
            .zip(reasons)
            .filter_map(|(receipt, reason)| {
                // One that says nothing is none.
                let reason = reason.filter(|reason| !reason.trim().is_empty())?;
                Some((parse(receipt)?, reason))
            });
        let told: Vec<_> = told.collect();
        if told.is_empty() {
            return Ok(());
        }
        let kept = self.change(Durability::Soon, |transaction| {
            for (receipt, reason) in &told {
                reasons::keep(transaction, *receipt, died_ms, reason)?;
            }
            Ok(())
        });
        match kept {
            Err(FileError::Damaged { .. }) => Ok(()),
            kept => kept,
        }
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
