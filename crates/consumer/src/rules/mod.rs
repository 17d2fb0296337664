//! Handles one event: which of its changes are news, in which order their handlers run, and what becomes of it.
//!
//! The rules are those of "Applying changes" in `docs/changes.md`.

mod claims;
mod handler;
mod keys;
mod lease;
mod news;
mod progress;

pub use claims::{fetch_body, whole_envelope};
pub(crate) use handler::Handler;

use crate::failure::Failure;
use crate::incoming::Incoming;
use crate::outcome::Outcome;
use crate::state::{Known, State};
use crate::stats::{Counters, add};
use crate::worker::{Slot, Slots, Work};
use keys::Keys;
use labelrelay_core::{BlobStore, BoxFuture, ReceivedEvent, chain};
use labelrelay_event::changes::{By, Change, Key, Removed};
use labelrelay_event::{Event, EventError};
use lease::Lease;
use progress::{Progress, Todo, Under};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Bounds of the milliseconds after which a thing that another process was handling is asked for again.
const LOOK_AGAIN: (u64, u64) = (50, 500);

/// The rules, and what they go by.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) state: Arc<dyn State>,
    pub(crate) stores: Vec<Arc<dyn BlobStore>>,
    pub(crate) handlers: Vec<Handler>,
    pub(crate) counters: Arc<Counters>,
    /// Time for which other processes leave a thing alone.
    pub(crate) lease: Duration,
    keys: Arc<Keys>,
}

/// Nothing more may begin.
struct Over;

