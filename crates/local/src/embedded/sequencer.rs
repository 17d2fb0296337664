//! Gives each event its number and recognises repeats, in step with the file.
//!
//! Both are ahead of the file only while a transaction is open. When one fails, they are taken back; but a
//! commit that failed with an error of the disk may have happened all the same, so what is in the file is
//! read again before anything else is written. And another program may append beside the owner: so each
//! transaction begins with a look at the last number in the file.

use super::first_copy::repeated;
use super::options::Options;
use super::pending_message::Pending;
use super::repeat_window::{Fingerprint, RepeatWindow};
use super::task_ledger::{Budget, TaskLedger};
use crate::schema::INSERT_EVENT;
use crate::sqlite::{begin, ms, now_ms, setting, without_waiting};
use crate::sqlite_error::is_damage;
use labelrelay_core::derive::naming_task;
use labelrelay_core::{Clock, OutboundMessage, Receipt};
use rusqlite::{CachedStatement, Connection, ErrorCode, Statement};

/// State of the writer besides the file.
pub(super) struct Sequencer {
    window: Option<RepeatWindow>,
    /// Number of the event to come.
    pub(super) next: u64,
    /// The last transaction failed; whether it is in the file is not known.
    in_doubt: bool,
    /// The last transaction got its turn: what failed in it may be the ledger's fault.
    pub(super) has_begun: bool,
    /// Ledger that events are derived from, as long as it can be read.
    pub(super) ledger: Option<TaskLedger>,
    /// Another program wrote when the ledger's turn was.
    pub(super) is_taken: bool,
    /// Why nothing is derived, though it shall be.
    pub(super) ledger_trouble: Option<String>,
    /// Event that was to come when the ledger could not be opened, for a reason that may pass.
    pub(super) opens_ledger_from: Option<u64>,
    /// Event that was to come at the ledger's last turn of its own.
    pub(super) last_turn: u64,
}

/// Work done so far in a transaction that is open.
pub(super) struct Open<'a> {
    pub(super) db: &'a Connection,
    /// Writes one event. One statement for all of them: it runs for each message.
    insert: CachedStatement<'a>,
    received_ms: i64,
    /// Ids that the window got, to be taken back if it fails.
    added: Vec<(Fingerprint, u64)>,
}

impl Sequencer {
    /// Reads the next number, and the ids of the last minutes.
    pub(super) fn read(
        db: &Connection,
        options: &Options,
        clock: &dyn Clock,
    ) -> rusqlite::Result<Self> {
        let next = next_number(db)?;
        let window = if options.window.is_zero() {
            None
        } else {
            Some(read_window(db, options, clock, next)?)
        };
        let mut sequencer = Self {
            window,
            next,
            in_doubt: false,
            has_begun: false,
            is_taken: false,
            ledger: None,
            ledger_trouble: None,
            opens_ledger_from: None,
            last_turn: next,
        };
        sequencer.open_ledger(db, options, next);
        Ok(sequencer)
    }

    /// Lets go of ids that are too old by now.
    pub(super) fn expire(&mut self, now_ms: i64) {
        if let Some(window) = &mut self.window {
            window.expire(now_ms);
        }
    }

    /// Notes that all that was written so far arrived by `now_ms`.
    pub(super) fn arrived(&mut self, now_ms: i64) {
        if let Some(window) = &mut self.window {
            window.arrived(now_ms, self.next);
        }
    }

    /// Writes `messages` in one transaction. After an error none of them is known to be in the file.
    pub(super) fn write(
        &mut self,
        db: &Connection,
        messages: &[Pending],
        received_ms: i64,
    ) -> rusqlite::Result<Vec<Receipt>> {
        let had_ledger = self.ledger.is_some();
        self.has_begun = false;
        match self.attempt_twice(db, messages, received_ms) {
            Err(error) if had_ledger && self.has_begun => {
                self.write_without_ledger(db, messages, received_ms, error)
            }
            other => other,
        }
    }

