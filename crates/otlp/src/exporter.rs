//! Sends what a tracer noted, and the metrics, for as long as the program runs.

use crate::deltas::Told;
use crate::exposition::{self, Span};
use crate::health::{Health, Sent};
use crate::message::{Head, Message};
use crate::post::Post;
use crate::settings::{Settings, Target};
use crate::tracer::Tracer;
use bytes::Bytes;
use jiff::Timestamp;
use labelrelay_core::Clock;
use prost::Message as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

/// At the end, what waits is sent in this time, and dropped else: a collector that hangs keeps no program.
pub const END_WITHIN: Duration = Duration::from_secs(1);

/// The longest pause before a collector that fails is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Gives the current metrics, as the admin port does.
type Exposition = Box<dyn Fn() -> String + Send>;

/// Sends spans and metrics to a collector.
pub struct Exporter<P> {
    settings: Settings,
    tracer: Tracer,
    exposition: Exposition,
    clock: Arc<dyn Clock>,
    /// When what is counted began.
    start: Timestamp,
    post: P,
    head: Head,
    /// Spans that may have to be sent again.
    message: Option<Message>,
    spans_health: Health,
    metrics_health: Health,
    metrics_due: Instant,
    /// Where only what came since is told.
    told: Option<Told>,
    /// End of a flush after which the collector is left alone for a while.
    failed_at: Option<Timestamp>,
}

/// An exporter at work. What waits is lost if it is not [ended](Self::end).
pub struct Exporting {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Exporting {
    /// Sends what waits, in [`END_WITHIN`] at most.
    pub async fn end(self) {
        let Self { stop, mut task } = self;
        // It cannot have ended before; a panic of it was printed where it happened.
        let _ = stop.send(());
        if timeout(END_WITHIN, &mut task).await.is_err() {
            task.abort();
        }
    }
}

impl<P: Post> Exporter<P> {
    /// An exporter of what `tracer` notes, and of the metrics that `exposition` gives in `OpenMetrics`' text form. Must be
    /// called within a Tokio runtime.
    pub fn new(
        settings: Settings,
        tracer: Tracer,
        exposition: impl Fn() -> String + Send + 'static,
        clock: Arc<dyn Clock>,
        post: P,
    ) -> Self {
        Self {
            metrics_due: Instant::now() + settings.metric_interval,
            start: clock.now(),
            head: Head::of(&settings.resource),
            settings,
            tracer,
            exposition: Box::new(exposition),
            clock,
            post,
            message: None,
            spans_health: Health::of("spans"),
            metrics_health: Health::of("metrics"),
            told: None,
            failed_at: None,
        }
    }

    /// The same, which tells of each count what came since the collector last took it: for programs of which many run, each
    /// for a short time.
    #[must_use]
    pub fn with_deltas(mut self) -> Self {
        self.told = Some(Told::nothing(nanoseconds(self.start)));
        self
    }

    /// Begins, as a task of its own.
    pub fn begin(self) -> Exporting {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(self.run(stopped));
        Exporting { stop, task }
    }

    /// Sends what waits and what was counted now, in `within` and the time of one request at most: for a program that stands
    /// still between its requests. After a failure the collector is left alone for a while, which is counted by the time of
    /// the day: other clocks may stand still with the program.
    pub async fn flush(&mut self, within: Duration) {
        if self.is_left_alone() {
            return;
        }
        let end = Some(Instant::now() + within.min(self.settings.timeout));
        self.send_spans(end).await;
        self.send_metrics(end).await;
        self.failed_at = (self.failures() > 0).then(|| self.clock.now());
    }

    fn is_left_alone(&self) -> bool {
        let Some(failed_at) = self.failed_at else {
            return false;
        };
        let since = self.clock.now().duration_since(failed_at);
        // A clock that was set back says nothing.
        Duration::try_from(since).is_ok_and(|since| since < pause_after(self.failures()))
    }

    fn failures(&self) -> u32 {
        self.spans_health.failures.max(self.metrics_health.failures)
    }

