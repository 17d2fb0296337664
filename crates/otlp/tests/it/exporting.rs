//! What becomes of spans when the collector does not take them.

use crate::collector::{Does, Program, label, pass};
use labelrelay_core::Outcome;
use labelrelay_otlp::END_WITHIN;
use std::time::Duration;
use tokio::time::{Instant, sleep};

async fn deliver(program: &Program, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let answer = program.deliver(&label(number)).await;
        assert_eq!(answer.outcome, Outcome::Accepted);
    }
}

#[tokio::test(start_paused = true)]
async fn spans_go_out_together_after_a_while_and_metrics_at_their_own_times() {
    let program = Program::new(&[]);
    let exporting = program.export();
    deliver(&program, 0..3).await;
    pass(4).await;
    assert_eq!(program.collector.asked(), 0, "they wait for others");
    pass(2).await;
    assert_eq!(program.collector.messages("/v1/traces").len(), 1);
    assert_eq!(program.collector.spans().len(), 6);
    pass(60).await;
    assert_eq!(program.collector.messages("/v1/metrics").len(), 1);
    exporting.end().await;
    assert_eq!(program.collector.messages("/v1/metrics").len(), 2);
    assert_eq!(program.collector.messages("/v1/traces").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_may_be_sent_again_is_sent_again_and_what_may_not_is_dropped() {
    let program = Program::new(&[("OTEL_METRICS_EXPORTER", "none")]);
    let exporting = program.export();
    deliver(&program, 0..2).await;
    program
        .collector
        .does(&[Does::Answer(503), Does::Refuse, Does::Answer(429)]);
    pass(60).await;
    assert_eq!(
        (program.collector.asked(), program.collector.spans().len()),
        (4, 4)
    );
    assert_eq!(program.tracer.dropped(), 0);
    deliver(&program, 2..4).await;
    program.collector.does(&[Does::Answer(400)]);
    pass(60).await;
    assert_eq!(
        (program.collector.asked(), program.collector.spans().len()),
        (5, 4)
    );
    assert_eq!(program.tracer.dropped(), 4);
    exporting.end().await;
    assert_eq!(program.collector.asked(), 5);
}

#[tokio::test(start_paused = true)]
async fn without_a_collector_so_many_wait_and_the_others_are_counted() {
    let program = Program::new(&[("OTEL_METRICS_EXPORTER", "none")]);
    program.collector.does(&[Does::Hang; 1000]);
    let exporting = program.export();
    deliver(&program, 0..9000).await;
    // One message may be on its way.
    let dropped = program.tracer.dropped();
    let least = 2 * (9000 - 8192 - 512);
    assert!((least..=2 * (9000 - 8192)).contains(&dropped), "{dropped}");
    let begin = Instant::now();
    exporting.end().await;
    assert!(begin.elapsed() <= END_WITHIN * 2, "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_hangs_keeps_no_stop() {
    let program = Program::new(&[]);
    program.collector.does(&[Does::Hang; 100]);
    let exporting = program.export();
    deliver(&program, 0..1).await;
    pass(7).await;
    assert_eq!(program.collector.asked(), 1);
    let begin = Instant::now();
    exporting.end().await;
    assert!(begin.elapsed() <= END_WITHIN * 2, "{:?}", begin.elapsed());
}

/// Red if what comes while a message is sent keeps the exporter at sending.
#[tokio::test(start_paused = true)]
async fn a_steady_stream_goes_out_together_and_metrics_have_their_turn() {
    let program = Program::new(&[]);
    program.collector.does(&[Does::Late; 1000]);
    let exporting = program.export();
    for number in 0..1200 {
        deliver(&program, number..number + 1).await;
        sleep(Duration::from_millis(100)).await;
    }
    // Within two minutes, each one waited for five seconds, and took another.
    let messages = program.collector.messages("/v1/traces").len();
    assert!((1..=40).contains(&messages), "{messages}");
    assert!(!program.collector.messages("/v1/metrics").is_empty());
    exporting.end().await;
}
