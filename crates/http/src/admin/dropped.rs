//! Metric of the log's lines that were dropped.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use std::fmt;

pub(super) struct LogLines<F>(pub(super) F);

impl<F: Fn() -> u64 + Send + Sync + 'static> Collector for LogLines<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let dropped = ConstCounter::new((self.0)());
        let metric = encoder.encode_descriptor(
            "log_lines_dropped",
            "Lines of the log that were dropped, because nobody read them fast enough",
            None,
            dropped.metric_type(),
        )?;
        dropped.encode(metric)
    }
}

impl<F> fmt::Debug for LogLines<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogLines")
    }
}
