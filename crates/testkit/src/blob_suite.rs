//! Conformance suite of blob stores, as a consumer reads them.

use bytes::Bytes;
use futures_util::stream;
use labelrelay_core::BlobStore;
use labelrelay_core::blob::Fetched;

/// An object is given back by its URI, byte for byte. What is not there is gone, and a name that is not below the store's
/// own is none of its objects, however it is written.
pub async fn gives_back_its_own_objects_alone(store: &dyn BlobStore) {
    let key = "2026/11/28/labelbox/object";
    for length in [1, 100_000, 5_000_001] {
        let key = format!("{key}-{length}");
        let body: Bytes = (0..length).map(|n: u32| n.to_le_bytes()[0]).collect();
        let once = Box::pin(stream::iter([Ok(body.clone())]));
        let uri = store.put(&key, u64::from(length), once).await;
        let uri = uri.expect("stored");
        let got = store.get(&uri).await.expect("read");
        assert!(got == Fetched::Body(body), "{length} bytes");
    }
    let once = Box::pin(stream::iter([Ok(Bytes::from_static(b"{}"))]));
    let uri = store.put(key, 2, once).await.expect("stored");
    let base = uri.strip_suffix(key).expect("a URI ends in its key");
    let missing = store.get(&format!("{base}2026/missing")).await;
    assert_eq!(missing.expect("read"), Fetched::Gone);
    for other in [
        "",
        "nonsense",
        "file:///etc/passwd",
        "https://example.org/2026/11/28/labelbox/object",
        base,
        base.trim_end_matches('/'),
        &format!("{base}../{key}"),
        &format!("{base}2026/../../other/{key}"),
        &format!("x{uri}"),
    ] {
        let got = store.get(other).await.expect("read");
        assert_eq!(got, Fetched::Elsewhere, "{other}");
    }
    let encoded = store.get(&format!("{base}%2e%2e/{key}")).await;
    assert!(!matches!(encoded.expect("read"), Fetched::Body(_)));
}
