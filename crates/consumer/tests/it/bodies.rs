//! Events of Label Studio, made for a test.

use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};

/// An event with an id of its own. Bodies are JSON.
pub(crate) fn event(id: &str, kind: &str, body: &str) -> Vec<u8> {
    changed(id, kind, body, |_| {})
}

/// The same with other attributes.
pub(crate) fn changed(
    id: &str,
    kind: &str,
    body: &str,
    change: impl FnOnce(&mut Attributes),
) -> Vec<u8> {
    let kind: EventType = format!("io.labelstud.{kind}").parse().unwrap();
    let digest = Digest::of(body.as_bytes());
    let mut attributes = Attributes::new(id, "/label-studio", &kind, &digest, received(50));
    change(&mut attributes);
    encode(
        &attributes,
        DataEncoding::Json,
        body.len(),
        [body.as_bytes()],
    )
}

/// A time of the day, in seconds.
pub(crate) fn received(second: u32) -> String {
    format!(
        "2026-11-28T00:{:02}:{:02}.000001Z",
        second / 60,
        second % 60
    )
}

/// An annotation of task 7, which is of project 1.
pub(crate) fn annotation(id: u32, second: u32) -> String {
    let updated = received(second);
    format!(
        r#"{{"action":"ANNOTATION_UPDATED","annotation":{{"id":{id},"task":7,"updated_at":"{updated}","result":[]}},"task":{{"id":7}},"project":{{"id":1}}}}"#
    )
}

/// The event that an annotation is there in the version of that second.
pub(crate) fn annotated(event_id: &str, id: u32, second: u32) -> Vec<u8> {
    event(event_id, "annotation.updated", &annotation(id, second))
}

/// The event that a task is gone, as it was received in that second.
pub(crate) fn task_deleted(event_id: &str, task: u32, second: u32) -> Vec<u8> {
    let body =
        format!(r#"{{"action":"TASKS_DELETED","tasks":[{{"id":{task}}}],"project":{{"id":1}}}}"#);
    changed(event_id, "task.deleted", &body, |attributes| {
        attributes.receivedtime = received(second);
    })
}
