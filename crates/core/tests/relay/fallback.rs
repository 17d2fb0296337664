//! A second place for what the queue does not take in time, and the way back from there.

use crate::test_bench::{Bench, SECRET};
use futures_executor::block_on;
use futures_util::future::join;
use labelrelay_core::fallback::{Redriven, redrive};
use labelrelay_core::{BlobStore, Clock, FallbackStore, Outcome, QueueErrorKind};
use labelrelay_event::{Data, Envelope};
use labelrelay_testkit::in_memory::Fault;
use labelrelay_testkit::request::TestRequest;
use std::time::Duration;

const BODY: &[u8] =
    br#"{"action": "PROJECT_CREATED", "project": {"id": 1}, "big": 9007199254740993.10}"#;

fn request() -> TestRequest {
    TestRequest::label_studio(SECRET, BODY)
}

/// Moves what waits, with a minute's time.
fn redriven(bench: &Bench, blobs: Option<&dyn BlobStore>) -> Redriven {
    let until = bench.clock.monotonic() + Duration::from_secs(60);
    let all = redrive(&*bench.fallback, &*bench.queue, blobs, &bench.clock, until);
    block_on(all).expect("the fallback can be listed")
}

#[test]
fn refused_events_wait_in_the_fallback_and_come_back_byte_for_byte() {
    for kind in [
        QueueErrorKind::Denied,
        QueueErrorKind::Misconfigured,
        QueueErrorKind::Full,
        QueueErrorKind::Unproven,
    ] {
        let bench = Bench::with_fallback(1 << 20, false);
        bench.queue.fail_with(&[Fault::Error(kind)]);
        assert_eq!(bench.deliver(&request()).outcome, Outcome::Accepted);
        let report = bench.seen.reports().pop().unwrap();
        assert!(report.fell_back);
        assert!(report.reason.unwrap().contains(kind.as_str()));
        assert!(bench.queue.messages().is_empty());
        let waiting = bench.fallback.envelopes();
        assert_eq!(waiting.len(), 1);
        assert_eq!(
            Envelope::decode(&waiting[0]).unwrap().data,
            Data::Json(BODY)
        );

        let done = redriven(&bench, None);
        assert_eq!((done.moved, done.failed, done.complete), (1, 0, true));
        assert!(bench.fallback.envelopes().is_empty());
        let messages = bench.queue.messages();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].body, waiting[0]);
        assert_eq!(messages[0].id(), report.event_id.unwrap());
    }
}

#[test]
fn a_hanging_queue_leaves_the_fallback_half_of_the_time() {
    let bench = Bench::with_fallback(1 << 20, false);
    bench.queue.fail_with(&[Fault::Hang; 2]);
    let (answer, ()) = block_on(join(bench.deliver_async(&request()), async {
        bench.clock.advance(Duration::from_millis(201));
        bench.clock.advance(Duration::from_millis(200));
    }));
    assert_eq!(answer.outcome, Outcome::Accepted);
    let report = bench.seen.reports().pop().unwrap();
    assert!(report.fell_back);
    assert!(!report.late);
    assert_eq!(bench.fallback.envelopes().len(), 1);
}

#[test]
fn a_queue_that_works_leaves_the_fallback_alone() {
    let bench = Bench::with_fallback(1 << 20, false);
    assert_eq!(bench.deliver(&request()).outcome, Outcome::Accepted);
    assert!(!bench.seen.reports()[0].fell_back);
    assert!(bench.fallback.envelopes().is_empty());
}

#[test]
fn without_either_place_it_is_503_and_nothing_is_kept() {
    let bench = Bench::with_fallback(1 << 20, false);
    bench.fallback.break_down(true);
    bench
        .queue
        .fail_with(&[Fault::Error(QueueErrorKind::Denied); 2]);
    let answer = bench.deliver(&request());
    assert_eq!(answer.outcome, Outcome::Unavailable);
    assert!(answer.retry_after.is_some());
    assert!(!bench.seen.reports()[0].fell_back);
    assert!(bench.queue.messages().is_empty());
}

#[test]
fn a_broken_fallback_leaves_the_rest_of_the_time_to_the_queue() {
    let bench = Bench::with_fallback(1 << 20, false);
    bench.fallback.break_down(true);
    bench
        .queue
        .fail_with(&[Fault::Error(QueueErrorKind::Denied)]);
    assert_eq!(bench.deliver(&request()).outcome, Outcome::Accepted);
    assert_eq!(bench.queue.messages().len(), 1);
}

