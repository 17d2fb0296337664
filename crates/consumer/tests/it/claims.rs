//! Bodies in a blob store: read from the stores that the consumer was given, and checked.

use crate::bodies::annotation;
use crate::rules::{Seen, in_order, noting};
use crate::source::{End, Source};
use bytes::Bytes;
use labelrelay_consumer::{Consumer, MemoryState};
use labelrelay_core::BlobStore;
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};
use labelrelay_local::FileBlobStore;
use labelrelay_testkit::in_memory::MemoryBlobs;
use std::sync::Arc;
use std::time::Duration;

fn claimed(id: &str, body: &str, at: &str) -> Vec<u8> {
    let kind = EventType::from_static("io.labelstud.annotation.updated");
    let digest = Digest::of(body.as_bytes());
    let mut attributes =
        Attributes::new(id, "/label-studio", &kind, &digest, "2026-11-28T00:00:50Z");
    attributes.dataref = Some(at.to_owned());
    encode(&attributes, DataEncoding::Reference, 0, [])
}

async fn put(store: &dyn BlobStore, key: &str, body: &str) -> String {
    let bytes = Bytes::from(body.to_owned());
    let stream = Box::pin(futures_util::stream::iter([Ok(bytes)]));
    store.put(key, body.len() as u64, stream).await.unwrap()
}

/// Handles one event, which fails twice at most.
async fn run(consumer: Consumer, envelope: Vec<u8>) -> Option<End> {
    let source = Source::of([envelope]);
    let mut settings = in_order();
    settings.max_receives = Some(2);
    settings.until_idle = Some(Duration::from_secs(60));
    let consumer = consumer.settings(settings);
    consumer
        .run(source.clone(), std::future::pending())
        .await
        .unwrap();
    source.ends().remove(0)
}

fn reason(end: Option<End>) -> String {
    let Some(End::Rejected(reason)) = end else {
        panic!("{end:?}");
    };
    reason
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_fetched_from_a_given_store_and_checked() {
    let store = Arc::new(MemoryBlobs::default());
    let body = annotation(5, 20);
    let at = put(&*store, "claims/5", &body).await;
    let seen = Seen::default();
    let consumer = || noting(&seen, MemoryState::new());
    let given = || {
        let other = tempfile::tempdir().unwrap();
        let other = FileBlobStore::open(other.path()).unwrap();
        consumer()
            .blob_store(Arc::new(other))
            .blob_store(store.clone())
    };
    let end = run(given(), claimed("a", &body, &at)).await;
    assert_eq!(end, Some(End::Acknowledged));
    assert_eq!(seen.lines(), ["annotation/5 0020"]);

    let told = reason(run(consumer(), claimed("a", &body, &at)).await);
    assert!(
        told.contains("ClaimRefused") && told.contains("none"),
        "{told}"
    );
    let told = reason(run(given(), claimed("a", &body, "file:///etc/passwd")).await);
    assert!(
        told.contains("ClaimRefused") && told.contains("others"),
        "{told}"
    );
    let told = reason(run(given(), claimed("a", &body, "memory:claims/6")).await);
    assert!(told.contains("ClaimGone"), "{told}");
    let told = reason(run(given(), claimed("a", &annotation(5, 21), &at)).await);
    assert!(told.contains("DigestMismatch"), "{told}");
    assert_eq!(seen.lines().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_read_hides_no_other() {
    let (away, there) = (
        Arc::new(MemoryBlobs::default()),
        Arc::new(MemoryBlobs::default()),
    );
    away.break_down();
    let body = annotation(5, 20);
    let at = put(&*there, "claims/5", &body).await;
    let consumer = noting(&Seen::default(), MemoryState::new());
    let consumer = consumer.blob_store(away).blob_store(there);
    let end = run(consumer, claimed("a", &body, &at)).await;
    assert_eq!(end, Some(End::Acknowledged));
}

/// A store that is away is nobody's fault.
#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_makes_no_dead_letters() {
    let store = Arc::new(MemoryBlobs::default());
    let body = annotation(5, 20);
    let at = put(&*store, "claims/5", &body).await;
    store.break_down();
    let consumer = noting(&Seen::default(), MemoryState::new()).blob_store(store.clone());
    let source = Source::of([claimed("a", &body, &at)]);
    let mut settings = in_order();
    settings.max_receives = Some(1);
    let run = consumer.settings(settings);
    run.run(source.clone(), std::future::pending())
        .await
        .unwrap();
    assert_eq!(source.ends(), [None]);
    assert_eq!(source.retries()[0].len(), 1);
}
