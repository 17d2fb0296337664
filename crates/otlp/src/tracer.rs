//! The observer that notes requests for their spans, and whoever works on events for theirs.

use crate::destination::Destination;
use crate::finished::{self, Finished};
use crate::ids::Ids;
use crate::processed::{Processed, Processing};
use crate::same::Same;
use crate::sampler::Sampler;
use crate::waiting::{Batch, Waiting};
use labelrelay_core::{
    Clock, Entropy, EventTrace, Exchange, Observer, QueueError, Report, TraceContext,
};
use labelrelay_event::Attributes;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The most memory that a tracer and its exporter take: what waits has 24 MiB at most, and a message of it some 2 MiB. A
/// batch that grows may be copied once.
pub const MOST_BYTES: u64 = 32 << 20;

/// Notes requests that have their answer, for an [`Exporter`](crate::Exporter). Its clones are the same tracer.
#[derive(Clone)]
pub struct Tracer(Arc<Shared>);

struct Shared {
    sampler: Sampler,
    same: Same,
    clock: Arc<dyn Clock>,
    ids: Ids,
    waiting: Mutex<Waiting>,
    dropped: AtomicU64,
    /// A batch waits.
    full: Notify,
}

impl Tracer {
    /// A tracer of events that are sent to `destination`, or come from there.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "what it keeps of these is its own affair"
    )]
    pub fn new(
        sampler: Sampler,
        destination: Destination,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self(Arc::new(Shared {
            sampler,
            same: Same::of(&destination),
            ids: Ids::new(&*clock, &*entropy),
            clock,
            waiting: Mutex::default(),
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
            let trace_id = self.0.ids.trace();
            (trace_id, sampler.takes_root(trace_id))
        };
        is_recorded.then(|| {
            let context = TraceContext {
                trace_id,
                span_id: self.0.ids.span(),
                flags: 1,
            };
            Processing::new(context, parent, self.0.now(), event)
        })
    }

    /// Ends a span of the work on an event. `error` is what sort of error there was, and why.
    #[expect(clippy::needless_pass_by_value, reason = "no span ends twice")]
    pub fn end_processing(&self, processing: Processing, error: Option<(&'static str, &str)>) {
        let processed = Processed::new(&processing, self.0.now(), error);
        let write = |out: &mut Vec<u8>, _: &mut String| processed.write(out, &self.0.same);
        self.0.wait_for_sending(1, write);
    }

    /// Counts so many spans as dropped.
    pub(crate) fn drop_spans(&self, count: u64) {
        self.0.drop_spans(count);
    }

    /// Completes once a batch waits.
    pub(crate) async fn batch_waits(&self) {
        self.0.full.notified().await;
    }

    /// Number of requests and events that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.0.waiting().ended()
    }

    /// Takes a batch, or what there is of one, the oldest first.
    pub(crate) fn take(&self) -> Option<Batch> {
        self.0.waiting().take()
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drop_spans(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }

    fn ids_of(&self, report: &Report) -> Option<finished::Ids> {
        let (trace, parent, producer) = match report.trace {
            Some(EventTrace::Relay(own)) => {
                let is_recorded = own.is_sampled();
                is_recorded.then_some((own.trace_id, None, own.span_id))?
            }
            Some(EventTrace::Sender(parent)) => {
                let is_recorded = self.sampler.takes_child(parent);
                is_recorded.then(|| (parent.trace_id, Some(parent.span_id), self.ids.span()))?
            }
            // It became no event: nobody else has a span of this trace.
            None => {
                let trace = self.ids.trace();
                let is_recorded = self.sampler.takes_root(trace);
                is_recorded.then(|| (trace, None, self.ids.span()))?
            }
        };
        Some(finished::Ids {
            trace,
            parent,
            server: self.ids.span(),
            producer,
        })
    }

    fn note(&self, exchange: &Exchange<'_>) {
        let Some(ids) = self.ids_of(exchange.report) else {
            return;
        };
        let method = &exchange.head.method;
        let finished = Finished::new(ids, self.now(), method, exchange.report);
        self.wait_for_sending(finished.count(), |out, scratch| {
            finished.write(out, scratch, &self.same);
        });
    }

    /// Nanoseconds of Unix.
    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().as_nanosecond()).unwrap_or_default()
    }

    /// So many spans, which `write` writes. They are written under the lock: that takes less time than to allocate for them.
    fn wait_for_sending(&self, count: u64, write: impl FnOnce(&mut Vec<u8>, &mut String)) {
        let mut waiting = self.waiting();
        if !waiting.has_room() {
            drop(waiting);
            self.drop_spans(count);
            return;
        }
        let is_whole = waiting.add(count, write);
        drop(waiting);
        if is_whole {
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
        let trace_id = self.0.ids.trace();
        Some(TraceContext {
            trace_id,
            span_id: self.0.ids.span(),
            flags: self.0.sampler.takes_root(trace_id).into(),
        })
    }

    fn queue_attempt_failed(&self, _: &str, _: &str, _: &QueueError) {}
}
