//! Everything that the tasks of one run share, and the settlement of an event.

use super::group::{Behind, Position};
use super::held::{AllHeld, Held, Working};
use super::named_events::NamedEvents;
use super::{Settings, Slots, Work};
use crate::outcome::Outcome;
use crate::spread::random;
use crate::stats::{Counters, add};
use crate::words;
use futures_util::FutureExt as _;
use labelrelay_core::{EventSource, ReceivedEvent, Settled};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

pub(super) struct Shared<W> {
    pub(super) source: Arc<dyn EventSource>,
    pub(super) settings: Settings,
    /// Receives after which an event that failed becomes a dead letter here.
    pub(super) max_receives: Option<u32>,
    pub(super) work: Arc<W>,
    pub(super) counters: Arc<Counters>,
    pub(super) held: AllHeld,
    pub(super) slots: Slots,
    /// Unreadable events that the log has named.
    pub(super) named: NamedEvents,
}

impl<W: Work> Shared<W> {
    /// Holds what was received.
    pub(super) fn hold(&self, events: Vec<ReceivedEvent>) -> Vec<Arc<Held>> {
        add(&self.counters.received, events.len());
        let until = Instant::now() + self.settings.visibility;
        events
            .into_iter()
            .map(|event| self.held.add(event, until))
            .collect()
    }

