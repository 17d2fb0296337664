use super::*;
use crate::{Digest, EventType, Origin};

fn read(urn: &str, origin: Option<Origin>, body: &str) -> Result<Payload, PayloadError> {
    let event_type = EventType::from_static("io.labelstud.annotation.updated");
    let digest = Digest::of(body.as_bytes());
    let mut attributes = Attributes::new("e1", "/x", &event_type, &digest, "2026-01-01T00:00:00Z");
    attributes.dataschema = Some(urn.to_owned());
    attributes.origin = origin;
    Payload::read(&attributes, body.as_bytes())
}

fn annotations(body: &str) -> label_studio::AnnotationEvent {
    let urn = DataSchema::LabelStudioAnnotation.urn();
    match read(urn, None, body) {
        Ok(Payload::Annotations(event)) => event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_and_several_things_are_read_under_each_of_their_names() {
    for (body, ids) in [
        (r#"{"annotation":{"id":1}}"#, "1"),
        (r#"{"annotation":[{"id":1},{"id":2}]}"#, "1 2"),
        (r#"{"annotations":[{"id":1},{"id":2}]}"#, "1 2"),
        (r#"{"annotations":[]}"#, ""),
        (r#"{"action":"ANNOTATION_CREATED"}"#, ""),
    ] {
        let event = annotations(body);
        let found: Vec<_> = event
            .all()
            .map(|one| one.id.as_ref().unwrap().as_str())
            .collect();
        assert_eq!(found.join(" "), ids, "{body}");
    }
}

#[test]
fn an_odd_member_keeps_nobody_from_the_others() {
    let event = annotations(
        r#"{"action":7,"annotation":{"id":1,"lead_time":"soon","updated_at":null,"result":{"not":"a list"},"was_cancelled":true}}"#,
    );
    assert_eq!(event.action, None);
    let one = event.all().next().unwrap();
    assert_eq!(
        (one.lead_time, &one.updated_at, &one.result),
        (None, &None, &None)
    );
    assert_eq!(one.was_cancelled, Some(true));
}

#[test]
fn an_id_is_never_rounded() {
    let long = "9".repeat(400);
    let event = annotations(&format!(r#"{{"annotation":{{"id":{long}}}}}"#));
    assert_eq!(
        event.all().next().unwrap().id.as_ref().unwrap().as_str(),
        long
    );
    // A fraction is no id.
    assert_eq!(
        annotations(r#"{"annotation":{"id":1.5}}"#)
            .all()
            .next()
            .unwrap()
            .id,
        None
    );
}

#[test]
fn user_labels_keep_their_form() {
    let body = r#"{"annotation":{"id":1,"result":[{"id":"a","type":"rectanglelabels","value":{"x": 1.50}}]}}"#;
    let event = annotations(body);
    let result = event.all().next().unwrap().result.as_ref().unwrap();
    assert_eq!(result[0].value.as_ref().unwrap().get(), r#"{"x": 1.50}"#);
}

#[test]
fn a_fetched_event_is_the_thing_itself() {
    let urn = DataSchema::LabelStudioAnnotation.urn();
    let read = read(
        urn,
        Some(Origin::Reconcile),
        r#"{"id":5,"task":7,"project":1}"#,
    );
    let Ok(Payload::Annotation(annotation)) = read else {
        panic!("{read:?}");
    };
    assert_eq!(annotation.task.unwrap().as_str(), "7");
}

#[test]
fn each_error_names_the_event_and_the_cause() {
    let urn = DataSchema::LabelboxLabel.urn();
    for (result, cause) in [
        (read("urn:x", None, "{}"), "urn:x"),
        (read(urn, None, "[]"), "not of the shape"),
        (read(urn, None, r#"{"id":"#), "not of the shape"),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.event_id(), "e1");
        let text = error.to_string();
        assert!(
            text.starts_with("event e1: ") && text.contains(cause),
            "{text}"
        );
    }
}

#[test]
fn names_of_shapes_differ() {
    for schema in DataSchema::ALL {
        assert_eq!(DataSchema::of(schema.urn()), Some(schema));
    }
}
