//! A back end whose queues, stores and secrets are as their names say.

use crate::in_memory::{MemoryBlobs, MemoryFallback, MemoryQueue};
use bytes::Bytes;
use jiff::Timestamp;
use labelrelay_core::backend::{BackEnd, BackEndError, Forms, Location, Opening};
use labelrelay_core::config::SecretRef;
use labelrelay_core::fallback::StoredBody;
use labelrelay_core::{
    BlobError, BlobStore, BoxFuture, BoxStream, EventQueue, FallbackStore, OutboundMessage,
    Payload, QueueError, QueueErrorKind, QueueLimits, Receipt, Secret, SecretError, SecretSource,
};
use std::future::ready;
use std::sync::Arc;

/// Opens `test:good`, `test:denied`, `test:missing`, `test:unreachable` and `test:full`; `test:held` does not open
/// now. Secrets are `aws-ssm:` and one of these.
#[derive(Debug, Clone, Copy, Default)]
pub struct TestBackEnd;

const LIMITS: QueueLimits = QueueLimits::bytes(1 << 20);

impl BackEnd for TestBackEnd {
    fn forms(&self) -> Forms {
        Forms {
            queue: "test:NAME",
            store: "test:NAME",
            secret: "aws-ssm:NAME",
        }
    }

    fn queue<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn EventQueue>> {
        let opened = state(at).map(|state| {
            let queue = MemoryQueue::new(LIMITS);
            Arc::new(Queue { queue, state }) as _
        });
        Box::pin(ready(opened))
    }

    fn blob_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn BlobStore>> {
        let opened = state(at).map(|state| Arc::new(Blobs(MemoryBlobs::default(), state)) as _);
        Box::pin(ready(opened))
    }

    fn fallback<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
        let opened =
            state(at).map(|state| Arc::new(Fallback(MemoryFallback::default(), state)) as _);
        Box::pin(ready(opened))
    }

    fn secret<'a>(
        &'a self,
        reference: &'a SecretRef,
        _: Option<Timestamp>,
    ) -> Opening<'a, Box<dyn SecretSource>> {
        let opened = match reference {
            SecretRef::Store {
                scheme: "aws-ssm",
                name,
            } => Ok(Box::new(OfStore(State::of(name))) as _),
            other => Err(BackEndError::new(
                &other.to_string(),
                "is in no store of the test",
                "name one of aws-ssm:NAME",
            )),
        };
        Box::pin(ready(opened))
    }
}

/// State of something, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    Denied,
    Missing,
    Unreachable,
    Full,
}

impl State {
    fn of(name: &str) -> Self {
        match name {
            "good" => Self::Good,
            "denied" => Self::Denied,
            "missing" => Self::Missing,
            "unreachable" => Self::Unreachable,
            "full" => Self::Full,
            other => panic!("the test knows no {other}"),
        }
    }

    fn queue(self) -> Result<(), QueueError> {
        let kind = match self {
            Self::Good => return Ok(()),
            Self::Denied => QueueErrorKind::Denied,
            Self::Missing => QueueErrorKind::Misconfigured,
            Self::Unreachable => QueueErrorKind::Unavailable,
            Self::Full => QueueErrorKind::Full,
        };
        Err(QueueError::new(kind, "the test says so"))
    }

    fn store(self) -> Result<(), BlobError> {
        match self {
            Self::Good => Ok(()),
            Self::Denied | Self::Missing => Err(BlobError::permanent("the test says so")),
            Self::Unreachable | Self::Full => Err(BlobError::transient("the test says so")),
        }
    }
}

fn state(at: Location<'_>) -> Result<State, BackEndError> {
    let error = |problem| BackEndError::new(at.url, problem, "write test:NAME");
    match at.url.strip_prefix("test:") {
        Some("held") => Err(error("is held by somebody else").retryable()),
        Some(name) => Ok(State::of(name)),
        None => Err(error("is nothing that the test has")),
    }
}

struct Queue {
    queue: MemoryQueue,
    state: State,
}

impl EventQueue for Queue {
    fn send<'a>(
        &'a self,
        message: &'a OutboundMessage,
    ) -> BoxFuture<'a, Result<Receipt, QueueError>> {
        self.queue.send(message)
    }

    fn limits(&self) -> QueueLimits {
        LIMITS
    }

    fn check(&self) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(ready(self.state.queue()))
    }
}

struct Blobs(MemoryBlobs, State);

impl BlobStore for Blobs {
    fn put<'a>(
        &'a self,
        key: &'a str,
        length: u64,
        body: BoxStream<'a, std::io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        self.0.put(key, length, body)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(ready(self.1.store()))
    }
}

struct Fallback(MemoryFallback, State);

impl FallbackStore for Fallback {
    fn put<'a>(&'a self, key: &'a str, envelope: Bytes) -> BoxFuture<'a, Result<(), BlobError>> {
        self.0.put(key, envelope)
    }

    fn list<'a>(
        &'a self,
        after: Option<&'a str>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        self.0.list(after, max)
    }

    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        self.0.get(key)
    }

    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        self.0.remove(key)
    }

    fn put_body<'a>(
        &'a self,
        name: &'a str,
        body: &'a Payload,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        self.0.put_body(name, body)
    }

    fn get_body<'a>(
        &'a self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        self.0.get_body(name)
    }

    fn remove_body<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        self.0.remove_body(name)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(ready(self.1.store()))
    }
}

struct OfStore(State);

impl SecretSource for OfStore {
    fn fetch(&self) -> BoxFuture<'_, Result<Vec<Secret>, SecretError>> {
        let secret = || Secret::new("aws-ssm:good", "a secret that is long enough");
        Box::pin(ready(match self.0 {
            State::Good => secret().map(|secret| vec![secret]),
            State::Unreachable => Err(SecretError::transient("the test says so")),
            _ => Err(SecretError::permanent("the test says so")),
        }))
    }
}