    /// Waits for the event before it in its group, works on the event, and settles it. A handled event goes to `handled`,
    /// whose receiver acknowledges it.
    pub(super) async fn work_on(
        &self,
        held: Arc<Held>,
        mut position: Position,
        handled: mpsc::Sender<Arc<Held>>,
    ) {
        let working = Working::on(&self.held, Arc::clone(&held));
        let before = position.reached(&self.slots).await;
        // If the one before it panicked, that one stays hidden for so long.
        let in_doubt = || Behind::HeldBack(Instant::now() + self.settings.visibility);
        if let held_back @ Behind::HeldBack(until) = before.unwrap_or_else(in_doubt) {
            self.hold_back(&held, until).await;
            return position.ended(held_back);
        }
        // Called in here: what is no future yet may panic too.
        let work = async { self.work.work(&held.event, &self.slots).await };
        // A panic is a failure of this event alone. The hook has said where it was.
        let outcome = AssertUnwindSafe(work).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|_| Outcome::failed("its handler panicked"));
        if outcome != Outcome::Done {
            let behind = self.settle(&held, outcome).await;
            return position.ended(behind);
        }
        // The receiver acknowledges it, then forgets it. If the receiver broke down, the event comes again.
        if handled.send(held).await.is_ok() {
            working.done();
            position.ended(Behind::MayGo);
        }
    }

    /// Tells the queue what became of an event that is not done with. What cannot be told comes again by itself.
    async fn settle(&self, held: &Held, outcome: Outcome) -> Behind {
        let receives = held.event.receive_count;
        let is_last = self
            .max_receives
            .is_some_and(|most| receives.is_some_and(|receives| receives >= most));
        let (reason, after) = match outcome {
            Outcome::Done => return Behind::MayGo,
            Outcome::NotBegun => {
                self.give_back(held).await;
                return Behind::HeldBack(Instant::now());
            }
            Outcome::Rejected { reason } => return self.reject(held, &reason).await,
            Outcome::Unreadable { error, reason } => {
                add(&self.counters.unreadable, 1);
                let reason = format!("{error}: {reason}");
                if is_last {
                    return self.reject_after(held, &reason).await;
                }
                self.tell_of(held, &reason);
                return self.retry(held, self.pause(receives)).await;
            }
            Outcome::Again {
                reason, is_its_own, ..
            } if is_last && is_its_own => return self.reject_after(held, &reason).await,
            Outcome::Again { reason, after, .. } => (reason, after),
        };
        // No queue hides an event for longer, and some refuse to be asked.
        let pause = after
            .unwrap_or_else(|| self.pause(receives))
            .min(super::settings::LONGEST_VISIBILITY);
        let (event, reason) = (words::name(&held.event), words::one_line(&reason));
        let again_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(name: "event_failed", event, reason, receives, again_in_ms, "an event failed, and comes again");
        self.retry(held, pause).await
    }

    fn pause(&self, receives: Option<u32>) -> Duration {
        self.settings.pause(receives, random())
    }

    async fn retry(&self, held: &Held, pause: Duration) -> Behind {
        let receipt = held.freeze().await;
        self.retry_by(&receipt, held, pause).await
    }

    async fn retry_by(&self, receipt: &str, held: &Held, pause: Duration) -> Behind {
        add(&self.counters.retried, 1);
        let given_back = self.released(receipt, held, pause).await;
        let hidden_for = if given_back {
            pause
        } else {
            pause.max(self.settings.visibility)
        };
        Behind::HeldBack(Instant::now() + hidden_for)
    }

    /// Gives an event back that may not overtake another one: it comes when that comes again.
    async fn hold_back(&self, held: &Held, until: Instant) {
        let pause = until.saturating_duration_since(Instant::now());
        let event = words::name(&held.event);
        tracing::debug!(name: "event_held_back", event, "an event before it in its group comes again, and so does this one");
        self.retry(held, pause).await;
    }

    /// Lets others receive at once what was not begun.
    pub(super) async fn give_back(&self, held: &Held) {
        let receipt = held.freeze().await;
        self.released(&receipt, held, Duration::ZERO).await;
    }

    /// Tells whether the queue took it back.
    async fn released(&self, receipt: &str, held: &Held, pause: Duration) -> bool {
        let Err(error) = self.source.retry(&[receipt], pause).await else {
            return true;
        };
        let event = words::name(&held.event);
        tracing::warn!(name: "event_not_given_back", event, reason = %error, "an event could not be given back, and comes again when its visibility timeout is over");
        false
    }

    async fn reject_after(&self, held: &Held, reason: &str) -> Behind {
        let receives = held.event.receive_count.unwrap_or(1);
        let times = if receives == 1 { "time" } else { "times" };
        let reason = format!("received {receives} {times}: {reason}");
        self.reject(held, &reason).await
    }

    async fn reject(&self, held: &Held, reason: &str) -> Behind {
        let (event, reason) = (words::name(&held.event), words::one_line(reason));
        // Its other changes may be handled, and with this it is done with.
        if let Err(problem) = self.work.sync().await {
            let problem = words::one_line(&problem);
            tracing::error!(name: "event_not_rejected", event, reason = problem, "the state could not be made durable: no dead letter was made, and the event comes again");
            return self.retry(held, self.pause(held.event.receive_count)).await;
        }
        let mut rejected = held.event.clone();
        rejected.receipt = held.freeze().await;
        match self.source.reject(&mut rejected, &reason).await {
            Ok(Settled::Done) => {
                add(&self.counters.rejected, 1);
                add(&self.counters.acknowledged, 1);
                tracing::warn!(name: "event_rejected", event, reason, "an event is a dead letter now");
                Behind::MayGo
            }
            Ok(Settled::Stale) => {
                tracing::warn!(name: "event_not_rejected", event, reason, "no dead letter was made: the event's visibility timeout was over, and another consumer may have it");
                Behind::HeldBack(Instant::now())
            }
            Err(error) => {
                tracing::error!(name: "event_not_rejected", event, reason = %error, "no dead letter was made, and the event comes again");
                // By the receipt that is good now.
                let pause = self.pause(held.event.receive_count);
                self.retry_by(&rejected.receipt, held, pause).await
            }
        }
    }

    /// Names an event that cannot be read, once.
    fn tell_of(&self, held: &Held, reason: &str) {
        if self.named.is_new(&held.event) {
            let (event, reason) = (words::name(&held.event), words::one_line(reason));
            tracing::error!(name: "event_unreadable", event, reason, "an event cannot be read; it comes again until it is a dead letter");
        } else {
            let event = words::name(&held.event);
            tracing::debug!(name: "event_unreadable_again", event, "an event cannot be read");
        }
    }
}
