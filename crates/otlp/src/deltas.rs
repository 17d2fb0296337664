//! What was counted since the collector last took the counts. Of programs of which many run, each for a short time, nobody
//! could add up what each of them has counted since its own start.

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
};

/// What the collector was told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    metrics: Vec<Metric>,
    /// Until when, in nanoseconds of Unix.
    pub(crate) until: u64,
}

impl Told {
    /// Nothing was told until then.
    pub(crate) const fn nothing(until: u64) -> Self {
        Self {
            metrics: Vec::new(),
            until,
        }
    }

    /// The collector knows of these counts, which were those of `now`.
    pub(crate) fn all_of(metrics: Vec<Metric>, now: u64) -> Self {
        Self {
            metrics,
            until: now,
        }
    }

    /// What came to these counts since. A count that is the same is left out, and so is what counts nothing: a gauge of one
    /// instance among many tells nobody anything.
    pub(crate) fn since(&self, now: &[Metric]) -> Vec<Metric> {
        let metric = |now: &Metric| {
            let mut told = self.metrics.iter();
            let told = told.find(|told| told.name == now.name);
            let data = data(now.data.as_ref()?, told.and_then(|told| told.data.as_ref()))?;
            Some(Metric {
                name: now.name.clone(),
                description: now.description.clone(),
                unit: now.unit.clone(),
                data: Some(data),
                ..Metric::default()
            })
        };
        now.iter().filter_map(metric).collect()
    }
}

fn data(now: &Data, told: Option<&Data>) -> Option<Data> {
    let aggregation_temporality = AggregationTemporality::Delta.into();
    match now {
        Data::Sum(sum) => {
            let told = match told {
                Some(Data::Sum(told)) => told.data_points.as_slice(),
                _ => &[],
            };
            let points = sum.data_points.iter();
            let data_points: Vec<_> = points.filter_map(|point| number(point, told)).collect();
            (!data_points.is_empty()).then_some(Data::Sum(Sum {
                data_points,
                aggregation_temporality,
                is_monotonic: sum.is_monotonic,
            }))
        }
        Data::Histogram(histogram) => {
            let told = match told {
                Some(Data::Histogram(told)) => told.data_points.as_slice(),
                _ => &[],
            };
            let points = histogram.data_points.iter();
            let data_points: Vec<_> = points.filter_map(|point| measured(point, told)).collect();
            (!data_points.is_empty()).then_some(Data::Histogram(Histogram {
                data_points,
                aggregation_temporality,
            }))
        }
        _ => None,
    }
}

/// A count, which is a whole number.
fn number(now: &NumberDataPoint, told: &[NumberDataPoint]) -> Option<NumberDataPoint> {
    let whole = |point: &NumberDataPoint| match point.value {
        Some(Value::AsInt(whole)) => Some(whole),
        _ => None,
    };
    let told = told.iter().find(|told| told.attributes == now.attributes);
    let told = told.and_then(whole).unwrap_or_default();
    let since = whole(now)?.saturating_sub(told);
    (since > 0).then(|| NumberDataPoint {
        value: Some(Value::AsInt(since)),
        ..now.clone()
    })
}

fn measured(now: &HistogramDataPoint, told: &[HistogramDataPoint]) -> Option<HistogramDataPoint> {
    let nothing = HistogramDataPoint::default();
    let told = told.iter().find(|told| told.attributes == now.attributes);
    let told = told.unwrap_or(&nothing);
    let count = now.count.saturating_sub(told.count);
    let buckets = now.bucket_counts.iter().enumerate();
    let since = |(at, count): (usize, &u64)| {
        let told = told.bucket_counts.get(at).copied();
        count.saturating_sub(told.unwrap_or_default())
    };
    (count > 0).then(|| HistogramDataPoint {
        count,
        sum: now.sum.map(|sum| sum - told.sum.unwrap_or_default()),
        bucket_counts: buckets.map(since).collect(),
        ..now.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::{Span, metrics};

    fn counted(requests: [u64; 2], seconds: [u64; 2], sum: f64) -> Vec<Metric> {
        let text = format!(
            r#"# HELP a_requests Requests.
# TYPE a_requests counter
a_requests_total{{source="x"}} {}
a_requests_total{{source="y"}} {}
# HELP a_open A gauge.
# TYPE a_open gauge
a_open 1
# HELP a_seconds Seconds.
# TYPE a_seconds histogram
a_seconds_sum {sum}
a_seconds_count {}
a_seconds_bucket{{le="0.25"}} {}
a_seconds_bucket{{le="+Inf"}} {}
# EOF
"#,
            requests[0], requests[1], seconds[1], seconds[0], seconds[1]
        );
        metrics(&text, Span { start: 1, now: 2 })
    }

    #[test]
    fn what_came_since_is_told_and_the_rest_is_not() {
        let nothing = Told::nothing(0);
        assert!(nothing.since(&counted([0, 0], [0, 0], 0.0)).is_empty());
        let first = counted([2, 0], [1, 2], 0.75);
        let found = nothing.since(&first);
        let [requests, seconds] = &found[..] else {
            panic!("{found:?}");
        };
        let Some(Data::Sum(sum)) = &requests.data else {
            panic!("{requests:?}");
        };
        assert_eq!(sum.aggregation_temporality(), AggregationTemporality::Delta);
        let values = |sum: &Sum| {
            let points = sum.data_points.iter();
            points.map(|point| point.value.unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(values(sum), [Value::AsInt(2)]);
        let Some(Data::Histogram(histogram)) = &seconds.data else {
            panic!("{seconds:?}");
        };
        assert_eq!(histogram.data_points[0].bucket_counts, [1, 1]);

        let told = Told::all_of(first, 2);
        let found = told.since(&counted([2, 3], [1, 3], 1.0));
        let [requests, seconds] = &found[..] else {
            panic!("{found:?}");
        };
        let Some(Data::Sum(sum)) = &requests.data else {
            panic!("{requests:?}");
        };
        assert_eq!(values(sum), [Value::AsInt(3)]);
        let Some(Data::Histogram(histogram)) = &seconds.data else {
            panic!("{seconds:?}");
        };
        let point = &histogram.data_points[0];
        assert_eq!(point.bucket_counts, [0, 1]);
        assert_eq!(format!("{} {:?}", point.count, point.sum), "1 Some(0.25)");
    }
}
