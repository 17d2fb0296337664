//! Whether deliveries are recorded, where there is a record. Somebody else knows it.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// `true` while they are not.
#[derive(Debug)]
pub(crate) struct RecordState(pub(crate) Arc<AtomicBool>);

impl Collector for RecordState {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let failing = ConstGauge::new(u64::from(self.0.load(Ordering::Relaxed)));
        let kind = failing.metric_type();
        let help = "1 while deliveries are not recorded, and taken all the same";
        let metric = encoder.encode_descriptor("record_failing", help, None, kind)?;
        failing.encode(metric)
    }
}
