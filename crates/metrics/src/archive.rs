//! How far the archive is, where there is one: so that somebody hears of one that cannot be written.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

/// Figures of the archive at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ArchiveGauges {
    /// `true` if the last attempt to write failed.
    pub is_failing: bool,
    /// Events that are not archived yet.
    pub behind: u64,
    /// Events that were archived since the start.
    pub events: u64,
    /// Attempts that failed since the start.
    pub failures: u64,
    /// Gaps that were noted since the start: events that will never be there.
    pub gaps: u64,
}

impl ArchiveGauges {
    fn gauges(&self) -> [(&'static str, &'static str, u64); 2] {
        [
            (
                "archive_failing",
                "1 if the last attempt to write the archive failed",
                u64::from(self.is_failing),
            ),
            (
                "archive_behind",
                "Events that are not archived yet",
                self.behind,
            ),
        ]
    }

    fn counters(&self) -> [(&'static str, &'static str, u64); 3] {
        [
            (
                "archive_events",
                "Events that were archived since the start",
                self.events,
            ),
            (
                "archive_failures",
                "Attempts to write the archive that failed since the start",
                self.failures,
            ),
            (
                "archive_gaps",
                "Gaps that were noted in the archive since the start: events that will never be there",
                self.gaps,
            ),
        ]
    }
}

/// The newest figures, as whoever writes the archive left them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ArchiveState(Arc<Mutex<Option<ArchiveGauges>>>);

impl ArchiveState {
    pub(crate) fn set(&self, figures: ArchiveGauges) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(figures);
    }

    fn get(&self) -> Option<ArchiveGauges> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lines(&self) -> String {
        let mut text = String::new();
        if let Some(figures) = self.get() {
            for (name, _, value) in figures.gauges() {
                // Writing into a string cannot fail.
                let _ = writeln!(text, "{name} {value}");
            }
            for (name, _, value) in figures.counters() {
                let _ = writeln!(text, "{name}_total {value}");
            }
        }
        text
    }
}

impl Collector for ArchiveState {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(figures) = self.get() else {
            return Ok(());
        };
        for (name, help, value) in figures.gauges() {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let one = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(one)?;
        }
        for (name, help, value) in figures.counters() {
            let counter = ConstCounter::new(value);
            let one = encoder.encode_descriptor(name, help, None, counter.metric_type())?;
            counter.encode(one)?;
        }
        Ok(())
    }
}
