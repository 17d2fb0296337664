//! Events that wait to be sent, written in groups: what waits when a writer is free goes in one statement.

use crate::failure::Failure;
use crate::store::{Rows, Store, Stored};
use labelrelay_core::{Clock, OutboundMessage, QueueErrorKind, Receipt};
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Statements under way at once: while one waits for the server's disk, the next group collects and is carried there.
const WRITERS: usize = 2;

/// Events of a group at most.
const EVENTS: usize = 500;

/// Bytes of a group at most, unless one event has more.
const BYTES: usize = 8 * 1024 * 1024;

/// Time between two looks for ids whose window has passed.
const BETWEEN_PRUNES: Duration = Duration::from_secs(10);

type Answer = Result<Receipt, Failure>;

/// Writes events of one queue.
pub(crate) struct Writer {
    store: Arc<Store>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By their numbers.
    waiting: VecDeque<Waiting>,
    /// Number of the next one.
    next: u64,
    writers: usize,
    /// On the monotonic clock; ids are removed no earlier.
    next_prune: Duration,
}

/// An event, and who waits for its answer. If nobody does any more, it is not sent: whoever sent it sends it again.
struct Waiting {
    number: u64,
    key: String,
    message: OutboundMessage,
    answer: oneshot::Sender<Answer>,
}

impl Writer {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            state: Mutex::default(),
        }
    }

    /// Stores an event, with those that wait at the same time.
    pub(crate) async fn send(self: &Arc<Self>, message: &OutboundMessage) -> Answer {
        let (answer, answered) = oneshot::channel();
        let (begins, _place) = {
            let mut state = self.state();
            let number = state.next;
            state.next += 1;
            state.waiting.push_back(Waiting {
                number,
                key: message.deduplication_key().into_owned(),
                message: message.clone(),
                answer,
            });
            let begins = state.writers < WRITERS;
            state.writers += usize::from(begins);
            let place = Place {
                writer: self,
                number,
            };
            (begins, place)
        };
        if begins {
            tokio::spawn(Turn::of(self).write());
        }
        answered.await.unwrap_or_else(|_| {
            let problem = "the program stopped before the event was sent";
            let cure = "send it again";
            Err(Failure::new(QueueErrorKind::Unavailable, problem, cure))
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write_group(&self, group: Vec<Waiting>) {
        let Err((failure, group)) = self.try_write(group).await else {
            return;
        };
        if !failure.is_of_one || group.len() == 1 {
            fail(group, &failure);
            return;
        }
        // One of them is to blame: the others shall not suffer for it.
        for waiting in group {
            if waiting.answer.is_closed() {
                continue;
            }
            if let Err((failure, alone)) = self.try_write(vec![waiting]).await {
                fail(alone, &failure);
            }
        }
    }

    /// Stores a group and answers it; gives it back if that failed.
    async fn try_write(&self, group: Vec<Waiting>) -> Result<(), (Failure, Vec<Waiting>)> {
        let stored = self.store.append(&rows(&group)).await;
        let stored = match stored {
            Ok(stored) => stored,
            Err(failure) => return Err((failure, group)),
        };
        let is_new = !stored.fresh.is_empty();
        answer(group, stored);
        if is_new {
            self.store.ring().await;
        }
        Ok(())
    }

    /// Removes ids whose window has passed, now and then.
    async fn prune(&self) {
        let now = self.clock().monotonic();
        {
            let mut state = self.state();
            if now < state.next_prune {
                return;
            }
            state.next_prune = now + BETWEEN_PRUNES;
        }
        match self.store.prune().await {
            Ok(true) => self.state().next_prune = now,
            Ok(false) => {}
            Err(failure) => {
                let queue = self.store.resource();
                let (problem, cure) = (&failure.fault.problem, &failure.fault.cure);
                tracing::warn!(name: "ids_not_removed", %queue, %problem, %cure, "ids whose window has passed could not be removed; tried again");
            }
        }
    }

    fn clock(&self) -> &dyn Clock {
        &*self.store.pool.clock
    }
}

impl State {
    /// Removes an event if it still waits. Its memory is counted as that of its delivery, which ends with whoever waits.
    fn forget(&mut self, number: u64) {
        let found = self
            .waiting
            .binary_search_by_key(&number, |waiting| waiting.number);
        if let Ok(place) = found {
            self.waiting.remove(place);
        }
    }
}

/// The place of somebody who waits for an answer, who may give up.
struct Place<'a> {
    writer: &'a Writer,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.writer.state().forget(self.number);
    }
}

/// The right to be one of the writers. However it ends, another may begin.
struct Turn {
    writer: Arc<Writer>,
    is_over: bool,
}

impl Turn {
    fn of(writer: &Arc<Writer>) -> Self {
        Self {
            writer: Arc::clone(writer),
            is_over: false,
        }
    }

    /// Writes groups until nothing waits.
    async fn write(mut self) {
        loop {
            let group = {
                let mut state = self.writer.state();
                let group = take_group(&mut state.waiting);
                if group.is_empty() {
                    // In the same breath, so that nobody counts on a writer that is about to end.
                    state.writers -= 1;
                }
                group
            };
            if group.is_empty() {
                self.is_over = true;
                return;
            }
            self.writer.write_group(group).await;
            self.writer.prune().await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_over {
            self.writer.state().writers -= 1;
        }
    }
}

/// What goes together: in the order in which it came, without what nobody waits for any more.
fn take_group(waiting: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let mut group: Vec<Waiting> = Vec::new();
    let mut bytes = 0;
    while group.len() < EVENTS {
        let Some(next) = waiting.pop_front() else {
            break;
        };
        if next.answer.is_closed() {
            continue;
        }
        let size = next.message.body.len();
        if !group.is_empty() && bytes + size > BYTES {
            waiting.push_front(next);
            break;
        }
        bytes += size;
        group.push(next);
    }
    group
}

/// The rows of a group, one for each id.
fn rows(group: &[Waiting]) -> Rows<'_> {
    let mut rows = Rows::default();
    let mut seen = HashSet::new();
    for waiting in group {
        if seen.insert(waiting.key.as_str()) {
            rows.ids.push(&waiting.key);
            rows.types.push(waiting.message.event_type());
            rows.envelopes.push(&waiting.message.body);
        }
    }
    rows
}

/// Tells each what became of its event. Of several with one id, the first is the one that was stored.
fn answer(group: Vec<Waiting>, mut stored: Stored) {
    for waiting in group {
        let receipt = match stored.fresh.remove(&waiting.key) {
            Some(number) => {
                let receipt = Receipt::new(Some(number.to_string()));
                stored.known.insert(waiting.key, number);
                receipt
            }
            // One whose window passed in this very moment has no number any more. It was stored all the same.
            None => Receipt::repeat(stored.known.get(&waiting.key).map(i64::to_string)),
        };
        let _ = waiting.answer.send(Ok(receipt));
    }
}

fn fail(group: Vec<Waiting>, failure: &Failure) {
    for waiting in group {
        let _ = waiting.answer.send(Err(failure.clone()));
    }
}

#[cfg(test)]
mod tests;
