//! The queue suite, and what is Pub/Sub's own, against Google's emulator.
//!
//! It enforces no limits, so that those show only in what we refuse before it sees anything; and it knows no
//! permissions.

use crate::setup::{Consumer, google};
use labelrelay_core::{EventQueue, OutboundMessage, QueueErrorKind};
use labelrelay_google::{MAX_REQUEST_BYTES, PubSubQueue};
use labelrelay_testkit::queue_suite as suite;
use labelrelay_tests::servers::PubSub;
use serde_json::json;
use std::sync::Arc;

fn fresh<'a>(server: &'a PubSub, name: &str, query: &str) -> (PubSubQueue, Consumer<'a>) {
    let url = server.topic(name);
    let queue = google(&server.environment())
        .queue(&format!("{url}{query}"))
        .expect("a topic's URL");
    let subscription = name.to_owned();
    (
        queue,
        Consumer {
            server,
            subscription,
        },
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn conforms() {
    let server = PubSub::start();
    let (queue, consumer) = fresh(&server, "bytes", "");
    suite::bytes_come_back_as_they_went_in(&queue, &consumer).await;
    let (queue, consumer) = fresh(&server, "limit", "");
    queue.check().await.expect("the topic is there");
    assert_eq!(queue.limits().max_message_bytes, MAX_REQUEST_BYTES);
    suite::the_limit_is_where_it_says(&queue, &consumer).await;
    let (queue, consumer) = fresh(&server, "distinct", "");
    suite::distinct_ids_are_never_merged(&queue, &consumer).await;
    suite::a_b_a_is_three_messages(&queue, &consumer).await;
    let (queue, consumer) = fresh(&server, "concurrent", "");
    suite::concurrent_sends_all_arrive_once(&queue, &consumer).await;
    let (queue, consumer) = fresh(&server, "shared", "");
    suite::receivers_share_nothing(&queue, &[&consumer, &consumer]).await;
    let (queue, consumer) = fresh(&server, "ordered-bytes", "?ordering=partition");
    suite::bytes_come_back_as_they_went_in(&queue, &consumer).await;
    let (queue, consumer) = fresh(&server, "ordered-limit", "?ordering=partition");
    suite::the_limit_is_where_it_says(&queue, &consumer).await;
    let (queue, consumer) = fresh(&server, "ordered-concurrent", "?ordering=partition");
    suite::concurrent_sends_all_arrive_once(&queue, &consumer).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn order_is_kept_where_it_is_asked_for() {
    let server = PubSub::start();
    let url = server.topic_with("ordered", &json!({ "enableMessageOrdering": true }));
    let google = google(&server.environment());
    let queue = google.queue(&format!("{url}?ordering=partition")).unwrap();
    let subscription = "ordered".to_owned();
    let consumer = Consumer {
        server: &server,
        subscription,
    };
    suite::order_is_kept(&queue, &consumer).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn attributes_and_ordering_keys_stand_beside_the_data() {
    let server = PubSub::start();
    let mut message = suite::message("beside", b"{}");
    Arc::make_mut(&mut message.attributes).partitionkey = Some("labelbox/data_row/1".to_owned());
    for (name, query, key) in [
        ("plain", "", ""),
        ("keys", "?ordering=partition", "labelbox/data_row/1"),
    ] {
        let (queue, _) = fresh(&server, name, query);
        let receipt = queue.send(&message).await.expect("taken");
        assert!(receipt.message_id.is_some_and(|id| !id.is_empty()));
        let got = server.drain(name);
        assert_eq!(got.len(), 1);
        assert_eq!(got[0].data, message.body);
        assert_eq!(got[0].ordering_key, key);
        let beside: Vec<_> = got[0]
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let expected = [
            ("id", "beside"),
            ("source", "/labelbox"),
            ("subject", "label/6"),
            ("type", "com.labelbox.label.created"),
        ];
        assert_eq!(beside, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn a_check_leaves_nothing_behind_and_names_a_missing_topic() {
    let server = PubSub::start();
    let (queue, _) = fresh(&server, "checked", "");
    for _ in 0..3 {
        queue.check().await.expect("the topic is there");
    }
    assert!(server.drain("checked").is_empty(), "no message for a check");
    let google = google(&server.environment());
    let missing = google.queue("pubsub://labelrelay-test/nowhere").unwrap();
    let message = suite::message("lost", b"1");
    for error in [
        missing.check().await.expect_err("missing"),
        missing.send(&message).await.map(drop).expect_err("missing"),
    ] {
        assert_eq!(
            (error.kind, error.retryable),
            (QueueErrorKind::Misconfigured, false),
            "{error}"
        );
        assert!(
            error
                .message
                .contains("projects/labelrelay-test/topics/nowhere"),
            "{error}"
        );
    }
}

/// A subscription with a dead-letter topic moves an event that nobody acknowledges.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
async fn dead_letters_after_so_many_deliveries() {
    const ATTEMPTS: u32 = 5;
    let server = PubSub::start();
    server.topic("dead");
    let policy = json!({ "deadLetterTopic": "projects/labelrelay-test/topics/dead", "maxDeliveryAttempts": ATTEMPTS });
    let url = server.topic_with("alive", &json!({ "deadLetterPolicy": policy }));
    let queue = google(&server.environment()).queue(&url).unwrap();
    let poison: OutboundMessage = suite::message("poison", b"1");
    queue.send(&poison).await.expect("taken");
    for attempt in 1..=ATTEMPTS {
        let got = server.pull("alive", 10);
        assert_eq!(
            got.iter()
                .map(|message| message.attempt)
                .collect::<Vec<_>>(),
            [attempt]
        );
        server.lend("alive", &[&got[0].ack_id], 0);
    }
    assert!(server.pull("alive", 10).is_empty());
    let dead = server.drain("dead");
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].data, poison.body);
    queue
        .send(&suite::message("sound", b"2"))
        .await
        .expect("taken");
    assert_eq!(server.drain("alive").len(), 1, "and it blocks nothing");
}
