//! Nothing verified is lost: a success is only said of what the queue has.

use crate::test_bench::{Bench, SECRET};
use futures_executor::block_on;
use futures_util::future::join;
use labelrelay_core::{Clock, Intake, Outcome, QueueErrorKind};
use labelrelay_testkit::in_memory::Fault;
use labelrelay_testkit::request::TestRequest;
use std::time::Duration;

fn request() -> TestRequest {
    TestRequest::label_studio(
        SECRET,
        br#"{"action":"PROJECT_CREATED","project":{"id":1}}"#,
    )
}

#[test]
fn a_passing_fault_is_tried_again_at_once() {
    let bench = Bench::new();
    bench
        .queue
        .fail_with(&[Fault::Error(QueueErrorKind::Unavailable)]);
    assert_eq!(bench.deliver(&request()).outcome, Outcome::Accepted);
    assert_eq!(bench.seen.failed_attempts(), [QueueErrorKind::Unavailable]);
    assert_eq!(bench.queue.messages().len(), 1);
}

#[test]
fn a_lasting_fault_is_503_and_leaves_nothing() {
    for kind in [
        QueueErrorKind::Full,
        QueueErrorKind::Denied,
        QueueErrorKind::Misconfigured,
        QueueErrorKind::Unproven,
    ] {
        let bench = Bench::new();
        bench.queue.fail_with(&[Fault::Error(kind)]);
        let answer = bench.deliver(&request());
        assert_eq!(answer.outcome, Outcome::Unavailable, "{kind}");
        assert!(answer.retry_after.is_some());
        assert!(bench.reason().contains(kind.as_str()), "{}", bench.reason());
        assert!(bench.queue.messages().is_empty());
        assert_eq!(bench.seen.failed_last_attempts(), [kind], "it is counted");
        assert_eq!(
            bench.deliver(&request()).outcome,
            Outcome::Accepted,
            "{kind}: the next one is not harmed"
        );
    }
}

#[test]
fn a_hanging_queue_is_tried_again_while_the_sender_still_waits() {
    let bench = Bench::new();
    bench.queue.fail_with(&[Fault::Hang]);
    let (answer, ()) = block_on(join(bench.deliver_async(&request()), async {
        bench.clock.advance(Duration::from_millis(401));
    }));
    assert_eq!(answer.outcome, Outcome::Accepted);
    assert_eq!(bench.seen.failed_attempts(), [QueueErrorKind::Late]);
}

#[test]
fn an_own_attempt_that_came_true_late_is_no_repeat() {
    let bench = Bench::new();
    bench.queue.fail_with(&[Fault::HangAfterKeeping]);
    let (answer, ()) = block_on(join(bench.deliver_async(&request()), async {
        bench.clock.advance(Duration::from_millis(401));
    }));
    assert_eq!(answer.outcome, Outcome::Accepted);
    assert_eq!(bench.queue.messages().len(), 1);
    assert_eq!(bench.deliver(&request()).outcome, Outcome::Repeat);
}

#[test]
fn work_on_a_delivery_ends() {
    let bench = Bench::new();
    bench.queue.fail_with(&[Fault::Hang; 100]);
    let answer = bench.deliver_while_time_passes(&request());
    assert_eq!(answer.outcome, Outcome::Unavailable);
    assert!(bench.seen.reports()[0].late);
}

#[test]
fn a_repeat_of_a_version_is_recognised_whatever_its_delivery_id() {
    let bench = Bench::new();
    let body = br#"{"id":"l1","label":"{}","deleted":false,"createdAt":"2020-09-24T04:56:08.5Z","updatedAt":"2020-09-24T04:56:08.5Z"}"#;
    let label = |event: &str, delivery: &str| {
        bench
            .deliver(&TestRequest::labelbox(SECRET, event, delivery, body))
            .outcome
    };
    assert_eq!(label("LABEL_CREATED", "d1"), Outcome::Accepted);
    assert_eq!(label("LABEL_CREATED", "d2"), Outcome::Repeat);
    let other_type = label("LABEL_UPDATED", "d3");
    assert_eq!(
        other_type,
        Outcome::Accepted,
        "another type is another event"
    );
    assert_eq!(bench.queue.messages().len(), 2);
}

