//! Storage Queue, on Azurite.

use crate::setup::{azure, queue};
use labelrelay_core::{BoxFuture, QueueErrorKind};
use labelrelay_testkit::queue_suite::{self as suite, Reader, Received, message};
use labelrelay_tests::azure::sas::{ACCOUNT, allowing};
use labelrelay_tests::servers::Azurite;
use std::time::Duration;

const QUEUE: &str = "events";

struct Consumer<'a>(&'a Azurite);

impl Reader for Consumer<'_> {
    fn receive(&self, max: usize, visibility: Duration) -> BoxFuture<'_, Vec<Received>> {
        let got = self.0.receive(QUEUE, max, visibility.as_secs()).into_iter();
        let got = got.map(|message| Received {
            body: message.body,
            receive_count: message.receive_count,
            receipt: format!("{} {}", message.id, message.receipt),
        });
        let got = got.collect();
        Box::pin(async { got })
    }

    fn acknowledge<'a>(&'a self, receipt: &'a str) -> BoxFuture<'a, bool> {
        let (id, receipt) = receipt.split_once(' ').unwrap();
        let good = self.0.delete(QUEUE, id, receipt);
        Box::pin(async move { good })
    }
}

fn azurite() -> Azurite {
    let azurite = Azurite::start();
    azurite.make_queue(QUEUE);
    azurite
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Azurite: cargo xtask test"]
async fn it_passes_the_conformance_suite() {
    let azurite = azurite();
    let queue = queue(&azurite.queue_url(QUEUE));
    let reader = Consumer(&azurite);
    queue.check().await.unwrap();
    suite::bytes_come_back_as_they_went_in(&*queue, &reader).await;
    suite::the_limit_is_where_it_says(&*queue, &reader).await;
    suite::distinct_ids_are_never_merged(&*queue, &reader).await;
    suite::a_b_a_is_three_messages(&*queue, &reader).await;
    suite::concurrent_sends_all_arrive_once(&*queue, &reader).await;
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask test"]
async fn messages_stay_until_they_are_deleted() {
    let azurite = azurite();
    let never = queue(&azurite.queue_url(QUEUE));
    never.send(&message("stays", b"{}")).await.unwrap();
    let url = format!("{}&ttl_s=60", azurite.queue_url(QUEUE));
    queue(&url).send(&message("goes", b"{}")).await.unwrap();
    let got = azurite.drain(QUEUE);
    let ends: Vec<_> = got
        .iter()
        .map(|message| message.expires.contains("9999"))
        .collect();
    assert_eq!(ends, [true, false], "{got:?}");
}

/// Storage Queue has no dead letters: the count tells a consumer to move a message away.
#[tokio::test]
#[ignore = "needs Azurite: cargo xtask test"]
async fn a_message_that_is_never_deleted_comes_again_and_counts() {
    let azurite = azurite();
    let queue = queue(&azurite.queue_url(QUEUE));
    queue.send(&message("poison", b"{}")).await.unwrap();
    for time in 1..=3 {
        let got = labelrelay_tests::relay::eventually("it is visible again", || {
            Some(azurite.receive(QUEUE, 1, 1)).filter(|got| !got.is_empty())
        });
        assert_eq!(got[0].receive_count, time);
    }
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask test"]
async fn a_wrong_setting_is_named_and_no_signature_shown() {
    let azurite = azurite();
    let other = |permissions| {
        format!(
            "http://{}/{ACCOUNT}/{QUEUE}?{}",
            azurite.queues,
            allowing(permissions)
        )
    };
    let missing = queue(&azurite.queue_url("missing"));
    let cases = [
        (
            missing.check().await.unwrap_err(),
            QueueErrorKind::Misconfigured,
            "`missing`",
        ),
        (
            missing.send(&message("1", b"{}")).await.unwrap_err(),
            QueueErrorKind::Misconfigured,
            "does not exist",
        ),
        (
            queue(&other("r"))
                .send(&message("1", b"{}"))
                .await
                .unwrap_err(),
            QueueErrorKind::Denied,
            "`Storage Queue Data Message Sender`",
        ),
        (
            queue(&format!("{}x", azurite.queue_url(QUEUE)))
                .check()
                .await
                .unwrap_err(),
            QueueErrorKind::Denied,
            "`events`",
        ),
    ];
    for (error, kind, part) in cases {
        assert_eq!(error.kind, kind, "{error}");
        assert!(!error.retryable, "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(!format!("{error:?}").contains("sig="), "{error:?}");
    }
    // Permission to add is enough for the check and for a send.
    let adds = queue(&other("a"));
    adds.check().await.unwrap();
    adds.send(&message("1", b"{}")).await.unwrap();
    assert_eq!(azurite.drain(QUEUE).len(), 1);
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask test"]
async fn a_connection_string_names_the_queue_too() {
    let azurite = azurite();
    let azure = azure(&[(
        "AZURE_STORAGE_CONNECTION_STRING",
        azurite.connection_string(),
    )]);
    let url = format!("azure-queue://{ACCOUNT}/{QUEUE}");
    let queue = azure.queue(&url).unwrap();
    queue.send(&message("1", b"{}")).await.unwrap();
    assert_eq!(azurite.drain(QUEUE).len(), 1);
}
