//! One log event for each request, with a fixed name and fields with units. Never a body, a secret
//! or a credential.

use super::rate_limit::{Kind, LogLimit};
use labelrelay_core::observe::millis;
use labelrelay_core::{BlobError, Clock, Observer, Outcome, QueueError, Report, SecretError};
use labelrelay_event::Digest;
use std::error::Error as _;
use std::fmt::Display;
use std::sync::Arc;

/// Writes the line of a delivery that went well, at a level: `debug` or `info`.
macro_rules! write_delivery {
    ($level:ident, $report:expr) => {{
        let report: &Report = $report;
        tracing::$level!(
            name: "delivery",
            outcome = report.outcome.as_str(),
            source = report.source.as_deref().unwrap_or("-"),
            id = report.event_id,
            "type" = report.event_type,
            delivery_id = report.delivery_id,
            body_bytes = report.body_bytes,
            verified_by = report.verified_by,
            spooled = report.spooled,
            claimed = report.claimed,
            late = report.late,
            elapsed_ms = millis(report.elapsed),
            queue_ms = report.queue_elapsed.map(millis),
            "delivery",
        );
    }};
}

/// Writes reports as `tracing` events, each of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogObserver;

/// Writes reports as [`LogObserver`] does, but for floods of refusals: of those a few, and their number. What
/// is not written shows at the level debug. For whatever a stranger can reach.
pub struct BoundedLog {
    limit: LogLimit,
    is_record: bool,
}

impl BoundedLog {
    /// A log that was quiet so far.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            limit: LogLimit::new(clock),
            is_record: false,
        }
    }

    /// The same where the log is the only record of deliveries, as in a function: what went well stands in it, too, at the
    /// level info.
    pub fn as_record(clock: Arc<dyn Clock>) -> Self {
        Self {
            is_record: true,
            ..Self::new(clock)
        }
    }
}

/// Tells whether a delivery went well: the queue has its event, or nobody asked for it.
fn went_well(report: &Report) -> bool {
    let is_good = matches!(
        report.outcome,
        Outcome::Accepted | Outcome::Repeat | Outcome::Filtered
    );
    is_good && !report.fell_back
}

impl LogLimit {
    /// Tells whether to write a report in full: a refusal that anybody can cause is counted instead where it is one of
    /// a flood. A verified delivery is nobody's flood, and each of its failures counts.
    pub fn admits_report(&self, report: &Report) -> bool {
        if report.verified_by.is_some()
            || matches!(report.outcome, Outcome::Replied | Outcome::Overloaded)
        {
            return true;
        }
        let reason = report.reason.as_deref().unwrap_or_default();
        let kind = Kind::new(report.outcome.as_str(), report.source.as_deref(), reason);
        self.admits(&kind)
    }
}

impl Observer for BoundedLog {
    fn request(&self, report: &Report) {
        if self.is_record && went_well(report) {
            write_delivery!(info, report);
        } else if self.limit.admits_report(report) {
            LogObserver.request(report);
        } else {
            tracing::debug!(
                name: "delivery_refused",
                outcome = report.outcome.as_str(),
                source = report.source.as_deref().unwrap_or("-"),
                client = report.client.map(|client| client.to_string()),
                reason = report.reason,
                "delivery refused, as others were",
            );
        }
    }

    fn queue_attempt_failed(&self, source: &str, event_id: &str, error: &QueueError) {
        LogObserver.queue_attempt_failed(source, event_id, error);
    }

    fn queue_breaker(&self, open: Option<&QueueError>) {
        LogObserver.queue_breaker(open);
    }

    fn fallback_failed(&self, source: &str, event_id: &str, error: &BlobError) {
        LogObserver.fallback_failed(source, event_id, error);
    }

    fn trace_failed(&self, source: &str, event_id: &str, error: &BlobError) {
        LogObserver.trace_failed(source, event_id, error);
    }