#[test]
fn nothing_forged_reaches_the_fallback() {
    let bench = Bench::with_fallback(1 << 20, false);
    bench
        .queue
        .fail_with(&[Fault::Error(QueueErrorKind::Denied); 2]);
    let forged = TestRequest::label_studio("somebody-elses-secret", BODY);
    assert_eq!(bench.deliver(&forged).outcome, Outcome::Unauthorized);
    assert!(bench.fallback.envelopes().is_empty());
}

fn large() -> Vec<u8> {
    format!(r#"{{"action":"X","fill":"{}"}}"#, "a".repeat(5000)).into_bytes()
}

#[test]
fn a_large_event_waits_until_there_is_a_blob_store() {
    let bench = Bench::with_fallback(2000, false);
    let body = large();
    let request = TestRequest::label_studio(SECRET, &body);
    assert_eq!(bench.deliver(&request).outcome, Outcome::Accepted);
    assert!(bench.seen.reports()[0].fell_back);

    let stuck = redriven(&bench, None);
    assert_eq!((stuck.moved, stuck.failed, stuck.complete), (0, 1, true));
    assert!(stuck.stuck[0].1.contains("blob_store"), "{:?}", stuck.stuck);
    assert_eq!(bench.fallback.envelopes().len(), 1, "it is still there");

    let done = redriven(&bench, Some(&*bench.blobs));
    assert_eq!((done.moved, done.failed), (1, 0));
    let message = bench.queue.messages().pop().unwrap();
    let envelope = Envelope::decode(&message.body).unwrap();
    let uri = envelope.attributes.dataref.clone().unwrap();
    let kept = bench.blobs.get(uri.strip_prefix("memory:").unwrap());
    assert!(kept.as_deref() == Some(&body[..]));
    assert!(envelope.matches_digest(&body));
}

/// Found by fuzzing: what a damaged envelope called its digest and its source became a key.
#[test]
fn a_damaged_envelope_is_not_claimed_and_stays() {
    for (good, damaged, reason) in [
        ("\"datasha256\":\"", "\"datasha256\":\"../../", "datasha256"),
        ("aaaa", "aaab", "datasha256"),
        ("\"/label-studio\"", "\"/../..\"", "source"),
        ("\"/label-studio\"", "\"/a/b\"", "source"),
    ] {
        let bench = Bench::with_fallback(2000, false);
        bench.deliver(&TestRequest::label_studio(SECRET, &large()));
        let key = block_on(bench.fallback.list(None, 1)).unwrap().remove(0);
        let envelope = block_on(bench.fallback.get(&key)).unwrap().unwrap();
        let text = std::str::from_utf8(&envelope).unwrap();
        let changed = text.replacen(good, damaged, 1);
        assert_ne!(changed, text);
        block_on(bench.fallback.put(&key, changed.into())).unwrap();

        let stuck = redriven(&bench, Some(&*bench.blobs));
        assert_eq!((stuck.moved, stuck.failed), (0, 1));
        assert!(stuck.stuck[0].1.contains(reason), "{:?}", stuck.stuck);
        assert_eq!(bench.fallback.envelopes().len(), 1, "it is still there");
        assert!(bench.queue.messages().is_empty());
    }
}

/// One bit of a disk, or somebody's editor. What was acknowledged is these bytes and no others: the copy stays for
/// whoever can repair it, and nothing that was not sent reaches the queue.
#[test]
fn damaged_events_of_the_fallback_stay_and_are_named_and_the_rest_goes() {
    let bodies: [&[u8]; 4] = [
        br#"{"action": "PROJECT_CREATED", "project": {"id": 77}}"#,
        b"not JSON, number 77",
        br#"{"action": "PROJECT_CREATED", "project": {"id": 78}}"#,
        b"not JSON, number 78",
    ];
    let damage = |text: &str| match text.split_once("\"data_base64\":\"") {
        Some((head, data)) => {
            let (first, rest) = data.split_at(1);
            let other = if first == "b" { "c" } else { "b" };
            format!("{head}\"data_base64\":\"{other}{rest}")
        }
        None => text.replacen("\"id\": 77", "\"id\": 79", 1),
    };
    let bench = Bench::with_fallback(1 << 20, false);
    let faults = [Fault::Error(QueueErrorKind::Denied); 4];
    bench.queue.fail_with(&faults);
    for body in bodies {
        let answer = bench.deliver(&TestRequest::label_studio(SECRET, body));
        assert_eq!(answer.outcome, Outcome::Accepted);
    }
    let keys = block_on(bench.fallback.list(None, 10)).unwrap();
    assert_eq!(keys.len(), 4);
    let whole = bench.fallback.envelopes();
    for at in 0..2 {
        let text = std::str::from_utf8(&whole[at]).unwrap();
        let damaged = damage(text);
        assert_ne!(damaged, text);
        assert!(Envelope::decode(damaged.as_bytes()).is_ok());
        block_on(bench.fallback.put(&keys[at], damaged.into())).unwrap();
    }
    for _ in 0..2 {
        let done = redriven(&bench, Some(&*bench.blobs));
        assert_eq!((done.failed, done.complete), (2, true));
        for (key, (stuck, reason)) in keys.iter().zip(&done.stuck) {
            assert_eq!(stuck, key);
            assert!(reason.contains("datasha256"), "{reason}");
        }
        assert!(done.queue_error.is_none(), "the queue is well");
        let on_the_queue = bench.queue.messages().into_iter();
        let on_the_queue: Vec<_> = on_the_queue.map(|message| message.body).collect();
        assert_eq!(on_the_queue, whole[2..]);
        assert_eq!(bench.fallback.envelopes().len(), 2, "they are still there");
    }
    // Somebody repaired them.
    for at in 0..2 {
        block_on(bench.fallback.put(&keys[at], whole[at].clone())).unwrap();
    }
    assert_eq!(redriven(&bench, None).moved, 2);
    assert_eq!(bench.queue.messages().len(), 4);
}

/// An envelope that lost its data: it has neither the data nor a reference to it.
#[test]
fn an_envelope_without_its_data_stays() {
    let bench = Bench::with_fallback(1 << 20, false);
    bench
        .queue
        .fail_with(&[Fault::Error(QueueErrorKind::Denied)]);
    bench.deliver(&request());
    let key = block_on(bench.fallback.list(None, 1)).unwrap().remove(0);
    let envelope = bench.fallback.envelopes().remove(0);
    let text = std::str::from_utf8(&envelope).unwrap();
    let (head, _) = text.split_once(",\"data\":").unwrap();
    block_on(bench.fallback.put(&key, format!("{head}}}").into())).unwrap();
    let done = redriven(&bench, Some(&*bench.blobs));
    assert_eq!((done.moved, done.failed), (0, 1));
    assert!(done.stuck[0].1.contains("data"), "{:?}", done.stuck);
    assert_eq!(bench.fallback.envelopes().len(), 1);
}

#[test]
fn an_event_that_only_the_fallback_takes_is_not_too_large_while_that_is_down() {
    let bench = Bench::with_fallback(2000, false);
    bench.fallback.break_down(true);
    let body = large();
    let request = TestRequest::label_studio(SECRET, &body);
    let answer = bench.deliver(&request);
    // Our own trouble, and no word about the body: the next delivery may be taken.
    assert_eq!(answer.outcome, Outcome::Unavailable);
    bench.fallback.break_down(false);
    assert_eq!(bench.deliver(&request).outcome, Outcome::Accepted);
}

#[test]
fn a_blob_store_that_fails_leaves_large_events_to_the_fallback() {
    let bench = Bench::with_fallback(2000, true);
    bench.blobs.break_down();
    let body = large();
    let request = TestRequest::label_studio(SECRET, &body);
    let answer = bench.deliver_while_time_passes(&request);
    assert_eq!(answer.outcome, Outcome::Accepted);
    assert!(bench.seen.reports()[0].fell_back);
    let waiting = bench.fallback.envelopes();
    let envelope = Envelope::decode(&waiting[0]).unwrap();
    assert!(envelope.matches_digest(&envelope.data.bytes().unwrap().unwrap()));
}

#[test]
fn a_redrive_into_a_queue_that_is_still_down_moves_nothing_and_loses_nothing() {
    let bench = Bench::with_fallback(1 << 20, false);
    let count = 600;
    bench
        .queue
        .fail_with(&vec![Fault::Error(QueueErrorKind::Denied); count]);
    for n in 0..count {
        let body = format!(r#"{{"action":"PROJECT_UPDATED","project":{{"id":{n}}}}}"#);
        let request = TestRequest::label_studio(SECRET, body.as_bytes());
        assert_eq!(bench.deliver(&request).outcome, Outcome::Accepted);
    }
    bench
        .queue
        .fail_with(&[Fault::Error(QueueErrorKind::Denied); 100]);
    let done = redriven(&bench, None);
    assert_eq!((done.moved, done.complete), (0, false));
    assert!(done.failed < 100, "it does not try all of them");
    assert_eq!(done.queue_error.unwrap().kind, QueueErrorKind::Denied);
    assert_eq!(bench.fallback.envelopes().len(), count);

    // An event that fails in between is stuck, and the rest moves.
    loop {
        let done = redriven(&bench, None);
        if done.complete && done.failed == 0 {
            break;
        }
    }
    assert_eq!(bench.queue.messages().len(), count);
    assert!(bench.fallback.envelopes().is_empty());
}

#[test]
fn a_redrive_ends_when_its_time_is_up() {
    let bench = Bench::with_fallback(1 << 20, false);
    bench
        .queue
        .fail_with(&[Fault::Error(QueueErrorKind::Denied)]);
    bench.deliver(&request());
    let now = bench.clock.monotonic();
    let all = redrive(&*bench.fallback, &*bench.queue, None, &bench.clock, now);
    let done = block_on(all).unwrap();
    assert_eq!((done.moved, done.complete), (0, false));
    assert_eq!(bench.fallback.envelopes().len(), 1);
}

/// A second for the whole of it, and nothing that lasts longer: not a call, not a large body's copy, not the wait
/// for another one's.
#[test]
fn a_redrive_that_hangs_ends_with_its_time_as_well() {
    let hangs: [fn(&Bench); 2] = [
        |bench| bench.blobs.hang(),
        |bench| bench.queue.fail_with(&[Fault::Hang; 4]),
    ];
    for (max_message_bytes, hang) in [2000, 1 << 20].into_iter().zip(hangs) {
        let bench = Bench::with_fallback(max_message_bytes, false);
        let denied = [Fault::Error(QueueErrorKind::Denied); 2];
        bench.queue.fail_with(&denied);
        let body = large();
        for end in [&b""[..], b"\n"] {
            let body = [&body[..], end].concat();
            let request = TestRequest::label_studio(SECRET, &body);
            assert_eq!(bench.deliver(&request).outcome, Outcome::Accepted);
        }
        hang(&bench);
        let until = bench.clock.monotonic() + Duration::from_secs(1);
        let blobs: Option<&dyn BlobStore> = Some(&*bench.blobs);
        let all = redrive(&*bench.fallback, &*bench.queue, blobs, &bench.clock, until);
        let mut all = std::pin::pin!(all);
        let first = block_on(async { futures_util::poll!(&mut all) });
        assert!(first.is_pending());
        bench.clock.advance(Duration::from_secs(1));
        let done = block_on(async { futures_util::poll!(&mut all) });
        let std::task::Poll::Ready(done) = done else {
            panic!("still at it when its time is up");
        };
        let done = done.unwrap();
        assert_eq!(done.moved, 0);
        assert_eq!(bench.fallback.envelopes().len(), 2, "nothing is lost");
    }
}

#[test]
fn a_dead_queue_is_left_alone_for_a_while_and_comes_back_by_itself() {
    let bench = Bench::with_fallback(1 << 20, false);
    let body = |n: usize| format!(r#"{{"action":"PROJECT_UPDATED","project":{{"id":{n}}}}}"#);
    let deliver = |n| {
        let request = TestRequest::label_studio(SECRET, body(n).as_bytes());
        assert_eq!(bench.deliver(&request).outcome, Outcome::Accepted);
    };
    bench
        .queue
        .fail_with(&[Fault::Error(QueueErrorKind::Denied); 6]);
    for n in 0..100 {
        deliver(n);
    }
    assert_eq!(bench.seen.breaker(), [true]);
    assert_eq!(bench.queue.faults_left(), 1, "it was tried five times");
    bench.clock.advance(Duration::from_millis(501));
    deliver(100);
    assert_eq!(bench.queue.faults_left(), 0, "one event tried it");
    deliver(101);
    assert_eq!(bench.fallback.envelopes().len(), 102);
    bench.clock.advance(Duration::from_secs(8));
    deliver(102);
    deliver(103);
    assert_eq!(bench.queue.messages().len(), 2);
    assert_eq!(bench.seen.breaker(), [true, false]);
}

#[test]
fn without_a_fallback_every_event_is_worth_a_try() {
    let bench = Bench::new();
    bench
        .queue
        .fail_with(&[Fault::Error(QueueErrorKind::Denied); 100]);
    for _ in 0..100 {
        assert_eq!(bench.deliver(&request()).outcome, Outcome::Unavailable);
    }
    assert_eq!(bench.queue.faults_left(), 0);
    assert_eq!(bench.deliver(&request()).outcome, Outcome::Accepted);
}
