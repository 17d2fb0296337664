//! Deliveries on their way to the thread that writes the journal, as the bytes that it writes. Nobody waits for room: one
//! that finds none is counted.

use crate::class::{Class, PerClass};
use crate::entry::{Entry, entries};
use crate::journal::HEADER_BYTES;
use crate::sums::Sums;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Deliveries gather this long for one write. One is in the journal this long after its answer, and a little. The thread
/// is woken once in this time, and not by each of them.
const GATHER: Duration = Duration::from_millis(100);

/// Rows of each class that may wait. What a second brings of verified deliveries fits, in case the disk makes the
/// thread wait; a stranger's flood does not, and costs the disk little.
const ROWS: PerClass<u64> = PerClass {
    verified: 65_536,
    stranger: 256,
};

/// Bytes of each class that may wait.
const BYTES: PerClass<usize> = PerClass {
    verified: 12 * MIB,
    stranger: 2 * MIB,
};

/// The most that a record has in memory: one group that is written, another one that gathers meanwhile, and the cache of
/// `SQLite`.
pub const MEMORY_BYTES: u64 = (2 * (BYTES.verified + BYTES.stranger) + 4 * MIB) as u64;

const MIB: usize = 1024 * 1024;

#[derive(Default)]
struct Waiting {
    /// A frame, but for the facts in its first bytes. Empty when nothing waits.
    frame: Vec<u8>,
    sums: PerClass<Sums>,
    /// Bytes in the frame.
    bytes: PerClass<usize>,
    lost: PerClass<u64>,
    is_closed: bool,
}

/// The way to the thread.
#[derive(Default)]
pub(crate) struct Inbox {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

/// Deliveries for one write.
#[derive(Default)]
pub(crate) struct Batch {
    /// A frame, but for the facts in its first bytes.
    pub(crate) frame: Vec<u8>,
    pub(crate) sums: PerClass<Sums>,
    /// Deliveries that found no room since the last batch.
    pub(crate) lost: PerClass<u64>,
}

impl Batch {
    /// Leaves out deliveries of strangers; their number.
    pub(crate) fn leave_out_strangers(&mut self) -> u64 {
        let strangers = std::mem::take(&mut self.sums.stranger).rows;
        if strangers > 0 {
            let mut frame = vec![0; HEADER_BYTES];
            let all = self.frame.get(HEADER_BYTES..).unwrap_or_default();
            for entry in entries(all).filter_map(Entry::decode) {
                if entry.class() == Class::Verified {
                    entry.encode(&mut frame);
                }
            }
            self.frame = frame;
        }
        strangers
    }
}

impl Inbox {
    /// Tells whether a row of this class would find room; counts one that does not. Asked before a row is made: one
    /// that would be dropped costs nothing then.
    pub(crate) fn has_room(&self, class: Class) -> bool {
        let mut waiting = self.lock();
        let has_room = waiting.sums.of(class).rows < *ROWS.of(class)
            && waiting.bytes.of(class) < BYTES.of(class);
        if !has_room {
            *waiting.lost.of_mut(class) += 1;
        }
        has_room
    }

    /// Takes a row that was encoded, and has these sums, or counts it.
    pub(crate) fn push(&self, class: Class, encoded: &[u8], sums: Sums) {
        let mut guard = self.lock();
        let waiting = &mut *guard;
        let has_room = waiting.sums.of(class).rows < *ROWS.of(class)
            && waiting.bytes.of(class) + encoded.len() <= *BYTES.of(class);
        if !has_room {
            *waiting.lost.of_mut(class) += 1;
            return;
        }
        let is_first = waiting.frame.is_empty();
        if is_first {
            waiting.frame.resize(HEADER_BYTES, 0);
        }
        waiting.frame.extend_from_slice(encoded);
        *waiting.bytes.of_mut(class) += encoded.len();
        waiting.sums.of_mut(class).add(sums);
        drop(guard);
        if is_first {
            self.arrived.notify_one();
        }
    }

