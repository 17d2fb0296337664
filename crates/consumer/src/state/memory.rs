//! Memory of one process.

use super::holders::with_holders;
use super::{Known, REMEMBERED, State, StateError};
use labelrelay_core::BoxFuture;
use labelrelay_event::changes::Key;
use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Remembers for as long as the process lives, and for one process. A stale event that comes after its end is taken for
/// news. About 300 bytes a thing.
#[derive(Debug, Default)]
pub struct MemoryState(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    events: HashSet<String>,
    order: VecDeque<(Instant, String)>,
    known: HashMap<Key<'static>, Known>,
    below: HashMap<Key<'static>, HashSet<Key<'static>>>,
}

impl MemoryState {
    /// Remembers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn remember(&mut self, event: &str) {
        let now = Instant::now();
        if self.events.insert(event.to_owned()) {
            self.order.push_back((now, event.to_owned()));
        }
        while let Some((at, _)) = self.order.front()
            && now.duration_since(*at) >= REMEMBERED
        {
            if let Some((_, oldest)) = self.order.pop_front() {
                self.events.remove(&oldest);
            }
        }
    }

    fn enter(
        &mut self,
        key: &Key<'static>,
        parents: &[Key<'static>],
        comes: bool,
    ) -> HashMap<Key<'static>, Known> {
        for parent in parents {
            let below = self.below.entry(parent.clone()).or_default();
            below.insert(key.clone());
        }
        let read = |key: &Key<'static>| Ok::<_, Infallible>(self.known.get(key).cloned());
        let Ok(found) = with_holders(key, parents, read);
        if comes {
            let known = self.known.entry(key.clone()).or_default();
            known.is_there = true;
            if !parents.is_empty() {
                known.parents = parents.to_vec();
            }
        }
        found
    }

    fn leave(&mut self, key: &Key<'static>, known: Option<&Known>, event: Option<&str>) {
        if let Some(known) = known {
            let before = self.known.entry(key.clone()).or_default();
            // A removal may have been noted meanwhile.
            let until = std::mem::take(&mut before.until);
            *before = known.clone();
            before.until = until;
        }
        if let Some(event) = event {
            self.remember(event);
        }
    }

    fn remove(&mut self, key: &Key<'static>, until: &str) {
        let known = self.known.entry(key.clone()).or_default();
        if until > known.until.as_str() {
            until.clone_into(&mut known.until);
        }
    }
}

fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, Result<T, StateError>> {
    Box::pin(std::future::ready(Ok(value)))
}

impl State for MemoryState {
    fn was_handled<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<bool, StateError>> {
        ready(self.lock().events.contains(event))
    }

    fn handled<'a>(&'a self, event: &'a str) -> BoxFuture<'a, Result<(), StateError>> {
        self.lock().remember(event);
        ready(())
    }

    fn enter<'a>(
        &'a self,
        key: &'a Key<'static>,
        parents: &'a [Key<'static>],
        _: Duration,
        comes: bool,
    ) -> BoxFuture<'a, Result<Option<HashMap<Key<'static>, Known>>, StateError>> {
        // The consumer itself keeps the handlers of one process apart.
        ready(Some(self.lock().enter(key, parents, comes)))
    }

    fn leave<'a>(
        &'a self,
        key: &'a Key<'static>,
        known: Option<&'a Known>,
        event: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, StateError>> {
        self.lock().leave(key, known, event);
        ready(true)
    }

    fn keep(&self, _: Duration) -> BoxFuture<'_, Result<(), StateError>> {
        ready(())
    }

    fn remove<'a>(
        &'a self,
        key: &'a Key<'static>,
        until: &'a str,
    ) -> BoxFuture<'a, Result<(), StateError>> {
        self.lock().remove(key, until);
        ready(())
    }

    fn below<'a>(
        &'a self,
        key: &'a Key<'static>,
    ) -> BoxFuture<'a, Result<Vec<Key<'static>>, StateError>> {
        let memory = self.lock();
        let below = memory.below.get(key);
        ready(below.map_or_else(Vec::new, |below| below.iter().cloned().collect()))
    }

    fn sync(&self) -> BoxFuture<'_, Result<(), StateError>> {
        ready(())
    }
}
