//! Observers combined into one.

use labelrelay_core::{
    BlobError, Exchange, Observer, QueueError, Report, SecretError, TraceContext,
};

/// Feeds two observers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tee<A, B>(pub A, pub B);

impl<A: Observer, B: Observer> Observer for Tee<A, B> {
    fn request(&self, report: &Report) {
        self.0.request(report);
        self.1.request(report);
    }

    fn exchange(&self, exchange: &Exchange<'_>) {
        self.0.exchange(exchange);
        self.1.exchange(exchange);
    }

    fn wanted_body_bytes(&self) -> usize {
        self.0.wanted_body_bytes().max(self.1.wanted_body_bytes())
    }

    fn begin_trace(&self) -> Option<TraceContext> {
        self.0.begin_trace().or_else(|| self.1.begin_trace())
    }

    fn queue_attempt_failed(&self, source: &str, event_id: &str, error: &QueueError) {
        self.0.queue_attempt_failed(source, event_id, error);
        self.1.queue_attempt_failed(source, event_id, error);
    }

    fn queue_last_attempt_failed(&self, source: &str, event_id: &str, error: &QueueError) {
        self.0.queue_last_attempt_failed(source, event_id, error);
        self.1.queue_last_attempt_failed(source, event_id, error);
    }

    fn queue_breaker(&self, open: Option<&QueueError>) {
        self.0.queue_breaker(open);
        self.1.queue_breaker(open);
    }

    fn fallback_failed(&self, source: &str, event_id: &str, error: &BlobError) {
        self.0.fallback_failed(source, event_id, error);
        self.1.fallback_failed(source, event_id, error);
    }

    fn trace_failed(&self, source: &str, event_id: &str, error: &BlobError) {
        self.0.trace_failed(source, event_id, error);
        self.1.trace_failed(source, event_id, error);
    }

    fn overloaded(&self, bound: &str) {
        self.0.overloaded(bound);
        self.1.overloaded(bound);
    }

    fn overload_over(&self, refused: u64) {
        self.0.overload_over(refused);
        self.1.overload_over(refused);
    }

    fn connection_closed(&self, why: &'static str) {
        self.0.connection_closed(why);
        self.1.connection_closed(why);
    }

    fn not_ready(&self, reason: Option<&str>) {
        self.0.not_ready(reason);
        self.1.not_ready(reason);
    }

    fn secrets_unreadable(&self, source: &str, error: &SecretError) {
        self.0.secrets_unreadable(source, error);
        self.1.secrets_unreadable(source, error);
    }
}
