//! A queue and stores in memory that fail on demand, and an observer that remembers.

pub use crate::memory_queue::{Fault, MemoryQueue};

use bytes::Bytes;
use futures_util::StreamExt;
use labelrelay_core::blob::{BlobError, Fetched};
use labelrelay_core::fallback::StoredBody;
use labelrelay_core::{
    BlobStore, BoxFuture, BoxStream, FallbackStore, Observer, Payload, QueueError, QueueErrorKind,
    Report, TraceContext,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

/// Keeps objects by key.
#[derive(Default)]
pub struct MemoryBlobs {
    objects: Mutex<HashMap<String, Vec<u8>>>,
    broken: Mutex<bool>,
    refusing: Mutex<bool>,
    hanging: Mutex<bool>,
}

impl MemoryBlobs {
    /// The object under `key`.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.objects.lock().unwrap().get(key).cloned()
    }

    /// Tells whether the store is empty.
    pub fn is_empty(&self) -> bool {
        self.objects.lock().unwrap().is_empty()
    }

    /// Puts succeed again.
    pub fn mend(&self) {
        *self.broken.lock().unwrap() = false;
        *self.refusing.lock().unwrap() = false;
    }

    /// From now on every put fails for good.
    pub fn refuse(&self) {
        *self.refusing.lock().unwrap() = true;
    }

    /// From now on no put ever answers.
    pub fn hang(&self) {
        *self.hanging.lock().unwrap() = true;
    }

    /// From now on every put fails.
    pub fn break_down(&self) {
        *self.broken.lock().unwrap() = true;
    }
}

impl BlobStore for MemoryBlobs {
    fn put<'a>(
        &'a self,
        key: &'a str,
        length: u64,
        mut body: BoxStream<'a, std::io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        Box::pin(async move {
            if *self.hanging.lock().unwrap() {
                std::future::pending::<()>().await;
            }
            if *self.broken.lock().unwrap() {
                return Err(BlobError::transient("a fault of the test"));
            }
            if *self.refusing.lock().unwrap() {
                return Err(BlobError::permanent("a fault of the test"));
            }
            let mut bytes = Vec::new();
            while let Some(chunk) = body.next().await {
                bytes.extend_from_slice(&chunk.map_err(|error| {
                    BlobError::permanent(format!("the body cannot be read: {error}"))
                })?);
            }
            assert_eq!(bytes.len() as u64, length, "the length that was announced");
            self.objects.lock().unwrap().insert(key.to_owned(), bytes);
            Ok(format!("memory:{key}"))
        })
    }

    fn get<'a>(&'a self, uri: &'a str) -> BoxFuture<'a, Result<Fetched, BlobError>> {
        let fetched = match uri.strip_prefix("memory:") {
            _ if *self.broken.lock().unwrap() => Err(BlobError::transient("a fault of the test")),
            None => Ok(Fetched::Elsewhere),
            Some(key) => Ok(self
                .get(key)
                .map_or(Fetched::Gone, |body| Fetched::Body(body.into()))),
        };
        Box::pin(std::future::ready(fetched))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Keeps envelopes by key, and fails on demand.
#[derive(Default)]
pub struct MemoryFallback {
    envelopes: Mutex<BTreeMap<String, Bytes>>,
    bodies: Mutex<BTreeMap<String, Bytes>>,
    broken: Mutex<bool>,
    hanging: Mutex<bool>,
    lying: Mutex<bool>,
}

impl MemoryFallback {
    /// The kept envelopes, in the order of the keys.
    pub fn envelopes(&self) -> Vec<Bytes> {
        self.envelopes.lock().unwrap().values().cloned().collect()
    }

    /// Bodies beside envelopes, by name.
    pub fn bodies(&self) -> Vec<(String, Bytes)> {
        let bodies = self.bodies.lock().unwrap();
        bodies
            .iter()
            .map(|(name, body)| (name.clone(), body.clone()))
            .collect()
    }

    /// Changes the body called `name`, as somebody outside the program might.
    pub fn change_body(&self, name: &str, body: &'static [u8]) {
        let body = Bytes::from_static(body);
        self.bodies.lock().unwrap().insert(name.to_owned(), body);
    }

    /// From now on every envelope is kept, and whoever put it is told that it may not be; or no longer.
    pub fn lie(&self, lying: bool) {
        *self.lying.lock().unwrap() = lying;
    }

    /// From now on no envelope's put ever answers.
    pub fn hang(&self) {
        *self.hanging.lock().unwrap() = true;
    }

    /// The keys, in their order.
    pub fn keys(&self) -> Vec<String> {
        self.envelopes.lock().unwrap().keys().cloned().collect()
    }

    /// From now on every put fails, or no longer.
    pub fn break_down(&self, broken: bool) {
        *self.broken.lock().unwrap() = broken;
    }
}

impl FallbackStore for MemoryFallback {
    fn put<'a>(&'a self, key: &'a str, envelope: Bytes) -> BoxFuture<'a, Result<(), BlobError>> {
        if *self.hanging.lock().unwrap() {
            return Box::pin(std::future::pending());
        }
        if *self.broken.lock().unwrap() {
            let error = BlobError::permanent("a fault of the test");
            return Box::pin(std::future::ready(Err(error)));
        }
        let mut envelopes = self.envelopes.lock().unwrap();
        envelopes.insert(key.to_owned(), envelope);
        if *self.lying.lock().unwrap() {
            let error = BlobError::transient("a fault of the test");
            return Box::pin(std::future::ready(Err(error)));
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn list<'a>(
        &'a self,
        after: Option<&'a str>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        let envelopes = self.envelopes.lock().unwrap();
        let later = |key: &&String| after.is_none_or(|after| key.as_str() > after);
        let keys = envelopes.keys().filter(later).take(max).cloned().collect();
        Box::pin(std::future::ready(Ok(keys)))
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        let envelope = self.envelopes.lock().unwrap().get(key).cloned();
        Box::pin(std::future::ready(Ok(envelope)))
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        self.envelopes.lock().unwrap().remove(key);
        Box::pin(std::future::ready(Ok(())))
    }

    fn put_body<'a>(
        &'a self,
        name: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            if *self.broken.lock().unwrap() {
                return Err(BlobError::permanent("a fault of the test"));
            }
            let mut bytes = Vec::new();
            let mut stream = body.stream();
            while let Some(chunk) = stream.next().await {
                bytes.extend_from_slice(&chunk.expect("bodies of tests can be read"));
            }
            let mut bodies = self.bodies.lock().unwrap();
            bodies.insert(name.to_owned(), bytes.into());
            Ok(())
        })
    }

    fn get_body<'a>(
        &'a self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        let body = self.bodies.lock().unwrap().get(name).cloned();
        let body = body.map(|body| StoredBody {
            bytes: body.len() as u64,
            // No piece of an empty one, as a file is read.
            stream: Box::pin(futures_util::stream::iter(
                (!body.is_empty()).then_some(Ok(body)),
            )),
        });
        Box::pin(std::future::ready(Ok(body)))
    }

    fn remove_body<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        self.bodies.lock().unwrap().remove(name);
        Box::pin(std::future::ready(Ok(())))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Remembers every report.