    /// Longest time for a request that shall have ended by then.
    fn longest(&self, end: Option<Instant>) -> Duration {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        left.map_or(self.settings.timeout, |left| {
            left.min(self.settings.timeout)
        })
    }

    async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        let mut is_last = false;
        while !is_last {
            is_last = self.wait(&mut stop).await;
            self.send_spans(None).await;
            if is_last || self.metrics_due <= Instant::now() {
                self.send_metrics(None).await;
                self.metrics_due = Instant::now() + self.settings.metric_interval;
            }
        }
    }

    /// Waits until there is something to do. Returns `true` for the last time. Alone, since what posts need not be shared
    /// by threads.
    async fn wait(&mut self, stop: &mut oneshot::Receiver<()>) -> bool {
        let failures = self.spans_health.failures;
        let is_well = failures == 0;
        let pause = if is_well {
            self.settings.span_delay
        } else {
            pause_after(failures)
        };
        let spans_due = Instant::now() + pause;
        let due = match (&self.settings.traces, &self.settings.metrics) {
            (Some(_), Some(_)) => spans_due.min(self.metrics_due),
            (Some(_), None) => spans_due,
            (None, _) => self.metrics_due,
        };
        tokio::select! {
            _ = stop => true,
            () = sleep_until(due) => false,
            () = self.tracer.batch_waits(), if is_well => false,
        }
    }

    async fn send_spans(&mut self, end: Option<Instant>) {
        let Some(target) = &self.settings.traces else {
            return;
        };
        // Those that come meanwhile wait for others in their turn. A steady stream would go out a few at a time else, and
        // neither the metrics nor the end would have their turn.
        let mut due = self.tracer.waiting();
        loop {
            if self.message.is_none()
                && due > 0
                && let Some(batch) = self.tracer.take()
            {
                due = due.saturating_sub(batch.ended());
                self.message = Some(batch.message(&self.head));
            }
            let longest = self.longest(end);
            let Some(message) = self.message.as_ref().filter(|_| !longest.is_zero()) else {
                return;
            };
            let bytes = message.bytes.clone();
            let sent = send(&mut self.post, target, bytes, longest).await;
            self.spans_health.note(&sent);
            match sent {
                Sent::Taken => {}
                Sent::Refused(_) => self.tracer.drop_spans(message.spans),
                Sent::Failed(_) => return,
            }
            self.message = None;
        }
    }

    async fn send_metrics(&mut self, end: Option<Instant>) {
        let Some(target) = &self.settings.metrics else {
            return;
        };
        let start = nanoseconds(self.start);
        let now = nanoseconds(self.clock.now());
        let start = self.told.as_ref().map_or(start, |told| told.until);
        let counted = exposition::metrics(&(self.exposition)(), Span { start, now });
        let (metrics, counted) = match &self.told {
            Some(told) => (told.since(&counted), Some(counted)),
            None => (counted, None),
        };
        let longest = self.longest(end);
        if metrics.is_empty() || longest.is_zero() {
            return;
        }
        let message = exposition::message(&self.settings.resource, metrics);
        let message = message.encode_to_vec().into();
        // The next message has all of what is counted as well: this one is not sent again.
        let sent = send(&mut self.post, target, message, longest).await;
        if let (Sent::Taken, Some(counted)) = (&sent, counted) {
            self.told = Some(Told::all_of(counted, now));
        }
        self.metrics_health.note(&sent);
    }
}

/// One second, two, four.
fn pause_after(failures: u32) -> Duration {
    let factor = 1 << failures.saturating_sub(1).min(5);
    LONGEST_PAUSE.min(Duration::from_secs(factor))
}

async fn send<P: Post>(post: &mut P, target: &Target, message: Bytes, most: Duration) -> Sent {
    let answer = timeout(most, post.post(target, message)).await;
    let late = |_| Err(format!("no answer within {} ms", most.as_millis()));
    Sent::answered(answer.unwrap_or_else(late))
}

fn nanoseconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond()).unwrap_or_default()
}
