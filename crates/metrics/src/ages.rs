//! Gauges of the time since something, by source.

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;
use std::time::Instant;

/// Writes one gauge: for each source, the seconds since the moment beside it.
pub(crate) fn encode_ages<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    since: impl Iterator<Item = (&'a String, Instant)>,
) -> Result<(), fmt::Error> {
    let kind = ConstGauge::new(0.0).metric_type();
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (source, since) in since {
        let labels = [("source", source.as_str())];
        let age = since.elapsed().as_secs_f64();
        ConstGauge::new(age).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}