#[derive(Default)]
pub struct RecordingObserver {
    reports: Mutex<Vec<Report>>,
    failed: Mutex<Vec<QueueErrorKind>>,
    failed_last: Mutex<Vec<QueueErrorKind>>,
    breaker: Mutex<Vec<bool>>,
    overload: Mutex<Vec<String>>,
    readiness: Mutex<Vec<Option<String>>>,
    untraced: Mutex<Vec<String>>,
    /// Context of the next span.
    pub span: Mutex<Option<TraceContext>>,
}

impl RecordingObserver {
    /// All reports so far.
    pub fn reports(&self) -> Vec<Report> {
        self.reports.lock().unwrap().clone()
    }

    /// Kinds of the attempts that failed and were followed by another.
    pub fn failed_attempts(&self) -> Vec<QueueErrorKind> {
        self.failed.lock().unwrap().clone()
    }

    /// Kinds of the attempts that failed and were followed by no other.
    pub fn failed_last_attempts(&self) -> Vec<QueueErrorKind> {
        self.failed_last.lock().unwrap().clone()
    }
}

impl RecordingObserver {
    /// Ids of the events that left no trace.
    pub fn untraced(&self) -> Vec<String> {
        self.untraced.lock().unwrap().clone()
    }
}

impl RecordingObserver {
    /// Changes of the breaker: `true` for opened.
    pub fn breaker(&self) -> Vec<bool> {
        self.breaker.lock().unwrap().clone()
    }
}

impl RecordingObserver {
    /// Reports of overload: the bound, and how many were refused until it was over.
    pub fn overload(&self) -> Vec<String> {
        self.overload.lock().unwrap().clone()
    }
}

impl RecordingObserver {
    /// Changes of readiness: the reason, or `None` for ready again.
    pub fn readiness(&self) -> Vec<Option<String>> {
        self.readiness.lock().unwrap().clone()
    }
}

impl Observer for RecordingObserver {
    fn begin_trace(&self) -> Option<TraceContext> {
        *self.span.lock().unwrap()
    }

    fn trace_failed(&self, _: &str, id: &str, _: &BlobError) {
        self.untraced.lock().unwrap().push(id.to_owned());
    }

    fn not_ready(&self, reason: Option<&str>) {
        let reason = reason.map(str::to_owned);
        self.readiness.lock().unwrap().push(reason);
    }

    fn overloaded(&self, bound: &str) {
        self.overload.lock().unwrap().push(bound.to_owned());
    }

    fn overload_over(&self, refused: u64) {
        let over = format!("over, {refused} refused");
        self.overload.lock().unwrap().push(over);
    }

    fn queue_breaker(&self, open: Option<&QueueError>) {
        self.breaker.lock().unwrap().push(open.is_some());
    }

    fn request(&self, report: &Report) {
        self.reports.lock().unwrap().push(report.clone());
    }

    fn queue_attempt_failed(&self, _: &str, _: &str, error: &QueueError) {
        self.failed.lock().unwrap().push(error.kind);
    }

    fn queue_last_attempt_failed(&self, _: &str, _: &str, error: &QueueError) {
        self.failed_last.lock().unwrap().push(error.kind);
    }
}
