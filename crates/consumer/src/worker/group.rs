//! Events whose order the queue keeps: those of one group are worked on one after the other. Behind one that comes again,
//! all come again, so that none overtakes it.

use super::slots::Slots;
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

/// Position of an event in its group. What has no group has nobody before it.
#[derive(Default)]
pub(super) struct Position {
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

    /// The next position in a group.
    pub(super) fn position(&mut self, group: Option<&str>) -> Position {
        let Some(group) = group else {
            return Position::default();
        };
        let (behind, last) = channel();
        Position {
            before: self.0.insert(group.to_owned(), last),
            behind: Some(behind),
        }
    }
}

impl Position {
    /// Waits until the event before it has ended. `None` if that ended without a word, by a panic.
    pub(super) async fn reached(&mut self, slots: &Slots) -> Option<Behind> {
        let Some(before) = self.before.take() else {
            return Some(Behind::MayGo);
        };
        let _waits = slots.aside();
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
    use crate::worker::slots::slots;
    use futures_util::FutureExt as _;

    #[test]
    fn each_waits_for_the_one_before_it_in_its_group() {
        let (slots, _control) = slots(1);
        let mut groups = Groups::default();
        let [mut first, mut second, mut third] = [(); 3].map(|()| groups.position(Some("a")));
        let mut other = groups.position(Some("b"));
        let mut alone = groups.position(None);
        for position in [&mut first, &mut other, &mut alone] {
            let reached = position.reached(&slots).now_or_never();
            assert_eq!(reached, Some(Some(Behind::MayGo)));
        }
        {
            let mut waits = Box::pin(second.reached(&slots));
            assert!((&mut waits).now_or_never().is_none());
            assert_eq!(slots.waiting_aside(), 1);
            first.ended(Behind::MayGo);
            assert_eq!(waits.now_or_never(), Some(Some(Behind::MayGo)));
        }
        // As a panic would.
        drop(second);
        assert_eq!(third.reached(&slots).now_or_never(), Some(None));
    }

    /// Red if a batch that comes later waits for one that has failed, for ever.
    #[test]
    fn a_group_begins_anew_when_all_of_it_has_ended() {
        let (slots, _control) = slots(1);
        let mut groups = Groups::default();
        let first = groups.position(Some("a"));
        groups.forget_ended();
        let mut behind = groups.position(Some("a"));
        first.ended(Behind::HeldBack(Instant::now()));
        let reached = behind.reached(&slots).now_or_never().flatten();
        assert!(matches!(reached, Some(Behind::HeldBack(_))));
        behind.ended(Behind::HeldBack(Instant::now()));
        groups.forget_ended();
        assert!(groups.0.is_empty());
        let mut again = groups.position(Some("a"));
        let reached = again.reached(&slots).now_or_never();
        assert_eq!(reached, Some(Some(Behind::MayGo)));
    }
}
