//! Reading a body to its last byte: into memory, or, when it grows large, into the spool.

use super::Relay;
use super::in_flight::InFlight;
use super::receive::{BodyCheck, BodyError};
use super::refusal::Refusal;
use crate::BoxStream;
use crate::clock::within;
use crate::outcome::Outcome;
use crate::payload::{Gathered, Payload};
use crate::spool::{PIPE_BYTES, SpoolError, SpoolWriter};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use std::io::ErrorKind;
use std::time::Duration;

/// A body that arrived whole, and its part of the memory that all bodies share.
pub(super) struct Body {
    pub(super) payload: Payload,
    pub(super) in_flight: InFlight,
}

/// How fast bodies have to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// A body in memory must be complete this long after the request's head.
    pub(super) whole: Duration,
    /// What is spooled has that long, and a second more for each so many bytes that have come.
    pub(super) bytes_per_second: u64,
    /// In what is spooled, the next byte comes within this.
    pub(super) idle: Duration,
}

/// How a body is read.
pub(super) struct Reading<'a> {
    pub(super) relay: &'a Relay,
    /// Largest body in bytes.
    pub(super) limit: u64,
    /// What sees the bytes; nothing for a body that is read and dropped, because it may carry a live
    /// API token (an ML back end's call).
    pub(super) keep: Option<&'a mut BodyCheck>,
    /// Bytes that have arrived, for the log, whatever comes of them.
    pub(super) read: &'a mut u64,
    pub(super) in_flight: InFlight,
}

/// Where the bytes go.
enum Place {
    Memory(Gathered),
    Spool(Box<dyn SpoolWriter>),
}

impl Reading<'_> {
    pub(super) async fn read<S>(mut self, body: S) -> Result<Body, Refusal>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        let mut body = std::pin::pin!(body);
        let clock = &*self.relay.parts.clock;
        let begun = clock.monotonic();
        let mut place = Place::Memory(Gathered::default());
        loop {
            let left = self.patience(&place, clock.monotonic().saturating_sub(begun));
            let next = within(clock, left, body.next()).await;
            let Some(chunk) = next.map_err(|_| too_slow())? else {
                break;
            };
            let chunk =
                chunk.map_err(|error| Refusal::new(Outcome::Malformed, &error.to_string()))?;
            *self.read = self.read.saturating_add(chunk.len() as u64);
            if *self.read > self.limit {
                return Err(Refusal::too_large(self.limit));
            }
            place = self.take(place, chunk).await?;
        }
        let payload = match place {
            Place::Memory(gathered) => gathered.into(),
            Place::Spool(writer) => self.on_disk(writer.finish()).await?.into(),
        };
        Ok(Body {
            payload,
            in_flight: self.in_flight,
        })
    }

    /// How long the next bytes may take.
    fn patience(&self, place: &Place, elapsed: Duration) -> Duration {
        let rules = self.relay.pace;
        match place {
            Place::Memory(_) => rules.whole.saturating_sub(elapsed),
            Place::Spool(_) => {
                let more = Duration::from_secs(*self.read / rules.bytes_per_second);
                (rules.whole + more).saturating_sub(elapsed).min(rules.idle)
            }
        }
    }

    async fn take(&mut self, place: Place, chunk: Bytes) -> Result<Place, Refusal> {
        let Some(check) = &mut self.keep else {
            return Ok(place);
        };
        let mut writer = match place {
            Place::Memory(mut gathered) => {
                if *self.read <= self.relay.spool_threshold {
                    let cost = self.relay.cost().of_body(*self.read);
                    if !self.in_flight.hold(cost) {
                        return Err(self.relay.no_memory_left());
                    }
                    check.update(&chunk);
                    gathered.push(chunk);
                    return Ok(Place::Memory(gathered));
                }
                self.begin(&gathered).await?
            }
            Place::Spool(writer) => writer,
        };
        self.on_disk(writer.write(chunk.clone())).await?;
        // While the disk writes.
        if let Some(check) = &mut self.keep {
            check.update(&chunk);
        }
        Ok(Place::Spool(writer))
    }

    /// Moves what has come so far into the spool.
    async fn begin(&mut self, gathered: &Gathered) -> Result<Box<dyn SpoolWriter>, Refusal> {
        let Some(spool) = self.relay.parts.spool.as_deref() else {
            return Err(SpoolError::new("there is none").into());
        };
        let mut writer = self.on_disk(spool.begin()).await?;
        for chunk in gathered.chunks() {
            self.on_disk(writer.write(chunk)).await?;
        }
        if !self.in_flight.hold(PIPE_BYTES) {
            return Err(self.relay.no_memory_left());
        }
        Ok(writer)
    }

    /// A disk that hangs is no reason to hold on to what arrives.
    async fn on_disk<T>(
        &self,
        work: impl Future<Output = Result<T, SpoolError>>,
    ) -> Result<T, Refusal> {
        let limit = self.relay.pace.idle;
        let done = within(&*self.relay.parts.clock, limit, work).await;
        let done = done.unwrap_or_else(|_| {
            let message = format!("the disk did not answer within {} ms", limit.as_millis());
            Err(SpoolError::new(message))
        });
        Ok(done?)
    }
}

impl Relay {
    /// What comes next of a body that has arrived. Nothing outlives the stop of a disk that hangs.
    pub(super) async fn next_piece(
        &self,
        stream: &mut BoxStream<'_, std::io::Result<Bytes>>,
    ) -> std::io::Result<Option<Bytes>> {
        let next = within(&*self.parts.clock, self.pace.idle, stream.next()).await;
        let late = |_| Some(Err(ErrorKind::TimedOut.into()));
        next.unwrap_or_else(late).transpose()
    }
}

fn too_slow() -> Refusal {
    Refusal::new(Outcome::Timeout, "the body was not complete in time")
}
