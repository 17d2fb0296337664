//! Acknowledged events that stay for the record of deliveries: the newest of them, within a bound of bytes.
//!
//! They are the end of an index, that of acknowledged events by the time of their acknowledgement. So one place in it
//! says what stays, and pruning reads the index up to that. Each of them is counted once, in the order of that index, a few at a
//! time. The counts are parts of the index, one behind the other: a part that does not fit any more goes as a whole, with
//! all that it counted. So whatever somebody else removes meanwhile, no sum is ever wrong for long.

use crate::prune::{self, NOWHERE, Place};
use crate::sqlite::ms;
use rusqlite::Connection;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Events that are counted at a time. As with those that are pruned, their pages may have to be read from the disk.
const AT_ONCE: u16 = 128;

/// Parts that what stays is counted in, about.
const PARTS: u64 = 64;

/// Which acknowledged events are kept for longer than others, since a record of deliveries refers to them.
#[derive(Debug, Clone)]
pub struct KeptForRecord {
    /// Bytes of their envelopes together: the newest are kept. With 0, none are. Where the file has a largest size, a
    /// quarter of that is the most, and a tenth of the disk everywhere.
    pub bytes: u64,
    /// None is kept for longer than this after its acknowledgement, whatever the record says.
    pub longest: Duration,
    /// Time since which the record has deliveries, milliseconds since 1970: an event that was acknowledged before is
    /// not kept. Whoever writes the record changes it. 0 while it has said nothing yet, so that all are kept;
    /// `i64::MAX` where there is no record.
    pub since_ms: Arc<AtomicI64>,
}

/// What the owner knows of the events that it keeps for the record.
pub(super) struct Kept {
    /// `None` where none is kept.
    setting: Option<KeptForRecord>,
    counted: RefCell<Counted>,
    /// Number up to which the ledger had read the queue for good at the last turn of pruning.
    read: Cell<u64>,
    /// Room is wanted: nothing is kept until all was removed that was kept for the record alone.
    is_released: Cell<bool>,
}

#[derive(Default)]
struct Counted {
    /// The last event that was counted.
    last: Place,
    parts: VecDeque<Part>,
    bytes: u64,
    /// What stands before this place does not fit.
    from: Place,
}

/// Events that stand next to each other in the index.
struct Part {
    /// The first of them.
    first: Place,
    bytes: u64,
}

impl Kept {
    pub(super) fn of(kept: Option<KeptForRecord>) -> Self {
        Self {
            setting: kept.filter(|kept| kept.bytes > 0),
            counted: RefCell::default(),
            read: Cell::new(0),
            is_released: Cell::new(false),
        }
    }

    /// Place from which on acknowledged events stay; [`NOWHERE`] where none does. `retained_ms`: what was acknowledged before
    /// is not kept for any other reason, and is counted. The second value says whether there is more to count.
    pub(super) fn stays_from(&self, db: &Connection, now: i64, retained_ms: i64) -> (Place, bool) {
        let Some(kept) = self.setting.as_ref().filter(|_| !self.is_released.get()) else {
            return (NOWHERE, false);
        };
        let oldest_ms = now.saturating_sub(ms(kept.longest));
        let since_ms = kept.since_ms.load(Ordering::Relaxed).max(oldest_ms);
        let mut counted = self.counted.borrow_mut();
        // What cannot be counted cannot be bounded: it is pruned as it would be without a record.
        let Ok(more) = counted.count(db, kept.bytes, retained_ms) else {
            return (NOWHERE, false);
        };
        (counted.from.max(prune::at(since_ms)), more)
    }

    /// Room is wanted, and none is kept until [all are gone](Self::are_gone); `false` where none is kept anyway.
    pub(super) fn release(&self) -> bool {
        let keeps = self.setting.is_some();
        self.is_released.set(keeps);
        keeps
    }

    /// Notes how far the ledger has read the queue for good.
    pub(super) fn note_read(&self, read: Option<u64>) {
        self.read.set(read.unwrap_or(0));
    }

    pub(super) const fn read(&self) -> u64 {
        self.read.get()
    }

    /// Nothing is left that was kept for the record alone: what comes from now on may stay again.
    pub(super) fn are_gone(&self) {
        self.is_released.set(false);
    }

    pub(super) const fn is_released(&self) -> bool {
        self.is_released.get()
    }

    pub(super) const fn keeps_any(&self) -> bool {
        self.setting.is_some()
    }
}

