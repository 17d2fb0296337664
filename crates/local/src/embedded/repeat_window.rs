//! The window of repeats: which ids arrived within the last minutes, and as which event.
//!
//! A table in memory, because an index over random keys in the file halves the rate. It answers with
//! candidates only; the caller compares the whole id with the event's row, for a false repeat would lose
//! an event. So eight bytes an event are enough (half a fingerprint, half a sequence number), eleven to
//! twelve with the room that is kept free. Events that left the window are overwritten or dropped as their
//! shard grows; shards are small, so that no single send waits for much of the table to be rebuilt.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};

const SHARDS: usize = 256;

/// The window moves in steps of this fraction of its length.
const STEPS: i64 = 64;

const EMPTY: u64 = 0;
/// Matches no fingerprint, for those have a tag of at least one; but probing goes on behind it.
const REMOVED: u64 = 1;

/// Ids within the window. Times are milliseconds of a clock that never goes back.
pub(crate) struct RepeatWindow {
    shards: Vec<Shard>,
    hasher: RandomState,
    span_ms: i64,
    /// Which events arrived when, oldest first.
    steps: VecDeque<Step>,
    /// The oldest event within the window.
    low: u64,
}

/// Events that leave the window together.
struct Step {
    first_ms: i64,
    last_ms: i64,
    /// Number after the last of them.
    end: u64,
}

/// Half of what the table knows of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    shard: usize,
    tag: u32,
}

impl RepeatWindow {
    pub(crate) fn new(span_ms: i64) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            hasher: RandomState::new(),
            span_ms,
            steps: VecDeque::new(),
            low: 0,
        }
    }

    /// The fingerprint of `id`; differs from process to process, so that nobody can prepare collisions.
    pub(crate) fn fingerprint(&self, id: &str) -> Fingerprint {
        let hash = self.hasher.hash_one(id);
        let [shard, .., a, b, c, d] = hash.to_be_bytes();
        Fingerprint {
            shard: usize::from(shard),
            tag: u32::from_be_bytes([a, b, c, d]).max(1),
        }
    }

    /// Lets go of what is too old by now.
    pub(crate) fn expire(&mut self, now_ms: i64) {
        while let Some(step) = self.steps.front()
            && now_ms - step.last_ms > self.span_ms
        {
            self.low = step.end;
            self.steps.pop_front();
        }
    }

    /// Notes that the events before `next` arrived by `now_ms`.
    pub(crate) fn arrived(&mut self, now_ms: i64, next: u64) {
        match self.steps.back_mut() {
            Some(step) if now_ms - step.first_ms < self.span_ms / STEPS => {
                (step.last_ms, step.end) = (now_ms, next);
            }
            _ => self.steps.push_back(Step {
                first_ms: now_ms,
                last_ms: now_ms,
                end: next,
            }),
        }
    }

    /// The same for a single event, while a file is read from its end to its beginning.
    pub(crate) fn arrived_before(&mut self, at_ms: i64, seq: u64) {
        match self.steps.front_mut() {
            Some(step) if step.last_ms - at_ms < self.span_ms / STEPS => step.first_ms = at_ms,
            _ => self.steps.push_front(Step {
                first_ms: at_ms,
                last_ms: at_ms,
                end: seq + 1,
            }),
        }
    }

    /// Events that may have the id of this fingerprint; `next` is the number of the event to come.
    pub(crate) fn candidates(
        &self,
        fingerprint: Fingerprint,
        next: u64,
    ) -> impl Iterator<Item = u64> {
        let low = self.low;
        let shard = self.shards.get(fingerprint.shard);
        shard
            .into_iter()
            .flat_map(move |shard| shard.probe(fingerprint.tag))
            .filter(move |slot| tag(*slot) == fingerprint.tag)
            .filter_map(move |slot| full_sequence(slot, next))
            .filter(move |seq| *seq >= low)
    }

    /// Adds the event `seq`; events after it are not in the table.
    pub(crate) fn insert(&mut self, fingerprint: Fingerprint, seq: u64, next: u64) {
        let low = self.low;
        if let Some(shard) = self.shards.get_mut(fingerprint.shard) {
            shard.insert(fingerprint.tag, seq, |slot| {
                full_sequence(slot, next).is_some_and(|seq| seq >= low)
            });
        }
    }

    /// Takes back an insert whose event was not committed.
    pub(crate) fn remove(&mut self, fingerprint: Fingerprint, seq: u64) {
        if let Some(shard) = self.shards.get_mut(fingerprint.shard) {
            shard.remove(entry(fingerprint.tag, seq), fingerprint.tag);
        }
    }

    /// Bytes that the table takes.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.slots.len() * size_of::<u64>())
            .sum()
    }
}

/// Open addressing with linear probing. A slot's place follows from its tag, so that a shard can be
/// rebuilt without the ids.
#[derive(Default)]
struct Shard {
    slots: Vec<u64>,
    /// Slots that are not [`EMPTY`].
    used: usize,
}

impl Shard {
    /// The slots from the tag's place to the next empty one.
    fn probe(&self, tag: u32) -> impl Iterator<Item = u64> {
        let (before, from) = self.slots.split_at(self.place(tag));
        from.iter()
            .chain(before)
            .copied()
            .take_while(|slot| *slot != EMPTY)
    }

    fn place(&self, tag: u32) -> usize {
        // The product's upper half: spreads tags evenly over any number of slots.
        usize::try_from((u64::from(tag) * self.slots.len() as u64) >> 32).unwrap_or(0)
    }