    fn overloaded(&self, bound: &str) {
        LogObserver.overloaded(bound);
    }

    fn overload_over(&self, refused: u64) {
        LogObserver.overload_over(refused);
    }

    fn not_ready(&self, reason: Option<&str>) {
        LogObserver.not_ready(reason);
    }

    fn secrets_unreadable(&self, source: &str, error: &SecretError) {
        LogObserver.secrets_unreadable(source, error);
    }
}

impl Observer for LogObserver {
    fn request(&self, report: &Report) {
        let source = report.source.as_deref().unwrap_or("-");
        let elapsed_ms = millis(report.elapsed);
        let digest = || report.digest.map(Digest::to_hex);
        if report.fell_back {
            tracing::warn!(
                name: "delivery_in_fallback",
                outcome = report.outcome.as_str(),
                source,
                id = report.event_id,
                "type" = report.event_type,
                delivery_id = report.delivery_id,
                body_bytes = report.body_bytes,
                late = report.late,
                elapsed_ms,
                reason = report.reason,
                "the queue did not take the event; it waits in the fallback",
            );
            return;
        }
        match report.outcome {
            Outcome::Accepted | Outcome::Repeat | Outcome::Filtered => {
                write_delivery!(debug, report);
            }
            Outcome::Replied => {
                tracing::debug!(name: "question", source, elapsed_ms, "question answered");
            }
            // A flood of these gets one warning: `overloaded` below.
            Outcome::Overloaded => {
                tracing::debug!(name: "delivery_refused", outcome = report.outcome.as_str(), source, elapsed_ms, reason = report.reason, "delivery refused");
            }
            Outcome::Unavailable | Outcome::Bug => tracing::error!(
                name: "delivery_failed",
                outcome = report.outcome.as_str(),
                source,
                id = report.event_id,
                "type" = report.event_type,
                delivery_id = report.delivery_id,
                body_bytes = report.body_bytes,
                data_sha256 = digest(),
                late = report.late,
                elapsed_ms,
                reason = report.reason,
                "delivery failed",
            ),
            _ => tracing::warn!(
                name: "delivery_refused",
                outcome = report.outcome.as_str(),
                source,
                id = report.event_id,
                "type" = report.event_type,
                delivery_id = report.delivery_id,
                client = report.client.map(|client| client.to_string()),
                body_bytes = report.body_bytes,
                data_sha256 = digest(),
                no_digest = report.no_digest(),
                claimed_bytes = report.claimed_bytes.filter(|_| report.digest.is_none()),
                credential_headers = list(&report.credential_headers),
                secrets_tried = list(&report.secrets_tried),
                elapsed_ms,
                reason = report.reason,
                "delivery refused",
            ),
        }
    }

    fn queue_attempt_failed(&self, source: &str, event_id: &str, error: &QueueError) {
        let cause = error.source().map(ToString::to_string);
        tracing::warn!(name: "queue_attempt_failed", source, id = event_id, kind = error.kind.as_str(), reason = %error, cause, "trying again");
    }

    fn queue_breaker(&self, open: Option<&QueueError>) {
        match open {
            Some(error) => {
                tracing::error!(name: "queue_breaker_open", kind = error.kind.as_str(), reason = %error, "the queue fails; events go to the fallback, and the queue is tried now and then");
            }
            None => {
                tracing::info!(name: "queue_breaker_closed", "the queue takes events again");
            }
        }
    }

    fn fallback_failed(&self, source: &str, event_id: &str, error: &BlobError) {
        tracing::error!(name: "fallback_failed", source, id = event_id, reason = %error, "the fallback did not take the event either");
    }

    fn trace_failed(&self, source: &str, event_id: &str, error: &BlobError) {
        tracing::warn!(name: "trace_failed", source, id = event_id, reason = %error, "the queue has the event, and no trace of it could be left: a pull may send it again, with the same id");
    }

