//! Events found through the API: each is the one that a delivery would have brought.

use crate::fixtures::{head, inspect, list, read};
use jiff::Timestamp;
use labelrelay_core::QueueLimits;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_core::from_api::ReconciledEvent;
use labelrelay_core::ledger::{Change, Key};
use labelrelay_core::provider::Provider;
use labelrelay_event::{Data, Envelope, EventType, Origin};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Live<'a> {
    #[serde(borrow, default)]
    annotation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tasks: Option<Vec<&'a RawValue>>,
}

fn source() -> SourceConfig {
    let lookup =
        |name: &str| (name == "LABEL_STUDIO_WEBHOOK_SECRET").then(|| "0123456789abcdef".to_owned());
    let config = Config::from_environment("/".into(), &lookup)
        .unwrap()
        .unwrap();
    config.sources.into_iter().next().unwrap()
}

/// Of each recorded event about one annotation, or one created task: what it is about, and the body.
fn about_one() -> Vec<(String, Vec<u8>, &'static str, Change)> {
    let directory = "label_studio/1.23.2";
    let mut events = Vec::new();
    for name in list(directory, "http") {
        let request = read(&format!("{directory}/{name}"));
        let end = request.windows(4).position(|window| window == b"\r\n\r\n");
        let body = request[end.unwrap() + 4..].to_vec();
        let (kind, change) = match name.split('_').skip(1).take(2).collect::<Vec<_>>()[..] {
            ["ANNOTATION", "CREATED"] => ("annotation", Change::Created),
            ["ANNOTATION", "UPDATED"] => ("annotation", Change::Updated),
            ["TASKS", "CREATED"] => ("task", Change::Created),
            _ => continue,
        };
        events.push((name, body, kind, change));
    }
    events
}

#[test]
fn id_subject_version_and_all_else_are_those_of_the_live_event() {
    let (source, mut compared) = (source(), 0);
    for (name, body, kind, change) in about_one() {
        let live = inspect(Provider::LabelStudio, &head(&[]), &body).description;
        let Ok(parts) = serde_json::from_slice::<Live<'_>>(&body) else {
            continue;
        };
        let tasks = parts.tasks.filter(|tasks| tasks.len() == 1);
        let Some(entity) = parts.annotation.or_else(|| Some(tasks?[0])) else {
            continue;
        };
        let entity = entity.get().as_bytes();
        let found =
            ReconciledEvent::describe(&source, &Key::new(kind, ""), change, entity).unwrap();
        assert_eq!(found.description(), &live, "{name}");

        let now = Timestamp::UNIX_EPOCH;
        let message = found.message(&source, QueueLimits::bytes(u64::MAX), now);
        let envelope = Envelope::decode(&message.body).unwrap();
        let bytes = envelope.data.bytes().unwrap();
        assert_eq!(bytes.as_deref(), Some(entity), "{name}: verbatim");
        // Half of a surrogate pair is not embedded, whichever way it came.
        let is_embedded = matches!(envelope.data, Data::Json(_));
        assert_eq!(is_embedded, !name.contains("lone_surrogate"), "{name}");
        assert!(envelope.matches_digest(entity), "{name}");
        assert_eq!(envelope.attributes.origin, Some(Origin::Reconcile));
        compared += 1;
    }
    assert!(compared > 15, "{compared} events were compared");
}

#[test]
fn a_task_is_created_once_whatever_its_update_time_says() {
    let source = source();
    let task = |change, updated: u32| {
        let entity = format!(
            r#"{{"id":5,"created_at":"2026-11-21T09:00:00Z","updated_at":"2026-11-21T09:00:0{updated}Z"}}"#
        );
        let found =
            ReconciledEvent::describe(&source, &Key::new("task", "7"), change, entity.as_bytes())
                .unwrap();
        (
            found.id().to_owned(),
            found.description().event_type.clone(),
        )
    };
    assert_eq!(task(Change::Created, 1), task(Change::Updated, 2));
}

/// Python writes no fraction where it is zero. Such a version gets an id all the same: that of what it holds, because
/// there may be several within the second.
#[test]
fn a_version_that_says_no_more_than_the_second_is_told_by_what_it_holds() {
    let source = source();
    let id = |result: &str| {
        let entity = format!(
            r#"{{"id":5,"result":["{result}"],"updated_at":"2026-11-21T09:00:00Z","task":7}}"#
        );
        let key = Key::new("annotation", "5");
        let found =
            ReconciledEvent::describe(&source, &key, Change::Updated, entity.as_bytes()).unwrap();
        let description = found.description();
        assert_eq!(description.subject.as_deref(), Some("annotation/5"));
        let sequence = description.sequence.as_deref();
        assert_eq!(sequence, Some("20261121T090000.000000000Z"));
        found.id().to_owned()
    };
    assert_eq!(id("A"), id("A"));
    assert_ne!(id("A"), id("B"));
}

#[test]
fn a_deletion_has_one_id_and_no_version() {
    let source = source();
    let deleted = |entity: &str| {
        let found = ReconciledEvent::describe(
            &source,
            &Key::new("annotation", "5"),
            Change::Deleted,
            entity.as_bytes(),
        );
        let found = found.unwrap();
        (found.id().to_owned(), found.description().clone())
    };
    let (id, description) = deleted(r#"{"id":5,"task":7,"project":1}"#);
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(
        description.event_type,
        EventType::from_static("io.labelstud.annotation.deleted")
    );
    assert_eq!(description.subject, is("annotation/5"));
    assert_eq!(description.partition, is("task/7"));
    assert_eq!(description.project, is("1"));
    assert_eq!(description.sequence, None);
    assert_eq!(
        deleted(r#"{"id":5}"#).0,
        id,
        "however much is still known of it"
    );
    assert_ne!(deleted(r#"{"id":6}"#).0, id);
}

#[test]
fn entities_of_other_kinds_are_not_described() {
    let source = source();
    let describe = |kind: &str, entity: &'static str| {
        ReconciledEvent::describe(
            &source,
            &Key::new(kind, "5"),
            Change::Created,
            entity.as_bytes(),
        )
        .is_some()
    };
    assert!(describe("annotation", r#"{"id":5}"#));
    for entity in [
        "",
        "{",
        "{}",
        "[]",
        "5",
        r#"{"id":5},"task":{"id":6}"#,
        r#"{"id":5}} {"#,
        r#"{"id":null}"#,
    ] {
        assert!(!describe("annotation", entity), "{entity}");
    }
    assert!(!describe("unknown", r#"{"id":5}"#));
}
