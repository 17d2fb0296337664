//! A second durable place for events that the queue did not take in time, and the way back from there.

use crate::blob::{BlobError, BlobStore};
use crate::clock::{Clock, within};
use crate::config::is_name;
use crate::queue::{EventQueue, OutboundMessage, QueueError, QueueErrorKind};
use crate::{BoxFuture, BoxStream};
use bytes::Bytes;
use futures_util::StreamExt;
use jiff::Timestamp;
use labelrelay_event::{Data, Envelope, Payload as Form, encode};
use std::time::Duration;

/// A durable store of whole envelopes, each under a key that sorts by time. Object-safe.
pub trait FallbackStore: Send + Sync {
    /// Stores `envelope`, durably.
    ///
    /// # Errors
    /// [`BlobError`]; the envelope may be there nevertheless, whole.
    fn put<'a>(&'a self, key: &'a str, envelope: Bytes) -> BoxFuture<'a, Result<(), BlobError>>;

    /// Up to `max` keys in ascending order, those after `after` if that is given.
    ///
    /// # Errors
    /// [`BlobError`] when the store cannot be read.
    fn list<'a>(
        &'a self,
        after: Option<&'a str>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, BlobError>>;

    /// The envelope under `key`; `None` when it is gone, since somebody else redrove it.
    ///
    /// # Errors
    /// [`BlobError`] when the store cannot be read.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>>;

    /// Removes what lies under `key`, if anything does.
    ///
    /// # Errors
    /// [`BlobError`] when it may still be there.
    fn remove<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BlobError>>;

    /// Whether the store could take an event now.
    ///
    /// # Errors
    /// The error that a put would meet.
    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>>;
}

/// The key of an event that is stored now: keys sort by time, so that the oldest is moved first.
pub(crate) fn key(now: Timestamp, event_id: &str) -> String {
    format!("{}-{event_id}", now.strftime("%Y%m%dT%H%M%S%.9fZ"))
}

/// What a redrive did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Redriven {
    /// Events that are on the queue now and no longer in the fallback.
    pub moved: u64,
    /// Events that stayed, and why; at most [`MAX_REASONS`] of them are told.
    pub stuck: Vec<(String, String)>,
    /// How many were tried and stayed.
    pub failed: u64,
    /// Whether all that was there was looked at; `false` when the queue kept
    /// failing or the time was up.
    pub complete: bool,
    /// Why the queue did not take an event, the last time that it did not.
    pub queue_error: Option<QueueError>,
}

/// Reasons that [`Redriven::stuck`] tells; the rest is only counted.
pub const MAX_REASONS: usize = 10;

/// Keys asked for at a time, and moved while there is time.
const PAGE: usize = 500;

/// Events under way at once: each costs three calls, one after the other.
const AT_ONCE: usize = 16;

/// So many failures of the queue in a row mean that it is the queue and not the events.
const STRIKES: u32 = 16;

/// One event's three calls take no longer than this, whatever hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Moves events from the fallback to the queue until it is empty, the queue fails, or it is `until` on
/// the monotonic clock. An event is removed only after the queue has it: a redrive that breaks off
/// leaves a repeat at worst, with the same id. What is larger than the queue takes is claim-checked.
///
/// # Errors
/// [`BlobError`] when the fallback cannot be listed.
pub async fn redrive(
    fallback: &dyn FallbackStore,
    queue: &dyn EventQueue,
    blobs: Option<&dyn BlobStore>,
    clock: &dyn Clock,
    until: Duration,
) -> Result<Redriven, BlobError> {
    let mover = Mover {
        fallback,
        queue,
        blobs,
        clock,
    };
    let mut done = Redriven::default();
    let mut strikes = 0;
    let mut after: Option<String> = None;
    loop {
        let keys = fallback.list(after.as_deref(), PAGE).await?;
        let Some(last) = keys.last().cloned() else {
            done.complete = true;
            return Ok(done);
        };
        let attempts = keys.into_iter().map(|key| mover.in_time(key, until));
        let mut under_way = futures_util::stream::iter(attempts).buffered(AT_ONCE);
        while let Some((key, outcome)) = under_way.next().await {
            match outcome {
                Ok(()) => {
                    done.moved += 1;
                    strikes = 0;
                }
                Err(Failure::NoTime) => return Ok(done),
                Err(Failure::Queue(error)) => {
                    strikes += 1;
                    done.keep(key, error.to_string());
                    done.queue_error = Some(error);
                    if strikes == STRIKES {
                        return Ok(done);
                    }
                }
                Err(Failure::Own(reason)) => done.keep(key, reason),
            }
        }
        after = Some(last);
    }
}

