//! From the fallback back to the queue.

use super::claim::claim;
use super::intact_data::{intact, intact_data, part_of, stored};
use super::keys::FALLBACK_SCHEME;
use super::redriven::Redriven;
use super::room::{Held, Room};
use super::store::{FallbackStore, StoredBody};
use crate::blob::{BlobError, BlobStore};
use crate::clock::{Clock, within};
use crate::data_encoding::data_encoding;
use crate::queue::{EventQueue, OutboundMessage, QueueError, QueueErrorKind};
use crate::transfer_allowance::{READ_BACK_BYTES, transfer_allowance};
use bytes::Bytes;
use futures_util::lock::Mutex;
use futures_util::{StreamExt as _, TryStreamExt as _};
use labelrelay_event::{Envelope, encode};
use labelrelay_json::Scanner;
use std::time::Duration;

/// Keys asked for at a time, and moved while there is time.
const PAGE: usize = 500;

/// Events under way at once: each costs three calls, one after the other.
const AT_ONCE: usize = 16;

/// Bytes of envelopes under way at once, a larger one alone. An envelope costs up to three times its size on its
/// way, and the function for Lambda that does this has 128 MB.
const IN_MEMORY: u64 = 16 * 1024 * 1024;

/// No envelope is larger: a body of 100 MiB in base64, and room. What is, was put there by somebody else.
pub const MAX_ENVELOPE: u64 = 256 * 1024 * 1024;

/// So many failures of the queue in a row mean that it is the queue and not the events.
const STRIKES: u32 = 16;

/// Each call takes no longer than this, whatever hangs; one that copies a body has more, by the body's length. An
/// event has up to five of them, and waits for its turn in memory: all of it ends with the redrive's own time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Without a blob store, a body from beside its envelope goes into it if it is no larger than this
/// and the queue takes it; one at a time, because it is in memory then, twice.
const ALONE_IN_MEMORY: u64 = 256 * 1024 * 1024;

/// Moves events from the fallback to the queue until it is empty, the queue fails, or it is `until` on
/// the monotonic clock. What is under way then is broken off, so that is later than a large body takes. An event is
/// removed only after the queue has it: a redrive that breaks off leaves a repeat at worst, with the same id. What is
/// larger than the queue takes is claim-checked. Data that is not what its `datasha256` says stays, for whoever can
/// repair it, and is told of as stuck.
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
    redrive_up_to(fallback, queue, blobs, clock, until, MAX_ENVELOPE).await
}

/// The same, by a program that has no memory for an envelope of more than `max_envelope` bytes, nor for a body that goes
/// into one. It is told of as stuck, and all others move: a program that was killed by it would never get any further.
///
/// # Errors
/// As [`redrive`].
pub async fn redrive_up_to(
    fallback: &dyn FallbackStore,
    queue: &dyn EventQueue,
    blobs: Option<&dyn BlobStore>,
    clock: &dyn Clock,
    until: Duration,
    max_envelope: u64,
) -> Result<Redriven, BlobError> {
    let mover = Mover {
        fallback,
        queue,
        blobs,
        clock,
        max_envelope,
        room: Room::new(IN_MEMORY),
        memory: Mutex::new(()),
    };
    let mut done = Redriven::default();
    let mut strikes = 0;
    let mut after: Option<String> = None;
    loop {
        let left = until.saturating_sub(clock.monotonic());
        let listed = within(
            clock,
            PATIENCE.min(left),
            fallback.list(after.as_deref(), PAGE),
        );
        let keys = match listed.await {
            Ok(keys) => keys?,
            Err(_) if clock.monotonic() >= until => return Ok(done),
            Err(_) => return Err(BlobError::transient("its list did not come in time")),
        };
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
                Err(Stuck::NoTime) => return Ok(done),
                Err(Stuck::Queue(error)) => {
                    strikes += 1;
                    done.keep(key, error.to_string());
                    done.queue_error = Some(error);
                    if strikes == STRIKES {
                        return Ok(done);
                    }
                }
                Err(Stuck::Own(reason)) => done.keep(key, reason),
            }
        }
        after = Some(last);
    }
}

/// Why one event stayed.
enum Stuck {
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
    /// There is no memory for a larger one.
    max_envelope: u64,
    /// Of all envelopes that are in memory.
    room: Room,
    /// Held by the one that has a large body in memory.
    memory: Mutex<()>,
}