/// Reads the index behind an event. Its first column says where to begin, so nothing is read that was counted before, but for
/// what was acknowledged in the same millisecond.
const BEHIND: &str = "SELECT d.changed_ms, d.seq, coalesce(length(e.envelope), 0)
     FROM deliveries d LEFT JOIN events e ON e.seq = d.seq
     WHERE d.state = 1 AND (d.changed_ms, d.seq) > (?1, ?2) AND d.changed_ms < ?3
     ORDER BY d.changed_ms, d.seq LIMIT ?4";

impl Counted {
    /// Counts some of what was acknowledged before `retained_ms`, and was not counted yet; says whether there is more.
    fn count(&mut self, db: &Connection, most: u64, retained_ms: i64) -> rusqlite::Result<bool> {
        let (last_ms, last_seq) = self.last;
        let mut read = db.prepare_cached(BEHIND)?;
        let mut rows = read.query((last_ms, last_seq, retained_ms, AT_ONCE))?;
        let mut found = 0;
        while let Some(row) = rows.next()? {
            found += 1;
            self.last = (row.get(0)?, row.get(1)?);
            self.add(row.get::<_, i64>(2)?.max(0).cast_unsigned(), most);
        }
        Ok(found == AT_ONCE)
    }

    /// Adds the event that was read last.
    fn add(&mut self, bytes: u64, most: u64) {
        let whole = (most / PARTS).max(1);
        match self.parts.back_mut().filter(|part| part.bytes < whole) {
            Some(part) => part.bytes = part.bytes.saturating_add(bytes),
            None => self.parts.push_back(Part {
                first: self.last,
                bytes,
            }),
        }
        self.bytes = self.bytes.saturating_add(bytes);
        while self.bytes > most
            && let Some(oldest) = self.parts.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(oldest.bytes);
            self.from = match self.parts.front() {
                Some(next) => next.first,
                None => behind(self.last),
            };
        }
    }
}