#[test]
fn requests_and_bare_actions_are_never_repeats() {
    let bench = Bench::new();
    let training = TestRequest::label_studio(
        SECRET,
        br#"{"action": "START_TRAINING", "project": {"id": 1}}"#,
    )
    .at("/label-studio/webhook");
    let bare = TestRequest::label_studio(SECRET, br#"{"action": "ANNOTATION_CREATED"}"#);
    let link = br#"{"action":"LABEL_LINK_UPDATED","label_link":{"id":1,"from_name":"tax"},"project":{"id":1}}"#;
    let link = TestRequest::label_studio(SECRET, link);
    let run = |id: &str| {
        TestRequest::labelbox(
            SECRET,
            "",
            id,
            br#"{"modelId":"m","modelRunId":"r","modelType":"t"}"#,
        )
        .at("/labelbox/model_run")
    };
    for request in [
        &training,
        &training,
        &bare,
        &bare,
        &link,
        &link,
        &run("d1"),
        &run("d2"),
        &run("").without("x-labelbox-id"),
        &run("").without("x-labelbox-id"),
    ] {
        assert_eq!(
            bench.deliver(request).outcome,
            Outcome::Accepted,
            "{}",
            request.path
        );
    }
    assert_eq!(
        bench.deliver(&run("d1")).outcome,
        Outcome::Repeat,
        "the platform sent one delivery twice"
    );
    assert_eq!(bench.queue.messages().len(), 10);
}

#[test]
fn a_filtered_delivery_is_a_success_without_an_event() {
    let toml = "[[source]]\nname = \"ls\"\nprovider = \"label-studio\"\nsecret = \"env:SECRET\"\ninclude = [\"io.labelstud.annotation.*\"]\n";
    let bench = Bench::with(toml, labelrelay_core::QueueLimits::bytes(1 << 20), false);
    assert_eq!(
        bench.deliver(&request().at("/ls")).outcome,
        Outcome::Filtered
    );
    assert!(bench.queue.messages().is_empty());
    let annotation = br#"{"action":"ANNOTATION_CREATED","annotation":{"id":1}}"#;
    assert_eq!(
        bench
            .deliver(&TestRequest::label_studio(SECRET, annotation).at("/ls"))
            .outcome,
        Outcome::Accepted
    );
}

/// Nobody signed the delivery id: it must not name any other event.
#[test]
fn a_delivery_id_cannot_stand_for_another_event() {
    let bench = Bench::new();
    let run = |run: &str, id: &str| {
        let body = format!(r#"{{"modelId":"m","modelRunId":"{run}","modelType":"t"}}"#);
        TestRequest::labelbox(SECRET, "", id, body.as_bytes())
    };
    let label = br#"{"id":"l1","label":"{}","deleted":false,"createdAt":"2020-09-24T04:56:08Z","updatedAt":"2020-09-24T04:56:08Z"}"#;
    let label = TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", label);
    assert_eq!(bench.deliver(&label).outcome, Outcome::Accepted);
    let id_of_label = bench.queue.messages()[0].id().to_owned();
    for request in [
        run("r1", "same"),
        run("r2", "same"),
        run("r3", &id_of_label),
    ] {
        assert_eq!(bench.deliver(&request).outcome, Outcome::Accepted);
    }
    assert_eq!(bench.queue.messages().len(), 4);
}

/// A body of 100 MiB over a slow line takes longer than the queue may.
#[test]
fn a_body_that_took_long_leaves_the_queue_its_time() {
    let bench = Bench::new();
    let request =
        TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", br#"{"id":"l1","label":"{}"}"#);
    bench
        .queue
        .fail_with(&[Fault::Error(QueueErrorKind::Unavailable)]);
    let head = request.head(&bench.clock);
    let clock = bench.clock.clone();
    let body = futures_util::StreamExt::inspect(request.stream(10), move |_| {
        clock.advance(Duration::from_secs(5));
    });
    let answer = block_on(async {
        match bench.relay.receive(head, body).await {
            Intake::Deliver(received) => {
                let half = Duration::from_secs(4);
                assert_eq!(received.answer_deadline(), bench.clock.monotonic() + half);
                bench.relay.complete(received).await
            }
            Intake::Answer(answer) => answer,
        }
    });
    assert_eq!(answer.outcome, Outcome::Accepted);
    assert_eq!(bench.seen.failed_attempts(), [QueueErrorKind::Unavailable]);
}

#[test]
fn bodies_share_a_bounded_memory() {
    let toml = "max_body_bytes = 800000\nmax_bytes_in_flight = 2000000\n[[source]]\nname = \"lb\"\nprovider = \"labelbox\"\nsecret = \"env:SECRET\"\n";
    let bench = Bench::with(toml, labelrelay_core::QueueLimits::bytes(1 << 20), false);
    let request = |byte: &str| {
        let body = format!("\"{}\"", byte.repeat(599_998));
        TestRequest::labelbox(SECRET, "LABEL_CREATED", "d", body.as_bytes()).at("/lb")
    };
    let first = request("a");
    let received = match block_on(
        bench
            .relay
            .receive(first.head(&bench.clock), first.stream(10_000)),
    ) {
        Intake::Deliver(received) => received,
        Intake::Answer(answer) => panic!("{answer:?}"),
    };
    let answer = bench.deliver(&request("b"));
    assert_eq!(
        answer.outcome,
        Outcome::Overloaded,
        "a body of 600,000 bytes has 1,400,000 with its envelope, of 2,000,000"
    );
    assert!(answer.retry_after.is_some());
    assert_eq!(
        block_on(bench.relay.complete(received)).outcome,
        Outcome::Accepted
    );
    for byte in ["b", "c", "d", "e"] {
        assert_eq!(bench.deliver(&request(byte)).outcome, Outcome::Accepted);
    }
}

#[test]
fn events_that_were_not_understood_pass_every_list() {
    let toml = "[[source]]\nname = \"ls\"\nprovider = \"label-studio\"\nsecret = \"env:SECRET\"\ninclude = [\"io.labelstud.annotation.*\"]\nexclude = [\"io.labelstud.annotation.deleted\"]\n";
    let bench = Bench::with(toml, labelrelay_core::QueueLimits::bytes(1 << 20), false);
    let custom = TestRequest::label_studio(SECRET, br#"{"action":"NEWER_THAN_THIS"}"#).at("/ls");
    assert_eq!(bench.deliver(&custom).outcome, Outcome::Accepted);
    let deleted = br#"{"action":"ANNOTATIONS_DELETED","annotations":[{"id":1}]}"#;
    let deleted = TestRequest::label_studio(SECRET, deleted).at("/ls");
    assert_eq!(bench.deliver(&deleted).outcome, Outcome::Filtered);
}

/// Red if a report has an event's names only where the queue took it: they move into it at the end.
#[test]
fn a_report_names_its_event_whatever_came_of_it() {
    let body = br#"{"action":"ANNOTATION_CREATED","annotation":{"id":7},"project":{"id":3}}"#;
    let delivered = TestRequest::label_studio(SECRET, body).at("/ls");
    let source =
        "[[source]]\nname = \"ls\"\nprovider = \"label-studio\"\nsecret = \"env:SECRET\"\n";
    let excluded = format!("{source}exclude = [\"io.labelstud.annotation.*\"]\n");
    for (toml, faults, outcome) in [
        (
            source,
            &[Fault::Error(QueueErrorKind::Denied)][..],
            Outcome::Unavailable,
        ),
        (source, &[], Outcome::Accepted),
        (&excluded, &[], Outcome::Filtered),
    ] {
        let bench = Bench::with(toml, labelrelay_core::QueueLimits::bytes(1 << 20), false);
        bench.queue.fail_with(faults);
        assert_eq!(bench.deliver(&delivered).outcome, outcome);
        let report = bench.seen.reports().pop().unwrap();
        assert!(report.event_id.is_some(), "{outcome:?}: {report:?}");
        for (said, expected) in [
            (&report.event_type, "io.labelstud.annotation.created"),
            (&report.subject, "annotation/7"),
            (&report.project, "3"),
        ] {
            assert_eq!(said.as_deref(), Some(expected), "{outcome:?}: {report:?}");
        }
    }
}
