//! Batches of SQS.

use crate::bodies::annotated;
use crate::claims::OneObject;
use crate::rules::Seen;
use aws_lambda_events::sqs::SqsEvent;
use labelrelay_consumer::{Consumer, Failure, Incoming, MemoryState};
use labelrelay_event::S3Pointer;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const LEFT: Duration = Duration::from_secs(30);

fn record(id: &str, body: &[u8], queue: &str, group: Option<&str>) -> Value {
    let mut attributes = json!({"ApproximateReceiveCount": "1"});
    if let Some(group) = group {
        attributes["MessageGroupId"] = json!(group);
    }
    json!({
        "messageId": id,
        "receiptHandle": "handle",
        "body": String::from_utf8(body.to_vec()).unwrap(),
        "attributes": attributes,
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:eu-central-1:123456789012:{queue}"),
        "awsRegion": "eu-central-1",
    })
}

fn batch(records: &[Value]) -> SqsEvent {
    serde_json::from_value(json!({"Records": records})).unwrap()
}

/// Fails for the annotation 5.
fn consumer(seen: &Seen) -> Consumer {
    let seen = seen.clone();
    Consumer::new(MemoryState::new()).on_all(move |incoming: Incoming| {
        seen.note(&incoming);
        async move {
            match &*incoming.key().id {
                "5" => Err(Failure::reject("no use for it")),
                "9" => std::future::pending().await,
                _ => Ok(()),
            }
        }
    })
}

async fn failed(consumer: &Consumer, records: Vec<Value>, left: Duration) -> Vec<String> {
    let answer = consumer.answer_sqs(batch(&records), left).await;
    let failed = answer.batch_item_failures.into_iter();
    failed.map(|one| one.item_identifier).collect()
}

#[tokio::test(start_paused = true)]
async fn those_that_failed_are_named_and_no_other() {
    let seen = Seen::default();
    let consumer = consumer(&seen);
    let records = vec![
        record("m1", &annotated("a", 4, 20), "events", None),
        record("m2", &annotated("b", 5, 20), "events", Some("group")),
        record("m3", b"nonsense", "events", None),
        // A group of a standard queue has no order.
        record("m4", &annotated("d", 6, 20), "events", Some("group")),
    ];
    assert_eq!(failed(&consumer, records, LEFT).await, ["m2", "m3"]);
    assert_eq!(seen.lines().len(), 3);
    let stats = consumer.stats();
    assert_eq!(
        (stats.acknowledged, stats.retried, stats.unreadable),
        (2, 2, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_pointer_of_an_extended_client_is_followed() {
    let seen = Seen::default();
    let whole = annotated("a", 4, 20);
    let size = whole.len();
    let consumer = consumer(&seen).blob_store(Arc::new(OneObject(whole.into())));
    let pointer = S3Pointer::new("bucket", "claims/1").to_string();
    let mut records = ["m1", "m2"].map(|id| record(id, pointer.as_bytes(), "events", None));
    for (record, size) in records.iter_mut().zip([size, size + 1]) {
        record["messageAttributes"] = json!({
            "ExtendedPayloadSize": { "dataType": "Number", "stringValue": size.to_string() },
        });
    }
    let answer = failed(&consumer, records.into(), LEFT).await;
    assert_eq!(answer, ["m2"]);
    assert_eq!(seen.lines().len(), 1);
    assert_eq!(consumer.stats().unreadable, 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_overtakes_what_failed_in_its_group() {
    let seen = Seen::default();
    let consumer = consumer(&seen);
    let records = vec![
        record("m1", &annotated("a", 5, 20), "events.fifo", Some("one")),
        record("m2", &annotated("b", 6, 20), "events.fifo", Some("other")),
        record("m3", &annotated("c", 7, 20), "events.fifo", Some("one")),
    ];
    assert_eq!(failed(&consumer, records, LEFT).await, ["m1", "m3"]);
    assert_eq!(seen.lines(), ["annotation/5 0020", "annotation/6 0020"]);
}

/// Red if a time that no clock has is a panic.
#[tokio::test(start_paused = true)]
async fn any_time_may_be_left() {
    let seen = Seen::default();
    let records = vec![record("m1", &annotated("a", 4, 20), "events", None)];
    let failed = failed(&consumer(&seen), records, Duration::MAX).await;
    assert!(failed.is_empty());
    assert_eq!(seen.lines(), ["annotation/4 0020"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_without_time_left_comes_again() {
    let seen = Seen::default();
    let consumer = consumer(&seen);
    let records = vec![
        record("m1", &annotated("a", 9, 20), "events", None),
        record("m2", &annotated("b", 6, 20), "events", None),
    ];
    assert_eq!(failed(&consumer, records, LEFT).await, ["m1", "m2"]);
    assert_eq!(seen.lines(), ["annotation/9 0020"]);
}

/// Another instance has it, or had it when it crashed.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_thing_that_is_busy_keeps_no_other_message_waiting() {
    use labelrelay_consumer::{SqliteState, State as _};
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("seen.db");
    let other = SqliteState::open(&path).unwrap();
    let busy = labelrelay_event::changes::Key::new(
        "/label-studio",
        labelrelay_event::changes::Kind::Annotation,
        "4",
    );
    other.enter(&busy, &[], LEFT, true).await.unwrap();
    let consumer = Consumer::new(SqliteState::open(&path).unwrap()).on_all(|_| async { Ok(()) });
    let records = vec![
        record("m1", &annotated("a", 4, 20), "events", None),
        record("m2", &annotated("b", 6, 20), "events", None),
    ];
    let failed = failed(&consumer, records, Duration::from_millis(1500)).await;
    assert_eq!(failed, ["m1"]);
}
