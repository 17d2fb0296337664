//! Metrics of what was dropped, because nobody took it fast enough. Somebody else counts it.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use std::fmt;

pub(crate) struct Dropped<F> {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) count: F,
}

impl<F: Fn() -> u64 + Send + Sync + 'static> Collector for Dropped<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let dropped = ConstCounter::new((self.count)());
        let kind = dropped.metric_type();
        let metric = encoder.encode_descriptor(self.name, self.help, None, kind)?;
        dropped.encode(metric)
    }
}

impl<F> fmt::Debug for Dropped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dropped").field(&self.name).finish()
    }
}
