//! Looks through all that the ledger knows, a little at a time, and removes what is of no more use.
//!
//! - What is gone, a week after that was told. So long it is kept from coming back by an event that comes late: one
//!   that waited in the fallback, over a long weekend too.
//! - What belongs to a project that is gone, at the same age.
//! - What was told longest ago, where there is more than there may be.

use super::sweep_look::{Look, SAMPLE};
use jiff::SignedDuration;
use std::time::Duration;

/// Time for which a thing that is gone is remembered.
pub(super) const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Interval between two looks through all.
const EVERY: Duration = Duration::from_secs(3600);

/// So many groups are written between two steps, while there is no idle moment; and during the first look, before which
/// nobody knows how much there is.
const GROUPS: u32 = 64;
const GROUPS_AT_FIRST: u32 = 4;

/// Things that are known at most, about. In the file they take 120 bytes each.
const MOST: u64 = 1_000_000;
const THING_BYTES: u64 = 120;

/// Room that is filled above that before it is forgotten again: one part in so many. Beyond it, nothing is added.
const ABOVE: u64 = 8;

/// When there are too many, so many parts of four stay.
const STAY: u64 = 3;

/// A look that forgot too little is not made again at once: all that is left was told of just now.
const PAUSE: Duration = Duration::from_secs(60);

/// The part of the queue's largest size that is the ledger's: one in so many.
const PART: u64 = 8;

/// The schedule, and the look that is under way.
pub(super) struct Sweep {
    most: u64,
    /// As the last look counted them, with those that were added since. Not fewer than there are, but before the
    /// first look.
    things: u64,
    /// Added since the look that is under way began.
    added: u64,
    /// Events that told of some of the things, in order.
    samples: Vec<i64>,
    due: Duration,
    forgets_again: Duration,
    groups: u32,
    was_counted: bool,
    pub(super) look: Option<Look>,
}

impl Sweep {
    pub(super) fn new(max_file_bytes: Option<u64>) -> Self {
        let fits = max_file_bytes.map_or(MOST, |bytes| bytes / PART / THING_BYTES);
        Self {
            most: fits.min(MOST),
            things: 0,
            added: 0,
            samples: Vec::new(),
            due: Duration::ZERO,
            forgets_again: Duration::ZERO,
            groups: 0,
            was_counted: false,
            look: None,
        }
    }

    pub(super) fn things(&self) -> u64 {
        self.things
    }

    /// Things that may be added until those that were told longest ago have to go first; `grown` were added and not
    /// counted yet.
    pub(super) fn room(&self, grown: u64) -> u64 {
        self.filled()
            .saturating_sub(self.things.saturating_add(grown))
    }

    /// Things that are gone and may be added besides: as much again.
    pub(super) fn room_for_gone(&self, grown: u64) -> u64 {
        let things = self.things.saturating_add(grown).max(self.filled());
        (self.filled() + self.most / ABOVE).saturating_sub(things)
    }

    /// Things with which the ledger is full.
    fn filled(&self) -> u64 {
        self.most + self.most / ABOVE
    }

    /// So many were added.
    pub(super) fn has_grown(&mut self, things: u64) {
        self.things = self.things.saturating_add(things);
        self.added = self.added.saturating_add(things);
    }

    pub(super) fn is_due(&mut self, now: Duration, is_idle: bool) -> bool {
        let is_over = self.things > self.most;
        let is_urgent = match &self.look {
            Some(look) => is_over || look.forgets_before > 0,
            None => is_over && now >= self.forgets_again,
        };
        if self.look.is_none() && now < self.due && !is_urgent {
            return false;
        }
        self.groups += 1;
        let waits = if self.was_counted {
            GROUPS
        } else {
            GROUPS_AT_FIRST
        };
        if !(is_idle || is_urgent || self.groups > waits) {
            return false;
        }
        self.groups = 0;
        true
    }

    /// Begins a look. What was told up to event `marked` may go.
    pub(super) fn begin(&mut self, marked: u64) -> Look {
        self.added = 0;
        let stay = self.most / 4 * STAY;
        // There are no samples before the first look, which counts and forgets nothing.
        let forgets_before = if self.things > self.most {
            let goes = usize::try_from((self.things - stay) / SAMPLE).unwrap_or(usize::MAX);
            let before = self.samples.get(goes).or(self.samples.last());
            // One event may have told of all of them.
            before.map(|before| (*before).max(self.samples.first().unwrap_or(before) + 1))
        } else {
            None
        };
        Look::begin(forgets_before.unwrap_or(0), marked.cast_signed())
    }

    /// All was looked through.
    pub(super) fn end(&mut self, mut look: Look, now: Duration) {
        self.things = look.kept.saturating_add(self.added);
        look.samples.sort_unstable();
        self.samples = look.samples;
        self.due = now + EVERY;
        self.was_counted = true;
        if look.forgets_before > 0 && self.things > self.most {
            self.forgets_again = now + PAUSE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(things: u64, samples: Vec<i64>) -> Sweep {
        Sweep {
            most: 640,
            things,
            samples,
            due: EVERY,
            ..Sweep::new(None)
        }
    }

    /// Red if a ledger that is nearly full is looked through again and again, though nothing may be forgotten.
    #[test]
    fn a_look_that_frees_too_little_is_not_made_again_at_once() {
        let mut sweep = full(700, vec![5; 10]);
        let now = Duration::from_secs(1);
        assert!(sweep.is_due(now, false));
        let mut look = sweep.begin(9);
        look.kept = 700;
        sweep.end(look, now);
        assert!(!sweep.is_due(now, true));
        assert!(sweep.is_due(now + PAUSE, false));
        let mut look = sweep.begin(9);
        look.kept = 480;
        sweep.end(look, now + PAUSE);
        assert!(!sweep.is_due(now + 2 * PAUSE, true));
    }

    #[test]
    fn a_quarter_goes_by_what_was_told_longest_ago() {
        // 704 things, of which 480 stay: the oldest three samples and a half.
        let forgets = |samples| full(704, samples).begin(99).forgets_before;
        assert_eq!(forgets((1..=11).collect()), 4);
        assert_eq!(forgets(vec![7; 11]), 8, "one event told of all");
        assert_eq!(forgets(vec![]), 0, "nothing was counted yet");
        assert_eq!(full(640, vec![7; 10]).begin(99).forgets_before, 0);
    }

    #[test]
    fn a_full_ledger_has_no_room() {
        let mut sweep = full(719, vec![]);
        assert_eq!((sweep.room(0), sweep.room_for_gone(0)), (1, 80));
        assert_eq!((sweep.room(3), sweep.room_for_gone(3)), (0, 78));
        sweep.has_grown(5);
        assert_eq!((sweep.room(0), sweep.room_for_gone(0)), (0, 76));
        sweep.has_grown(100);
        assert_eq!((sweep.room(0), sweep.room_for_gone(0)), (0, 0));
        let mut look = Look::default();
        look.kept = 100;
        sweep.end(look, EVERY);
        assert_eq!(sweep.room(0), 515);
    }
}
