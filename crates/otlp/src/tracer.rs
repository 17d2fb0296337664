//! The observer that notes requests for their spans, and whoever works on events for theirs.

use crate::destination::Destination;
use crate::ended::Ended;
use crate::finished::{Finished, Ids};
use crate::processed::{Processed, Processing};
use crate::sampler::Sampler;
use labelrelay_core::{
    Clock, Entropy, EventTrace, Exchange, Observer, QueueError, Report, TraceContext,
};
use labelrelay_event::Attributes;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Requests and events that may wait to be sent.
const MOST_WAITING: usize = 8192;

/// The most memory that a tracer and its exporter take: each one that waits has fewer than 3 kB, and a message of them
/// fewer than 4 MB.
pub const MOST_BYTES: u64 = 32 << 20;

/// So many are worth a message at once.
pub(crate) const BATCH: usize = 512;

/// Notes requests that have their answer, for an [`Exporter`](crate::Exporter). Its clones are the same tracer.
#[derive(Clone)]
pub struct Tracer(Arc<Shared>);

struct Shared {
    sampler: Sampler,
    destination: Destination,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    waiting: Mutex<VecDeque<Ended>>,
    dropped: AtomicU64,
    /// A batch waits.
    full: Notify,
}

impl Tracer {
    /// A tracer of events that are sent to `destination`, or come from there.
    pub fn new(
        sampler: Sampler,
        destination: Destination,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self(Arc::new(Shared {
            sampler,
            destination,
            clock,
            entropy,
            waiting: Mutex::new(VecDeque::new()),
            dropped: AtomicU64::new(0),
            full: Notify::new(),
        }))
    }

    /// Number of spans that were dropped, since they found no room or the collector refused them.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Begins the span of the work on an event. It is a child of the span that the envelope names, if it names one that is
    /// valid. `None` if its trace is not recorded.
    pub fn begin_processing(&self, event: &Attributes) -> Option<Processing> {
        let parent = event.traceparent.as_deref();
        let parent = parent.and_then(TraceContext::parse);
        let sampler = self.0.sampler;
        let (trace_id, is_recorded) = if let Some(parent) = parent {
            (parent.trace_id, sampler.takes_child(parent))
        } else {
            let trace_id = self.0.trace_id();
            (trace_id, sampler.takes_root(trace_id))
        };
        is_recorded.then(|| {
            let context = TraceContext {
                trace_id,
                span_id: self.0.span_id(),
                flags: 1,
            };
            Processing::new(context, parent, self.0.now(), event)
        })
    }

    /// Ends a span of the work on an event. `error` is what sort of error there was, and why.
    pub fn end_processing(&self, processing: Processing, error: Option<(&'static str, &str)>) {
        let processed = Processed::new(processing, self.0.now(), error);
        self.0.wait_for_sending(Ended::Event(Box::new(processed)));
    }

    pub(crate) fn drop_all(&self, ended: &[Ended]) {
        let spans: u64 = ended.iter().map(Ended::count).sum();
        self.0.dropped.fetch_add(spans, Ordering::Relaxed);
    }

    pub(crate) fn destination(&self) -> &Destination {
        &self.0.destination
    }

    /// Completes once a batch waits.
    pub(crate) async fn batch_waits(&self) {
        self.0.full.notified().await;
    }

    /// Number of requests and events that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.0.waiting().len()
    }

    /// Takes a batch, or what there is of one, the oldest first.
    pub(crate) fn take(&self) -> Vec<Ended> {
        let mut waiting = self.0.waiting();
        let count = waiting.len().min(BATCH);
        waiting.drain(..count).collect()
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Ended>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An id of a span. It only has to differ.
    fn span_id(&self) -> [u8; 8] {
        let [_, _, id @ ..] = self.entropy.ten_bytes();
        // All zero is no id.
        if id == [0; 8] { [1; 8] } else { id }
    }

    fn trace_id(&self) -> [u8; 16] {
        let halves = [self.span_id(), self.span_id()].map(u64::from_be_bytes);
        let [high, low] = halves.map(u128::from);
        ((high << 64) | low).to_be_bytes()
    }

    fn ids(&self, report: &Report) -> Option<Ids> {
        let (trace, parent, producer) = match report.trace {
            Some(EventTrace::Relay(own)) => {
                let is_recorded = own.is_sampled();
                is_recorded.then_some((own.trace_id, None, own.span_id))?
            }
            Some(EventTrace::Sender(parent)) => {
                let is_recorded = self.sampler.takes_child(parent);
                is_recorded.then(|| (parent.trace_id, Some(parent.span_id), self.span_id()))?
            }
            // It became no event: nobody else has a span of this trace.
            None => {
                let trace = self.trace_id();
                let is_recorded = self.sampler.takes_root(trace);
                is_recorded.then(|| (trace, None, self.span_id()))?
            }
        };
        Some(Ids {
            trace,
            parent,
            server: self.span_id(),
            producer,
        })
    }

    fn note(&self, exchange: &Exchange<'_>) {
        let Some(ids) = self.ids(exchange.report) else {
            return;
        };
        let method = &exchange.head.method;
        let finished = Finished::new(ids, self.now(), method, exchange.report);
        self.wait_for_sending(Ended::Request(Box::new(finished)));
    }

    /// Nanoseconds of Unix.
    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().as_nanosecond()).unwrap_or_default()
    }

    fn wait_for_sending(&self, ended: Ended) {
        let mut waiting = self.waiting();
        if waiting.len() >= MOST_WAITING {
            drop(waiting);
            self.dropped.fetch_add(ended.count(), Ordering::Relaxed);
            return;
        }
        waiting.push_back(ended);
        if waiting.len().is_multiple_of(BATCH) {
            self.full.notify_one();
        }
    }
}

impl Observer for Tracer {
    /// Nothing: what has no head is no request that a client could have a span of.
    fn request(&self, _: &Report) {}

    fn exchange(&self, exchange: &Exchange<'_>) {
        self.0.note(exchange);
    }

    fn begin_trace(&self) -> Option<TraceContext> {
        let trace_id = self.0.trace_id();
        Some(TraceContext {
            trace_id,
            span_id: self.0.span_id(),
            flags: self.0.sampler.takes_root(trace_id).into(),
        })
    }

    fn queue_attempt_failed(&self, _: &str, _: &str, _: &QueueError) {}
}
