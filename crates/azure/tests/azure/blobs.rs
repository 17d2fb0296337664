//! Blob Storage, on Azurite.

use crate::setup::{azure, blobs, fallback};
use bytes::Bytes;
use futures_util::stream;
use labelrelay_core::blob::Fetched;
use labelrelay_core::{BlobError, BlobStore, BoxStream};
use labelrelay_testkit::fallback_suite::{
    keeps_bodies_beside_envelopes, keeps_envelopes_until_they_are_removed, lists_more_than_a_page,
    lists_traces_from_a_moment_on,
};
use labelrelay_testkit::{blob_suite, object_suite};
use labelrelay_tests::azure::sas::{ACCOUNT, allowing};
use labelrelay_tests::servers::Azurite;

const MIB: usize = 1024 * 1024;

fn azurite() -> Azurite {
    let azurite = Azurite::start();
    azurite.make_container("claims");
    azurite
}

fn bytes(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(next).collect()
}

async fn put(
    store: &dyn BlobStore,
    key: &str,
    body: &[u8],
    length: usize,
) -> Result<String, BlobError> {
    let pieces: Vec<_> = body
        .chunks(100_000)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    let body: BoxStream<'_, _> = Box::pin(stream::iter(pieces));
    store.put(key, length as u64, body).await
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask test"]
async fn a_body_comes_back_as_it_went_in_whatever_its_size() {
    let azurite = azurite();
    let store = blobs(&azurite.blob_url("claims/some/prefix"));
    store.check().await.unwrap();
    for length in [1, 70_000, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 13 * MIB + 7] {
        let body = bytes(length);
        let key = format!("2026/11/24/labelbox/{length}");
        let uri = put(&*store, &key, &body, length).await.unwrap();
        let path = format!("claims/some/prefix/{key}");
        assert_eq!(uri, format!("http://{}/{ACCOUNT}/{path}", azurite.blobs));
        assert!(
            azurite.blob(&path).expect("it is there") == body,
            "{length}"
        );
        // A retry after the first attempt had succeeded must succeed too.
        put(&*store, &key, &body, length).await.unwrap();
        let fetched = store.get(&uri).await.unwrap();
        assert!(fetched == Fetched::Body(body.into()), "{length}");
    }
    let here = format!("http://{}/{ACCOUNT}/claims", azurite.blobs);
    for (uri, answer) in [
        (format!("{here}/some/prefix/nothing"), Fetched::Gone),
        (format!("{here}/some/other"), Fetched::Elsewhere),
        (
            format!("{here}/some/prefix/%2e%2e/other"),
            Fetched::Elsewhere,
        ),
        (format!("{here}2/some/prefix/nothing"), Fetched::Elsewhere),
        (
            "s3://claims/some/prefix/nothing".to_owned(),
            Fetched::Elsewhere,
        ),
    ] {
        assert_eq!(store.get(&uri).await.unwrap(), answer, "{uri}");
    }
    blob_suite::gives_back_its_own_objects_alone(&*store).await;
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask test"]
async fn an_object_is_never_overwritten() {
    let azurite = azurite();
    let store = blobs(&azurite.blob_url("claims"));
    for length in [10, 9 * MIB] {
        let (first, second) = (bytes(length), vec![0; length]);
        let key = length.to_string();
        put(&*store, &key, &first, length).await.unwrap();
        put(&*store, &key, &second, length).await.unwrap();
        assert!(azurite.blob(&format!("claims/{key}")).unwrap() == first);
    }
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask test"]
async fn a_body_of_another_length_becomes_no_object() {
    let azurite = azurite();
    let store = blobs(&azurite.blob_url("claims"));
    for (came, said) in [
        (10, 11),
        (11, 10),
        (9 * MIB, 9 * MIB + 1),
        (9 * MIB, 5 * MIB),
        (4 * MIB + 1, 4 * MIB),
    ] {
        let key = format!("{came}-{said}");
        put(&*store, &key, &bytes(came), said).await.unwrap_err();
        assert!(azurite.blob(&format!("claims/{key}")).is_none(), "{key}");
    }
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask test"]
async fn a_wrong_setting_is_named() {
    let azurite = azurite();
    let missing = blobs(&azurite.blob_url("missing"));
    let error = missing.check().await.unwrap_err();
    assert!(
        !error.retryable && error.to_string().contains("`missing`"),
        "{error}"
    );
    let url = format!(
        "http://{}/{ACCOUNT}/claims?{}",
        azurite.blobs,
        allowing("r")
    );
    let error = put(&*blobs(&url), "k", b"x", 1).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`Storage Blob Data Contributor`"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("sig="), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Azurite: cargo xtask test"]
async fn the_fallback_passes_the_conformance_suite() {
    let azurite = azurite();
    azurite.make_container("fallback");
    for location in ["fallback", "claims/below/a/prefix"] {
        let store = fallback(&azurite.blob_url(location));
        keeps_envelopes_until_they_are_removed(&*store).await;
        keeps_bodies_beside_envelopes(&*store).await;
        lists_more_than_a_page(&*store).await;
        lists_traces_from_a_moment_on(&*store).await;
    }
    let missing = fallback(&azurite.blob_url("missing"));
    missing.list(None, 1).await.unwrap_err();
    missing.get("k").await.unwrap_err();
}

#[tokio::test]
#[ignore = "needs Azurite: cargo xtask test"]
async fn files_are_created_once_and_replaced_on_purpose() {
    let azurite = azurite();
    for path in ["claims", "claims/some/where"] {
        let store = azure(&[]).object_store(&azurite.blob_url(path)).unwrap();
        object_suite::an_object_is_created_once(&store).await;
        object_suite::names_are_listed(&store).await;
        object_suite::lists_more_than_a_page(&store).await;
    }
}
