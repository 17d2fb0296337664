//! Traces of what a queue took: one for each event that it has, whatever their store does.

use crate::test_bench::{BOTH_PLATFORMS, Bench, SECRET};
use futures_executor::block_on;
use futures_util::future::join;
use labelrelay_core::traces::is_of;
use labelrelay_core::{Outcome, QueueErrorKind};
use labelrelay_event::{Attributes, Envelope};
use labelrelay_testkit::in_memory::Fault;
use labelrelay_testkit::request::TestRequest;
use std::time::Duration;

/// About one thing.
const ONE: &[u8] = br#"{"action": "PROJECT_CREATED", "project": {"id": 1}}"#;

/// About two, whose names the attributes do not hold.
const TWO: &[u8] = br#"{"action": "TASKS_CREATED", "project": {"id": 1}, "tasks": [{"id": 7, "created_at": "2026-01-01T00:00:00.1Z"}, {"id": 8, "created_at": "2026-01-01T00:00:00.2Z"}]}"#;

fn request(body: &[u8]) -> TestRequest {
    TestRequest::label_studio(SECRET, body)
}

#[test]
fn what_the_queue_took_leaves_a_trace_with_what_a_pull_compares() {
    let bench = Bench::with_traces(BOTH_PLATFORMS);
    assert_eq!(bench.deliver(&request(ONE)).outcome, Outcome::Accepted);
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.deliver(&request(TWO)).outcome, Outcome::Accepted);
    let (keys, traces) = (bench.traces.keys(), bench.traces.envelopes());
    assert_eq!((keys.len(), traces.len()), (2, 2));
    assert!(
        keys.iter().all(|key| is_of(key, "label-studio")),
        "{keys:?}"
    );
    assert!(bench.fallback.envelopes().is_empty());
    let messages = bench.queue.messages();
    for (trace, message) in traces.iter().zip(&messages) {
        let attributes: Attributes = serde_json::from_slice(trace).unwrap();
        assert_eq!(attributes, *message.attributes);
    }
    // The attributes say all of the project.
    assert!(Envelope::decode(&traces[0]).is_err(), "it has no data");
    assert_eq!(traces[1], messages[1].body);
    assert!(bench.seen.untraced().is_empty());
}

#[test]
fn what_the_queue_did_not_take_leaves_none() {
    let toml = "[[source]]\nname = \"label-studio\"\nprovider = \"label-studio\"\nsecret = \"env:SECRET\"\nexclude = [\"io.labelstud.task.*\"]\n";
    let bench = Bench::with_traces(toml);
    let forged = TestRequest::label_studio("somebody-elses-secret", ONE);
    assert_eq!(bench.deliver(&forged).outcome, Outcome::Unauthorized);
    assert_eq!(bench.deliver(&request(TWO)).outcome, Outcome::Filtered);
    let denied = [Fault::Error(QueueErrorKind::Denied)];
    bench.queue.fail_with(&denied);
    assert_eq!(bench.deliver(&request(ONE)).outcome, Outcome::Accepted);
    assert_eq!(bench.fallback.envelopes().len(), 1);
    assert!(bench.traces.keys().is_empty(), "it waits in the fallback");
}

/// Nobody pulls from such a source.
#[test]
fn a_source_without_traces_leaves_none() {
    let toml = BOTH_PLATFORMS.replace("ml_backend = true", "traces = false");
    let bench = Bench::with_traces(&toml);
    assert_eq!(bench.deliver(&request(ONE)).outcome, Outcome::Accepted);
    assert_eq!(bench.queue.messages().len(), 1);
    assert!(bench.traces.keys().is_empty());
}

/// Red if a store that fails, or does not answer, fails the delivery or makes its answer late.
#[test]
fn a_trace_that_cannot_be_left_changes_nothing() {
    let bench = Bench::with_traces(BOTH_PLATFORMS);
    bench.traces.break_down(true);
    assert_eq!(bench.deliver(&request(ONE)).outcome, Outcome::Accepted);
    bench.traces.hang();
    let (answer, ()) = block_on(join(bench.deliver_async(&request(TWO)), async {
        // Half of the time to the answer, which is due after 800 ms.
        bench.clock.advance(Duration::from_millis(401));
    }));
    assert_eq!(answer.outcome, Outcome::Accepted);
    let report = bench.seen.reports().pop().unwrap();
    assert!(!report.late);
    assert_eq!(bench.queue.messages().len(), 2);
    let ids: Vec<_> = bench
        .queue
        .messages()
        .iter()
        .map(|m| m.id().to_owned())
        .collect();
    assert_eq!(bench.seen.untraced(), ids);
}

/// Red if each of many answers waits for a store that hangs, or if it is not tried again.
#[test]
fn a_store_that_fails_again_and_again_is_left_alone_for_a_while() {
    let bench = Bench::with_traces(BOTH_PLATFORMS);
    bench.traces.break_down(true);
    for _ in 0..5 {
        assert_eq!(bench.status(&request(ONE)), 200);
    }
    bench.traces.break_down(false);
    assert_eq!(bench.status(&request(ONE)), 200);
    assert!(bench.traces.keys().is_empty(), "not tried");
    assert_eq!(bench.seen.untraced().len(), 6, "each of them is told of");
    bench.clock.advance(Duration::from_millis(500));
    assert_eq!(bench.status(&request(ONE)), 200);
    assert_eq!(bench.traces.keys().len(), 1);
}
