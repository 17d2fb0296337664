//! Tests of what the emulator does not do: a subscription that delivers exactly once, and one that does not answer.

use super::requests::Subscription;
use super::{BATCH, DeadLetters, PubSubSource};
use crate::pubsub::connection::{Connector, PubSubConnections};
use crate::rest::Rest;
use crate::stub::Stub;
use google_cloud_auth::credentials::anonymous;
use labelrelay_core::{EventSource as _, EventSourceError, Settled};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(60);

fn source(rest: Rest) -> PubSubSource {
    let topic = "projects/p/topics/dead".to_owned();
    let connector = Connector {
        topic: topic.clone(),
        endpoint: None,
        credentials: anonymous::Builder::new().build(),
    };
    PubSubSource {
        subscription: Subscription {
            rest,
            resource: "projects/p/subscriptions/s".to_owned(),
        },
        dead_letters: DeadLetters {
            connections: PubSubConnections::new(connector),
            topic,
        },
        is_ordered: false,
        batch: AtomicUsize::new(BATCH),
    }
}

/// What a subscription says that delivers exactly once: `a` is nobody's any more.
const STALE: &str = r#"{"error":{"code":400,"message":"Some acknowledgement ids in the request were invalid.","status":"FAILED_PRECONDITION","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"EXACTLY_ONCE_ACKID_FAILURE","domain":"pubsub.googleapis.com","metadata":{"a":"PERMANENT_FAILURE_INVALID_ACK_ID"}}]}}"#;
const PASSING: &str = r#"{"error":{"code":400,"message":"Some acknowledgement ids could not be used.","details":[{"metadata":{"a":"TRANSIENT_FAILURE_UNORDERED_ACK_ID"}}]}}"#;
const REFUSED: &str = r#"{"error":{"code":400,"message":"You have passed an invalid argument","details":[{"metadata":7},"x"]}}"#;

async fn acknowledged(stub: &Stub) -> Result<Vec<Settled>, EventSourceError> {
    let receipts = [r#"["a",{},""]"#, "no receipt", r#"["b",{},""]"#];
    source(stub.rest()).ack(&receipts).await
}

/// Red if one receipt that is no longer good is told as a mistake of whoever set the consumer up.
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_delivers_exactly_once_settles_in_part() {
    let stub = Stub::start(|_| (400, STALE));
    let settled = acknowledged(&stub).await.unwrap();
    assert_eq!(settled, [Settled::Stale, Settled::Stale, Settled::Done]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_may_be_good_later_is_told_as_such() {
    let error = acknowledged(&Stub::start(|_| (400, PASSING))).await;
    assert!(error.unwrap_err().retryable);
    let error = acknowledged(&Stub::start(|_| (400, REFUSED))).await;
    let error = error.unwrap_err();
    assert!(
        !error.retryable && error.problem.contains("invalid argument"),
        "{error}"
    );
}

/// Red if a request that fails leaves the receipts behind it untold.
#[tokio::test(flavor = "multi_thread")]
async fn all_receipts_are_told_whatever_becomes_of_some() {
    let stub = Stub::start(|_| (503, "{}"));
    let receipt = r#"["a",{},""]"#;
    let error = source(stub.rest()).ack(&[receipt; 1001]).await.unwrap_err();
    assert!(error.retryable, "{error}");
    assert_eq!(stub.heads().len(), 2);
}

const PULLED: &str = r#"{"receivedMessages":[{"ackId":"a","message":{"messageId":"1"}},{"ackId":"b","message":{"messageId":"2"}}]}"#;

/// Red if a hundred events are hidden and nobody has them, because of one answer.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_pulled_is_hidden_at_the_second_try() {
    static TRIES: AtomicUsize = AtomicUsize::new(0);
    let stub = Stub::start(|path| {
        if path.ends_with(":pull") {
            (200, PULLED)
        } else if TRIES.fetch_add(1, Ordering::Relaxed) == 0 {
            (429, "{}")
        } else {
            (200, "{}")
        }
    });
    let source = source(stub.rest());
    let events = source.receive(10, LONG, Duration::ZERO).await.unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(TRIES.load(Ordering::Relaxed), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_hidden_is_given_back_and_what_is_others_is_left_out() {
    let stub = Stub::start(|path| match path {
        "/v1/projects/p/subscriptions/s:pull" => (200, PULLED),
        _ => (503, "{}"),
    });
    let hidden = source(stub.rest()).receive(10, LONG, Duration::ZERO).await;
    assert!(hidden.unwrap_err().retryable);
    // Twice to hide them, and once to give them back.
    assert_eq!(stub.heads().len(), 4);

    let stub = Stub::start(|path| match path {
        "/v1/projects/p/subscriptions/s:pull" => (200, PULLED),
        _ => (400, STALE),
    });
    let events = source(stub.rest()).receive(10, LONG, Duration::ZERO).await;
    let events = events.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].place, "message 2");
}

/// Red if a subscription that nobody reaches reads as an empty one: a consumer would end well, with everything left.
#[tokio::test(start_paused = true)]
async fn a_subscription_that_does_not_answer_is_not_empty() {
    // The system takes connections for it, and nobody reads what comes.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    crate::credentials_and_endpoints::provide_tls();
    let rest = Rest {
        http: reqwest::Client::new(),
        base: format!("http://{}", silent.local_addr().unwrap()),
        credentials: None,
    };
    let received = source(rest).receive(10, LONG, SOON).await;
    let error = received.unwrap_err();
    assert!(
        error.retryable && error.problem.contains("in time"),
        "{error}"
    );
}
