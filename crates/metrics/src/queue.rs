//! Content of the queue, where it can be looked into: so that somebody hears of a consumer that is gone.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Figures of a queue at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueGauges {
    /// Events that the next receive may take.
    pub ready: u64,
    /// Events that were received and are neither acknowledged nor visible again.
    pub in_flight: u64,
    /// Dead letters.
    pub dead: u64,
    /// Number of events that ever became dead letters.
    pub dead_letters: u64,
    /// Time that the oldest ready event has waited; zero when none does.
    pub oldest_ready_age: Duration,
    /// Bytes of the queue's files.
    pub file_bytes: u64,
    /// Ledger from which events are derived, where there is one.
    pub ledger: Option<LedgerGauges>,
}

/// Figures of the ledger from which events are derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LedgerGauges {
    /// `true` if nothing is derived until the program starts again.
    pub is_off: bool,
    /// Events that it has not taken in yet.
    pub behind: u64,
    /// Tasks and annotations that it knows of.
    pub things: u64,
    /// Things that it forgot because they could not be read.
    pub forgotten: u64,
    /// Events that were pruned before it read them.
    pub missed: u64,
}

impl LedgerGauges {
    fn gauges(&self) -> [(&'static str, &'static str, u64); 5] {
        [
            (
                "queue_ledger_off",
                "1 if the ledger of derived events failed and nothing is derived until the next start",
                u64::from(self.is_off),
            ),
            (
                "queue_ledger_behind",
                "Events that the ledger of derived events has not taken in yet",
                self.behind,
            ),
            (
                "queue_ledger_things",
                "Tasks and annotations that the ledger of derived events knows of, as of its last look through all",
                self.things,
            ),
            (
                "queue_ledger_forgotten",
                "Things that the ledger of derived events forgot since the start, because they could not be read",
                self.forgotten,
            ),
            (
                "queue_ledger_missed",
                "Events that were pruned before the ledger of derived events read them, since the start",
                self.missed,
            ),
        ]
    }
}

impl QueueGauges {
    /// Each gauge but the age: its name, what it is, its value.
    fn gauges(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        let of_ledger = self.ledger.iter().flat_map(LedgerGauges::gauges);
        [
            ("queue_ready", "Events that wait to be received", self.ready),
            (
                "queue_in_flight",
                "Events that were received and are neither acknowledged nor visible again",
                self.in_flight,
            ),
            (
                "queue_dead",
                "Dead letters: received too often and never acknowledged, or rejected",
                self.dead,
            ),
            (
                "queue_file_bytes",
                "Bytes of the queue file and its journal",
                self.file_bytes,
            ),
        ]
        .into_iter()
        .chain(of_ledger)
    }
}

/// The newest figures, as whoever watches the queue left them.
#[derive(Debug, Clone, Default)]
pub(crate) struct QueueState(Arc<Mutex<Option<QueueGauges>>>);

impl QueueState {
    pub(crate) fn set(&self, figures: Option<QueueGauges>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = figures;
    }

    fn get(&self) -> Option<QueueGauges> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lines(&self) -> String {
        let mut text = String::new();
        if let Some(figures) = self.get() {
            for (name, _, value) in figures.gauges() {
                // Writing into a string cannot fail.
                let _ = writeln!(text, "{name} {value}");
            }
            let age = figures.oldest_ready_age.as_secs_f64();
            let _ = writeln!(text, "queue_oldest_ready_age_seconds {age:.1}");
            let _ = writeln!(text, "queue_dead_letters_total {}", figures.dead_letters);
        }
        text
    }
}

impl Collector for QueueState {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(figures) = self.get() else {
            return Ok(());
        };
        for (name, help, value) in figures.gauges() {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let one = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(one)?;
        }
        let age = ConstGauge::new(figures.oldest_ready_age.as_secs_f64());
        let name = "queue_oldest_ready_age_seconds";
        let help = "How long the oldest event has waited to be received; 0 when none does";
        age.encode(encoder.encode_descriptor(name, help, None, age.metric_type())?)?;
        let dead = ConstCounter::new(figures.dead_letters);
        let help = "Events that became dead letters since the queue file was made";
        dead.encode(encoder.encode_descriptor(
            "queue_dead_letters",
            help,
            None,
            dead.metric_type(),
        )?)
    }
}
