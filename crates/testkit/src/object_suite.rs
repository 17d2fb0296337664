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

/// Names are listed below a beginning, in order, whatever folders they are in.
pub async fn names_are_listed(store: &dyn ObjectStore) {
    let names = [
        "source=a/date=2026-01-01/1",
        "source=a/date=2026-01-02/2",
        "source=b/date=2026-01-01/3",
        "version.json",
    ];
    for name in names {
        let object = NewObject::of(Bytes::from_static(b"x"));
        let created = store.create(name, object).await;
        assert_eq!(created.expect("created"), Created::New, "{name}");
    }
    for (beginning, expected) in [
        ("source=", &names[..3]),
        ("source=a/", &names[..2]),
        ("source=a/date=2026-01-02", &names[1..2]),
        ("version", &names[3..]),
        ("source=c", &names[..0]),
    ] {
        let listed = store.list(beginning).await.expect("listed");
        assert_eq!(listed, expected, "{beginning}");
    }
    let all = store.list("").await.expect("listed");
    assert!(
        names
            .iter()
            .all(|name| all.iter().any(|listed| listed == name))
    );
    for name in names {
        store.remove(name).await.expect("removed");
    }
    assert!(store.list("source=").await.expect("listed").is_empty());
}

/// More than one page of an object store's listing.
pub async fn lists_more_than_a_page(store: &dyn ObjectStore) {
    let names: Vec<String> = (0..1200).map(|n| format!("many/{n:06}/object")).collect();
    for chunk in names.chunks(50) {
        let creations = chunk
            .iter()
            .map(|name| store.create(name, NewObject::of(Bytes::from_static(b"{}"))));
        for created in futures_util::future::join_all(creations).await {
            assert_eq!(created.expect("created"), Created::New);
        }
    }
    let listed = store.list("many/").await.expect("listed");
    assert!(listed == names, "{} of {}", listed.len(), names.len());
    for chunk in names.chunks(50) {
        let removals = chunk.iter().map(|name| store.remove(name));
        for removal in futures_util::future::join_all(removals).await {
            removal.expect("removed");
        }
    }
}