/// Knowledge of a thing and of all that hold it, its lease, and the slot to handle it in.
type Entered = (HashMap<Key<'static>, Known>, Lease, Slot);

impl Rules {
    pub(crate) fn new(state: Arc<dyn State>, lease: Duration) -> Self {
        Self {
            state,
            stores: Vec::new(),
            handlers: Vec::new(),
            counters: Arc::default(),
            lease,
            keys: Arc::default(),
        }
    }

    /// Handles everything that an event brings.
    pub(crate) async fn event(&self, event: &ReceivedEvent, slots: &Slots) -> Outcome {
        let begun = {
            // Bounds how many bodies are read at the same time.
            let Some(_slot) = slots.take().await else {
                return Outcome::NotBegun;
            };
            self.begin(event).await
        };
        let mut progress = match begun {
            Ok(progress) => progress,
            Err(outcome) => return outcome,
        };
        while let Some(todo) = progress.todo.pop_front() {
            if let Err(Over) = self.one(&mut progress, todo, slots).await {
                return progress.cut_off();
            }
        }
        // Unless a thing of it did so.
        if let Some(name) = progress.name.take().filter(|_| !progress.has_failed())
            && let Err(error) = self.state.handled(&name).await
        {
            progress.fail(Outcome::hindered(chain(&error)));
        }
        progress.failure().unwrap_or(Outcome::Done)
    }

    /// Reads an event. What is done with already, or cannot be read, is an outcome.
    async fn begin(&self, received: &ReceivedEvent) -> Result<Progress, Outcome> {
        let unreadable = |error: EventError| Outcome::unreadable(&error);
        let message = whole_envelope(received, &self.stores).await?;
        let event = Event::parse(&message).map_err(unreadable)?;
        let attributes = Arc::new(event.attributes().clone());
        let name = match &attributes.replayedtime {
            None => attributes.id.clone(),
            Some(time) => format!("{}@{time}", attributes.id),
        };
        match self.state.was_handled(&name).await {
            Ok(false) => {}
            Ok(true) => {
                add(&self.counters.repeats, 1);
                return Err(Outcome::Done);
            }
            Err(error) => return Err(Outcome::hindered(chain(&error))),
        }
        let event = if event.is_claimed() {
            fetch_body(&event, &self.stores).await?
        } else {
            // A copy that outlives the message, checked against the digest.
            let body = event.raw().map_err(unreadable)?.to_vec();
            event.with_body(body).map_err(unreadable)?
        };
        let changes = event.changes().map_err(unreadable)?;
        Ok(Progress::new(attributes, name, changes))
    }

    /// Handles one change, if it is news.
    async fn one(&self, progress: &mut Progress, todo: Todo, slots: &Slots) -> Result<(), Over> {
        let key = todo.change.key().clone();
        let _guard = slots
            .unless_over(self.keys.take(&key, slots))
            .await
            .ok_or(Over)?;
        let (known, lease, _slot) = match self.enter(&todo.change, slots).await? {
            Ok(entered) => entered,
            Err(reason) => {
                progress.give_up(reason);
                return Ok(());
            }
        };
        let mine = known.get(&key).cloned().unwrap_or_default();
        let is_replay = progress.attributes.replayedtime.is_some();
        let (is_news, after, change) = match todo.change {
            Change::Changed(changed) => {
                let (is_news, after) = {
                    let dated = news::dated(&changed, &progress.attributes);
                    let is_news = news::is_news(&changed, dated.as_deref(), &known, is_replay);
                    (is_news, news::after(&changed, dated.as_deref(), &mine))
                };
                (is_news, after, Change::Changed(changed))
            }
            Change::Removed(mut removed) => {
                if todo.under.is_some() {
                    removed.parents = mine.parents.clone().into();
                }
                let is_gone = news::is_gone(&removed, &mine, todo.under.as_ref());
                let has_gone = news::has_gone(&removed, &mine, todo.under.as_ref())
                    && !progress.followed.contains(&key);
                // A newer thing with the same id is not touched, though what the older one held is.
                if (is_gone || has_gone || todo.under.is_none())
                    && let Err(reason) = self
                        .note(progress, &removed, &mine, todo.under.as_ref())
                        .await
                {
                    lease.give_back().await;
                    progress.give_up(reason);
                    return Ok(());
                }
                let after = Known {
                    is_there: false,
                    ..mine.clone()
                };
                (is_gone, after, Change::Removed(removed))
            }
            // A change of a form that this version does not know.
            _ => {
                lease.give_back().await;
                progress.fail(Outcome::failed(
                    "a change of an unknown form: use a newer version",
                ));
                return Ok(());
            }
        };
        if !is_news {
            if todo.under.is_none() {
                add(&self.counters.stale, 1);
            }
            if let Err(reason) = self.leave(progress, lease, &key, &mine).await {
                progress.give_up(reason);
            }
            return Ok(());
        }
        let incoming = Incoming::new(change, Arc::clone(&progress.attributes));
        match self.handle(&incoming).await {
            Ok(()) => match self.leave(progress, lease, &key, &after).await {
                Ok(()) => add(&self.counters.changes, 1),
                Err(reason) => progress.fail(Outcome::hindered(reason)),
            },
            Err(failure) => {
                lease.give_back().await;
                progress.fail(failure.outcome());
            }
        }
        Ok(())
    }

    /// Takes the thing of a change from other processes, and says what is known of it; or the state's error.
    async fn enter(
        &self,
        change: &Change<'static>,
        slots: &Slots,
    ) -> Result<Result<Entered, String>, Over> {
        let (key, parents) = (change.key(), change.parents());
        let comes = matches!(change, Change::Changed(_));
        loop {
            let slot = slots.take().await.ok_or(Over)?;
            let lease = Lease::asked_for(&self.state, key);
            match self.state.enter(key, parents, self.lease, comes).await {
                Ok(Some(known)) => return Ok(Ok((known, lease, slot))),
                Ok(None) => {
                    lease.ended();
                    drop(slot);
                    let _waits = slots.aside();
                    let pause = tokio::time::sleep(look_again());
                    slots.unless_over(pause).await.ok_or(Over)?;
                }
                Err(error) => {
                    // It may have failed after the lease was taken, which would be kept for ever.
                    lease.give_back().await;
                    return Ok(Err(chain(&error)));
                }
            }
        }
    }

    /// Notes a removal, and adds the removals that follow from it.
    async fn note(
        &self,
        progress: &mut Progress,
        removed: &Removed<'static>,
        known: &Known,
        under: Option<&Under>,
    ) -> Result<(), String> {
        let state_error = |error| chain(&error);
        // Of what went with something else, no later version than the known one: its id may be given again before `until`, in
        // something that is still there.
        let until = match under {
            Some(_) => known.version.as_deref().unwrap_or_default(),
            None => &*removed.until,
        };
        if !until.is_empty() {
            self.state
                .remove(&removed.key, until)
                .await
                .map_err(state_error)?;
        }
        let first = under.map_or(&removed.key, |under| &under.first);
        // A header says of all that follows what it says of the first.
        let by = match removed.by {
            By::Header => By::Header,
            _ => By::Parent,
        };
        let below = self.state.below(&removed.key).await.map_err(state_error)?;
        let follows = below.into_iter().map(|key| {
            let parents = [removed.key.clone()];
            let removal = Removed::new(key, by, parents, Arc::clone(&removed.until));
            Todo {
                change: Change::Removed(removal),
                under: Some(Under {
                    holder: removed.key.clone(),
                    first: first.clone(),
                }),
            }
        });
        progress.todo.extend(follows);
        progress.followed.insert(removed.key.clone());
        Ok(())
    }

    /// Ends with a thing that was handled. With the last one, the event is remembered.
    async fn leave(
        &self,
        progress: &mut Progress,
        lease: Lease,
        key: &Key<'static>,
        known: &Known,
    ) -> Result<(), String> {
        lease.ended();
        let event = progress.name_if_last();
        let is_last = event.is_some();
        match self.state.leave(key, Some(known), event).await {
            Ok(true) => {
                if is_last {
                    progress.name = None;
                }
                Ok(())
            }
            Ok(false) => Err(format!(
                "another process took over {key}: this one was slow to keep it"
            )),
            Err(error) => Err(chain(&error)),
        }
    }

    async fn handle(&self, incoming: &Incoming) -> Result<(), Failure> {
        let kind = incoming.key().kind;
        let mut is_wanted = false;
        for handler in self.handlers.iter().filter(|one| one.is_for(kind)) {
            is_wanted = true;
            handler.handle(incoming.clone()).await?;
        }
        if !is_wanted {
            add(&self.counters.unwanted, 1);
        }
        Ok(())
    }
}

impl Work for Rules {
    fn work<'a>(&'a self, event: &'a ReceivedEvent, slots: &'a Slots) -> BoxFuture<'a, Outcome> {
        Box::pin(self.event(event, slots))
    }

    fn sync(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move { self.state.sync().await.map_err(|error| chain(&error)) })
    }

    fn keep(&self, time: Duration) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move { self.state.keep(time).await.map_err(|error| chain(&error)) })
    }
}

fn look_again() -> Duration {
    let mut part = [0];
    // Without randomness they look as often as they may.
    let _ = getrandom::fill(&mut part);
    let (first, last) = LOOK_AGAIN;
    Duration::from_millis(first + (last - first) * u64::from(part[0]) / 255)
}
