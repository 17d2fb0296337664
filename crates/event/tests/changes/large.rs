//! Bodies that are deep, or large.

use labelrelay_event::changes::{Change, Record};
use labelrelay_event::{Attributes, Digest, ErrorKind, Event, EventType};

fn event(body: String) -> Event<'static> {
    event_of("io.labelstud.task.created", body)
}

fn event_of(event_type: &'static str, body: String) -> Event<'static> {
    let event_type = EventType::from_static(event_type);
    let digest = Digest::of(body.as_bytes());
    let attributes = Attributes::new("e1", "/ls", &event_type, &digest, "2026-11-20T08:00:00Z");
    Event::of(attributes, body.into_bytes())
}

fn nested(levels: usize) -> String {
    let inner = format!("{}{}", "[".repeat(levels - 3), "]".repeat(levels - 3));
    format!(r#"{{"task": {{"id": 7, "data": {{"[": "\"[\\", "a": {inner}}}}}}}"#)
}

#[test]
fn deep_bodies_need_no_stack() {
    let read = || {
        let changes = event(nested(500)).changes().unwrap();
        let Change::Changed(task) = &changes[0] else {
            panic!("a task that is there")
        };
        let Some(Record::Task(record)) = task.record.as_deref() else {
            panic!("a task with data")
        };
        assert!(record.data.get().contains(&"[".repeat(497)));
        for levels in [501, 1_000, 1_000_000] {
            let error = event(nested(levels)).changes().unwrap_err();
            assert_eq!(
                (error.kind(), error.event_id()),
                (ErrorKind::TooDeep, Some("e1"))
            );
        }
        let head = r#"{"specversion":"1.0","id":"1","source":"/x","type":"io.labelstud.task.created","x":"#;
        let message = format!("{head}{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let error = Event::parse(message.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedEnvelope);
    };
    let thread = std::thread::Builder::new().stack_size(128 * 1024);
    thread.spawn(read).unwrap().join().unwrap();
}

#[test]
fn fifty_megabytes_are_read() {
    let text = "x".repeat(480);
    let things = (1..=100_000).map(|id| format!(r#"{{"id": {id}, "data": {{"text": "{text}"}}}}"#));
    let things: Vec<_> = things.collect();
    let body = format!(
        r#"{{"action": "TASKS_CREATED", "tasks": [{}]}}"#,
        things.join(",")
    );
    assert!(body.len() > 50_000_000);
    let changes = event(body).changes().unwrap();
    assert_eq!(changes.len(), 100_000);
    assert_eq!(changes[99_999].key().id, "100000");
}

#[test]
fn answers_far_below_others_hold_no_long_lists() {
    let levels = 150;
    let above = r#"{"name":"q","answer":{"name":"a","classifications":["#.repeat(levels);
    let asked = r#"{"name":"q","answer":{"name":"a","classifications":[{}]}},"#.repeat(50_000);
    let annotations = format!(
        r#"{{"classifications":[{above}{asked}{{}}{}]}}"#,
        "]}}".repeat(levels)
    );
    let body = format!(
        r#"{{"data_row":{{"id":"r"}},"projects":{{"p":{{"labels":[{{"id":"l","annotations":{annotations}}}]}}}}}}"#
    );
    let event = event_of("com.labelbox.label.created", body);
    let changes = event.changes().unwrap();
    let Change::Changed(label) = &changes[0] else {
        panic!("a label that is there")
    };
    let Some(Record::Annotation(annotation)) = label.record.as_deref() else {
        panic!("a label with annotations")
    };
    let answers = &annotation.classifications;
    assert_eq!((answers.len(), annotation.regions.len()), (17, 1));
    assert_eq!(answers[16].parent.len(), 32);
    // Nothing is lost: what is not read is in the question that stands above all of it.
    assert!(annotation.regions[0].raw.get().contains(&asked));
}
