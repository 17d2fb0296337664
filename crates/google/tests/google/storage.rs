//! Cloud Storage against fake-gcs-server, which honours preconditions.

use crate::setup::google;
use bytes::Bytes;
use futures_util::stream;
use labelrelay_core::blob::Fetched;
use labelrelay_core::{BlobStore, FallbackStore};
use labelrelay_google::GcsBlobStore;
use labelrelay_testkit::fallback_suite as suite;
use labelrelay_testkit::{blob_suite, object_suite};
use labelrelay_tests::servers::FakeGcs;
use std::io;

fn store(server: &FakeGcs) -> GcsBlobStore {
    server.bucket("claims");
    google(&server.environment())
        .blob_store("gs://claims/some/where")
        .unwrap()
}

fn pieces(body: &[u8], piece: usize) -> Vec<io::Result<Bytes>> {
    body.chunks(piece)
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
        .collect()
}

async fn put(store: &GcsBlobStore, key: &str, body: &[u8]) -> String {
    let stream = Box::pin(stream::iter(pieces(body, 60_000)));
    store
        .put(key, body.len() as u64, stream)
        .await
        .expect("stored")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs fake-gcs-server: cargo xtask test"]
async fn bodies_come_back_as_they_went_in() {
    let server = FakeGcs::start();
    let store = store(&server);
    store.check().await.expect("the bucket is there");
    let large: Vec<u8> = (0..20_000_000_u32)
        .map(|n| n.to_le_bytes()[usize::from(n % 7 == 0)])
        .collect();
    let bodies: [&[u8]; 5] = [
        b"{}",
        b"",
        b"\r\n--labelrelay-0--\r\n",
        b"\xff\x00\r\n",
        &large,
    ];
    for (n, body) in bodies.into_iter().enumerate() {
        let uri = put(&store, &format!("2026/11/24/labelbox/{n}"), body).await;
        assert_eq!(
            uri,
            format!("gs://claims/some/where/2026/11/24/labelbox/{n}")
        );
        assert!(server.object(&uri).expect("there") == body, "body {n}");
        let fetched = store.get(&uri).await.expect("read");
        assert!(
            fetched == Fetched::Body(Bytes::copy_from_slice(body)),
            "body {n}"
        );
    }
    for (uri, answer) in [
        ("gs://claims/some/where/2026/nothing", Fetched::Gone),
        ("gs://claims/some/other", Fetched::Elsewhere),
        ("gs://claims/some/where/../other", Fetched::Elsewhere),
        (
            "gs://other/some/where/2026/11/24/labelbox/0",
            Fetched::Elsewhere,
        ),
        (
            "s3://claims/some/where/2026/11/24/labelbox/0",
            Fetched::Elsewhere,
        ),
    ] {
        assert_eq!(store.get(uri).await.expect("answered"), answer, "{uri}");
    }
    blob_suite::gives_back_its_own_objects_alone(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs fake-gcs-server: cargo xtask test"]
async fn an_object_is_never_replaced_and_never_half() {
    let server = FakeGcs::start();
    let store = store(&server);
    let uri = put(&store, "same", b"first").await;
    assert_eq!(
        put(&store, "same", b"other").await,
        uri,
        "a success: the key is the body's digest"
    );
    assert_eq!(server.object(&uri).unwrap(), b"first");

    let half = || Ok(Bytes::from_static(b"half"));
    let bodies = [
        (
            "broken",
            vec![half(), Err(io::Error::other("gone"))],
            "gone",
        ),
        ("short", vec![half()], "4 of its 8 bytes came"),
        (
            "long",
            vec![half(), half(), half()],
            "more than its 8 bytes came",
        ),
    ];
    for (key, body, reason) in bodies {
        let error = store
            .put(key, 8, Box::pin(stream::iter(body)))
            .await
            .expect_err(key);
        assert!(error.message.contains(reason), "{key}: {error}");
    }
    for key in ["broken", "short", "long"] {
        assert_eq!(
            server.object(&format!("gs://claims/some/where/{key}")),
            None,
            "{key}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs fake-gcs-server: cargo xtask test"]
async fn the_fallback_passes_the_conformance_suite() {
    let server = FakeGcs::start();
    server.bucket("fallback");
    let google = google(&server.environment());
    for url in ["gs://fallback", "gs://fallback/below/this"] {
        let fallback = google.fallback(url).unwrap();
        suite::keeps_envelopes_until_they_are_removed(&fallback).await;
        suite::keeps_bodies_beside_envelopes(&fallback).await;
        suite::lists_more_than_a_page(&fallback).await;
        suite::lists_traces_from_a_moment_on(&fallback).await;
    }
    // Objects that others keep beside it are not ours.
    let (above, below) = (
        google.fallback("gs://fallback").unwrap(),
        google.fallback("gs://fallback/x").unwrap(),
    );
    below
        .put("20261124T000000.000000000Z-id", Bytes::from_static(b"{}"))
        .await
        .unwrap();
    assert!(above.list(None, 10).await.unwrap().is_empty());
    assert_eq!(below.list(None, 10).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs fake-gcs-server: cargo xtask test"]
async fn a_missing_bucket_is_named_and_a_dead_server_may_come_back() {
    let mut server = FakeGcs::start();
    let store = google(&server.environment())
        .blob_store("gs://nowhere/x")
        .unwrap();
    let body = || Box::pin(stream::iter(pieces(b"{}", 2)));
    for error in [
        store.check().await.expect_err("missing"),
        store
            .put("k", 2, body())
            .await
            .map(drop)
            .expect_err("missing"),
    ] {
        assert!(
            !error.retryable && error.message.contains("gs://nowhere"),
            "{error}"
        );
    }
    server.kill();
    let error = store
        .put("k", 2, body())
        .await
        .expect_err("nobody is there");
    assert!(error.retryable, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs fake-gcs-server: cargo xtask test"]
async fn files_are_created_once_and_replaced_on_purpose() {
    let server = FakeGcs::start();
    server.bucket("files");
    for url in ["gs://files", "gs://files/some/where"] {
        let store = google(&server.environment()).object_store(url).unwrap();
        object_suite::an_object_is_created_once(&store).await;
        object_suite::names_are_listed(&store).await;
        object_suite::lists_more_than_a_page(&store).await;
    }
}
