//! The loop that receives, and the end of it.

use super::acks;
use super::group::Groups;
use super::held::Held;
use super::keeper::keep;
use super::named_events::NamedEvents;
use super::shared::Shared;
use super::slots::slots;
use super::{RunError, Settings, Work, Worker};
use crate::spread::spread;
use crate::stats::Stats;
use labelrelay_core::{EventSourceError, ReceivedEvent, SourceOptions};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

/// Pauses after a receive that failed: the first, and the longest of many. Each is spread.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// A receive that is under way at the stop may bring events within this time. Later ones wait for their visibility
/// timeout, as if the connection had broken.
const LAST_RECEIVE: Duration = Duration::from_millis(500);

/// Bytes of envelopes that are held at most, before more are received. One receive brings as much again: a queue bounds it.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Shortest wait of a receive at whose end a run may end: SQS asks only some of its servers when it is not to wait, and none
/// of them may have what is there.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Shortest time between two receives that bring nothing: a queue may not wait, though it was asked to.
const SHORTEST_ROUND: Duration = Duration::from_millis(50);

impl<W: Work> Worker<W> {
    /// Works until `stop` completes, or nothing came for [`Settings::until_idle`].
    ///
    /// Then nothing more is received. What was begun is finished, what was not begun within [`Settings::drain`] is given
    /// back. If the future is dropped instead, everything that is held comes again when its visibility timeout is over.
    ///
    /// # Errors
    /// [`RunError`]. A queue that cannot be read is tried again, unless it never could be and somebody has to put that
    /// right.
    pub async fn run(&self, stop: impl Future<Output = ()>) -> Result<Stats, RunError> {
        self.settings.check()?;
        let (slots, control) = slots(self.settings.concurrency);
        let counted = (!self.source.limits_receives()).then_some(SourceOptions::MAX_RECEIVES);
        let shared = Arc::new(Shared {
            source: Arc::clone(&self.source),
            settings: self.settings.clone(),
            max_receives: self.settings.max_receives.or(counted),
            work: Arc::clone(&self.work),
            counters: Arc::clone(&self.counters),
            held: super::held::AllHeld::default(),
            slots,
            named: NamedEvents::default(),
        });
        let (handled, acknowledged) = mpsc::channel(acks::MOST);
        let keeper = Ended(tokio::spawn(keep(Arc::clone(&shared))));
        let acks = tokio::spawn(acks::acknowledge(Arc::clone(&shared), acknowledged));
        let mut running = Running {
            shared: &shared,
            handled,
            tasks: JoinSet::new(),
            groups: Groups::default(),
            pace: Pace::new(&self.settings),
        };
        // If nothing can be acknowledged any more, all that is received would be handled again and again.
        let broken = running.handled.clone();
        let stop = async move {
            tokio::select! {
                () = stop => {}
                () = broken.closed() => {}
            }
        };
        let received = running.receive(stop).await;
        tracing::debug!(name: "draining", events = running.tasks.len(), "nothing more is received");
        control.stop();
        if timeout(self.settings.drain, finished(&mut running.tasks))
            .await
            .is_err()
        {
            control.end();
            finished(&mut running.tasks).await;
        }
        // The last sender: what waits for its acknowledgement is acknowledged now.
        drop(running);
        // It ends by itself, or by a panic, which was said where it happened.
        let acknowledged = acks.await;
        drop(keeper);
        received?;
        acknowledged.map_err(|_| RunError::NotAcknowledged)??;
        Ok(self.stats())
    }
}

