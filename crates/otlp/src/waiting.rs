//! Spans that wait to be sent, in batches of their bytes.

use crate::message::{Head, Message};
use std::collections::VecDeque;

/// Requests and events that may wait to be sent.
const MOST_WAITING: usize = 8192;

/// So much memory they may take, whatever they are: 3 kB for each. Most have a little more than 1 kB.
const MOST_WAITING_BYTES: usize = 24 << 20;

/// So many are worth a message at once.
const BATCH: usize = 512;

/// So are so many bytes: some collectors take no message of more than 4 MB.
const BATCH_BYTES: usize = 2 << 20;

/// So much room a batch has at first at most: one that is whole fits into it.
const MOST_ROOM: usize = BATCH_BYTES + BATCH_BYTES / 16;

/// What waits.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Those that are worth a message, the oldest first.
    whole: VecDeque<Batch>,
    /// The one that grows.
    begun: Batch,
    /// Requests and events of all.
    ended: usize,
    /// Memory that all take. A batch may have room for more than is in it.
    bytes: usize,
    /// For texts that have to be made first.
    scratch: String,
}

/// Spans that go out together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    spans: Vec<u8>,
    count: u64,
    /// Requests and events.
    ended: usize,
}

impl Waiting {
    /// Number of requests and events that wait.
    pub(crate) const fn ended(&self) -> usize {
        self.ended
    }

    pub(crate) const fn has_room(&self) -> bool {
        self.ended < MOST_WAITING && self.bytes < MOST_WAITING_BYTES
    }

    /// Adds so many spans of one request or event, which `write` writes. Tells whether a batch is whole with them.
    pub(crate) fn add(
        &mut self,
        count: u64,
        write: impl FnOnce(&mut Vec<u8>, &mut String),
    ) -> bool {
        let batch = &mut self.begun;
        self.bytes -= batch.spans.capacity();
        write(&mut batch.spans, &mut self.scratch);
        self.bytes += batch.spans.capacity();
        batch.count += count;
        batch.ended += 1;
        self.ended += 1;
        let is_whole = batch.ended >= BATCH || batch.spans.len() >= BATCH_BYTES;
        if is_whole {
            let batch = self.begin_another();
            self.whole.push_back(batch);
        }
        is_whole
    }

    /// Takes a batch, or what there is of one, the oldest first.
    pub(crate) fn take(&mut self) -> Option<Batch> {
        let batch = match self.whole.pop_front() {
            Some(batch) => batch,
            None if self.begun.ended > 0 => self.begin_another(),
            None => return None,
        };
        self.ended -= batch.ended;
        self.bytes -= batch.spans.capacity();
        Some(batch)
    }

    /// Begins one that has room at once for as much as the last one, and a little more: nothing is moved then because it
    /// grows, or because its message gets a head.
    fn begin_another(&mut self) -> Batch {
        let last = self.begun.spans.len();
        let room = (last + last / 16 + 1024).min(MOST_ROOM);
        let another = Batch {
            spans: Vec::with_capacity(room),
            ..Batch::default()
        };
        self.bytes += another.spans.capacity();
        std::mem::replace(&mut self.begun, another)
    }
}

impl Batch {
    /// Number of requests and events.
    pub(crate) const fn ended(&self) -> usize {
        self.ended
    }

    /// The message that has these spans.
    pub(crate) fn message(self, head: &Head) -> Message {
        Message {
            bytes: head.before(self.spans).into(),
            spans: self.count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(waiting: &mut Waiting, bytes: usize) -> bool {
        waiting.add(1, |out, _| out.resize(out.len() + bytes, 0))
    }

    #[test]
    fn a_batch_is_whole_by_number_or_by_bytes() {
        let mut waiting = Waiting::default();
        for (bytes, expected) in [(1, BATCH), (BATCH_BYTES / 4, 4), (BATCH_BYTES, 1)] {
            for number in 1..=expected {
                assert_eq!(add(&mut waiting, bytes), number == expected, "{number}");
            }
            add(&mut waiting, 1);
            let taken = [(); 3].map(|()| waiting.take().map(|batch| batch.ended));
            assert_eq!(taken, [Some(expected), Some(1), None]);
        }
        assert_eq!(waiting.ended, 0);
        assert_eq!(waiting.bytes, waiting.begun.spans.capacity());
    }

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        for (bytes, expected) in [
            (100, MOST_WAITING..=MOST_WAITING),
            (1 << 20, 20..=MOST_WAITING_BYTES >> 20),
        ] {
            let mut waiting = Waiting::default();
            let mut count = 0;
            while waiting.has_room() {
                add(&mut waiting, bytes);
                count += 1;
            }
            assert!(expected.contains(&count), "{count}");
            waiting.take();
            assert!(waiting.has_room());
        }
    }

    /// Red if only what is in the batches counts: one of small spans after one of large spans has room for as much.
    #[test]
    fn what_waits_takes_no_more_memory_than_is_promised() {
        let mut waiting = Waiting::default();
        let sizes = [BATCH_BYTES / BATCH, 16];
        while waiting.has_room() {
            let bytes = sizes[waiting.ended / BATCH % 2];
            add(&mut waiting, bytes);
        }
        let all = waiting.whole.iter().chain([&waiting.begun]);
        let held: usize = all.map(|batch| batch.spans.capacity()).sum();
        // Beside them is a message.
        let promised = usize::try_from(crate::MOST_BYTES).unwrap() - MOST_ROOM;
        assert!(held <= promised, "{held}");
    }

    /// Red if a single request leaves so much room behind that nothing finds any after it.
    #[test]
    fn room_for_more_keeps_nothing_out() {
        let mut waiting = Waiting::default();
        add(&mut waiting, MOST_WAITING_BYTES);
        assert!(!waiting.has_room());
        assert!(waiting.take().is_some());
        assert!(waiting.has_room());
        assert!(waiting.take().is_none());
    }
}
