//! A span is compared with the texts of its task, as far as the event is worth comparisons.

use labelrelay_event::changes::{Change, Record, Shape};
use labelrelay_event::{Attributes, Digest, Event, EventType};
use serde_json::{Value, json};

fn verified(body: &Value) -> Vec<Option<bool>> {
    let body = body.to_string();
    let event_type = EventType::from_static("io.labelstud.annotation.created");
    let digest = Digest::of(body.as_bytes());
    let attributes = Attributes::new("e1", "/ls", &event_type, &digest, "2026-11-20T08:00:00Z");
    let changes = Event::of(attributes, body.into_bytes()).changes().unwrap();
    let regions = changes.iter().flat_map(|one| {
        let Change::Changed(there) = one else {
            panic!("an annotation that is there")
        };
        let Some(Record::Annotation(annotation)) = there.record.as_deref() else {
            panic!("an annotation with its result")
        };
        annotation.regions.clone()
    });
    let spans = regions.map(|region| match region.shape {
        Shape::Span(span) => span.verified,
        other => panic!("{other:?}"),
    });
    spans.collect()
}

/// A thousand texts, of which a span of these tests is in one.
fn texts() -> serde_json::Map<String, Value> {
    let mut data: serde_json::Map<_, _> = (1..1_000)
        .map(|number| (number.to_string(), json!("y")))
        .collect();
    data.insert("text".to_owned(), json!("x".repeat(20_000)));
    data
}

fn span(length: usize) -> Value {
    json!({"type": "labels", "value": {"start": 0, "end": length, "text": "x".repeat(length)}})
}

#[test]
fn spans_times_texts_have_an_end() {
    // Of 10,000,000 comparisons the first would take more, the second takes all, and nothing is left for another.
    let first = json!({"id": 1, "result": [span(10_000), span(9_999), span(1)]});
    let second = json!({"id": 2, "result": [span(1)]});
    let body = json!({"annotations": [first, second], "task": {"id": 7, "data": texts()}});
    assert_eq!(verified(&body), [None, Some(true), None, None]);
}

/// Red if a span that is looked at once more, since another item has its id, is compared at the event's cost twice.
#[test]
fn a_span_with_an_answer_beside_it_is_compared_once() {
    let mut marked = span(5_999); // more than half of what the event is worth
    marked["id"] = json!("a");
    let answer = json!({"id": "a", "type": "choices", "value": {"choices": ["x"]}});
    let annotation = json!({"id": 1, "result": [marked, answer]});
    let body = json!({"annotations": [annotation], "task": {"id": 7, "data": texts()}});
    assert_eq!(verified(&body), [Some(true)]);
}
