//! Each fault has a kind of its own, and names the event where its id could be read.

use crate::fixtures::read;
use labelrelay_event::{ErrorKind, Event, EventError};

fn error_of(message: &[u8]) -> EventError {
    match Event::parse(message) {
        Ok(event) => event.changes().expect_err("an error"),
        Err(error) => error,
    }
}

/// The same as the test of the package in Python.
#[test]
fn a_pointer_to_an_envelope_is_told_from_what_is_none() {
    let error = Event::parse(
        br#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"bucket","s3Key":"claims/1"}]"#,
    )
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EnvelopeClaimed);
    assert_eq!(
        error.reason(),
        "the envelope is at s3://bucket/claims/1: fetch it, and read that"
    );
    assert_eq!(error.event_id(), None);
    let error =
        Event::parse(br#"["java.lang.Object",{"s3BucketName":"b","s3Key":"k"}]"#).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedEnvelope);
}

#[test]
fn a_fault_has_its_own_error() {
    use ErrorKind::{
        BodyClaimed, LaterEnvelope, MalformedEnvelope, NotJson, PayloadMissing, TooDeep,
        UnknownPayload,
    };
    for (name, kind, reason) in [
        ("later_specversion", LaterEnvelope, "specversion is \"1.1\""),
        ("later_typefrom", LaterEnvelope, "typefrom is \"dream\""),
        ("later_origin", LaterEnvelope, "origin is \"dreamt\""),
        (
            "later_schema",
            UnknownPayload,
            "the shape urn:labelrelay:schema:label-studio-annotation:2",
        ),
        (
            "later_type",
            UnknownPayload,
            "the type io.labelstud.annotation.archived",
        ),
        (
            "ls_claimed",
            BodyClaimed,
            "its body is at file:///var/claims/events/2026/11/body",
        ),
        ("ls_edge_not_utf8", NotJson, "it is not UTF-8"),
        ("ls_edge_not_a_number", NotJson, "a value is missing"),
        ("ls_nested_501", TooDeep, "deeper than 500 levels"),
        ("ls_no_payload", PayloadMissing, "switch on Send payload"),
        ("ls_task_without_id", UnknownPayload, "a task without an id"),
        ("lb_unrecognized", UnknownPayload, "it was verified"),
        (
            "malformed_data_twice",
            MalformedEnvelope,
            "it has data twice",
        ),
        (
            "malformed_both_data",
            MalformedEnvelope,
            "exclude each other",
        ),
        (
            "malformed_no_data",
            MalformedEnvelope,
            "neither data, data_base64 nor dataref",
        ),
        (
            "malformed_base64",
            MalformedEnvelope,
            "data_base64 is not base64",
        ),
        (
            "malformed_id_of_other_type",
            MalformedEnvelope,
            "the attribute id is no text",
        ),
        (
            "malformed_no_id",
            MalformedEnvelope,
            "the attribute id is missing",
        ),
        ("malformed_cut", MalformedEnvelope, "it is no JSON object"),
        ("malformed_more", MalformedEnvelope, "something follows"),
        (
            "malformed_not_a_number",
            MalformedEnvelope,
            "a value is missing",
        ),
    ] {
        let error = error_of(&read(&format!("{name}.json")));
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains(reason), "{name}: {error}");
        let has_id = !name.starts_with("malformed_id") && !name.starts_with("malformed_no_id");
        let has_id = has_id
            && !["malformed_cut", "malformed_more", "malformed_not_a_number"].contains(&name);
        assert_eq!(error.event_id().is_some(), has_id, "{name}");
    }
}

#[test]
fn of_an_event_that_cannot_be_decided_the_rest_can_be_read() {
    let message = read("later_origin.json");
    let event = Event::parse(&message).unwrap();
    assert!(event.verify().is_ok() && !event.raw().unwrap().is_empty());
    assert_eq!(
        event.payload().unwrap_err().kind(),
        ErrorKind::LaterEnvelope
    );
    let claimed = read("ls_claimed.json");
    let claimed = Event::parse(&claimed).unwrap();
    assert_eq!(claimed.raw().unwrap_err().kind(), ErrorKind::BodyClaimed);
    let other = claimed.with_body(&b"{}"[..]);
    assert_eq!(other.unwrap_err().kind(), ErrorKind::DigestMismatch);
}

#[test]
fn a_payload_that_is_no_json_is_told_as_what_it_is() {
    for (name, kind) in [
        ("ls_edge_not_utf8", ErrorKind::NotJson),
        ("ls_edge_not_a_number", ErrorKind::NotJson),
        ("later_schema", ErrorKind::UnknownPayload),
        ("ls_claimed", ErrorKind::BodyClaimed),
    ] {
        let message = read(&format!("{name}.json"));
        let event = Event::parse(&message).unwrap();
        let error = event.payload().unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.event_id().is_some(), "{name}");
    }
}

#[test]
fn bodies_and_tokens_are_not_printed() {
    let message = read("ls_project_created.json");
    let event = Event::parse(&message).unwrap();
    let body: serde_json::Value = serde_json::from_slice(event.raw().unwrap()).unwrap();
    let token = body["project"]["token"].as_str().unwrap();
    let printed = format!("{event:?} {:?}", event.changes().unwrap());
    assert!(!token.is_empty() && !printed.contains(token));
}
