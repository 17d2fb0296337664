//! Counts and measurements of requests, in Prometheus' format.

use crate::archive::{ArchiveGauges, ArchiveState};
use crate::dropped::Dropped;
use crate::labels::{AttemptLabels, ClosedLabels, RequestLabels, SourceLabels};
use crate::pull::PullState;
use crate::queue::{QueueGauges, QueueState};
use crate::record::RecordState;
use crate::silence::Silence;
use labelrelay_core::{BlobError, Observer, Outcome, QueueError, QueueErrorKind, Report};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Counts what happens to requests, for Prometheus.
pub struct Metrics {
    registry: Registry,
    queue: QueueState,
    archive: ArchiveState,
    pull: PullState,
    silence: Silence,
    requests: Family<RequestLabels, Counter>,
    late: Family<SourceLabels, Counter>,
    spooled: Family<SourceLabels, Counter>,
    claimed: Family<SourceLabels, Counter>,
    fell_back: Family<SourceLabels, Counter>,
    breaker_open: Gauge,
    attempts_failed: Family<AttemptLabels, Counter>,
    fallback_failed: Family<SourceLabels, Counter>,
    connections_closed: Family<ClosedLabels, Counter>,
    body_bytes: Family<SourceLabels, Counter>,
    elapsed: Histogram,
    queue_elapsed: Histogram,
}

/// Why connections are closed.
const CONNECTIONS_CLOSED: [&str; 4] = ["idle", "unread", "made_room", "no_room"];

impl Metrics {
    /// Media type of [`encode`](Self::encode).
    pub const MEDIA_TYPE: &'static str =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Everything at zero.
    pub fn new() -> Self {
        // 0.25 ms to 8 s: the second is the longest answer-by that is a default.
        let durations = || Histogram::new(exponential_buckets(0.000_25, 2.0, 16));
        let mut metrics = Self {
            registry: Registry::with_prefix("labelrelay"),
            queue: QueueState::default(),
            archive: ArchiveState::default(),
            pull: PullState::default(),
            silence: Silence::default(),
            requests: Family::default(),
            late: Family::default(),
            spooled: Family::default(),
            claimed: Family::default(),
            fell_back: Family::default(),
            breaker_open: Gauge::default(),
            attempts_failed: Family::default(),
            fallback_failed: Family::default(),
            connections_closed: Family::default(),
            body_bytes: Family::default(),
            elapsed: durations(),
            queue_elapsed: durations(),
        };
        let registry = &mut metrics.registry;
        registry.register_collector(Box::new(metrics.queue.clone()));
        registry.register_collector(Box::new(metrics.archive.clone()));
        registry.register_collector(Box::new(metrics.pull.clone()));
        registry.register_collector(Box::new(metrics.silence.clone()));
        registry.register(
            "requests",
            "Requests, by source and outcome",
            metrics.requests.clone(),
        );
        registry.register(
            "late",
            "Deliveries that were answered 503 because the queue was late",
            metrics.late.clone(),
        );
        registry.register(
            "spooled",
            "Deliveries whose body was too large for the memory, and lay in the spool",
            metrics.spooled.clone(),
        );
        registry.register(
            "claimed",
            "Deliveries whose body went to the blob store",
            metrics.claimed.clone(),
        );
        registry.register(
            "fell_back",
            "Deliveries that wait in the fallback, because the queue did not take them",
            metrics.fell_back.clone(),
        );
        registry.register(
            "queue_breaker_open",
            "1 while the queue fails and events go to the fallback at once",
            metrics.breaker_open.clone(),
        );
        registry.register(
            "queue_attempts_failed",
            "Attempts to send to the queue that failed, tried again or not",
            metrics.attempts_failed.clone(),
        );
        registry.register(
            "fallback_attempts_failed",
            "Attempts to put an event into the fallback that failed",
            metrics.fallback_failed.clone(),
        );
        registry.register(
            "connections_closed",
            "Connections that were closed because of what their peers did not do, or to make room",
            metrics.connections_closed.clone(),
        );
        registry.register_with_unit(
            "body",
            "Bytes of bodies that were read",
            Unit::Bytes,
            metrics.body_bytes.clone(),
        );
        registry.register_with_unit(
            "delivery",
            "From a delivery's arrival to its end",
            Unit::Seconds,
            metrics.elapsed.clone(),
        );
        registry.register_with_unit(
            "queue_send",
            "From handing an event to the queue to its receipt",
            Unit::Seconds,
            metrics.queue_elapsed.clone(),
        );
        metrics
    }

    /// The same, and how many lines the log lost, as `dropped` says.
    #[must_use]
    pub fn with_dropped_lines(mut self, dropped: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.registry.register_collector(Box::new(Dropped {
            name: "log_lines_dropped",
            help: "Lines of the log that were dropped, because nobody read them fast enough",
            count: dropped,
        }));
        self
    }

    /// The same, and how many spans no collector took, as `dropped` says.
    #[must_use]
    pub fn with_dropped_spans(mut self, dropped: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.registry.register_collector(Box::new(Dropped {
            name: "telemetry_spans_dropped",
            help: "Spans that were dropped, because the collector did not take them",
            count: dropped,
        }));
        self
    }

    /// The same, and whether deliveries are recorded: not while `is_failing`.
    #[must_use]
    pub fn with_record(mut self, is_failing: Arc<AtomicBool>) -> Self {
        let state = RecordState(is_failing);
        self.registry.register_collector(Box::new(state));
        self
    }

