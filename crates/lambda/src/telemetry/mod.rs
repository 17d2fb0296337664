//! One JSON line for each request: what became of it, and the metrics that `CloudWatch` reads from the
//! line (Embedded Metric Format). The line's details are left out where the log's level says so; its
//! metrics never are. Of a flood of refusals a few lines have details; of the others stand the metrics alone, since an
//! alarm compares their number with AWS's own, and their number is told once a second while the function runs. Never a
//! body, a secret or a credential.

mod line;

use jiff::Timestamp;
use labelrelay_core::observe::millis;
use labelrelay_core::{BlobError, Clock, Observer, Outcome, QueueError, Report, SecretError};
use labelrelay_startup::SystemClock;
use labelrelay_startup::log::{LogLimit, LogObserver, Sink};
use line::{Line, Metric};
use std::sync::Arc;
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// Writes a line for each request. Failed attempts on the way go to the log as `serve` writes them.
pub struct Telemetry {
    /// The only dimension: a bounded number of metrics, whatever senders do.
    function: String,
    level: LevelFilter,
    sink: Sink,
    /// Of refusals that anybody can cause.
    limit: LogLimit,
    now: fn() -> Timestamp,
}

impl Telemetry {
    /// Metrics of `function`, written to `sink`; details down to `level`.
    pub fn new(function: String, level: LevelFilter, sink: Sink) -> Self {
        Self {
            function,
            level,
            sink,
            limit: LogLimit::new(Arc::new(SystemClock::new())),
            now: Timestamp::now,
        }
    }

    /// The same, which tells floods by another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.limit = LogLimit::new(clock);
        self
    }

    /// A request that ended without a report of its own.
    pub fn failed(&self, event: &str, reason: &str, elapsed: Duration) {
        let mut line = self.line(LevelFilter::ERROR, event);
        line.reason = Some(reason);
        line.metrics = vec![
            ("Failed", Metric::Count(1)),
            ("Latency", Metric::Milliseconds(millis(elapsed))),
        ];
        self.write(&line);
    }

    /// A run of the function that empties the fallback.
    pub fn redriven(&self, moved: u64, left: u64, elapsed: Duration) {
        let (level, event) = if left > 0 {
            (LevelFilter::ERROR, "fallback_not_empty")
        } else {
            (LevelFilter::INFO, "redriven")
        };
        let mut line = self.line(level, event);
        line.metrics = vec![
            ("FallbackMoved", Metric::Count(moved)),
            ("FallbackLeft", Metric::Count(left)),
            ("RedriveTime", Metric::Milliseconds(millis(elapsed))),
        ];
        self.write(&line);
    }

    fn line<'a>(&'a self, level: LevelFilter, event: &'a str) -> Line<'a> {
        Line::new((self.now)(), level, event, &self.function)
    }

    fn write(&self, line: &Line<'_>) {
        (self.sink)(&line.json(line.level <= self.level));
    }
}

impl Observer for Telemetry {
    fn request(&self, report: &Report) {
        let (level, event, metric) = kind(report);
        let mut line = self.line(level, event);
        if let ("delivery_refused", Some(metric)) = (event, metric)
            && !self.limit.admits_report(report)
        {
            line.metrics.push((metric, Metric::Count(1)));
            (self.sink)(&line.metrics_alone());
            return;
        }
        line.report = Some(report);
        line.reason = report.reason.as_deref();
        if let Some(metric) = metric {
            line.metrics.push((metric, Metric::Count(1)));
            let elapsed = millis(report.elapsed);
            line.metrics
                .push(("Latency", Metric::Milliseconds(elapsed)));
        }
        for (is_so, metric) in [
            (report.claimed, "ClaimChecked"),
            (report.fell_back, "FellBack"),
        ] {
            if is_so {
                line.metrics.push((metric, Metric::Count(1)));
            }
        }
        if !line.metrics.is_empty() || level <= self.level {
            self.write(&line);
        }
    }

    fn queue_attempt_failed(&self, source: &str, event_id: &str, error: &QueueError) {
        LogObserver.queue_attempt_failed(source, event_id, error);
    }

    fn fallback_failed(&self, source: &str, event_id: &str, error: &BlobError) {
        LogObserver.fallback_failed(source, event_id, error);
    }

    fn trace_failed(&self, source: &str, event_id: &str, error: &BlobError) {
        LogObserver.trace_failed(source, event_id, error);
    }

    fn queue_breaker(&self, open: Option<&QueueError>) {
        LogObserver.queue_breaker(open);
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

/// Level, name and metric of a request's line.
fn kind(report: &Report) -> (LevelFilter, &'static str, Option<&'static str>) {
    match report.outcome {
        Outcome::Accepted if report.fell_back => {
            (LevelFilter::WARN, "delivery_in_fallback", Some("Accepted"))
        }
        Outcome::Accepted => (LevelFilter::INFO, "delivery", Some("Accepted")),
        Outcome::Repeat => (LevelFilter::INFO, "delivery", Some("Duplicate")),
        Outcome::Filtered => (LevelFilter::INFO, "delivery", Some("Filtered")),
        Outcome::Replied => (LevelFilter::DEBUG, "question", None),
        Outcome::Unavailable | Outcome::Bug => {
            (LevelFilter::ERROR, "delivery_failed", Some("Failed"))
        }
        // A 503. An alarm compares those that are counted as refused with what AWS counts as 4xx.
        Outcome::Overloaded => (LevelFilter::WARN, "delivery_refused", Some("Failed")),
        _ => (LevelFilter::WARN, "delivery_refused", Some("Refused")),
    }
}