/// The place behind an event.
const fn behind((changed_ms, seq): Place) -> Place {
    (changed_ms, seq.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    const DAY: Duration = Duration::from_secs(86_400);

    struct Fixture {
        _dir: tempfile::TempDir,
        db: Connection,
        since_ms: Arc<AtomicI64>,
    }

    impl Fixture {
        /// Events of ten bytes, of which each was acknowledged so many milliseconds after the one before.
        fn acknowledged(many: i64, apart_ms: i64) -> Self {
            let dir = tempfile::TempDir::new().unwrap();
            let db = schema::new_in(&dir);
            for seq in 1..=many {
                let event = (
                    seq,
                    0,
                    "id",
                    "type",
                    "/source",
                    None::<&str>,
                    &b"0123456789"[..],
                );
                db.execute(schema::INSERT_EVENT, event).unwrap();
                let acknowledged = "INSERT INTO deliveries(seq, state, receive_count, visible_ms, changed_ms) VALUES(?1, 1, 1, 0, ?2)";
                db.execute(acknowledged, (seq, seq * apart_ms)).unwrap();
            }
            Self {
                _dir: dir,
                db,
                since_ms: Arc::default(),
            }
        }

        fn kept(&self, bytes: u64) -> Kept {
            Kept::of(Some(KeptForRecord {
                bytes,
                longest: DAY,
                since_ms: Arc::clone(&self.since_ms),
            }))
        }

        /// Time from which on events stay, once all are counted that were acknowledged before `retained_ms`.
        fn stays_from(&self, kept: &Kept, retained_ms: i64) -> i64 {
            loop {
                let ((from_ms, _), more) = kept.stays_from(&self.db, 0, retained_ms);
                if !more {
                    return from_ms;
                }
            }
        }
    }

    #[test]
    fn the_newest_stay_within_the_bound() {
        let fixture = Fixture::acknowledged(10, 100);
        for (bytes, from_ms) in [
            (1000, 0),
            (100, 0),
            (99, 200),
            (30, 800),
            (10, 1000),
            (9, 1000),
            (0, i64::MAX),
        ] {
            let kept = fixture.kept(bytes);
            assert_eq!(fixture.stays_from(&kept, i64::MAX), from_ms, "{bytes}");
        }
        // One after the other as they become old enough, and each is counted once.
        let kept = fixture.kept(30);
        for (retained_ms, from_ms) in [(301, 0), (401, 200), (401, 200), (1001, 800)] {
            assert_eq!(fixture.stays_from(&kept, retained_ms), from_ms);
        }
    }

    #[test]
    fn nothing_stays_for_a_record_that_has_no_delivery_of_that_time() {
        let fixture = Fixture::acknowledged(10, 100);
        let kept = fixture.kept(30);
        for (since_ms, from_ms) in [(0, 800), (500, 800), (900, 900), (i64::MAX, i64::MAX)] {
            fixture.since_ms.store(since_ms, Ordering::Relaxed);
            assert_eq!(fixture.stays_from(&kept, i64::MAX), from_ms, "{since_ms}");
        }
        fixture.since_ms.store(0, Ordering::Relaxed);
        let now = ms(DAY) + 950;
        assert_eq!(
            kept.stays_from(&fixture.db, now, i64::MAX),
            (prune::at(950), false)
        );
    }

    #[test]
    fn many_are_counted_in_steps_and_in_few_parts() {
        let many = i64::from(AT_ONCE) * 3 + 5;
        let fixture = Fixture::acknowledged(many, 1);
        let kept = fixture.kept(2000);
        let steps = (0..4).map(|_| kept.stays_from(&fixture.db, 0, i64::MAX).1);
        assert_eq!(steps.collect::<Vec<_>>(), [true, true, true, false]);
        let counted = kept.counted.borrow();
        assert_eq!(counted.last, (many, many));
        assert!(counted.parts.len() <= usize::try_from(PARTS).unwrap() + 1);
        let sum: u64 = counted.parts.iter().map(|part| part.bytes).sum();
        assert_eq!(sum, counted.bytes);
        assert!((1960..=2000).contains(&sum), "{sum}");
        let first = many - i64::try_from(sum / 10).unwrap() + 1;
        assert_eq!(counted.from, (first, first));
    }

    /// Red if the bound is that of a time: then all of them stay, or none.
    #[test]
    fn of_those_that_were_acknowledged_at_once_the_newest_stay() {
        let fixture = Fixture::acknowledged(300, 0);
        for (bytes, from_seq) in [(3000, 0), (2990, 6), (640, 237), (10, 300), (9, 301)] {
            let kept = fixture.kept(bytes);
            fixture.stays_from(&kept, i64::MAX);
            let from = kept.counted.borrow().from;
            assert_eq!(from, (0, from_seq), "{bytes}");
        }
    }

    /// Somebody pruned by hand, or room was wanted: the sum is that of what comes, as soon as the parts are gone.
    #[test]
    fn what_others_remove_leaves_no_sum_wrong() {
        let fixture = Fixture::acknowledged(20, 100);
        let kept = fixture.kept(50);
        assert_eq!(fixture.stays_from(&kept, 1001), 600);
        fixture
            .db
            .execute("DELETE FROM deliveries WHERE seq <= 10", [])
            .unwrap();
        assert_eq!(fixture.stays_from(&kept, 1301), 900);
        assert_eq!(fixture.stays_from(&kept, i64::MAX), 1600);
        assert_eq!(kept.counted.borrow().bytes, 50);
    }

    #[test]
    fn where_room_is_wanted_nothing_stays_until_all_are_gone() {
        let fixture = Fixture::acknowledged(10, 100);
        let kept = fixture.kept(1000);
        assert!(kept.release());
        assert_eq!(fixture.stays_from(&kept, i64::MAX), i64::MAX);
        kept.are_gone();
        assert_eq!(fixture.stays_from(&kept, i64::MAX), 0);
        assert!(!fixture.kept(0).release());
        assert!(!Kept::of(None).release());
    }

    /// Red if what was counted before is read again, or what is kept is sorted.
    #[test]
    fn counting_begins_in_the_index_where_it_ended() {
        let fixture = Fixture::acknowledged(1, 1);
        let plan = format!("EXPLAIN QUERY PLAN {BEHIND}");
        let mut read = fixture.db.prepare(&plan).unwrap();
        let steps = read
            .query_map((0, 0, 0, AT_ONCE), |row| row.get::<_, String>(3))
            .unwrap();
        let steps: Vec<_> = steps.map(Result::unwrap).collect();
        assert_eq!(steps.len(), 2, "{steps:?}");
        assert!(
            steps[0].contains("SEARCH d USING COVERING INDEX deliveries_acknowledged"),
            "{steps:?}"
        );
        assert!(
            steps[0].contains("(changed_ms>? AND changed_ms<?)"),
            "{steps:?}"
        );
        assert!(steps[1].contains("INTEGER PRIMARY KEY"), "{steps:?}");
    }
}