    /// Keeps what is known of the queue, where it can be looked into; `None`: nothing is known now.
    pub fn set_queue(&self, figures: Option<QueueGauges>) {
        self.queue.set(figures);
    }

    /// Keeps what is known of the archive.
    pub fn set_archive(&self, figures: ArchiveGauges) {
        self.archive.set(figures);
    }

    /// A source is pulled from, from now on.
    pub fn pull_began(&self, source: &str) {
        self.pull.began(source);
    }

    /// A look through the platform came to its end.
    pub fn pull_succeeded(&self, source: &str) {
        self.pull.succeeded(source);
    }

    /// A look through the platform failed.
    pub fn pull_failed(&self, source: &str) {
        self.pull.failed(source);
    }

    /// The queue took so many events that pulling found.
    pub fn pull_found(&self, source: &str, events: u64) {
        self.pull.found(source, events);
    }

    /// So many of these were changes that a delivery should have brought, and none did.
    pub fn pull_undelivered(&self, source: &str, events: u64) {
        self.pull.undelivered(source, events);
    }

    /// The platform showed a change that is so old.
    pub fn platform_changed(&self, source: &str, age: Duration) {
        self.pull.changed(source, age);
    }

    /// A source is configured: what is counted of it begins at 0, so that the first failure is an increase.
    pub fn begin(&self, source: &str) {
        let source = source.to_owned();
        for outcome in Outcome::ALL {
            let labels = RequestLabels {
                source: source.clone(),
                outcome: outcome.as_str(),
            };
            self.requests.get_or_create(&labels).inc_by(0);
        }
        for kind in QueueErrorKind::ALL {
            let labels = AttemptLabels {
                source: source.clone(),
                kind: kind.as_str(),
            };
            self.attempts_failed.get_or_create(&labels).inc_by(0);
        }
        for why in CONNECTIONS_CLOSED {
            let labels = ClosedLabels { why };
            self.connections_closed.get_or_create(&labels).inc_by(0);
        }
        let labels = SourceLabels { source };
        for counted in [
            &self.late,
            &self.spooled,
            &self.claimed,
            &self.fell_back,
            &self.fallback_failed,
            &self.body_bytes,
        ] {
            counted.get_or_create(&labels).inc_by(0);
        }
    }

    /// A source delivers from now on: its silence is counted.
    pub fn expect_deliveries(&self, source: &str) {
        self.silence.expect(source);
    }

    /// A source may deliver from now on, and need not: its silence is counted from its first delivery on.
    pub fn allow_deliveries(&self, source: &str) {
        self.silence.allow(source);
    }

    /// Figures of the queue and of the archive, one a line; empty where nothing is known.
    pub fn queue_lines(&self) -> String {
        self.queue.lines() + &self.archive.lines()
    }

    /// The current values in the text format.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(error) => format!("# cannot encode: {error}\n# EOF\n"),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Metrics {
    fn request(&self, report: &Report) {
        // A source's name comes from the configuration, so the number of series is bounded.
        let source = || SourceLabels {
            source: report.source.clone().unwrap_or_default(),
        };
        let of_source = source();
        self.body_bytes
            .get_or_create(&of_source)
            .inc_by(report.body_bytes);
        let labels = RequestLabels {
            source: of_source.source,
            outcome: report.outcome.as_str(),
        };
        self.requests.get_or_create(&labels).inc();
        if report.late {
            self.late.get_or_create(&source()).inc();
        }
        if report.spooled {
            self.spooled.get_or_create(&source()).inc();
        }
        if report.claimed {
            self.claimed.get_or_create(&source()).inc();
        }
        if report.fell_back {
            self.fell_back.get_or_create(&source()).inc();
        }
        let is_verified = matches!(
            report.outcome,
            Outcome::Accepted | Outcome::Repeat | Outcome::Filtered
        );
        if let (true, Some(source)) = (is_verified, &report.source) {
            self.silence.broken(source);
        }
        if matches!(report.outcome, Outcome::Accepted | Outcome::Repeat) {
            self.elapsed.observe(report.elapsed.as_secs_f64());
        }
        if let Some(queue) = report.queue_elapsed {
            self.queue_elapsed.observe(queue.as_secs_f64());
        }
    }

    fn queue_breaker(&self, open: Option<&QueueError>) {
        self.breaker_open.set(open.is_some().into());
    }

    fn connection_closed(&self, why: &'static str) {
        self.connections_closed
            .get_or_create(&ClosedLabels { why })
            .inc();
    }

    fn queue_attempt_failed(&self, source: &str, _: &str, error: &QueueError) {
        self.attempt_failed(source, error);
    }

    fn queue_last_attempt_failed(&self, source: &str, _: &str, error: &QueueError) {
        self.attempt_failed(source, error);
    }

    fn fallback_failed(&self, source: &str, _: &str, _: &BlobError) {
        let labels = SourceLabels {
            source: source.to_owned(),
        };
        self.fallback_failed.get_or_create(&labels).inc();
    }
}

impl Metrics {
    fn attempt_failed(&self, source: &str, error: &QueueError) {
        let labels = AttemptLabels {
            source: source.to_owned(),
            kind: error.kind.as_str(),
        };
        self.attempts_failed.get_or_create(&labels).inc();
    }
}
