//! Tests of the differences between Google's cloud and an emulator: credentials and permissions.

mod dead_letters;

use crate::location::{GcsLocation, SecretName, Topic};
use crate::pubsub::PubSubQueue;
use crate::secret_manager::SecretManagerSecret;
use crate::storage::{Bucket, GcsBlobStore};
use crate::stub::Stub;
use bytes::Bytes;
use futures_util::stream;
use google_cloud_auth::credentials::anonymous;
use labelrelay_core::{BlobStore as _, QueueErrorKind, Secret, SecretStore as _};

const DENIED: &str =
    r#"{"error":{"code":403,"message":"relay@p.iam.gserviceaccount.com does not have access"}}"#;

fn store(stub: &Stub) -> GcsBlobStore {
    let location = GcsLocation::parse("gs://claims/x").unwrap();
    GcsBlobStore::new(Bucket::new(location, stub.rest()))
}

fn queue(stub: &Stub) -> PubSubQueue {
    let topic = Topic::parse("pubsub://proj/events").unwrap();
    PubSubQueue::new(topic, None, anonymous::Builder::new().build(), stub.rest())
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
    queue(&stub).may_publish().await.expect("allowed");
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
    let error = queue(&stub).may_publish().await.expect_err("not allowed");
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

fn secret(stub: &Stub, name: &str) -> SecretManagerSecret {
    let name = SecretName::parse(name, Some("proj")).unwrap();
    SecretManagerSecret::new(name, stub.rest(), None)
}

/// First lines of the requests.
fn requests(stub: &Stub) -> Vec<String> {
    let heads = stub.heads().into_iter();
    let first = heads.filter_map(|head| head.lines().next().map(str::to_owned));
    first.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_made_with_its_first_version_and_gets_more() {
    let stub = Stub::start(|path| match path {
        "/v1/projects/proj/secrets?secretid=hook" | "/v1/projects/proj/secrets/hook:addversion" => {
            (200, "{}")
        }
        _ => (404, "{}"),
    });
    let secret = secret(&stub, "hook");
    assert!(secret.held().await.unwrap().is_empty());
    secret.create("value").await.unwrap();
    secret.add("newer").await.unwrap();
    assert_eq!(
        requests(&stub),
        [
            "get /v1/projects/proj/secrets/hook/versions?filter=state%3aenabled&pagesize=2 http/1.1",
            "get /v1/projects/proj/secrets/hook/versions?filter=state%3adisabled&pagesize=2 http/1.1",
            "post /v1/projects/proj/secrets?secretid=hook http/1.1",
            "post /v1/projects/proj/secrets/hook:addversion http/1.1",
            "post /v1/projects/proj/secrets/hook:addversion http/1.1",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_put_on_top_of_disabled_versions() {
    let stub = Stub::start(|path| match path {
        "/v1/projects/proj/secrets?secretid=hook" => (409, "{}"),
        path if path.contains("disabled") => (200, r#"{"versions":[{"name":"x/versions/4"}]}"#),
        _ => (200, "{}"),
    });
    let secret = secret(&stub, "hook");
    for error in [
        secret.held().await.expect_err("disabled"),
        secret.create("value").await.expect_err("disabled"),
    ] {
        let said = "version 4 is disabled";
        assert!(!error.retryable && error.message.contains(said), "{error}");
    }
    let asked = requests(&stub);
    assert!(
        !asked.iter().any(|line| line.contains("addversion")),
        "{asked:?}"
    );
}

/// Red if a page without versions passes for a secret without any, and a page with one for a secret with one.
#[tokio::test(flavor = "multi_thread")]
async fn a_short_page_of_versions_is_not_the_end_of_the_list() {
    let stub = Stub::start(|path| match path {
        path if path.contains("pagetoken=second") => (
            200,
            r#"{"versions":[{"name":"x/versions/7"}],"nextPageToken":"third"}"#,
        ),
        path if path.contains("pagetoken=third") => {
            (200, r#"{"versions":[{"name":"x/versions/3"}]}"#)
        }
        path if path.contains("/versions?") => (200, r#"{"nextPageToken":"second"}"#),
        path if path.contains("/7:access") => (
            200,
            r#"{"name":"x/versions/7","payload":{"data":"dGhlLW5ld2VyLXNlY3JldC0wMTIzNDU2Nzg5"}}"#,
        ),
        path if path.contains("/3:access") => (
            200,
            r#"{"name":"x/versions/3","payload":{"data":"dGhlLW9sZGVyLXNlY3JldC0wMTIzNDU2Nzg5"}}"#,
        ),
        _ => (404, "{}"),
    });
    let held = secret(&stub, "hook").held().await.unwrap();
    let values: Vec<_> = held.iter().map(Secret::expose).collect();
    assert_eq!(
        values,
        [
            &b"the-newer-secret-0123456789"[..],
            b"the-older-secret-0123456789"
        ]
    );

    let endless = Stub::start(|_| (200, r#"{"nextPageToken":"again"}"#));
    let error = secret(&endless, "hook").held().await.expect_err("no end");
    assert!(error.retryable, "{error}");
    assert!(requests(&endless).len() < 100);
}

/// A server that repeats what it was sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_never_tells_the_value() {
    const VALUE: &str = "0123456789abcdef0123456789abcdef01234567";
    const PLAIN: &str = r#"{"error":{"message":"bad: 0123456789abcdef0123456789abcdef01234567"}}"#;
    const ENCODED: &str =
        r#"{"error":{"message":"bad: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nw=="}}"#;
    for stub in [
        Stub::start(|_| (400, PLAIN)),
        Stub::start(|_| (403, PLAIN)),
        Stub::start(|_| (400, ENCODED)),
        Stub::start(|_| (403, ENCODED)),
    ] {
        let error = secret(&stub, "hook").add(VALUE).await;
        let error = error.expect_err("refused");
        assert!(!error.message.contains("0123456789"), "{error}");
        assert!(!error.message.contains("MDEyMzQ1"), "{error}");
        assert!(error.message.contains("left out"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_cannot_be_written_says_what_to_do() {
    let stub = Stub::start(|_| (403, DENIED));
    let writable = secret(&stub, "hook");
    for (written, right) in [
        (
            writable.create("value").await,
            "secretmanager.secrets.create",
        ),
        (
            writable.add("value").await,
            "roles/secretmanager.secretVersionAdder",
        ),
    ] {
        let error = written.expect_err("not allowed");
        assert!(!error.retryable && error.message.contains(right), "{error}");
        assert!(
            error.message.contains("projects/proj/secrets/hook"),
            "{error}"
        );
        assert!(!error.message.contains("value"), "{error}");
    }
    // Of a secret that is there, nothing is replaced.
    let taken = Stub::start(|path| match path {
        "/v1/projects/proj/secrets?secretid=hook" => (409, "{}"),
        path if path.contains("/versions?") => (200, r#"{"versions":[{"name":"x/versions/1"}]}"#),
        path if path.contains(":access") => (
            200,
            r#"{"name":"x/versions/1","payload":{"data":"aGVyZQ=="}}"#,
        ),
        _ => (404, "{}"),
    });
    let error = secret(&taken, "hook")
        .create("value")
        .await
        .expect_err("taken");
    assert!(error.message.contains("meanwhile"), "{error}");
    assert!(
        !requests(&taken)
            .iter()
            .any(|line| line.contains("addversion"))
    );
    let pinned = secret(&stub, "projects/proj/secrets/hook/versions/3");
    let error = pinned.add("value").await.expect_err("a version");
    assert!(error.message.contains("/versions/"), "{error}");
}
