//! Bodies in a blob store: read from the stores that the consumer was given, and checked.

use crate::bodies::{annotated, annotation};
use crate::rules::{Seen, in_order, noting};
use crate::source::{End, Source};
use bytes::Bytes;
use labelrelay_consumer::{Consumer, MemoryState, Outcome, whole_envelope};
use labelrelay_core::blob::Fetched;
use labelrelay_core::{BlobError, BlobStore, BoxFuture, BoxStream, ReceivedEvent};
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, S3Pointer, encode};
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

/// S3, as far as a pointer leads into it.
pub(crate) struct OneObject(pub(crate) Bytes);

impl BlobStore for OneObject {
    fn put<'a>(
        &'a self,
        _: &'a str,
        _: u64,
        _: BoxStream<'a, std::io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        unreachable!("a consumer puts nothing")
    }

    fn get<'a>(&'a self, uri: &'a str) -> BoxFuture<'a, Result<Fetched, BlobError>> {
        let found = match uri {
            "s3://bucket/claims/1" => Fetched::Body(self.0.clone()),
            uri if uri.starts_with("s3://bucket/claims/") => Fetched::Gone,
            _ => Fetched::Elsewhere,
        };
        Box::pin(std::future::ready(Ok(found)))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

fn pointer(bucket: &str, key: &str) -> Vec<u8> {
    S3Pointer::new(bucket, key).to_string().into_bytes()
}

#[tokio::test(start_paused = true)]
async fn a_pointer_leads_to_the_whole_envelope_in_a_given_store_alone() {
    let seen = Seen::default();
    let given = |envelope: Vec<u8>| {
        let store = Arc::new(OneObject(envelope.into()));
        noting(&seen, MemoryState::new()).blob_store(store)
    };
    let whole = annotated("a", 5, 20);
    let end = run(given(whole.clone()), pointer("bucket", "claims/1")).await;
    assert_eq!(end, Some(End::Acknowledged));
    assert_eq!(seen.lines(), ["annotation/5 0020"]);
    let damaged = String::from_utf8(whole.clone()).unwrap();
    let damaged = damaged.replace("\"datasha256\":\"", "\"datasha256\":\"0");
    for (envelope, at, error) in [
        (whole.clone(), pointer("bucket", "claims/2"), "ClaimGone"),
        (whole.clone(), pointer("other", "claims/1"), "ClaimRefused"),
        (
            damaged.into(),
            pointer("bucket", "claims/1"),
            "DigestMismatch",
        ),
        // Nobody goes round in circles.
        (
            pointer("bucket", "claims/1"),
            pointer("bucket", "claims/1"),
            "EnvelopeClaimed",
        ),
    ] {
        let told = reason(run(given(envelope), at).await);
        assert!(told.contains(error), "{told}");
    }
    assert_eq!(seen.lines().len(), 1);
}

#[tokio::test]
async fn a_pointers_envelope_is_as_large_as_the_message_says() {
    let stores: [Arc<dyn BlobStore>; 1] = [Arc::new(OneObject(Bytes::from_static(b"{}")))];
    let received = |bytes| {
        let event = ReceivedEvent::new(pointer("bucket", "claims/1"), "receipt", "message 1");
        event.offloaded(bytes)
    };
    for bytes in [None, Some(2)] {
        let whole = whole_envelope(&received(bytes), &stores).await.unwrap();
        assert_eq!(whole, "{}");
    }
    let outcome = whole_envelope(&received(Some(3)), &stores)
        .await
        .unwrap_err();
    let Outcome::Unreadable { error, reason } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(error, "ClaimDamaged");
    assert_eq!(
        reason,
        "s3://bucket/claims/1 has 2 bytes, the message says 3"
    );
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
