//! Traces of what a queue took that nobody can look into: read before a run compares, and removed once its ledger is
//! saved. What cannot be read of them is sent again, with the same ids, and keeps nothing that was missed waiting.

use crate::queue_records::data;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use labelrelay_core::clock::within;
use labelrelay_core::traces::{is_about_one, is_of, since};
use labelrelay_core::{BlobError, BoxFuture, Clock, FallbackStore};
use labelrelay_event::Attributes;
use labelrelay_reconcile::LiveEvent;
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest time for one request.
const PATIENCE: Duration = Duration::from_secs(60);

/// Requests under way at once.
const AT_ONCE: usize = 16;

/// Keys asked for at a time.
const PAGE: usize = 5000;

/// Traces that are read before they are recorded, and bytes of their data: those of imports have up to a megabyte.
const AT_A_TIME: usize = 500;
const AT_A_TIME_BYTES: usize = 8 * 1024 * 1024;

/// A trace may come to be there so much later than its key says: clocks differ, and a store takes a while.
const OVERLAP: Duration = Duration::from_secs(60);

/// A store with traces.
#[derive(Clone)]
pub(super) struct TraceStore {
    pub(super) store: Arc<dyn FallbackStore>,
    /// In words.
    pub(super) location: String,
}

/// The traces of one source, as one run sees them.
pub(super) struct Traces {
    at: TraceStore,
    source: String,
    clock: Arc<dyn Clock>,
    tell: fn(&str),
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The key that the next list begins after.
    last: Option<String>,
    /// Keys that the next list may have once more.
    seen: HashSet<String>,
    /// Keys of what was not read yet.
    listed: VecDeque<String>,
    /// Traces that the ledger does not have yet.
    waiting: VecDeque<Trace>,
    /// Keys of those that it has.
    recorded: Vec<String>,
    /// Nothing more is read in this run.
    has_failed: bool,
}

struct Trace {
    seq: u64,
    key: String,
    attributes: Attributes,
    data: Option<Vec<u8>>,
}

/// [`Traces::catch_up`], where there may be none.
pub(super) fn catch_up(traces: Option<&Traces>, after: u64) -> BoxFuture<'_, ()> {
    match traces {
        Some(traces) => Box::pin(traces.catch_up(after)),
        None => Box::pin(std::future::ready(())),
    }
}

impl Traces {
    pub(super) fn new(at: TraceStore, source: &str, clock: Arc<dyn Clock>, tell: fn(&str)) -> Self {
        Self {
            at,
            source: source.to_owned(),
            clock,
            tell,
            state: Mutex::default(),
        }
    }

    /// Reads some of what is new, and numbers it from `after` on, the last number that the ledger has.
    async fn catch_up(&self, after: u64) {
        {
            let mut state = self.state();
            state.recorded_through(after);
            if state.has_failed || !state.waiting.is_empty() {
                return;
            }
        }
        if let Err(error) = self.read(after).await {
            self.state().has_failed = true;
            (self.tell)(&format!(
                "traces in {} cannot be read: {error}; what was delivered since the last run may be sent again, with the same ids",
                self.at.location
            ));
        }
    }

    async fn read(&self, mut seq: u64) -> Result<(), BlobError> {
        self.list().await?;
        let (mut traces, mut bytes) = (0, 0);
        while traces < AT_A_TIME && bytes < AT_A_TIME_BYTES {
            let keys = self.state().take_listed();
            if keys.is_empty() {
                break;
            }
            let gets = keys.into_iter().map(|key| self.get(key));
            let found: Vec<_> = stream::iter(gets).buffered(AT_ONCE).collect().await;
            for found in found {
                let (key, trace) = found?;
                // Another run took it.
                let Some(trace) = trace else { continue };
                let Ok(attributes) = serde_json::from_slice::<Attributes>(&trace) else {
                    let place = &self.at.location;
                    (self.tell)(&format!("{key} in {place} is no trace, and is left alone"));
                    continue;
                };
                let data = if is_about_one(&attributes) {
                    None
                } else {
                    data(&trace)
                };
                seq += 1;
                traces += 1;
                bytes += data.as_ref().map_or(0, Vec::len);
                self.state().waiting.push_back(Trace {
                    seq,
                    key,
                    attributes,
                    data,
                });
            }
        }
        Ok(())
    }

