//! The order in which connections are asked to leave when a slot is needed.

use crate::connection::{Activity, Idle};
use std::time::{Duration, Instant};

/// Time for which an order is used, so that in a flood not every new connection searches all others.
const FRESH: Duration = Duration::from_millis(10);

/// Connections that idled at the last look, the first to go at the end.
#[derive(Default)]
pub(super) struct EvictionOrder {
    list: Vec<(Idle, u64)>,
    /// Number of those at the end that are bodies beyond their part.
    excess: usize,
    /// `true` if there were such bodies at the last look.
    has_had_excess: bool,
    made_at: Option<Instant>,
}

impl EvictionOrder {
    /// Orders `connections`, which share so many slots.
    ///
    /// A body goes after whoever brings nothing. So that strangers cannot keep others out with bodies, those of
    /// which nobody knows yet whose they are have half of the slots: beyond that the oldest slow one of them goes
    /// before anybody else, be it a sender that has just come and has not said anything yet.
    pub(super) fn of<'a>(
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
        let excess = bodies.saturating_sub(slots / 2).min(behind - first);
        if let Some(rest) = list.get_mut(behind - excess..) {
            rest.rotate_left(excess);
        }
        Self {
            list,
            excess,
            has_had_excess: excess > 0,
            made_at: Some(Instant::now()),
        }
    }

    /// The first to go, right after a look.
    pub(super) fn first(&mut self) -> Option<(Idle, u64)> {
        self.excess = self.excess.saturating_sub(1);
        self.list.pop()
    }

    /// The first to go; `None` where a look would tell better, because others may have to go first by now.
    pub(super) fn next_known(&mut self) -> Option<(Idle, u64)> {
        let is_fresh = self.made_at.is_some_and(|at| at.elapsed() < FRESH);
        let is_excess = self.excess > 0;
        let (idle, id) = self.first()?;
        // Behind the last body beyond their part, more of them may be beyond it by now.
        let is_next = is_excess || (idle.has_brought_nothing() && !self.has_had_excess);
        (is_fresh && is_next).then_some((idle, id))
    }
}
