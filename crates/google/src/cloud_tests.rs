//! Tests of the differences between Google's cloud and an emulator: credentials and permissions.

use crate::location::{GcsLocation, Topic};
use crate::pubsub::PubSubQueue;
use crate::storage::{Bucket, GcsBlobStore};
use crate::stub::Stub;
use bytes::Bytes;
use futures_util::stream;
use google_cloud_auth::credentials::anonymous;
use labelrelay_core::{BlobStore as _, QueueErrorKind};

const DENIED: &str =
    r#"{"error":{"code":403,"message":"relay@p.iam.gserviceaccount.com does not have access"}}"#;

fn store(stub: &Stub) -> GcsBlobStore {
    let location = GcsLocation::parse("gs://claims/x").unwrap();
    GcsBlobStore::new(Bucket::new(location, stub.rest()))
}

fn queue(stub: &Stub) -> PubSubQueue {
    let topic = Topic::parse("pubsub://proj/events").unwrap();
    PubSubQueue::new(
        topic,
        None,
        anonymous::Builder::new().build(),
        Some(stub.rest()),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_carry_the_machine_s_identity_and_a_check_needs_few_permissions() {
    let stub = Stub::start(|path| match path {
        "/storage/v1/b/claims/iam/testpermissions?permissions=storage.objects.create" => {
            (200, r#"{"permissions":["storage.objects.create"]}"#)
        }
        "/v1/projects/proj/topics/events:testiampermissions" => {
            (200, r#"{"permissions":["pubsub.topics.publish"]}"#)
        }
        _ => (404, "{}"),
    });
    store(&stub).check().await.expect("allowed");
    queue(&stub)
        .may_publish(&stub.rest())
        .await
        .expect("allowed");
    let heads = stub.heads();
    assert_eq!(heads.len(), 2);
    assert!(
        heads
            .iter()
            .all(|head| head.contains("authorization: bearer of-the-machine")),
        "{heads:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_lacking_is_named() {
    // Pub/Sub does not tell a missing topic from a missing permission. Cloud Storage does: a missing bucket is a 404.
    let stub = Stub::start(|_| (200, "{}"));
    let error = store(&stub).check().await.expect_err("not allowed");
    for word in [
        "gs://claims",
        "storage.objects.create",
        "roles/storage.objectCreator",
    ] {
        assert!(!error.retryable && error.message.contains(word), "{error}");
    }
    let error = queue(&stub)
        .may_publish(&stub.rest())
        .await
        .expect_err("not allowed");
    assert_eq!(
        (error.kind, error.retryable),
        (QueueErrorKind::Denied, false)
    );
    for word in [
        "projects/proj/topics/events",
        "pubsub.topics.publish",
        "roles/pubsub.publisher",
    ] {
        assert!(error.message.contains(word), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_permanent_and_an_outage_is_retryable() {
    for (stub, retryable) in [
        (Stub::start(|_| (403, DENIED)), false),
        (Stub::start(|_| (401, DENIED)), false),
        (Stub::start(|_| (404, "{}")), false),
        (Stub::start(|_| (429, "{}")), true),
        (Stub::start(|_| (503, "not even JSON")), true),
        (Stub::start(|_| (200, "not even JSON")), true),
    ] {
        let store = store(&stub);
        let body = Box::pin(stream::iter([Ok(Bytes::from_static(b"{}"))]));
        let error = store.put("k", 2, body).await.expect_err("refused");
        assert_eq!(error.retryable, retryable, "{error}");
        assert!(error.message.contains("gs://claims"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_bytes_than_were_sent_are_an_error() {
    let stub = Stub::start(|_| (200, r#"{"size":"1"}"#));
    let body = Box::pin(stream::iter([Ok(Bytes::from_static(b"{}"))]));
    store(&stub)
        .put("k", 2, body)
        .await
        .expect_err("it has one byte");
}
