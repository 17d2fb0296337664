//! Conformance suite of fallbacks, as plain functions over an empty store.

use bytes::Bytes;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use labelrelay_core::fallback::body_name;
use labelrelay_core::traces;
use labelrelay_core::{FallbackStore, Payload};
use labelrelay_event::Digest;

/// Envelopes come back as they went in, in the order of their keys, and are gone once removed.
///
/// # Panics
/// When the store does something else.
pub async fn keeps_envelopes_until_they_are_removed(store: &dyn FallbackStore) {
    store.check().await.expect("it can be written");
    assert!(store.list(None, 10).await.expect("listed").is_empty());
    let large = "x".repeat(3 << 20);
    let bodies = [
        "{}".to_owned(),
        "{\"data\": \"\u{ffff} \\ud83d \u{1f600}\r\n\"}".to_owned(),
        format!("{{\"data\":\"{large}\"}}"),
    ];
    let key = |n: usize| format!("20261124T03141{n}.123456789Z-id{n}");
    for n in [2, 0, 1] {
        let envelope = Bytes::from(bodies[n].clone());
        store.put(&key(n), envelope.clone()).await.expect("taken");
        // A retry after the first attempt had succeeded must succeed too.
        store.put(&key(n), envelope).await.expect("taken again");
    }
    let all = store.list(None, 10).await.expect("listed");
    assert_eq!(all, [key(0), key(1), key(2)]);
    assert_eq!(store.list(None, 2).await.expect("listed"), all[..2]);
    let later = store.list(Some(&all[0]), 10).await.expect("listed");
    assert_eq!(later, all[1..]);
    for (key, body) in all.iter().zip(&bodies) {
        let kept = store.get(key).await.expect("read").expect("there");
        assert!(kept == body.as_bytes(), "{key} comes back as it went in");
        let mut told = store.get_stream(key).await.expect("read").expect("there");
        assert_eq!(told.bytes, body.len() as u64, "its length is known at once");
        let mut read = Vec::new();
        while let Some(piece) = told.stream.next().await {
            read.extend_from_slice(&piece.expect("read"));
        }
        assert!(read == body.as_bytes(), "{key} comes back in pieces too");
        store.remove(key).await.expect("removed");
        store
            .remove(key)
            .await
            .expect("nothing to remove is no error");
        assert_eq!(store.get(key).await.expect("looked for"), None);
        let gone = store.get_stream(key).await.expect("looked for");
        assert!(gone.is_none());
    }
    assert!(store.list(None, 10).await.expect("listed").is_empty());
}

/// Bodies beside envelopes come back as they went in, are in no listing, and are gone once removed. Several
/// megabytes and one of them odd, so that a store that takes parts has to put them together.
///
/// # Panics
/// When the store does something else.
pub async fn keeps_bodies_beside_envelopes(store: &dyn FallbackStore) {
    let key = "20261124T031415.123456789Z-id";
    let body: Vec<u8> = (0..9_500_001_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let name = body_name(key, &Digest::of(&body).to_hex());
    let payload = Payload::from(Bytes::from(body.clone()));
    assert!(store.get_body(&name).await.expect("looked for").is_none());
    store.put_body(&name, &payload).await.expect("taken");
    // A retry after the first attempt had succeeded must succeed too.
    store.put_body(&name, &payload).await.expect("taken again");
    let envelope = Bytes::from_static(b"{}");
    store.put(key, envelope).await.expect("taken");
    assert_eq!(store.list(None, 10).await.expect("listed"), [key]);
    let kept = store.get_body(&name).await.expect("read").expect("there");
    assert_eq!(kept.bytes, body.len() as u64);
    let mut back = Vec::new();
    let mut stream = kept.stream;
    while let Some(piece) = stream.next().await {
        back.extend_from_slice(&piece.expect("read to its end"));
    }
    assert!(back == body, "it comes back as it went in");
    store.remove(key).await.expect("removed");
    store.remove_body(&name).await.expect("removed");
    store
        .remove_body(&name)
        .await
        .expect("nothing to remove is no error");
    assert!(store.get_body(&name).await.expect("looked for").is_none());
    assert!(store.list(None, 10).await.expect("listed").is_empty());
}

/// Traces of what a queue took are listed from a moment on, which is no key of theirs, and each tells its source.
///
/// # Panics
/// When the store does something else.
pub async fn lists_traces_from_a_moment_on(store: &dyn FallbackStore) {
    let moment = |second: u8| -> Timestamp {
        let text = format!("2026-11-24T03:14:1{second}.5Z");
        text.parse().expect("a time")
    };
    let key = |second, source| traces::key(moment(second), source, "0123abcd");
    let keys = [
        key(1, "label-studio"),
        key(2, "label"),
        key(2, "label-studio"),
        key(3, "label-studio"),
    ];
    let event = crate::queue_suite::message("1", b"{}");
    for key in &keys {
        let trace = traces::content(&event);
        store.put(key, trace).await.expect("taken");
    }
    let later = traces::since(moment(2));
    let listed = store.list(Some(&later), 10).await.expect("listed");
    assert!(
        listed.len() == 3 && !listed.contains(&keys[0]),
        "{listed:?}"
    );
    let mine = listed
        .iter()
        .filter(|key| traces::is_of(key, "label-studio"));
    assert_eq!(mine.collect::<Vec<_>>(), [&keys[2], &keys[3]]);
    for key in &keys {
        let trace = store.get(key).await.expect("read").expect("there");
        assert!(trace == traces::content(&event), "{key} comes back");
        store.remove(key).await.expect("removed");
    }
    assert!(store.list(None, 10).await.expect("listed").is_empty());
}

/// More than one page of an object store's listing.
///
/// # Panics
/// When a key is missing, twice, or out of order.
pub async fn lists_more_than_a_page(store: &dyn FallbackStore) {
    let keys: Vec<String> = (0..1200)
        .map(|n| format!("20261124T{n:06}.000000000Z-id"))
        .collect();
    for chunk in keys.chunks(50) {
        let puts = chunk
            .iter()
            .map(|key| store.put(key, Bytes::from_static(b"{}")));
        for put in futures_util::future::join_all(puts).await {
            put.expect("taken");
        }
    }
    let first = store.list(None, 1100).await.expect("listed");
    assert!(first == keys[..first.len()] && !first.is_empty());
    let mut listed = Vec::new();
    while let Some(page) = next_page(store, listed.last()).await {
        listed.extend(page);
    }
    assert!(listed == keys, "{} of {}", listed.len(), keys.len());
    for chunk in keys.chunks(50) {
        let removals = chunk.iter().map(|key| store.remove(key));
        for removal in futures_util::future::join_all(removals).await {
            removal.expect("removed");
        }
    }
}

async fn next_page(store: &dyn FallbackStore, after: Option<&String>) -> Option<Vec<String>> {
    let page = store
        .list(after.map(String::as_str), 500)
        .await
        .expect("listed");
    (!page.is_empty()).then_some(page)
}