    /// Lists what is new, unless something that was listed is still to be read.
    async fn list(&self) -> Result<(), BlobError> {
        loop {
            let last = {
                let state = self.state();
                if !state.listed.is_empty() {
                    return Ok(());
                }
                state.last.clone()
            };
            let now = self.clock.now();
            let recent = since(now.checked_sub(OVERLAP).unwrap_or(now));
            let listed = self.at.store.list(last.as_deref(), PAGE);
            let page = self.soon(listed).await?;
            if page.is_empty() {
                self.state().go_back_to(recent);
                return Ok(());
            }
            self.state().note(page, &recent, &self.source);
        }
    }

    /// A trace; asked for twice, before all others are given up.
    async fn get(&self, key: String) -> Result<(String, Option<Bytes>), BlobError> {
        let first = self.soon(self.at.store.get(&key)).await;
        let trace = match first {
            Err(_) => self.soon(self.at.store.get(&key)).await?,
            Ok(trace) => trace,
        };
        Ok((key, trace))
    }

    /// Up to `max` of those that were read and are not in the ledger, whose last number is `after`.
    pub(super) fn events_after(&self, after: u64, max: usize) -> Vec<LiveEvent> {
        let mut state = self.state();
        state.recorded_through(after);
        let event = |trace: &Trace| LiveEvent {
            seq: trace.seq,
            attributes: trace.attributes.clone(),
            data: trace.data.clone(),
        };
        state.waiting.iter().take(max).map(event).collect()
    }

    /// `true` if not all could be read.
    pub(super) fn have_failed(&self) -> bool {
        self.state().has_failed
    }

    /// Removes those that are in the ledger, which is saved. What stays is read by the next run once more.
    pub(super) async fn remove_recorded(&self) {
        let keys = std::mem::take(&mut self.state().recorded);
        let removals = keys.into_iter().map(|key| self.remove(key));
        let mut removed = stream::iter(removals).buffer_unordered(AT_ONCE);
        while let Some(done) = removed.next().await {
            if let Err(error) = done {
                let place = &self.at.location;
                (self.tell)(&format!("old traces in {place} stay: {error}"));
                return;
            }
        }
    }

    async fn remove(&self, key: String) -> Result<(), BlobError> {
        self.soon(self.at.store.remove(&key)).await
    }

    async fn soon<T>(&self, answer: BoxFuture<'_, Result<T, BlobError>>) -> Result<T, BlobError> {
        let late = |_| Err(BlobError::transient("no answer in time"));
        within(&*self.clock, PATIENCE, answer)
            .await
            .unwrap_or_else(late)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes note of a page of keys, those of this source.
    fn note(&mut self, page: Vec<String>, recent: &str, source: &str) {
        self.last = page.last().cloned();
        for key in page {
            if !is_of(&key, source) || self.seen.contains(&key) {
                continue;
            }
            if key.as_str() > recent {
                self.seen.insert(key.clone());
            }
            self.listed.push_back(key);
        }
    }

    /// At the end of a list: the next one begins before what may yet come between its last keys.
    fn go_back_to(&mut self, recent: String) {
        if self.last.as_ref().is_some_and(|last| *last > recent) {
            self.seen.retain(|key| *key > recent);
            self.last = Some(recent);
        }
    }

    fn take_listed(&mut self) -> Vec<String> {
        let some = AT_ONCE.min(self.listed.len());
        self.listed.drain(..some).collect()
    }

    /// The ledger has everything up to this number.
    fn recorded_through(&mut self, seq: u64) {
        let known = self.waiting.iter().take_while(|trace| trace.seq <= seq);
        let known = known.count();
        let keys = self.waiting.drain(..known).map(|trace| trace.key);
        self.recorded.extend(keys);
    }
}

#[cfg(test)]
mod tests;
