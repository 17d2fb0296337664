//! Events that follow from those of Label Studio: the task of a deletion, deletions of annotations that went with
//! others, and tasks that are completed.

mod behind;
mod crash;
mod edge_cases;
mod ledger;
mod pruned;

use crate::support::QueueDir;
use futures_executor::block_on;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_core::derive::Derivation;
use labelrelay_core::from_api::ReconciledEvent;
use labelrelay_core::ledger::Key;
use labelrelay_core::time;
use labelrelay_core::{EventQueue as _, OutboundMessage, Receipt};
use labelrelay_event::{Attributes, DataEncoding, Digest, Envelope, EventType, Origin, encode};
use labelrelay_local::{EmbeddedQueue, Filter, LedgerFigures, Pattern, QueueFile};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);

fn source() -> SourceConfig {
    let lookup =
        |name: &str| (name == "LABEL_STUDIO_WEBHOOK_SECRET").then(|| "0123456789abcdef".to_owned());
    let config = Config::from_environment("/".into(), &lookup).unwrap();
    config.unwrap().sources.remove(0)
}

fn derivation() -> Option<Arc<Derivation>> {
    Derivation::of(&[source()]).map(Arc::new)
}

fn open(queue_dir: &QueueDir) -> EmbeddedQueue {
    queue_dir.open_with(|options| options.derivation = derivation())
}

/// A delivery of this type with an id of its own.
fn event(id: &str, event_type: &'static str, data: &Value) -> OutboundMessage {
    let data = data.to_string();
    let event_type = EventType::from_static(event_type);
    let digest = Digest::of(data.as_bytes());
    let received = "2026-11-21T12:00:00.000000Z";
    let mut attributes = Attributes::new(id, "/label-studio", &event_type, &digest, received);
    attributes.project = Some("1".to_owned());
    let envelope = encode(
        &attributes,
        DataEncoding::Json,
        data.len(),
        [data.as_bytes()],
    );
    OutboundMessage::new(attributes, envelope)
}

fn task_state(task: i64, is_labeled: bool, total: i64) -> Value {
    json!({"id": task, "is_labeled": is_labeled, "overlap": 1, "total_annotations": total, "cancelled_annotations": 0})
}

fn annotation(id: i64, task: i64, second: i64) -> Value {
    let time = format!(
        "2026-11-21T09:{:02}:{:02}.000001Z",
        second / 60,
        second % 60
    );
    json!({"id": id, "task": task, "was_cancelled": false, "updated_at": time})
}

fn created(id: i64, task: i64, total: i64) -> OutboundMessage {
    let body = json!({
        "action": "ANNOTATION_CREATED", "annotation": annotation(id, task, id),
        "project": {"id": 1, "skip_queue": "REQUEUE_FOR_OTHERS"}, "task": task_state(task, true, total),
    });
    event(
        &format!("created {id}"),
        "io.labelstud.annotation.created",
        &body,
    )
}

fn deleted(name: &str, ids: impl IntoIterator<Item = i64>) -> OutboundMessage {
    let ids: Vec<_> = ids.into_iter().map(|id| json!({"id": id})).collect();
    let body = json!({"action": "ANNOTATIONS_DELETED", "annotations": ids, "project": {"id": 1}});
    event(name, "io.labelstud.annotation.deleted", &body)
}

fn tasks_deleted(name: &str, ids: &[i64]) -> OutboundMessage {
    let ids: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
    event(
        name,
        "io.labelstud.task.deleted",
        &json!({"action": "TASKS_DELETED", "tasks": ids}),
    )
}

fn send(queue: &EmbeddedQueue, message: &OutboundMessage) -> Receipt {
    block_on(queue.send(message)).unwrap()
}

/// An event of the file, with its data.
#[derive(Debug)]
struct Stored {
    attributes: Attributes,
    data: Value,
}

fn stored(file: &QueueFile) -> Vec<Stored> {
    let events = file.list(&Filter::default(), usize::MAX).unwrap();
    let envelope = |seq| file.get(seq).unwrap().unwrap().envelope;
    let decoded = |bytes: Vec<u8>| {
        let envelope = Envelope::decode(&bytes).unwrap();
        let data = serde_json::from_slice(&envelope.data.bytes().unwrap().unwrap()).unwrap();
        assert!(envelope.matches_digest(&envelope.data.bytes().unwrap().unwrap()));
        Stored {
            attributes: envelope.attributes,
            data,
        }
    };
    events
        .into_iter()
        .map(|event| decoded(envelope(event.seq)))
        .collect()
}