impl Mover<'_> {
    async fn in_time(&self, key: String, until: Duration) -> (String, Result<(), Stuck>) {
        let left = until.saturating_sub(self.clock.monotonic());
        if left.is_zero() {
            return (key, Err(Stuck::NoTime));
        }
        let one = self.one(&key, PATIENCE.min(left));
        let outcome = within(self.clock, left, one).await;
        (key, outcome.unwrap_or(Err(Stuck::NoTime)))
    }

    /// Moves one event; each of its calls has `patience`, but for what copies a large body.
    async fn one(&self, key: &str, patience: Duration) -> Result<(), Stuck> {
        let Some((_held, bytes)) = self.envelope(key, patience).await? else {
            return Ok(());
        };
        let envelope = Envelope::decode(&bytes).map_err(|error| Stuck::Own(error.to_string()))?;
        let beside = envelope
            .attributes
            .dataref
            .as_deref()
            .and_then(|uri| uri.strip_prefix(FALLBACK_SCHEME));
        let mut alone = None;
        let message = if let Some(name) = beside {
            let Some(body) = self.soon(patience, self.fallback.get_body(name)).await? else {
                return self.bodiless(key, patience).await;
            };
            if self.is_better_embedded(body.bytes) {
                alone = Some(self.memory.lock().await);
                self.embed(&envelope, body).await?
            } else {
                self.claim(&envelope, body).await?
            }
        } else {
            // Before it is sent, and so before it is removed: the copy that is left is all there is.
            let data = intact_data(&envelope).map_err(Stuck::Own)?;
            let whole = OutboundMessage::new(envelope.attributes.clone(), bytes.clone());
            let fits = self.queue.message_bytes(&whole) <= self.queue.limits().max_message_bytes;
            if fits {
                whole
            } else {
                let data = data.map(|data| part_of(&bytes, data));
                let body = stored(data).map_err(Stuck::Own)?;
                self.claim(&envelope, body).await?
            }
        };
        // The queue may put a large one into a store.
        let patience_of_queue = patience + transfer_allowance(message.body.len() as u64);
        let sent = within(self.clock, patience_of_queue, self.queue.send(&message)).await;
        drop(alone);
        sent.unwrap_or_else(|_| Err(late())).map_err(|error| {
            if error.kind == QueueErrorKind::TooLarge {
                Stuck::Own(error.to_string())
            } else {
                Stuck::Queue(error)
            }
        })?;
        self.soon(patience, self.fallback.remove(key)).await?;
        match beside {
            // Last: an envelope without its body would be taken for a loss.
            Some(name) => self.soon(patience, self.fallback.remove_body(name)).await,
            None => Ok(()),
        }
    }

    /// The envelope under `key`, and the room for it. Its length is known before it is read, and so it is read only
    /// once there is room.
    async fn envelope(
        &self,
        key: &str,
        patience: Duration,
    ) -> Result<Option<(Held<'_>, Bytes)>, Stuck> {
        let open = || self.soon(patience, self.fallback.get_stream(key));
        let Some(mut found) = open().await? else {
            return Ok(None);
        };
        let length = found.bytes;
        if length > MAX_ENVELOPE {
            return Err(Stuck::Own("larger than any envelope is".to_owned()));
        }
        if length > self.max_envelope {
            return Err(Stuck::Own(format!(
                "{length} bytes, and there is memory for {} here: give this program more, or move the event where there is more, by `labelrelay events retry`",
                self.max_envelope
            )));
        }
        let held = if let Some(held) = self.room.try_hold(length) {
            held
        } else {
            // Nobody keeps a connection waiting for as long as this may take.
            drop(found);
            let held = self.room.hold(length).await;
            let Some(again) = open().await? else {
                return Ok(None);
            };
            found = again;
            held
        };
        if found.bytes != length {
            return Err(Stuck::Own("it changed while it was read".to_owned()));
        }
        let patience = patience + transfer_allowance(length);
        match within(self.clock, patience, found.whole()).await {
            Ok(read) => Ok(Some((held, read.map_err(Stuck::Own)?))),
            Err(_) => Err(Stuck::Queue(late())),
        }
    }

    async fn soon<T>(
        &self,
        patience: Duration,
        call: impl Future<Output = Result<T, BlobError>>,
    ) -> Result<T, Stuck> {
        match within(self.clock, patience, call).await {
            Ok(done) => done.map_err(|error| Stuck::Own(error.to_string())),
            Err(_) => Err(Stuck::Queue(late())),
        }
    }

    /// The body is not there: the event was moved by somebody else meanwhile, or there is something to tell.
    async fn bodiless(&self, key: &str, patience: Duration) -> Result<(), Stuck> {
        match self.soon(patience, self.fallback.get(key)).await? {
            None => Ok(()),
            Some(_) => Err(Stuck::Own("its body is not beside it any more".to_owned())),
        }
    }

    /// Tells whether a body from beside its envelope goes into it, as it would have when it arrived.
    fn is_better_embedded(&self, bytes: u64) -> bool {
        let most = match self.blobs {
            Some(_) => READ_BACK_BYTES,
            None => ALONE_IN_MEMORY,
        };
        // An envelope adds less than this, or as base64 a third.
        let with_attributes = bytes.saturating_add(bytes / 3).saturating_add(8 * 1024);
        bytes <= most.min(self.max_envelope)
            && with_attributes <= self.queue.limits().max_message_bytes
    }

    /// Puts the body into its envelope.
    async fn embed(
        &self,
        envelope: &Envelope<'_>,
        body: StoredBody,
    ) -> Result<OutboundMessage, Stuck> {
        let mut attributes = envelope.attributes.clone();
        attributes.dataref = None;
        let intact = intact(body.stream, attributes.datasha256.clone());
        let patience = PATIENCE + 2 * transfer_allowance(body.bytes);
        let pieces: Vec<Bytes> = match within(self.clock, patience, intact.try_collect()).await {
            Ok(read) => read.map_err(|error: std::io::Error| Stuck::Own(error.to_string()))?,
            Err(_) => return Err(Stuck::Own("its body was not read in time".to_owned())),
        };
        let mut scanner = Scanner::new(());
        for piece in &pieces {
            scanner.update(piece);
        }
        let encoding = data_encoding(scanner.finish().0, self.queue.limits());
        let length = pieces.iter().map(Bytes::len).sum();
        let envelope = encode(
            &attributes,
            encoding,
            length,
            pieces.iter().map(AsRef::as_ref),
        );
        Ok(OutboundMessage::new(attributes, envelope))
    }

    async fn claim(
        &self,
        envelope: &Envelope<'_>,
        body: StoredBody,
    ) -> Result<OutboundMessage, Stuck> {
        let claimed = claim(envelope, body, self.blobs, self.clock).await;
        claimed.map_err(Stuck::Own)
    }
}

fn late() -> QueueError {
    let message = "neither queue nor stores answered in time";
    QueueError::new(QueueErrorKind::Late, message)
}