    pub(super) fn attempt_twice(
        &mut self,
        db: &Connection,
        messages: &[Pending],
        received_ms: i64,
    ) -> rusqlite::Result<Vec<Receipt>> {
        match self.attempt(db, messages, received_ms) {
            // A number that was thought to be free is taken, if nothing else is wrong; the second attempt
            // begins with another look at the file.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                self.attempt(db, messages, received_ms)
            }
            other => other,
        }
    }

    fn attempt(
        &mut self,
        db: &Connection,
        messages: &[Pending],
        received_ms: i64,
    ) -> rusqlite::Result<Vec<Receipt>> {
        let transaction = if messages.is_empty() {
            // No delivery waits for it, but one that comes meanwhile would.
            without_waiting(|| begin(db))?
        } else {
            begin(db)?
        };
        if self.in_doubt || next_number(db)? > self.next {
            self.catch_up(db)?;
            self.in_doubt = false;
        }
        self.has_begun = true;
        let first = self.next;
        let mut open = Open {
            db,
            insert: db.prepare_cached(INSERT_EVENT)?,
            received_ms,
            added: Vec::with_capacity(messages.len()),
        };
        let written = self
            .insert(messages, &mut open)
            .and_then(|receipts| transaction.commit().map(|()| receipts));
        if written.is_err() {
            if let Some(window) = &mut self.window {
                for (fingerprint, seq) in open.added {
                    window.remove(fingerprint, seq);
                }
            }
            self.next = first;
            self.in_doubt = true;
        }
        if let Some(ledger) = &mut self.ledger {
            if written.is_ok() {
                ledger.written();
            } else {
                ledger.failed();
            }
        }
        written
    }

    fn insert(
        &mut self,
        messages: &[Pending],
        open: &mut Open<'_>,
    ) -> rusqlite::Result<Vec<Receipt>> {
        let mut left = Budget::with_deliveries();
        if messages.is_empty() {
            // No delivery waits for it.
            left = Budget::alone(self.next.saturating_sub(self.last_turn));
            self.derive_from_file(open, &mut left)?;
        }
        let mut receipts = Vec::with_capacity(messages.len());
        for Pending { message, facts, .. } in messages {
            let seq = self.next;
            let fingerprint = self.fingerprint(message);
            if let Some(first) = self.first_copy(open.db, message, fingerprint)? {
                receipts.push(Receipt::repeat(Some(first.to_string())));
                continue;
            }
            let follows = self.follow(open.db, facts, &mut left)?;
            let named = follows.task.and_then(|task| naming_task(message, task));
            self.add(named.as_ref().unwrap_or(message), fingerprint, open)?;
            self.add_derived(&follows.derived, open)?;
            if follows.is_read {
                self.has_followed();
            }
            receipts.push(Receipt::new(Some(seq.to_string())));
        }
        self.mark_if_due(open.db)?;
        Ok(receipts)
    }

    /// Fingerprint of the message's id, where repeats are recognised.
    pub(super) fn fingerprint(&self, message: &OutboundMessage) -> Option<Fingerprint> {
        let window = self.window.as_ref()?;
        Some(window.fingerprint(message.id()))
    }

    /// Number of the event that `message`, whose id has this fingerprint, repeats.
    pub(super) fn first_copy(
        &self,
        db: &Connection,
        message: &OutboundMessage,
        fingerprint: Option<Fingerprint>,
    ) -> rusqlite::Result<Option<u64>> {
        // An event that is sent again on purpose is no repeat.
        let may_repeat = message.attributes.replayedtime.is_none();
        let (Some(window), Some(fingerprint), true) = (&self.window, fingerprint, may_repeat)
        else {
            return Ok(None);
        };
        repeated(db, window.candidates(fingerprint, self.next), message.id())
    }

    pub(super) fn add(
        &mut self,
        message: &OutboundMessage,
        fingerprint: Option<Fingerprint>,
        open: &mut Open<'_>,
    ) -> rusqlite::Result<()> {
        let seq = self.next;
        insert_row(&mut open.insert, seq, open.received_ms, message)?;
        if let (Some(window), Some(fingerprint)) = (&mut self.window, fingerprint) {
            window.insert(fingerprint, seq, seq);
            open.added.push((fingerprint, seq));
        }
        self.next += 1;
        Ok(())
    }

    /// Learns of events that are in the file though their commit failed, or that another program appended:
    /// their numbers are taken, and who sends one of them again sends a repeat.
    fn catch_up(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let next = next_number(db)?;
        if let Some(window) = &mut self.window {
            let mut read =
                db.prepare_cached("SELECT seq, id FROM events WHERE seq >= ?1 ORDER BY seq")?;
            let mut rows = read.query([self.next.cast_signed()])?;
            while let Some(row) = rows.next()? {
                let seq = row.get::<_, i64>(0)?.cast_unsigned();
                // A damaged id is nobody's.
                if let Ok(id) = row.get_ref(1)?.as_str() {
                    window.insert(window.fingerprint(id), seq, seq);
                }
            }
        }
        // Never back: a number that was answered with stands for that event.
        self.next = self.next.max(next);
        Ok(())
    }
}

/// Runs [`INSERT_EVENT`] for `message`.
pub(crate) fn insert_row(
    insert: &mut Statement<'_>,
    seq: u64,
    received_ms: i64,
    message: &OutboundMessage,
) -> rusqlite::Result<usize> {
    insert.execute((
        seq.cast_signed(),
        received_ms,
        message.id(),
        message.event_type(),
        message.source(),
        message.subject(),
        &message.body[..],
    ))
}

/// The first number that was never given, as far as the file knows.
pub(crate) fn next_number(db: &Connection) -> rusqlite::Result<u64> {
    let last: i64 = db
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM events")?
        .query_row([], |row| row.get(0))?;
    // Pruned events were received before, so no number that was ever given is given again.
    let through = setting(db, "received_through")?.unwrap_or(0);
    let highest = last.max(through);
    // An event with a number below all others would be received by nobody.
    u64::try_from(highest)
        .ok()
        .and_then(|highest| highest.checked_add(1))
        .filter(|next| i64::try_from(*next).is_ok())
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(0, highest))
}

/// Reads from the last event back to the window's beginning.
///
/// The age of an event is the sum of the steps of time between it and now: where the time of day went
/// back between two events, the step counts as none, so that neither all nor nothing seems recent.
fn read_window(
    db: &Connection,
    options: &Options,
    clock: &dyn Clock,
    next: u64,
) -> rusqlite::Result<RepeatWindow> {
    let span = ms(options.window);
    let mut window = RepeatWindow::new(span);
    let (now, mut later, mut age) = (ms(clock.monotonic()), now_ms(clock), 0_i64);
    let mut read = db.prepare("SELECT seq, received_ms, id FROM events ORDER BY seq DESC")?;
    let mut rows = read.query([])?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            // Repeats of what cannot be read are not recognised: better than to take no event at all.
            Err(error) if is_damage(&error) => break,
            Err(error) => return Err(error),
        };
        let (Ok(seq), Ok(received)) = (row.get::<_, i64>(0), row.get::<_, i64>(1)) else {
            continue;
        };
        age = age.saturating_add(later.saturating_sub(received).max(0));
        later = received;
        if age > span {
            break;
        }
        let seq = seq.cast_unsigned();
        if let Ok(id) = row.get_ref(2)?.as_str() {
            window.insert(window.fingerprint(id), seq, next);
        }
        window.arrived_before(now - age, seq);
    }
    Ok(window)
}