    /// What has gathered. `spare` is memory for what gathers next. Nothing is waited for longer than `patience`, if there is
    /// one: then it is an empty batch. `None` once it is closed and empty.
    pub(crate) fn next(&self, mut spare: Vec<u8>, patience: Option<Duration>) -> Option<Batch> {
        spare.clear();
        let is_idle = |waiting: &mut Waiting| waiting.frame.is_empty() && !waiting.is_closed;
        let waiting = if let Some(patience) = patience {
            let waited = self
                .arrived
                .wait_timeout_while(self.lock(), patience, is_idle);
            let (waiting, told) = waited.unwrap_or_else(PoisonError::into_inner);
            if told.timed_out() {
                return Some(Batch {
                    frame: spare,
                    ..Batch::default()
                });
            }
            waiting
        } else {
            self.arrived
                .wait_while(self.lock(), is_idle)
                .unwrap_or_else(PoisonError::into_inner)
        };
        let mut guard = self
            .arrived
            .wait_timeout_while(waiting, GATHER, |waiting| !waiting.is_closed)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        let waiting = &mut *guard;
        if waiting.frame.is_empty() {
            return None;
        }
        waiting.bytes = PerClass::default();
        Some(Batch {
            frame: std::mem::replace(&mut waiting.frame, spare),
            sums: std::mem::take(&mut waiting.sums),
            lost: std::mem::take(&mut waiting.lost),
        })
    }

    /// Nothing comes any more.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics while it is held; and if something did, the sums are bounds and no truth.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Row;

    fn verified() -> Row {
        Row {
            verified_by: Some("secret".to_owned()),
            ..Row::default()
        }
    }

    fn push(inbox: &Inbox, row: &Row) {
        let entry = Entry::of(row);
        let mut encoded = Vec::new();
        entry.encode(&mut encoded);
        inbox.push(entry.class(), &encoded, entry.sums());
    }

    fn next(inbox: &Inbox) -> Option<(Batch, Vec<Row>)> {
        let batch = inbox.next(Vec::new(), None)?;
        let rows =
            entries(&batch.frame[HEADER_BYTES..]).map(|entry| Entry::decode(entry).unwrap().row());
        let rows: Vec<_> = rows.collect();
        assert_eq!(batch.sums.rows(), rows.len() as u64);
        Some((batch, rows))
    }

    #[test]
    fn a_flood_of_strangers_takes_no_room_from_others() {
        let inbox = Inbox::default();
        for _ in 0..100_000 {
            push(&inbox, &Row::default());
        }
        assert!(!inbox.has_room(Class::Stranger));
        assert!(inbox.has_room(Class::Verified));
        push(&inbox, &verified());
        let (batch, rows) = next(&inbox).unwrap();
        assert_eq!(rows.len(), 256 + 1);
        assert_eq!(batch.lost.verified, 0);
        // One more was asked for, and one came in vain for each that is not there.
        assert_eq!(batch.lost.stranger, 100_000 - 256 + 1);
        assert_eq!(rows.last(), Some(&verified()));
        assert!(inbox.has_room(Class::Stranger));
    }

    #[test]
    fn large_rows_are_bounded_by_their_bytes() {
        let inbox = Inbox::default();
        let row = Row {
            body_start: Some(vec![0; 64 * 1024]),
            ..Row::default()
        };
        for _ in 0..256 {
            push(&inbox, &row);
        }
        let (batch, rows) = next(&inbox).unwrap();
        assert!(rows.len() < 64, "{}", rows.len());
        assert_eq!(rows.len() as u64 + batch.lost.stranger, 256);
    }

    #[test]
    fn whoever_has_something_else_to_do_does_not_wait_for_ever() {
        let inbox = Inbox::default();
        let nothing = inbox.next(Vec::new(), Some(Duration::ZERO)).unwrap();
        assert!(nothing.frame.is_empty());
        push(&inbox, &verified());
        let one = inbox.next(Vec::new(), Some(Duration::ZERO)).unwrap();
        assert_eq!(one.sums.rows(), 1);
        inbox.close();
        assert!(inbox.next(Vec::new(), Some(Duration::ZERO)).is_none());
    }

    #[test]
    fn what_came_before_the_end_is_still_there() {
        let inbox = Inbox::default();
        push(&inbox, &verified());
        inbox.close();
        assert_eq!(next(&inbox).unwrap().1.len(), 1);
        assert!(next(&inbox).is_none());
    }
}
