//! Events whose order the queue keeps: those of one group are worked on one after the other. Behind one that comes again,
//! all come again, so that none overtakes it.

use super::turn::Turn;
use std::collections::HashMap;
use tokio::sync::oneshot::{Receiver, Sender, channel, error::TryRecvError};
use tokio::time::Instant;

/// Consequence of an event's end for those behind it in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// It is done with.
    MayGo,
    /// It comes again, and not before this time.
    HeldBack(Instant),
}

/// The last event of each group that is held.
#[derive(Default)]
pub(super) struct Groups(HashMap<String, Receiver<Behind>>);

/// Place of an event in its group. What has no group has nobody before it.
#[derive(Default)]
pub(super) struct Place {
    before: Option<Receiver<Behind>>,
    behind: Option<Sender<Behind>>,
}

impl Groups {
    /// Forgets the groups of which all that was held has ended. Called before a batch, and not within it: what comes in one
    /// batch with an event stays behind it, however soon that fails.
    pub(super) fn forget_ended(&mut self) {
        let is_held = |last: &mut Receiver<Behind>| last.try_recv() == Err(TryRecvError::Empty);
        self.0.retain(|_, last| is_held(last));
    }

    /// The next place in a group.
    pub(super) fn place(&mut self, group: Option<&str>) -> Place {
        let Some(group) = group else {
            return Place::default();
        };
        let (behind, last) = channel();
        Place {
            before: self.0.insert(group.to_owned(), last),
            behind: Some(behind),
        }
    }
}

impl Place {
    /// Waits until the event before it has ended. `None` if that ended without a word, by a panic.
    pub(super) async fn reached(&mut self, turn: &Turn) -> Option<Behind> {
        let Some(before) = self.before.take() else {
            return Some(Behind::MayGo);
        };
        let _waits = turn.aside();
        before.await.ok()
    }

    /// Tells those behind it.
    pub(super) fn ended(self, behind: Behind) {
        if let Some(next) = self.behind {
            // Nobody may be behind it.
            let _ = next.send(behind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::turn::turns;
    use futures_util::FutureExt as _;

    #[test]
    fn each_waits_for_the_one_before_it_in_its_group() {
        let (turn, _control) = turns(1);
        let mut groups = Groups::default();
        let [mut first, mut second, mut third] = [(); 3].map(|()| groups.place(Some("a")));
        let mut other = groups.place(Some("b"));
        let mut alone = groups.place(None);
        for place in [&mut first, &mut other, &mut alone] {
            let reached = place.reached(&turn).now_or_never();
            assert_eq!(reached, Some(Some(Behind::MayGo)));
        }
        {
            let mut waits = Box::pin(second.reached(&turn));
            assert!((&mut waits).now_or_never().is_none());
            assert_eq!(turn.waiting_aside(), 1);
            first.ended(Behind::MayGo);
            assert_eq!(waits.now_or_never(), Some(Some(Behind::MayGo)));
        }
        // As a panic would.
        drop(second);
        assert_eq!(third.reached(&turn).now_or_never(), Some(None));
    }

    /// Red if a batch that comes later waits for one that has failed, for ever.
    #[test]
    fn a_group_begins_anew_when_all_of_it_has_ended() {
        let (turn, _control) = turns(1);
        let mut groups = Groups::default();
        let first = groups.place(Some("a"));
        groups.forget_ended();
        let mut behind = groups.place(Some("a"));
        first.ended(Behind::HeldBack(Instant::now()));
        let reached = behind.reached(&turn).now_or_never().flatten();
        assert!(matches!(reached, Some(Behind::HeldBack(_))));
        behind.ended(Behind::HeldBack(Instant::now()));
        groups.forget_ended();
        assert!(groups.0.is_empty());
        let mut again = groups.place(Some("a"));
        let reached = again.reached(&turn).now_or_never();
        assert_eq!(reached, Some(Some(Behind::MayGo)));
    }
}
