//! Conformance suite of object stores.

use bytes::Bytes;
use labelrelay_core::ObjectStore;
use labelrelay_core::object_store::{Created, NewObject};

/// An object is created once and stays as it was, is replaced only by a replacement, and is gone once it is removed.
pub async fn an_object_is_created_once(store: &dyn ObjectStore) {
    for length in [0, 1, 9_000_000] {
        let name = format!("snapshots/000001/labels/train/a file.{length}");
        let first: Bytes = (0..length).map(|n: u32| n.to_le_bytes()[0]).collect();
        assert_eq!(store.get(&name).await.expect("read"), None);
        let created = store.create(&name, NewObject::of(first.clone())).await;
        assert_eq!(created.expect("created"), Created::New, "{length} bytes");
        for other in [first.clone(), Bytes::from_static(b"other")] {
            let created = store.create(&name, NewObject::of(other)).await;
            assert_eq!(created.expect("asked"), Created::Existed, "{length} bytes");
        }
        let got = store.get(&name).await.expect("read");
        assert!(got.as_ref() == Some(&first), "{length} bytes");
        store.remove(&name).await.expect("removed");
        store.remove(&name).await.expect("removed twice");
        assert_eq!(store.get(&name).await.expect("read"), None);
        let created = store.create(&name, NewObject::of(first)).await;
        assert_eq!(created.expect("created again"), Created::New);
    }
    let name = "latest.json";
    for content in [&b"{}"[..], b"{\"number\":2}", b""] {
        let content = Bytes::copy_from_slice(content);
        store
            .replace(name, content.clone())
            .await
            .expect("replaced");
        assert_eq!(store.get(name).await.expect("read"), Some(content));
    }
    let created = store.create(name, NewObject::of(Bytes::new())).await;
    assert_eq!(created.expect("asked"), Created::Existed);
}
