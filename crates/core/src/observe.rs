//! Reports of requests, for logs and metrics: never a body, a secret or a credential.

use crate::outcome::Outcome;
use crate::request::RequestHead;
use crate::trace_context::{EventTrace, TraceContext};
use labelrelay_event::Digest;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Takes a report of every request that was answered. Logs, metrics and a cloud's own formats are
/// implementations of it.
pub trait Observer: Send + Sync {
    /// A request reached its end.
    fn request(&self, report: &Report);

    /// The same, with what the request was: for whoever keeps a record. A request of which no head is known is told
    /// by [`request`](Self::request) alone, and any other one by this alone.
    fn exchange(&self, exchange: &Exchange<'_>) {
        self.request(exchange.report);
    }

    /// How much of a body is wanted that becomes no event. Nothing is copied for an observer that wants none.
    fn wanted_body_bytes(&self) -> usize {
        0
    }

    /// A new span's context for the envelope of an event whose request named none, where somebody records spans. The
    /// event's report has it, as [`EventTrace::Relay`].
    fn begin_trace(&self) -> Option<TraceContext> {
        None
    }

    /// The queue refused or missed one attempt; another one follows.
    fn queue_attempt_failed(&self, source: &str, event_id: &str, error: &crate::QueueError);

    /// The queue refused or missed one attempt, and no other follows: the event goes to the fallback, or the request
    /// fails, or the event stays in the fallback where it waited.
    fn queue_last_attempt_failed(&self, source: &str, event_id: &str, error: &crate::QueueError) {
        let _ = (source, event_id, error);
    }

    /// The queue failed so often in a row that events go to the fallback at once from now on, but for one
    /// now and then that tries it; this is the last failure. `None`: it works again.
    fn queue_breaker(&self, open: Option<&crate::QueueError>) {
        let _ = open;
    }

    /// The fallback did not take an event either; the queue is tried again.
    fn fallback_failed(&self, source: &str, event_id: &str, error: &crate::BlobError) {
        let _ = (source, event_id, error);
    }

    /// No trace could be left of an event that the queue has: a pull may send it once more, with the same id.
    fn trace_failed(&self, source: &str, event_id: &str, error: &crate::BlobError) {
        let _ = (source, event_id, error);
    }

    /// Deliveries are refused from now on, because of this bound. Told once for each flood of them, not
    /// for every request.
    fn overloaded(&self, bound: &str) {
        let _ = bound;
    }

    /// There is room again for all; so many were refused meanwhile.
    fn overload_over(&self, refused: u64) {
        let _ = refused;
    }

    /// A connection was closed before its peer closed it: `idle`, `unread` (its peer takes no answers),
    /// `made_room` (it idled, and another one came) or `no_room`.
    fn connection_closed(&self, why: &'static str) {
        let _ = why;
    }

    /// Somebody asks for readiness, and no event could be taken now, for this reason; `None`: it can again. Told when
    /// that changes.
    fn not_ready(&self, reason: Option<&str>) {
        let _ = reason;
    }

    /// The secrets of a source could not be read. Told once for each failed look-up; deliveries may
    /// still be verified with the secrets at hand for a while.
    fn secrets_unreadable(&self, source: &str, error: &crate::SecretError) {
        let _ = (source, error);
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn request(&self, report: &Report) {
        (**self).request(report);
    }

    fn exchange(&self, exchange: &Exchange<'_>) {
        (**self).exchange(exchange);
    }

    fn wanted_body_bytes(&self) -> usize {
        (**self).wanted_body_bytes()
    }

    fn begin_trace(&self) -> Option<TraceContext> {
        (**self).begin_trace()
    }

    fn queue_attempt_failed(&self, source: &str, event_id: &str, error: &crate::QueueError) {
        (**self).queue_attempt_failed(source, event_id, error);
    }

    fn queue_last_attempt_failed(&self, source: &str, event_id: &str, error: &crate::QueueError) {
        (**self).queue_last_attempt_failed(source, event_id, error);
    }

    fn queue_breaker(&self, open: Option<&crate::QueueError>) {
        (**self).queue_breaker(open);
    }

    fn fallback_failed(&self, source: &str, event_id: &str, error: &crate::BlobError) {
        (**self).fallback_failed(source, event_id, error);
    }

    fn trace_failed(&self, source: &str, event_id: &str, error: &crate::BlobError) {
        (**self).trace_failed(source, event_id, error);
    }

    fn overloaded(&self, bound: &str) {
        (**self).overloaded(bound);
    }

    fn overload_over(&self, refused: u64) {
        (**self).overload_over(refused);
    }

    fn connection_closed(&self, why: &'static str) {
        (**self).connection_closed(why);
    }

    fn not_ready(&self, reason: Option<&str>) {
        (**self).not_ready(reason);
    }

    fn secrets_unreadable(&self, source: &str, error: &crate::SecretError) {
        (**self).secrets_unreadable(source, error);
    }
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn request(&self, _: &Report) {}
    fn queue_attempt_failed(&self, _: &str, _: &str, _: &crate::QueueError) {}
}

/// One request with its head, at its end. It has credentials in it: whoever keeps it takes them out first.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Exchange<'a> {
    /// What came of it.
    pub report: &'a Report,
    /// The head, as it was sent.
    pub head: &'a RequestHead,
    /// The first part of the body, where it became no event, was read whole, and lay in memory.
    pub body_start: Option<&'a [u8]>,
}