    fn insert(&mut self, tag: u32, seq: u64, alive: impl Fn(u64) -> bool) {
        if (self.used + 1) * 5 > self.slots.len() * 4 {
            self.rebuild(&alive);
        }
        let place = self.place(tag);
        let (before, from) = self.slots.split_at_mut(place);
        if let Some(slot) = from
            .iter_mut()
            .chain(before)
            .find(|slot| **slot == EMPTY || !alive(**slot))
        {
            self.used += usize::from(*slot == EMPTY);
            *slot = entry(tag, seq);
        }
    }

    fn remove(&mut self, entry: u64, tag: u32) {
        let place = self.place(tag);
        let (before, from) = self.slots.split_at_mut(place);
        if let Some(slot) = from
            .iter_mut()
            .chain(before)
            .take_while(|slot| **slot != EMPTY)
            .find(|slot| **slot == entry)
        {
            *slot = REMOVED;
        }
    }

    /// Makes the table six tenths full of what is alive.
    fn rebuild(&mut self, alive: &impl Fn(u64) -> bool) {
        let kept: Vec<u64> = self
            .slots
            .iter()
            .copied()
            .filter(|slot| *slot != EMPTY && alive(*slot))
            .collect();
        let length = ((kept.len() + 1) * 5).div_ceil(3).max(16);
        if length == self.slots.len() {
            self.slots.fill(EMPTY);
        } else {
            self.slots = vec![EMPTY; length];
        }
        self.used = kept.len();
        for slot in kept {
            let place = self.place(self::tag(slot));
            let (before, from) = self.slots.split_at_mut(place);
            if let Some(free) = from.iter_mut().chain(before).find(|slot| **slot == EMPTY) {
                *free = slot;
            }
        }
    }
}

fn entry(tag: u32, seq: u64) -> u64 {
    u64::from(tag) << 32 | (seq & u64::from(u32::MAX))
}

fn tag(slot: u64) -> u32 {
    u32::try_from(slot >> 32).unwrap_or(0)
}

/// The sequence number of which the slot holds the lower half: the last one before `next` that fits.
fn full_sequence(slot: u64, next: u64) -> Option<u64> {
    const LOWER: u64 = u32::MAX as u64;
    if tag(slot) == 0 {
        return None;
    }
    match next.wrapping_sub(slot) & LOWER {
        0 => None,
        distance => next.checked_sub(distance),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(window: &RepeatWindow, id: &str, next: u64) -> Vec<u64> {
        window.candidates(window.fingerprint(id), next).collect()
    }

    #[test]
    fn an_event_is_found_until_it_leaves_the_window() {
        let mut window = RepeatWindow::new(1000);
        for seq in 1..=100_000_u64 {
            let now = i64::try_from(seq).unwrap() / 10;
            window.expire(now);
            let fingerprint = window.fingerprint(&format!("id {seq}"));
            window.insert(fingerprint, seq, seq);
            window.arrived(now, seq + 1);
        }
        // At ten events a millisecond, the window of 1,000 ms and a step holds the last 10,000 and a bit.
        for seq in 90_001..=100_000 {
            assert!(
                found(&window, &format!("id {seq}"), 100_001).contains(&seq),
                "{seq}"
            );
        }
        for seq in 1..=89_000 {
            assert!(
                !found(&window, &format!("id {seq}"), 100_001).contains(&seq),
                "{seq}"
            );
        }
        assert!(
            window.bytes() < 400_000,
            "what left the window must not take room: {} bytes",
            window.bytes()
        );
    }

    #[test]
    fn an_event_takes_less_than_fourteen_bytes() {
        let mut window = RepeatWindow::new(1_000_000);
        for seq in 1..=300_000 {
            let fingerprint = window.fingerprint(&seq.to_string());
            window.insert(fingerprint, seq, seq);
        }
        assert!(window.bytes() <= 300_000 * 14, "{} bytes", window.bytes());
        assert!(window.bytes() >= 300_000 * 8);
    }

    #[test]
    fn two_ids_with_one_fingerprint_are_both_found() {
        let mut window = RepeatWindow::new(1000);
        let fingerprint = window.fingerprint("a");
        window.insert(fingerprint, 7, 7);
        window.insert(fingerprint, 8, 8);
        let mut both: Vec<u64> = window.candidates(fingerprint, 9).collect();
        both.sort_unstable();
        assert_eq!(both, [7, 8]);
    }

    #[test]
    fn an_insert_is_taken_back() {
        let mut window = RepeatWindow::new(1000);
        let (a, b) = (
            window.fingerprint("a"),
            Fingerprint {
                tag: window.fingerprint("a").tag.wrapping_add(1).max(1),
                ..window.fingerprint("a")
            },
        );
        window.insert(a, 1, 1);
        window.insert(b, 2, 2);
        window.remove(a, 1);
        assert_eq!(window.candidates(a, 3).count(), 0);
        assert_eq!(
            window.candidates(b, 3).collect::<Vec<_>>(),
            [2],
            "the neighbour behind it is still found"
        );
    }

    #[test]
    fn numbers_beyond_32_bits_are_found_whole() {
        let mut window = RepeatWindow::new(1000);
        let seq = (5_u64 << 32) - 1;
        let fingerprint = window.fingerprint("a");
        window.insert(fingerprint, seq, seq);
        assert_eq!(
            window.candidates(fingerprint, seq + 10).collect::<Vec<_>>(),
            [seq]
        );
    }
}
