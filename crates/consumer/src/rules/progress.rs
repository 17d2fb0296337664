//! Progress with an event.

use crate::outcome::Outcome;
use labelrelay_event::Attributes;
use labelrelay_event::changes::{Change, Key};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// A change that is to be looked at.
pub(super) struct Todo {
    pub(super) change: Change<'static>,
    /// Of a removal that follows from another.
    pub(super) under: Option<Under>,
}

/// Things whose removal takes another along.
pub(super) struct Under {
    /// What held it.
    pub(super) holder: Key<'static>,
    /// What the event is about: it held that, however indirectly, or is it.
    pub(super) first: Key<'static>,
}

/// An event with which something is left to do.
pub(super) struct Progress {
    pub(super) attributes: Arc<Attributes>,
    /// Names it among those that were handled, until it is remembered.
    pub(super) name: Option<String>,
    pub(super) todo: VecDeque<Todo>,
    /// Things that are gone, and what they held is in `todo`, or was.
    pub(super) followed: HashSet<Key<'static>>,
    failure: Option<Outcome>,
}

impl Progress {
    pub(super) fn new(
        attributes: Arc<Attributes>,
        name: String,
        changes: Vec<Change<'static>>,
    ) -> Self {
        let todo = changes.into_iter().map(|change| Todo {
            change,
            under: None,
        });
        Self {
            attributes,
            name: Some(name),
            todo: todo.collect(),
            followed: HashSet::new(),
            failure: None,
        }
    }

    /// Notes that something failed. What is said of the event is the first failure; one that is tried again before a word of
    /// rejection, which would be final, and one of its own before one of the state.
    pub(super) fn fail(&mut self, failure: Outcome) {
        let replaces = match (&self.failure, &failure) {
            (None | Some(Outcome::Rejected { .. }), _) => true,
            (
                Some(Outcome::Again {
                    is_its_own: false, ..
                }),
                Outcome::Again { is_its_own, .. },
            ) => *is_its_own,
            _ => false,
        };
        if replaces {
            self.failure = Some(failure);
        }
    }

    /// Notes that the state failed: nothing can be decided without it.
    pub(super) fn give_up(&mut self, reason: String) {
        self.todo.clear();
        self.fail(Outcome::hindered(reason));
    }

    /// The event's name, if everything of it is handled with the change that is under way.
    pub(super) fn name_if_last(&self) -> Option<&str> {
        let is_last = self.todo.is_empty() && self.failure.is_none();
        self.name.as_deref().filter(|_| is_last)
    }

    pub(super) fn failure(self) -> Option<Outcome> {
        self.failure
    }

    /// Outcome when changes are left that nothing was begun with: a word of rejection would be final for them too.
    pub(super) fn cut_off(self) -> Outcome {
        let comes_again = |failure: &Outcome| matches!(failure, Outcome::Again { .. });
        self.failure
            .filter(comes_again)
            .unwrap_or(Outcome::NotBegun)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failure_that_counts() {
        let reject = || Outcome::Rejected {
            reason: "no use".to_owned(),
        };
        let said = |failures: Vec<Outcome>| {
            let mut progress = Progress::new(Arc::default(), String::new(), Vec::new());
            for failure in failures {
                progress.fail(failure);
            }
            progress.failure().expect("a failure")
        };
        let failed = || Outcome::failed("own");
        let hindered = || Outcome::hindered("state");
        assert_eq!(said(vec![reject(), failed()]), failed());
        assert_eq!(said(vec![failed(), reject()]), failed());
        assert_eq!(said(vec![hindered(), failed()]), failed());
        assert_eq!(said(vec![hindered(), reject()]), hindered());
        assert_eq!(said(vec![failed(), hindered()]), failed());
        assert_eq!(said(vec![failed(), Outcome::failed("later")]), failed());
        assert_eq!(said(vec![reject(), hindered()]), hindered());
    }

    #[test]
    fn work_that_is_cut_off_is_not_rejected() {
        let cut_off = |failure: Option<Outcome>| {
            let mut progress = Progress::new(Arc::default(), String::new(), Vec::new());
            if let Some(failure) = failure {
                progress.fail(failure);
            }
            progress.cut_off()
        };
        let reason = "no use".to_owned();
        assert_eq!(
            cut_off(Some(Outcome::Rejected { reason })),
            Outcome::NotBegun
        );
        assert_eq!(
            cut_off(Some(Outcome::failed("own"))),
            Outcome::failed("own")
        );
        assert_eq!(cut_off(None), Outcome::NotBegun);
    }
}
