//! What a redrive holds in memory at once: a function's memory is small, and an envelope may not be.

use crate::test_bench::{Bench, SECRET};
use bytes::Bytes;
use futures_executor::block_on;
use labelrelay_core::fallback::{StoredBody, redrive, redrive_up_to};
use labelrelay_core::{BlobError, BlobStore, BoxFuture, Clock, FallbackStore, Outcome, Payload};
use labelrelay_testkit::in_memory::MemoryFallback;
use labelrelay_testkit::request::TestRequest;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

const MIB: usize = 1024 * 1024;

/// What a redrive may hold.
const LIMIT: u64 = 16 * MIB as u64;

#[test]
fn large_events_are_in_memory_together_only_up_to_the_limit() {
    let measured = moved(&[3 * MIB; 14]);
    assert!(measured.most <= LIMIT, "{} bytes at once", measured.most);
    assert!(
        measured.most > LIMIT / 2,
        "and as many as there is room for"
    );
}

#[test]
fn an_event_that_is_larger_than_the_limit_moves_alone() {
    let one = 17 * MIB;
    let measured = moved(&[MIB, one, MIB, MIB]);
    let envelope = u64::try_from(one).unwrap() + 4096;
    assert!(measured.most <= envelope, "{} bytes", measured.most);
    assert!(measured.most > LIMIT);
}

/// Red if such an event is read, ends the redrive, or keeps those behind it back.
#[test]
fn an_event_that_there_is_no_memory_for_stays_and_the_others_move() {
    let bench = Bench::with_fallback(2000, false);
    let store = Measuring::default();
    let (large, small) = (envelope_of(5 * MIB), envelope_of(3000));
    for (n, envelope) in [&small, &large, &small].into_iter().enumerate() {
        let key = format!("20260115T120000.{n:09}Z-id");
        block_on(store.inner.put(&key, envelope.clone())).unwrap();
    }
    let until = bench.clock.monotonic() + Duration::from_secs(60);
    let blobs: Option<&dyn BlobStore> = Some(&*bench.blobs);
    let most = 4 * MIB as u64;
    let all = redrive_up_to(&store, &*bench.queue, blobs, &bench.clock, until, most);
    let done = block_on(all).unwrap();
    assert_eq!((done.moved, done.failed, done.complete), (2, 1, true));
    let [(key, reason)] = done.stuck.as_slice() else {
        panic!("{:?}", done.stuck)
    };
    assert!(key.contains(".000000001Z"), "{key}");
    assert!(reason.contains("memory for 4194304 here"), "{reason}");
    assert_eq!(store.inner.envelopes(), [large]);
    assert!(store.held.lock().unwrap().most < MIB as u64);
}

#[test]
fn small_events_still_move_sixteen_at_a_time() {
    assert_eq!(moved(&[5000; 40]).most_events, 16);
}

/// Moves events with bodies of these sizes, all of them too large for the queue, and tells what was held.
fn moved(sizes: &[usize]) -> Measured {
    let bench = Bench::with_fallback(2000, false);
    let mut envelopes = Vec::new();
    for &size in sizes {
        // One body is one object in the blob store, however many events have it.
        let envelope = envelopes.iter().find(|(known, _)| *known == size);
        let envelope =
            envelope.map_or_else(|| envelope_of(size), |(_, made): &(_, Bytes)| made.clone());
        envelopes.push((size, envelope));
    }
    let store = Measuring::default();
    for (n, (_, envelope)) in envelopes.into_iter().enumerate() {
        let key = format!("20260115T120000.{n:09}Z-id");
        block_on(store.inner.put(&key, envelope)).unwrap();
    }
    let until = bench.clock.monotonic() + Duration::from_secs(60);
    let blobs: Option<&dyn BlobStore> = Some(&*bench.blobs);
    let all = redrive(&store, &*bench.queue, blobs, &bench.clock, until);
    let done = block_on(all).unwrap();
    assert_eq!(done.failed, 0, "{:?}", done.stuck);
    assert_eq!(done.moved, sizes.len() as u64);
    assert!(store.inner.envelopes().is_empty());
    let held = store.held.lock().unwrap();
    assert_eq!((held.bytes, held.events), (0, 0), "all is given back");
    Measured {
        most: held.most,
        most_events: held.most_events,
    }
}

/// An envelope as the relay leaves it in a fallback.
fn envelope_of(size: usize) -> Bytes {
    let bench = Bench::with_fallback(2000, false);
    let body = format!(r#"{{"action":"X","fill":"{}"}}"#, "a".repeat(size));
    let request = TestRequest::label_studio(SECRET, body.as_bytes());
    assert_eq!(bench.deliver(&request).outcome, Outcome::Accepted);
    bench.fallback.envelopes().remove(0)
}

struct Measured {
    most: u64,
    most_events: u64,
}

#[derive(Default)]
struct Held {
    bytes: u64,
    events: u64,
    most: u64,
    most_events: u64,
}

/// A fallback in memory that counts what it has handed out and what is not dropped yet. It answers as a store
/// elsewhere does, a moment later, so that events are under way together.
#[derive(Default)]
struct Measuring {
    inner: MemoryFallback,
    held: Arc<Mutex<Held>>,
}

/// An envelope that is counted for as long as anything refers to it.
struct Counted(Bytes, Arc<Mutex<Held>>);

impl Counted {
    fn new(bytes: Bytes, held: &Arc<Mutex<Held>>) -> Self {
        let mut now = held.lock().unwrap();
        now.bytes += bytes.len() as u64;
        now.events += 1;
        now.most = now.most.max(now.bytes);
        now.most_events = now.most_events.max(now.events);
        Self(bytes, held.clone())
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut now = self.1.lock().unwrap();
        now.bytes -= self.0.len() as u64;
        now.events -= 1;
    }
}

impl Measuring {
    /// Comes back after all others that are ready had their turn, twice.
    async fn a_moment_later(&self) {
        for _ in 0..2 {
            let mut asked = false;
            std::future::poll_fn(|context| {
                if asked {
                    return Poll::Ready(());
                }
                asked = true;
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }
}

impl FallbackStore for Measuring {
    fn put<'a>(&'a self, key: &'a str, envelope: Bytes) -> BoxFuture<'a, Result<(), BlobError>> {
        self.inner.put(key, envelope)
    }

    fn list<'a>(
        &'a self,
        after: Option<&'a str>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        self.inner.list(after, max)
    }

    fn get<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        panic!("a redrive reads nothing whose length it does not know")
    }

    fn get_stream<'a>(
        &'a self,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(async move {
            self.a_moment_later().await;
            let Some(envelope) = self.inner.get(key).await? else {
                return Ok(None);
            };
            let (bytes, held) = (envelope.len() as u64, self.held.clone());
            // It is read, and so in memory, only once somebody takes the first piece.
            let read = async move { Ok(Bytes::from_owner(Counted::new(envelope, &held))) };
            Ok(Some(StoredBody {
                bytes,
                stream: Box::pin(futures_util::stream::once(read)),
            }))
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            self.a_moment_later().await;
            self.inner.remove(key).await
        })
    }

    fn put_body<'a>(
        &'a self,
        name: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        self.inner.put_body(name, body)
    }

    fn get_body<'a>(
        &'a self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        self.inner.get_body(name)
    }

    fn remove_body<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        self.inner.remove_body(name)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        self.inner.check()
    }
}
