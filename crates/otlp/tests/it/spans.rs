//! The spans of a request, and how they hang together with those of others.

use crate::collector::{Program, SECRET, attribute, label};
use labelrelay_core::{Outcome, TraceContext};
use labelrelay_event::{Attributes, Digest, Envelope, EventType};
use labelrelay_testkit::request::TestRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use std::time::Duration;

const SENDERS: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The spans of requests, and the `traceparent` of the newest envelope.
async fn spans(
    variables: &[(&str, &str)],
    requests: &[(TestRequest, Outcome)],
) -> (Vec<Span>, Option<String>) {
    let program = Program::new(variables);
    let exporting = program.export();
    for (request, outcome) in requests {
        assert_eq!(program.deliver(request).await.outcome, *outcome);
    }
    exporting.end().await;
    let message = program.queue.messages().pop();
    let parent = message.and_then(|message| {
        let envelope = Envelope::decode(&message.body).unwrap();
        envelope.attributes.traceparent
    });
    (program.collector.spans(), parent)
}

#[tokio::test(start_paused = true)]
async fn a_delivery_has_a_servers_span_and_a_producers_which_the_envelope_names() {
    let (spans, parent) = spans(&[], &[(label(1), Outcome::Accepted)]).await;
    let [server, producer] = &spans[..] else {
        panic!("{spans:?}");
    };
    assert_eq!(
        (&*server.name, server.kind()),
        ("POST /labelbox", SpanKind::Server)
    );
    assert_eq!(
        (&*producer.name, producer.kind()),
        ("send queue.db", SpanKind::Producer)
    );
    let parent = TraceContext::parse(&parent.unwrap()).unwrap();
    assert!(parent.is_sampled());
    assert_eq!(
        (&*producer.trace_id, &*producer.span_id),
        (&parent.trace_id[..], &parent.span_id[..])
    );
    assert_eq!(
        (&producer.parent_span_id, &producer.trace_id),
        (&server.span_id, &server.trace_id)
    );
    assert!(server.parent_span_id.is_empty());
    for (span, key, value) in [
        (server, "http.request.method", "POST"),
        (server, "http.route", "/labelbox"),
        (server, "http.response.status_code", "200"),
        (server, "labelrelay.outcome", "accepted"),
        (producer, "messaging.system", "labelrelay"),
        (producer, "messaging.destination.name", "queue.db"),
        (producer, "messaging.operation.type", "send"),
        (
            producer,
            "cloudevents.event_type",
            "com.labelbox.label.created",
        ),
    ] {
        assert_eq!(attribute(span, key).as_deref(), Some(value), "{key}");
    }
    for span in &spans {
        assert_eq!(span.status, None);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
    }
}

#[tokio::test(start_paused = true)]
async fn a_verified_requests_own_trace_goes_on_and_a_forged_ones_does_not() {
    let verified = label(1).header("traceparent", SENDERS);
    let forged = TestRequest::labelbox("wrong", "LABEL_CREATED", "d", b"{}");
    let forged = forged.header("traceparent", SENDERS);
    let requests = [
        (verified, Outcome::Accepted),
        (forged, Outcome::Unauthorized),
    ];
    let (spans, parent) = spans(&[], &requests).await;
    let [server, producer, refused] = &spans[..] else {
        panic!("{spans:?}");
    };
    assert_eq!(parent.as_deref(), Some(SENDERS));
    let sender = TraceContext::parse(SENDERS).unwrap();
    for span in [server, producer] {
        assert_eq!(span.trace_id, sender.trace_id);
    }
    assert_eq!(server.parent_span_id, sender.span_id);
    assert_ne!(refused.trace_id, sender.trace_id);
    assert!(refused.parent_span_id.is_empty());
    assert_eq!(
        attribute(refused, "http.response.status_code").as_deref(),
        Some("401")
    );
    assert_eq!(refused.status, None, "a refusal is no error of the server");
}