async fn finished(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// A task that ends with its owner.
struct Ended(JoinHandle<()>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Running<'a, W> {
    shared: &'a Arc<Shared<W>>,
    handled: mpsc::Sender<Arc<Held>>,
    tasks: JoinSet<()>,
    groups: Groups,
    pace: Pace,
}

impl<W: Work> Running<'_, W> {
    async fn receive(&mut self, stop: impl Future<Output = ()>) -> Result<(), RunError> {
        let mut stop = std::pin::pin!(stop);
        loop {
            while self.tasks.try_join_next().is_some() {
                self.pace.busy();
            }
            let room = self.room();
            if room == 0 {
                tokio::select! {
                    biased;
                    () = &mut stop => return Ok(()),
                    Some(_) = self.tasks.join_next() => self.pace.busy(),
                    // All that is held may wait for its acknowledgement.
                    () = sleep(SHORTEST_ROUND), if self.tasks.is_empty() => {}
                }
                continue;
            }
            self.pace.asked = Instant::now();
            let Some(received) = self.once(room, stop.as_mut()).await else {
                return Ok(());
            };
            let pause = match received {
                Ok(events) if events.is_empty() => self.pace.nothing(),
                Ok(events) => {
                    self.pace.something();
                    self.begin(events);
                    continue;
                }
                Err(error) => self.pace.failed(&error)?,
            };
            if self.pace.is_over(self.tasks.is_empty()) {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                () = sleep(pause) => {}
            }
        }
    }

    /// Events that may be received now. Not one after the other: a receive costs as much for ten.
    fn room(&self) -> usize {
        if self.shared.held.bytes() >= MOST_BYTES {
            return 0;
        }
        let Settings {
            concurrency,
            prefetch,
            ..
        } = self.shared.settings;
        // An event that waits for another one keeps nobody busy, and such events must not become more and more.
        let aside = self.shared.slots.waiting_aside();
        let aside = aside.min(prefetch.saturating_mul(2).max(concurrency));
        let most = concurrency.saturating_add(prefetch).saturating_add(aside);
        let room = most.saturating_sub(self.tasks.len());
        if room < (prefetch / 2).max(1) {
            0
        } else {
            room
        }
    }

    /// Receives once; `None` if the stop came meanwhile.
    async fn once(
        &self,
        room: usize,
        stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Option<Result<Vec<ReceivedEvent>, EventSourceError>> {
        let Settings { visibility, .. } = self.shared.settings;
        let receive = self.shared.source.receive(room, visibility, self.pace.wait);
        let mut receive = std::pin::pin!(receive);
        tokio::select! {
            biased;
            () = stop => {}
            received = &mut receive => return Some(received),
        }
        if let Ok(Ok(events)) = timeout(LAST_RECEIVE, receive).await {
            for held in self.shared.hold(events) {
                self.shared.give_back(&held).await;
                self.shared.held.forget(&held);
            }
        }
        None
    }

    fn begin(&mut self, events: Vec<ReceivedEvent>) {
        self.groups.forget_ended();
        for held in self.shared.hold(events) {
            let position = self.groups.position(held.event.group.as_deref());
            let (shared, handled) = (Arc::clone(self.shared), self.handled.clone());
            self.tasks
                .spawn(async move { shared.work_on(held, position, handled).await });
        }
    }
}

/// Pauses between receives, and the end when there is nothing more.
struct Pace {
    wait: Duration,
    until_idle: Option<Duration>,
    begun: Instant,
    asked: Instant,
    busy: Instant,
    pause: Duration,
    has_received: bool,
}

impl Pace {
    fn new(settings: &Settings) -> Self {
        let now = Instant::now();
        Self {
            wait: settings
                .until_idle
                .map_or(settings.wait, |idle| idle.max(SHORTEST_WAIT))
                .min(settings.wait),
            until_idle: settings.until_idle,
            begun: now,
            asked: now,
            busy: now,
            pause: PAUSES.0,
            has_received: false,
        }
    }

    fn busy(&mut self) {
        self.busy = Instant::now();
    }

    fn something(&mut self) {
        self.received();
        self.busy();
    }

    fn received(&mut self) {
        self.has_received = true;
        self.pause = PAUSES.0;
    }

    /// Pause before the next receive.
    fn nothing(&mut self) -> Duration {
        self.received();
        SHORTEST_ROUND.saturating_sub(self.asked.elapsed())
    }

    /// Pause before the next receive.
    fn failed(&mut self, error: &EventSourceError) -> Result<Duration, RunError> {
        if !self.has_received {
            if !error.retryable {
                return Err(RunError::Source(error.clone()));
            }
            if self
                .until_idle
                .is_some_and(|idle| self.begun.elapsed() >= idle)
            {
                return Err(RunError::NothingReceived(error.clone()));
            }
        }
        let pause = spread(self.pause);
        self.pause = PAUSES.1.min(self.pause * 2);
        // Nobody knows what the queue has.
        self.busy();
        let again_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        tracing::error!(name: "cannot_receive", reason = %error, again_in_ms, "events cannot be received; tried again");
        Ok(pause)
    }

    /// Tells whether nothing came for long enough.
    fn is_over(&self, is_idle: bool) -> bool {
        is_idle
            && self
                .until_idle
                .is_some_and(|idle| self.busy.elapsed() >= idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_after_failures_double_and_differ() {
        let mut pace = Pace::new(&Settings::default());
        let error =
            EventSourceError::new("the queue", "a fault of the test", "nothing").retryable();
        for whole in [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
            let whole = Duration::from_millis(whole);
            let pause = pace.failed(&error).unwrap();
            assert!(
                (whole / 2..=whole).contains(&pause),
                "{pause:?} of {whole:?}"
            );
        }
        // Two of 65,536 are equal now and then; not all of them.
        let longest: Vec<_> = (0..8).map(|_| pace.failed(&error).unwrap()).collect();
        assert!(
            longest.iter().any(|pause| *pause != longest[0]),
            "{longest:?}"
        );
    }
}