/// One request, at its end.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not states"
)]
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// Outcome.
    pub outcome: Outcome,
    /// Name of the source that it was for.
    pub source: Option<String>,
    /// Why it was refused or failed, for whoever runs the relay. More than the sender is told.
    pub reason: Option<String>,
    /// Event id.
    pub event_id: Option<String>,
    /// Event type.
    pub event_type: Option<String>,
    /// Kind and id of what the event is about.
    pub subject: Option<String>,
    /// Id of its project on the platform.
    pub project: Option<String>,
    /// The sender's own id of the delivery.
    pub delivery_id: Option<String>,
    /// Length of the body, as far as it was read.
    pub body_bytes: u64,
    /// SHA-256 of the body, when all of it was read.
    pub digest: Option<Digest>,
    /// `true` if the reading of the body began. A head that is refused by itself costs nobody a body.
    pub body_begun: bool,
    /// Length of the body as the head claims it.
    pub claimed_bytes: Option<u64>,
    /// Address that counted as the sender's.
    pub client: Option<IpAddr>,
    /// Name of the secret that matched.
    pub verified_by: Option<String>,
    /// Names of the credential headers that arrived. Only for refusals.
    pub credential_headers: Vec<String>,
    /// Names and fingerprints of the secrets that were tried. Only for refusals.
    pub secrets_tried: Vec<String>,
    /// `true` if this end came after the sender had to have its answer, which was 503 then.
    pub late: bool,
    /// `true` if the body was too large for the memory, and lay in the spool.
    pub spooled: bool,
    /// `true` if the body went to the blob store.
    pub claimed: bool,
    /// `true` if the event is in the fallback, because the queue did not take it in time; `reason` says why then.
    pub fell_back: bool,
    /// Trace context that the event's envelope has. Only a verified request's counts.
    pub trace: Option<EventTrace>,
    /// From the request's arrival to its end.
    pub elapsed: Duration,
    /// Of that: until the event was handed to the queue.
    pub queue_began: Option<Duration>,
    /// Of that: from the first byte handed to the queue to its receipt.
    pub queue_elapsed: Option<Duration>,
}

impl Report {
    /// The report of what never became a request that the pipeline could see.
    pub fn refused(outcome: Outcome, reason: String, client: Option<IpAddr>) -> Self {
        Self {
            reason: Some(reason),
            client,
            ..Self::new(outcome, Duration::ZERO)
        }
    }

    pub(crate) fn new(outcome: Outcome, elapsed: Duration) -> Self {
        Self {
            outcome,
            source: None,
            reason: None,
            event_id: None,
            event_type: None,
            subject: None,
            project: None,
            delivery_id: None,
            body_bytes: 0,
            digest: None,
            body_begun: false,
            claimed_bytes: None,
            client: None,
            verified_by: None,
            credential_headers: Vec::new(),
            secrets_tried: Vec::new(),
            late: false,
            spooled: false,
            claimed: false,
            fell_back: false,
            trace: None,
            elapsed,
            queue_began: None,
            queue_elapsed: None,
        }
    }

    /// Why there is no digest.
    pub fn no_digest(&self) -> Option<&'static str> {
        match (self.digest, self.body_begun) {
            (Some(_), _) => None,
            (None, true) => Some("the body was not read to its end, or not kept"),
            (None, false) => Some("refused by its head alone; the body was not read"),
        }
    }
}

/// A time as logs have it: milliseconds, to the microsecond. More digits cost more than they tell.
pub fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_logs_have_three_digits_at_most() {
        for (nanos, text) in [
            (0, "0"),
            (1, "0"),
            (499, "0"),
            (500, "0.001"),
            (123_456, "0.123"),
            (12_345_678, "12.346"),
            (800_000_000, "800"),
            (8_000_000_499, "8000"),
            (86_400_000_001_499, "86400000.001"),
        ] {
            assert_eq!(
                millis(Duration::from_nanos(nanos)).to_string(),
                text,
                "{nanos}"
            );
        }
    }
}