fn derived(file: &QueueFile, event_type: &str) -> Vec<Stored> {
    let mut stored = stored(file);
    stored.retain(|event| {
        event.attributes.origin == Some(Origin::Derived)
            && event.attributes.event_type == event_type
    });
    stored
}

fn completed(file: &QueueFile) -> Vec<Stored> {
    derived(file, "io.labelstud.task.completed")
}

/// Subjects of the derived deletions.
fn gone(file: &QueueFile) -> Vec<String> {
    let deletions = derived(file, "io.labelstud.annotation.deleted");
    let subjects = deletions
        .into_iter()
        .map(|event| event.attributes.subject.unwrap());
    subjects.collect()
}

fn named_task(file: &QueueFile, id: &str) -> Option<String> {
    let mut stored = stored(file);
    stored.retain(|event| event.attributes.id == id);
    assert_eq!(stored.len(), 1, "{id}");
    stored.remove(0).attributes.task
}

fn ledger(queue: &EmbeddedQueue) -> LedgerFigures {
    queue.ledger().unwrap()
}

/// Tells whether the ledger has taken in all events, as of the writer's last moment of leisure.
fn is_in_step(queue: &EmbeddedQueue) -> bool {
    let ledger = ledger(queue);
    ledger.behind == 0 && ledger.waits.is_none()
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_task_is_completed_once_and_again_after_it_was_reopened() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    let file = queue_dir.file();
    send(&queue, &created(1, 7, 1));
    send(&queue, &created(2, 7, 2));
    assert_eq!(
        completed(&file).len(),
        1,
        "another annotation completes nothing"
    );
    assert!(send(&queue, &created(1, 7, 1)).repeat);

    send(&queue, &deleted("delete 1", [1]));
    send(&queue, &created(3, 7, 2));
    assert_eq!(completed(&file).len(), 1, "it was labelled all the time");
    send(&queue, &deleted("delete 2", [2]));
    send(&queue, &deleted("delete 3", [3]));
    send(&queue, &created(4, 7, 1));
    for id in ["delete 1", "delete 2", "delete 3"] {
        assert_eq!(named_task(&file, id).as_deref(), Some("7"));
    }
    assert_eq!(gone(&file), [""; 0], "one alone has the sender's own event");

    let completed = completed(&file);
    let by: Vec<_> = completed
        .iter()
        .map(|event| event.data["annotation"].clone())
        .collect();
    assert_eq!(by, [1, 4]);
    let first = &completed[0];
    assert_eq!(
        first.data,
        json!({"task": 7, "project": 1, "annotation": 1})
    );
    assert_eq!(first.attributes.subject.as_deref(), Some("task/7"));
    assert_eq!(
        first.attributes.partitionkey.as_deref(),
        Some("label-studio/task/7")
    );
    assert_eq!(first.attributes.sequence, None);
    assert_ne!(first.attributes.id, completed[1].attributes.id);
    drop(queue);
    // An event that is read again changes nothing.
    let queue = open(&queue_dir);
    send(&queue, &deleted("delete 4", [4]));
    assert_eq!(self::completed(&file).len(), 2);
    assert_eq!(named_task(&file, "delete 4").as_deref(), Some("7"));
}

#[test]
fn deliveries_that_overtake_each_other_complete_a_task_once() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    let file = queue_dir.file();
    send(&queue, &created(2, 7, 2));
    let mut first = created(1, 7, 1);
    send(&queue, &first);
    let late = completed(&file);
    assert_eq!(late.len(), 1, "the first completed it, and says so late");
    assert_eq!(late[0].data["annotation"], 1);
    // An import whose delivery was overtaken by the first annotation.
    send(&queue, &created(5, 8, 1));
    let body = json!({"action": "TASKS_CREATED", "tasks": [task_state(8, false, 0)]});
    send(&queue, &event("import", "io.labelstud.task.created", &body));
    send(&queue, &created(6, 8, 2));
    assert_eq!(completed(&file).len(), 2);
    // The deletion of an annotation that overtook its creation.
    send(&queue, &deleted("early", [9]));
    first = created(9, 10, 1);
    send(&queue, &first);
    assert_eq!(named_task(&file, "early"), None);
    assert_eq!(completed(&file).len(), 2, "it is gone");
}