#[tokio::test(start_paused = true)]
async fn samplers_decide_and_the_envelope_says_how() {
    let unsampled = SENDERS.replace("-01", "-00");
    let both = [
        (
            label(1).header("traceparent", &unsampled),
            Outcome::Accepted,
        ),
        (label(2), Outcome::Accepted),
    ];
    let sampler = |name| ("OTEL_TRACES_SAMPLER", name);
    let none = ("OTEL_TRACES_SAMPLER_ARG", "0");
    for (variables, expected, flags) in [
        (&[sampler("parentbased_always_on")][..], 2, "-01"),
        (&[sampler("always_on")], 4, "-01"),
        (&[sampler("parentbased_traceidratio"), none], 0, "-00"),
        (&[sampler("always_off")], 0, "-00"),
    ] {
        let (spans, parent) = spans(variables, &both).await;
        assert_eq!(spans.len(), expected, "{variables:?}");
        assert!(parent.unwrap().ends_with(flags), "{variables:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_becomes_no_event_has_the_servers_span_alone() {
    const TASK: &[u8] = br#"{"action":"TASKS_CREATED","tasks":[{"id":1}],"project":{"id":3}}"#;
    let unsigned = label(1).without("x-hub-signature");
    let left_out = TestRequest::label_studio(SECRET, TASK);
    let requests = [
        (unsigned, Outcome::Unauthorized),
        (left_out, Outcome::Filtered),
    ];
    let (spans, _) = spans(&[], &requests).await;
    let names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["POST /labelbox", "POST /label-studio"]);
}

/// An event as a consumer receives it.
fn event(traceparent: Option<&str>) -> Attributes {
    let event_type = EventType::from_static("com.labelbox.label.created");
    let digest = Digest::of(b"{}");
    let time = "2026-01-15T12:00:00Z";
    let mut event = Attributes::new("e1", "/labelbox", &event_type, &digest, time);
    event.subject = Some("label/1".to_owned());
    event.traceparent = traceparent.map(str::to_owned);
    event
}

#[tokio::test(start_paused = true)]
async fn the_work_on_an_event_is_a_child_of_what_its_envelope_names() {
    let program = Program::new(&[]);
    let exporting = program.export();
    let begun = program.tracer.begin_processing(&event(Some(SENDERS)));
    let begun = begun.unwrap();
    assert!(begun.has_parent());
    let context = begun.context();
    program.clock.advance(Duration::from_millis(20));
    program.tracer.end_processing(begun, None);
    let another = program.tracer.begin_processing(&event(Some("not one")));
    let another = another.unwrap();
    assert!(!another.has_parent());
    let error = Some(("rejected", "nobody has a use for it"));
    program.tracer.end_processing(another, error);
    exporting.end().await;

    let spans = program.collector.spans();
    let [done, rejected] = &spans[..] else {
        panic!("{spans:?}");
    };
    let sender = TraceContext::parse(SENDERS).unwrap();
    assert_eq!(
        (&*done.name, done.kind()),
        ("process queue.db", SpanKind::Consumer)
    );
    assert_eq!(done.trace_id, sender.trace_id);
    assert_eq!(done.parent_span_id, sender.span_id);
    assert_eq!(done.span_id, context.span_id);
    assert_ne!(done.span_id, sender.span_id);
    assert_eq!(
        done.end_time_unix_nano - done.start_time_unix_nano,
        20_000_000
    );
    assert_eq!(done.status, None);
    for (key, value) in [
        ("messaging.system", "labelrelay"),
        ("messaging.operation.type", "process"),
        ("cloudevents.event_id", "e1"),
        ("cloudevents.event_subject", "label/1"),
    ] {
        assert_eq!(attribute(done, key).as_deref(), Some(value), "{key}");
    }
    assert!(rejected.parent_span_id.is_empty() && rejected.links.is_empty());
    assert_ne!(rejected.trace_id, sender.trace_id);
    assert_eq!(
        attribute(rejected, "error.type").as_deref(),
        Some("rejected")
    );
    let status = rejected.status.as_ref().unwrap();
    assert_eq!(status.message, "nobody has a use for it");
}

#[tokio::test(start_paused = true)]
async fn work_is_not_recorded_where_the_sender_does_not() {
    let program = Program::new(&[]);
    let unsampled = SENDERS.replace("-01", "-00");
    let begun = program.tracer.begin_processing(&event(Some(&unsampled)));
    assert!(begun.is_none());
    let program = Program::new(&[("OTEL_TRACES_SAMPLER", "always_off")]);
    assert!(program.tracer.begin_processing(&event(None)).is_none());
}
