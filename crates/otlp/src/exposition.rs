//! The metrics of the admin port as messages. They are read from the text that the port serves, so that both have one
//! table of names: what is added to it is exported as well.

use crate::key_value::{resource, scope, text};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum,
};

/// Begin and end of what is counted, in nanoseconds of Unix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) now: u64,
}

/// The message that has these metrics.
pub(crate) fn message(
    of: &[(String, String)],
    metrics: Vec<Metric>,
) -> ExportMetricsServiceRequest {
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource(of)),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope()),
                metrics,
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
}

/// The metrics of a text in `OpenMetrics`' form.
pub(crate) fn metrics(exposition: &str, span: Span) -> Vec<Metric> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for line in exposition.lines() {
        let Some(comment) = line.strip_prefix("# ") else {
            if let (Some(family), Some(sample)) = (families.last_mut(), Sample::read(line)) {
                family.samples.push(sample);
            }
            continue;
        };
        let mut words = comment.splitn(3, ' ');
        let (Some(what), Some(name), Some(rest)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        if families.last().is_none_or(|family| family.name != name) {
            families.push(Family::called(name));
        }
        let Some(family) = families.last_mut() else {
            continue;
        };
        match what {
            "HELP" => family.help = rest,
            "TYPE" => family.kind = rest,
            "UNIT" => family.unit = rest,
            _ => {}
        }
    }
    let metrics = families.iter().filter_map(|family| family.metric(span));
    metrics.collect()
}

/// A metric, and what it has for each set of labels.
#[derive(Debug, Default)]
struct Family<'a> {
    name: &'a str,
    help: &'a str,
    kind: &'a str,
    unit: &'a str,
    samples: Vec<Sample<'a>>,
}

impl<'a> Family<'a> {
    fn called(name: &'a str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// `None` if nothing is known of it yet, or it is of a kind that the table does not have.
    fn metric(&self, span: Span) -> Option<Metric> {
        if self.samples.is_empty() {
            return None;
        }
        let cumulative = AggregationTemporality::Cumulative.into();
        let (suffix, data) = match self.kind {
            "counter" => {
                let data_points = self.numbers(span);
                let sum = Sum {
                    data_points,
                    aggregation_temporality: cumulative,
                    is_monotonic: true,
                };
                ("_total", Data::Sum(sum))
            }
            "gauge" => {
                let data_points = self.numbers(span);
                ("", Data::Gauge(Gauge { data_points }))
            }
            "histogram" => {
                let histogram = Histogram {
                    data_points: self.histograms(span),
                    aggregation_temporality: cumulative,
                };
                ("", Data::Histogram(histogram))
            }
            _ => return None,
        };
        let unit = match self.unit {
            "seconds" => "s",
            "bytes" => "By",
            other => other,
        };
        Some(Metric {
            name: format!("{}{suffix}", self.name),
            description: self.help.to_owned(),
            unit: unit.to_owned(),
            data: Some(data),
            ..Metric::default()
        })
    }

    fn numbers(&self, span: Span) -> Vec<NumberDataPoint> {
        let point = |sample: &Sample<'_>| {
            let value = match sample.value.parse() {
                Ok(whole) => Value::AsInt(whole),
                Err(_) => Value::AsDouble(sample.value.parse().ok()?),
            };
            Some(NumberDataPoint {
                attributes: attributes(&sample.labels),
                start_time_unix_nano: span.start,
                time_unix_nano: span.now,
                value: Some(value),
                ..NumberDataPoint::default()
            })
        };
        self.samples.iter().filter_map(point).collect()
    }

    fn histograms(&self, span: Span) -> Vec<HistogramDataPoint> {
        let mut points: Vec<(Labels, HistogramDataPoint)> = Vec::new();
        for sample in &self.samples {
            let mut labels = sample.labels.clone();
            let bound = labels.iter().position(|(key, _)| key == "le");
            let bound = bound.map(|at| labels.remove(at).1);
            let at = points.iter().position(|(known, _)| *known == labels);
            let at = at.unwrap_or_else(|| {
                let point = HistogramDataPoint {
                    attributes: attributes(&labels),
                    start_time_unix_nano: span.start,
                    time_unix_nano: span.now,
                    ..HistogramDataPoint::default()
                };
                points.push((labels, point));
                points.len() - 1
            });
            let Some((_, point)) = points.get_mut(at) else {
                continue;
            };
            match (sample.name.strip_prefix(self.name), bound) {
                (Some("_sum"), _) => point.sum = sample.value.parse().ok(),
                (Some("_count"), _) => point.count = sample.value.parse().unwrap_or_default(),
                (Some("_bucket"), Some(bound)) => {
                    // Each bucket's sample has those below it as well.
                    let below: u64 = point.bucket_counts.iter().sum();
                    let so_far: u64 = sample.value.parse().unwrap_or_default();
                    point.bucket_counts.push(so_far.saturating_sub(below));
                    let bound = bound.parse::<f64>().ok();
                    let bound = bound.filter(|bound| bound.is_finite());
                    point.explicit_bounds.extend(bound);
                }
                _ => {}
            }
        }
        points.into_iter().map(|(_, point)| point).collect()
    }
}