impl Redriven {
    fn keep(&mut self, key: String, reason: String) {
        self.failed += 1;
        if self.stuck.len() < MAX_REASONS {
            self.stuck.push((key, reason));
        }
    }
}

/// Why one event stayed.
enum Failure {
    /// The time for all of them was up.
    NoTime,
    /// The queue failed, perhaps for the next one too.
    Queue(QueueError),
    /// A reason of this event's own.
    Own(String),
}

struct Mover<'a> {
    fallback: &'a dyn FallbackStore,
    queue: &'a dyn EventQueue,
    blobs: Option<&'a dyn BlobStore>,
    clock: &'a dyn Clock,
}

impl Mover<'_> {
    async fn in_time(&self, key: String, until: Duration) -> (String, Result<(), Failure>) {
        let left = until.saturating_sub(self.clock.monotonic());
        if left.is_zero() {
            return (key, Err(Failure::NoTime));
        }
        let outcome = within(self.clock, PATIENCE.min(left), self.one(&key)).await;
        let late = |_| {
            let message = "neither queue nor stores answered in time";
            Err(Failure::Queue(QueueError::new(
                QueueErrorKind::Late,
                message,
            )))
        };
        (key, outcome.unwrap_or_else(late))
    }

    async fn one(&self, key: &str) -> Result<(), Failure> {
        let own = |error: BlobError| Failure::Own(error.to_string());
        let Some(bytes) = self.fallback.get(key).await.map_err(own)? else {
            return Ok(());
        };
        let envelope = Envelope::decode(&bytes).map_err(|error| Failure::Own(error.to_string()))?;
        let whole = OutboundMessage::new(envelope.attributes.clone(), bytes.clone());
        let fits = self.queue.message_bytes(&whole) <= self.queue.limits().max_message_bytes;
        let message = if fits {
            whole
        } else {
            self.claim(&envelope).await?
        };
        self.queue.send(&message).await.map_err(|error| {
            if error.kind == QueueErrorKind::TooLarge {
                Failure::Own(error.to_string())
            } else {
                Failure::Queue(error)
            }
        })?;
        self.fallback.remove(key).await.map_err(own)
    }

    /// Puts the data where a claim check says it is.
    async fn claim(&self, envelope: &Envelope<'_>) -> Result<OutboundMessage, Failure> {
        let own = |reason: &dyn std::fmt::Display| Failure::Own(reason.to_string());
        let blobs = self
            .blobs
            .ok_or_else(|| own(&"larger than the queue takes; configure `blob_store`"))?;
        let data = match envelope.data {
            Data::Reference => return Err(own(&"larger than the queue takes, without its data")),
            data => data.bytes().map_err(|error| own(&error))?,
        };
        let data = Bytes::from(data.unwrap_or_default().into_owned());
        // The two become a key. What another program wrote, or a disk damaged, must not lead elsewhere.
        if !envelope.matches_digest(&data) {
            return Err(own(
                &"its data is not what its `datasha256` says; it was changed after it was put there",
            ));
        }
        let mut attributes = envelope.attributes.clone();
        let source = attributes.source.trim_start_matches('/');
        if !is_name(source) {
            return Err(own(&"its `source` is not the name of one"));
        }
        let key = claim_key(self.clock.now(), source, &attributes.datasha256);
        let length = data.len() as u64;
        let body: BoxStream<'_, _> = Box::pin(futures_util::stream::once(async move { Ok(data) }));
        let uri = blobs
            .put(&key, length, body)
            .await
            .map_err(|error| own(&error))?;
        attributes.dataref = Some(uri);
        let envelope = encode(&attributes, Form::Reference, 0, []);
        Ok(OutboundMessage::new(attributes, envelope))
    }
}

/// Where a claimed body lies. By day first, so that a person finds it and a lifecycle rule can be checked
/// by eye.
pub(crate) fn claim_key(now: Timestamp, source: &str, digest: &str) -> String {
    format!("{}/{source}/{digest}", now.strftime("%Y/%m/%d"))
}
