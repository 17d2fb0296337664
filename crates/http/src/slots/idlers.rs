//! Who goes first when a slot is needed.

use crate::connection::{Activity, Idle};
use std::time::{Duration, Instant};

/// A look counts for so long, so that a flood does not make each connection that comes look at all.
const FRESH: Duration = Duration::from_millis(10);

/// Those that idled when it was looked last, the first to go at the end.
#[derive(Default)]
pub(super) struct Idlers {
    list: Vec<(Idle, u64)>,
    /// So many at the end are bodies beyond their part.
    beyond: usize,
    /// Whether there were any.
    held_beyond: bool,
    looked: Option<Instant>,
}

impl Idlers {
    /// Looks at `connections`, which share so many slots.
    ///
    /// A body goes after whoever brings nothing. So that strangers cannot keep others out with bodies, those of
    /// which nobody knows yet whose they are have half of the slots: beyond that the oldest slow one of them goes
    /// before anybody else, be it a sender that has just come and has not said anything yet.
    pub(super) fn look<'a>(
        connections: impl Iterator<Item = (u64, &'a Activity)>,
        slots: usize,
    ) -> Self {
        let mut bodies = 0_usize;
        let mut list: Vec<_> = connections
            .filter_map(|(id, activity)| {
                let seen = activity.seen();
                bodies += usize::from(seen.is_unproven_body);
                Some((seen.idle?, id))
            })
            .collect();
        list.sort_unstable_by(|a, b| b.cmp(a));
        let first = list.partition_point(|(idle, _)| idle.is_proven_body());
        let behind = list.partition_point(|(idle, _)| idle.is_body());
        let beyond = bodies.saturating_sub(slots / 2).min(behind - first);
        if let Some(rest) = list.get_mut(behind - beyond..) {
            rest.rotate_left(beyond);
        }
        Self {
            list,
            beyond,
            held_beyond: beyond > 0,
            looked: Some(Instant::now()),
        }
    }

    /// The first to go, right after a look.
    pub(super) fn first(&mut self) -> Option<(Idle, u64)> {
        self.beyond = self.beyond.saturating_sub(1);
        self.list.pop()
    }

    /// The first to go; `None` where a look would tell better, because others may have to go first by now.
    pub(super) fn known(&mut self) -> Option<(Idle, u64)> {
        let is_fresh = self.looked.is_some_and(|at| at.elapsed() < FRESH);
        let is_beyond = self.beyond > 0;
        let (idle, id) = self.first()?;
        // Behind the last body beyond their part, more of them may be beyond it by now.
        let is_next = is_beyond || (idle.is_strangers() && !self.held_beyond);
        (is_fresh && is_next).then_some((idle, id))
    }
}