    fn overloaded(&self, bound: &str) {
        tracing::error!(name: "overloaded", reason = bound, "too much is under way: deliveries are told 503 until there is room; how many, the next line of this kind says");
    }

    fn overload_over(&self, refused: u64) {
        tracing::warn!(name: "overload_over", refused, "there is room again");
    }

    fn not_ready(&self, reason: Option<&str>) {
        match reason {
            Some(reason) => {
                tracing::error!(name: "not_ready", reason, "no event can be taken; readiness is answered 503");
            }
            None => {
                tracing::info!(name: "ready_again", "events can be taken again");
            }
        }
    }

    fn secrets_unreadable(&self, source: &str, error: &SecretError) {
        tracing::error!(name: "secrets_unreadable", source, reason = %error, "secrets cannot be read; those at hand are used for 5 minutes at most");
    }
}

fn list<T: Display>(items: &[T]) -> Option<String> {
    (!items.is_empty()).then(|| {
        items
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;
    use crate::log::{Line, Sink, subscriber};
    use serde_json::{Map, Value};
    use std::sync::Mutex;
    use tracing::level_filters::LevelFilter;

    fn fields(line: Line<'_>) -> Map<String, Value> {
        let mut fields = line.fields;
        fields.insert("event".to_owned(), line.event.into());
        fields
    }

    /// What `report` is in a log of this level.
    fn lines(level: LevelFilter, observer: &dyn Observer, report: &Report) -> Vec<Value> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let sink: Sink = Arc::new(move |line: &[u8]| {
            let line: Value = serde_json::from_slice(line).unwrap();
            kept.lock().unwrap().push(line);
        });
        let subscriber = subscriber(level, LevelFilter::WARN, fields, sink);
        tracing::subscriber::with_default(subscriber, || observer.request(report));
        let lines = lines.lock().unwrap();
        lines.clone()
    }

    /// What `report` is in the log.
    fn line(report: &Report) -> Value {
        let found = lines(LevelFilter::DEBUG, &LogObserver, report);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }

    #[test]
    fn a_log_that_is_the_record_has_what_went_well_at_its_usual_level() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let usual = BoundedLog::new(Arc::clone(&clock));
        let record = BoundedLog::as_record(clock);
        for outcome in [Outcome::Accepted, Outcome::Repeat, Outcome::Filtered] {
            let report = Report::refused(outcome, "why".to_owned(), None);
            let found = lines(LevelFilter::INFO, &usual, &report);
            assert!(found.is_empty(), "{found:?}");
            let found = lines(LevelFilter::INFO, &record, &report);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0]["event"], "delivery");
            assert_eq!(found[0]["outcome"], outcome.as_str());
        }
    }

    #[test]
    fn each_line_of_a_delivery_has_what_it_is_searched_by() {
        for (outcome, fell_back, event) in [
            (Outcome::Accepted, false, "delivery"),
            (Outcome::Repeat, false, "delivery"),
            (Outcome::Filtered, false, "delivery"),
            (Outcome::Accepted, true, "delivery_in_fallback"),
            (Outcome::Unavailable, false, "delivery_failed"),
            (Outcome::Bug, false, "delivery_failed"),
            (Outcome::TooLarge, false, "delivery_refused"),
            (Outcome::Unauthorized, false, "delivery_refused"),
        ] {
            let mut report = Report::refused(outcome, "why".to_owned(), None);
            report.event_id = Some("9f86d081".to_owned());
            report.event_type = Some("com.labelbox.label.created".to_owned());
            report.delivery_id = Some("ckfg".to_owned());
            report.fell_back = fell_back;
            let line = line(&report);
            for (name, value) in [
                ("event", event),
                ("outcome", outcome.as_str()),
                ("id", "9f86d081"),
                ("type", "com.labelbox.label.created"),
                ("delivery_id", "ckfg"),
            ] {
                assert_eq!(line[name], value, "{name} of {line}");
            }
            assert!(line["elapsed_ms"].is_number(), "{line}");
        }
    }
}