#[test]
fn of_many_that_went_each_is_told_as_a_pull_would() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    let file = queue_dir.file();
    for (id, task) in [(1, 7), (2, 7), (3, 8), (4, 9), (5, 9)] {
        send(&queue, &created(id, task, 1));
    }
    // One of another time is among them.
    send(&queue, &deleted("bulk", [1, 2, 3, 77]));
    assert_eq!(
        gone(&file),
        [
            "annotation/1",
            "annotation/2",
            "annotation/3",
            "annotation/77"
        ]
    );
    assert_eq!(named_task(&file, "bulk"), None, "they are of several tasks");
    send(&queue, &deleted("bulk again", [1, 2, 3]));
    assert!(send(&queue, &deleted("bulk", [1, 2, 3, 77])).repeat);
    assert_eq!(gone(&file).len(), 4);
    send(&queue, &tasks_deleted("tasks", &[8, 9]));
    assert_eq!(gone(&file)[4..], ["annotation/4", "annotation/5"]);
    send(&queue, &tasks_deleted("tasks again", &[8, 9]));
    assert_eq!(gone(&file).len(), 6);

    for event in derived(&file, "io.labelstud.annotation.deleted") {
        let subject = event.attributes.subject.as_deref().unwrap();
        let id = subject.strip_prefix("annotation/").unwrap();
        let (key, data) = (Key::new("annotation", id), event.data.to_string());
        let source = source();
        // Of 77, no version is known.
        let number: i64 = id.parse().unwrap();
        let newest = annotation(number, 1, number)["updated_at"].clone();
        let newest = time::parse(newest.as_str().unwrap()).map(time::sequence);
        let newest = newest.filter(|_| number != 77);
        let pulled = ReconciledEvent::deletion(&source, &key, newest.as_deref(), data.as_bytes());
        assert_eq!(event.attributes.id, pulled.unwrap().id());
        assert!(event.attributes.is_tombstone());
    }
    let last = derived(&file, "io.labelstud.annotation.deleted")
        .pop()
        .unwrap();
    assert_eq!(last.data, json!({"id": 5, "task": 9, "project": 1}));
    assert_eq!(last.attributes.task.as_deref(), Some("9"));
    assert_eq!(
        last.attributes.partitionkey.as_deref(),
        Some("label-studio/task/9")
    );
}

#[test]
fn many_at_once_are_told_in_parts_and_survive_the_end_of_the_process() {
    const MANY: i64 = 4000;
    let queue_dir = QueueDir::new();
    let file = {
        let queue = open(&queue_dir);
        let there: Vec<_> = (1..=MANY)
            .map(|id| annotation(id, 1 + id % 10, 1))
            .collect();
        let body = json!({"action": "ANNOTATIONS_CREATED", "annotation": there});
        send(
            &queue,
            &event("many", "io.labelstud.annotation.created", &body),
        );
        send(&queue, &deleted("none of them stays", 1..=MANY));
        send(&queue, &tasks_deleted("nor do their tasks", &[1, 2, 3]));
        queue_dir.file()
    };
    // Opened and ended again and again.
    let deletions = Filter {
        event_type: Some(Pattern::is("io.labelstud.annotation.deleted")),
        ..Filter::default()
    };
    let told = || file.list(&deletions, usize::MAX).unwrap().len();
    let all = 1 + usize::try_from(MANY).unwrap();
    while told() < all {
        let queue = open(&queue_dir);
        let had = told();
        until("more was told", || told() > had);
        drop(queue);
    }
    let queue = open(&queue_dir);
    send(&queue, &deleted("the last word", [MANY]));
    let told = gone(&file);
    let each: BTreeSet<_> = told.iter().collect();
    assert_eq!((told.len(), each.len()), (4000, 4000));
    assert_eq!(completed(&file).len(), 10);
}

#[test]
fn annotations_made_of_predictions_complete_what_they_found_open() {
    let queue_dir = QueueDir::new();
    let queue = open(&queue_dir);
    // Label Studio sends it before it counts.
    let body = json!({
        "action": "ANNOTATIONS_CREATED", "annotation": [annotation(1, 7, 1), annotation(2, 8, 1)],
        "task": [task_state(7, true, 1), task_state(8, false, 0)], "project": {"id": 1},
    });
    send(
        &queue,
        &event("bulk", "io.labelstud.annotation.created", &body),
    );
    // An import that brought an annotation of which nothing tells the id.
    let body =
        json!({"action": "TASKS_CREATED", "tasks": [task_state(9, true, 1)], "project": {"id": 1}});
    send(&queue, &event("import", "io.labelstud.task.created", &body));
    let file = queue_dir.file();
    let subjects: Vec<_> = completed(&file)
        .into_iter()
        .map(|event| event.attributes.subject.unwrap())
        .collect();
    assert_eq!(subjects, ["task/8", "task/9"]);
    // With it, the task stays labelled.
    send(&queue, &created(3, 9, 2));
    send(&queue, &deleted("delete 3", [3]));
    send(&queue, &created(4, 9, 2));
    assert_eq!(completed(&file).len(), 2);
}