type Labels = Vec<(String, String)>;

fn attributes(labels: &[(String, String)]) -> Vec<KeyValue> {
    let labels = labels.iter();
    labels.map(|(key, value)| text(key, value)).collect()
}

/// One line.
#[derive(Debug)]
struct Sample<'a> {
    name: &'a str,
    labels: Labels,
    value: &'a str,
}

impl<'a> Sample<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (name, rest) = line.split_at(line.find(['{', ' '])?);
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(labels) => self::labels(labels)?,
            None => (Labels::new(), rest),
        };
        let value = rest.trim_start().split(' ').next()?;
        Some(Self {
            name,
            labels,
            value,
        })
    }
}

/// The labels, and what follows them.
fn labels(mut rest: &str) -> Option<(Labels, &str)> {
    let mut labels = Labels::new();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (key, quoted) = rest.trim_start_matches(',').split_once("=\"")?;
        let (value, after) = unquoted(quoted)?;
        labels.push((key.to_owned(), value));
        rest = after;
    }
}

/// The text up to the closing quotes, and what follows them.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP labelrelay_requests Requests, by source and outcome.
# TYPE labelrelay_requests counter
labelrelay_requests_total{source="a\"b,}",outcome="accepted"} 3
labelrelay_requests_total{source="c",outcome="repeat"} 1
# HELP labelrelay_late Deliveries that were late.
# TYPE labelrelay_late counter
# HELP labelrelay_queue_breaker_open 1 while the queue fails.
# TYPE labelrelay_queue_breaker_open gauge
labelrelay_queue_breaker_open 0
# HELP labelrelay_age_seconds Age.
# TYPE labelrelay_age_seconds gauge
# UNIT labelrelay_age_seconds seconds
labelrelay_age_seconds{source="c"} 1.5
# HELP labelrelay_delivery_seconds From arrival to end.
# TYPE labelrelay_delivery_seconds histogram
# UNIT labelrelay_delivery_seconds seconds
labelrelay_delivery_seconds_sum 0.75
labelrelay_delivery_seconds_count 4
labelrelay_delivery_seconds_bucket{le="0.25"} 3
labelrelay_delivery_seconds_bucket{le="0.5"} 3
labelrelay_delivery_seconds_bucket{le="+Inf"} 4
# EOF
"#;

    #[test]
    fn each_kind_is_read_with_its_name_and_unit() {
        let found = metrics(TEXT, Span { start: 1, now: 2 });
        let names: Vec<_> = found
            .iter()
            .map(|metric| (&*metric.name, &*metric.unit))
            .collect();
        assert_eq!(
            names,
            [
                ("labelrelay_requests_total", ""),
                ("labelrelay_queue_breaker_open", ""),
                ("labelrelay_age_seconds", "s"),
                ("labelrelay_delivery_seconds", "s"),
            ]
        );
        let Some(Data::Sum(sum)) = &found[0].data else {
            panic!("{found:?}");
        };
        assert!(sum.is_monotonic);
        assert_eq!(sum.data_points[0].value, Some(Value::AsInt(3)));
        let labels = [text("source", "a\"b,}"), text("outcome", "accepted")];
        assert_eq!(sum.data_points[0].attributes, labels);
        assert_eq!(sum.data_points.len(), 2);
        let Some(Data::Gauge(gauge)) = &found[2].data else {
            panic!("{found:?}");
        };
        assert_eq!(gauge.data_points[0].value, Some(Value::AsDouble(1.5)));
        let Some(Data::Histogram(histogram)) = &found[3].data else {
            panic!("{found:?}");
        };
        let [point] = &histogram.data_points[..] else {
            panic!("{histogram:?}");
        };
        assert_eq!(format!("{} {:?}", point.count, point.sum), "4 Some(0.75)");
        assert_eq!(format!("{:?}", point.explicit_bounds), "[0.25, 0.5]");
        assert_eq!(point.bucket_counts, [3, 0, 1]);
        assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (1, 2));
    }

    #[test]
    fn a_text_that_breaks_off_is_read_as_far_as_it_goes() {
        for end in 0..TEXT.len() {
            let read = metrics(&TEXT[..end], Span { start: 1, now: 2 });
            assert!(read.len() <= 4);
        }
    }
}
