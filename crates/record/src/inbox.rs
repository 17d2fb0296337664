//! Rows on their way to the thread that writes them. Nobody waits for room: a row that finds none is counted.

use crate::class::{Class, PerClass};
use crate::row::Row;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Rows that gather for one transaction. A row is in the file this long after its answer, and a little.
const GATHER: Duration = Duration::from_millis(100);

/// Rows of each class that may wait. What 100 ms bring of verified deliveries fits several times; a stranger's flood
/// does not, and costs the disk little.
const ROWS: PerClass<usize> = PerClass {
    verified: 8192,
    stranger: 256,
};

/// Bytes of each class that may wait.
const BYTES: PerClass<usize> = PerClass {
    verified: 8 * 1024 * 1024,
    stranger: 2 * 1024 * 1024,
};

#[derive(Default)]
struct Waiting {
    rows: Vec<Row>,
    count: PerClass<usize>,
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

/// Rows for one transaction.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) rows: Vec<Row>,
    /// Rows that found no room since the last batch.
    pub(crate) lost: PerClass<u64>,
}

impl Inbox {
    /// Tells whether a row of this class would find room; counts one that does not. Asked before a row is made: one
    /// that would be dropped costs nothing then.
    pub(crate) fn has_room(&self, class: Class) -> bool {
        let mut waiting = self.lock();
        let has_room =
            waiting.count.of(class) < ROWS.of(class) && waiting.bytes.of(class) < BYTES.of(class);
        if !has_room {
            *waiting.lost.of_mut(class) += 1;
        }
        has_room
    }

    /// Takes a row, or counts it.
    pub(crate) fn push(&self, row: Row) {
        let class = row.class();
        let bytes = row.bytes() + row.start_bytes();
        let mut waiting = self.lock();
        let has_room = waiting.count.of(class) < ROWS.of(class)
            && waiting.bytes.of(class) + bytes <= *BYTES.of(class);
        if !has_room {
            *waiting.lost.of_mut(class) += 1;
            return;
        }
        *waiting.count.of_mut(class) += 1;
        *waiting.bytes.of_mut(class) += bytes;
        waiting.rows.push(row);
        let is_first = waiting.rows.len() == 1;
        drop(waiting);
        if is_first {
            self.arrived.notify_one();
        }
    }

    /// What has gathered; nothing after `idle`. `None` once it is closed and empty.
    pub(crate) fn next(&self, idle: Duration) -> Option<Batch> {
        let is_idle = |waiting: &mut Waiting| waiting.rows.is_empty() && !waiting.is_closed;
        let waited = self
            .arrived
            .wait_timeout_while(self.lock(), idle, is_idle)
            .unwrap_or_else(PoisonError::into_inner);
        let mut waiting = waited.0;
        if !waiting.rows.is_empty() {
            let waited = self
                .arrived
                .wait_timeout_while(waiting, GATHER, |waiting| !waiting.is_closed)
                .unwrap_or_else(PoisonError::into_inner);
            waiting = waited.0;
        }
        if waiting.rows.is_empty() && waiting.is_closed {
            return None;
        }
        waiting.count = PerClass::default();
        waiting.bytes = PerClass::default();
        Some(Batch {
            rows: std::mem::take(&mut waiting.rows),
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

    fn verified() -> Row {
        Row {
            verified_by: Some("secret".to_owned()),
            ..Row::default()
        }
    }

    #[test]
    fn a_flood_of_strangers_takes_no_room_from_others() {
        let inbox = Inbox::default();
        for _ in 0..100_000 {
            inbox.push(Row::default());
        }
        assert!(!inbox.has_room(Class::Stranger));
        assert!(inbox.has_room(Class::Verified));
        inbox.push(verified());
        let batch = inbox.next(Duration::ZERO).unwrap();
        assert_eq!(batch.rows.len(), 256 + 1);
        assert_eq!(batch.lost.verified, 0);
        // One more was asked for, and one came in vain for each that is not there.
        assert_eq!(batch.lost.stranger, 100_000 - 256 + 1);
        assert_eq!(batch.rows.last(), Some(&verified()));
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
            inbox.push(row.clone());
        }
        let batch = inbox.next(Duration::ZERO).unwrap();
        assert!(batch.rows.len() < 64, "{}", batch.rows.len());
        assert_eq!(batch.rows.len() as u64 + batch.lost.stranger, 256);
    }

    #[test]
    fn what_came_before_the_end_is_still_there() {
        let inbox = Inbox::default();
        inbox.push(verified());
        inbox.close();
        assert_eq!(inbox.next(Duration::MAX).unwrap().rows.len(), 1);
        assert!(inbox.next(Duration::MAX).is_none());
    }
}
