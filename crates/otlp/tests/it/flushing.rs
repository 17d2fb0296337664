//! What a program sends that stands still between its requests.

use crate::collector::{Collector, Does, Program, label};
use labelrelay_core::Outcome;
use labelrelay_otlp::Exporter;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::AggregationTemporality;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use prost::Message as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

const WITHIN: Duration = Duration::from_secs(2);

async fn deliver(program: &Program, number: usize) {
    let answer = program.deliver(&label(number)).await;
    assert_eq!(answer.outcome, Outcome::Accepted);
}

/// An exporter of one count, which tells what came since.
fn counting(program: &Program) -> (Exporter<Collector>, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    let exposition = move || {
        let count = counted.load(Ordering::Relaxed);
        format!("# HELP a_b B.\n# TYPE a_b counter\na_b_total {count}\n# EOF\n")
    };
    (program.exporter(exposition).with_deltas(), count)
}

/// The counts that the collector was told, with the time that each is about.
fn told(program: &Program) -> Vec<(i64, u64, u64)> {
    let messages = program.collector.messages("/v1/metrics").into_iter();
    let point = |message: bytes::Bytes| {
        let message = ExportMetricsServiceRequest::decode(message).unwrap();
        let metrics = &message.resource_metrics[0].scope_metrics[0].metrics;
        let [metric] = &metrics[..] else {
            panic!("{metrics:?}");
        };
        assert_eq!(metric.name, "a_b_total");
        let Some(Data::Sum(sum)) = &metric.data else {
            panic!("{metric:?}");
        };
        assert_eq!(sum.aggregation_temporality(), AggregationTemporality::Delta);
        let point = &sum.data_points[0];
        let Some(Value::AsInt(value)) = point.value else {
            panic!("{point:?}");
        };
        (value, point.start_time_unix_nano, point.time_unix_nano)
    };
    messages.map(point).collect()
}

#[tokio::test(start_paused = true)]
async fn each_flush_sends_what_came_since_the_last_one() {
    let program = Program::new(&[]);
    let (mut exporter, count) = counting(&program);
    exporter.flush(WITHIN).await;
    assert_eq!(program.collector.asked(), 0, "there is nothing to send");
    for number in 1..=2 {
        deliver(&program, number).await;
        count.fetch_add(1, Ordering::Relaxed);
        program.clock.advance(Duration::from_secs(1));
        exporter.flush(WITHIN).await;
        assert_eq!(program.collector.spans().len(), 2 * number);
    }
    let told = told(&program);
    let [first, second] = told[..] else {
        panic!("{told:?}");
    };
    assert_eq!((first.0, second.0), (1, 1));
    assert_eq!(second.1, first.2, "one time follows the other");
    assert!(second.2 > second.1);
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_hangs_costs_its_time_once_and_gets_all_of_it_later() {
    let program = Program::new(&[]);
    let (mut exporter, count) = counting(&program);
    program.collector.does(&[Does::Hang]);
    deliver(&program, 1).await;
    count.fetch_add(1, Ordering::Relaxed);
    let begin = Instant::now();
    exporter.flush(WITHIN).await;
    let took = begin.elapsed();
    assert!((WITHIN..WITHIN * 2).contains(&took), "{took:?}");
    assert_eq!(program.collector.asked(), 1);

    deliver(&program, 2).await;
    count.fetch_add(1, Ordering::Relaxed);
    exporter.flush(WITHIN).await;
    assert_eq!(program.collector.asked(), 1, "it is left alone");
    assert_eq!(begin.elapsed(), took);

    program.clock.advance(Duration::from_secs(1));
    exporter.flush(WITHIN).await;
    assert_eq!(program.collector.spans().len(), 4);
    let told: Vec<_> = told(&program)
        .into_iter()
        .map(|(count, ..)| count)
        .collect();
    assert_eq!(told, [2]);
}

#[tokio::test(start_paused = true)]
async fn counts_that_were_refused_are_told_with_the_next_ones() {
    let program = Program::new(&[("OTEL_TRACES_EXPORTER", "none")]);
    let (mut exporter, count) = counting(&program);
    program.collector.does(&[Does::Answer(400)]);
    for _ in 0..2 {
        count.fetch_add(1, Ordering::Relaxed);
        exporter.flush(WITHIN).await;
    }
    let told: Vec<_> = told(&program)
        .into_iter()
        .map(|(count, ..)| count)
        .collect();
    assert_eq!(told, [2]);
}
