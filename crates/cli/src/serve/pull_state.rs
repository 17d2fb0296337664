//! What the pulls of `serve` found last, for whoever looks on: no platform is asked once more for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Silent projects of one source that are remembered.
const MOST_PROJECTS: usize = 20;

/// The last pull of each source, by the source's name.
#[derive(Debug, Clone, Default)]
pub(super) struct PullState(Arc<Mutex<BTreeMap<String, LastPull>>>);

/// How the last pull of a source ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LastPull {
    /// When it ended, milliseconds since 1970.
    pub(super) at_ms: i64,
    /// Why it failed.
    pub(super) failure: Option<String>,
    /// Projects in which a pull, this one or one before, found what no delivery brought; and when, milliseconds since 1970.
    pub(super) silent: BTreeMap<String, i64>,
}

impl PullState {
    /// Notes a pull that came to its end, and the projects that it found silent.
    pub(super) fn succeeded(&self, source: &str, at_ms: i64, silent: &[String]) {
        let mut all = self.lock();
        let last = all.entry(source.to_owned()).or_default();
        last.at_ms = at_ms;
        last.failure = None;
        for project in silent {
            last.note(project, at_ms);
        }
    }

    /// Notes a pull that failed.
    pub(super) fn failed(&self, source: &str, at_ms: i64, reason: &str) {
        let mut all = self.lock();
        let last = all.entry(source.to_owned()).or_default();
        last.at_ms = at_ms;
        last.failure = Some(reason.to_owned());
    }

    /// The last pull of this source; `None` before the first one has ended, and where nothing pulls.
    pub(super) fn last(&self, source: &str) -> Option<LastPull> {
        self.lock().get(source).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, LastPull>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LastPull {
    /// Notes a silent project. Where there are too many, the one goes whose silence was found first: it may have ended long
    /// ago.
    fn note(&mut self, project: &str, at_ms: i64) {
        if self.silent.len() >= MOST_PROJECTS && !self.silent.contains_key(project) {
            let before = self
                .silent
                .iter()
                .filter(|(_, found_ms)| **found_ms < at_ms);
            let oldest = before.min_by_key(|(_, found_ms)| **found_ms);
            let Some(oldest) = oldest.map(|(oldest, _)| oldest.clone()) else {
                return;
            };
            self.silent.remove(&oldest);
        }
        self.silent.insert(project.to_owned(), at_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_remembered_behind_the_pull_that_found_it() {
        let state = PullState::default();
        assert_eq!(state.last("cars"), None);
        state.succeeded("cars", 1, &["7".to_owned()]);
        state.failed("cars", 2, "the token is refused");
        let failed = state.last("cars").unwrap();
        assert_eq!(failed.failure.as_deref(), Some("the token is refused"));
        state.succeeded("cars", 3, &[]);
        let expected = LastPull {
            at_ms: 3,
            failure: None,
            silent: BTreeMap::from([("7".to_owned(), 1)]),
        };
        assert_eq!(state.last("cars"), Some(expected));
        let many: Vec<_> = (0..100).map(|number| number.to_string()).collect();
        state.succeeded("cars", 4, &many);
        let silent = state.last("cars").unwrap().silent;
        assert_eq!(silent.len(), MOST_PROJECTS);
        assert_eq!(silent["7"], 4);
        // Those of before may be over by now, and hide no new one.
        state.succeeded("cars", 5, &["new".to_owned()]);
        let silent = state.last("cars").unwrap().silent;
        assert_eq!((silent.len(), silent.get("new")), (MOST_PROJECTS, Some(&5)));
    }
}
