//! Reading a body to its last byte: into memory, or, when it grows large, into the spool.

use super::body_check::BodyCheck;
use super::in_flight::InFlight;
use super::memory_estimate::Memory;
use super::parts::Parts;
use super::refusal::Refusal;
use crate::BoxStream;
use crate::clock::{Clock, within};
use crate::config::Config;
use crate::outcome::Outcome;
use crate::payload::{Gathered, Payload};
use crate::spool::{PIPE_BYTES, Spool, SpoolError, SpoolWriter};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

/// A body must be complete this long after the request's head, unless configured otherwise; one that is
/// spooled has longer, by what it brings.
pub const DEFAULT_BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a body did not arrive whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The sender went away, or broke the transfer encoding.
    #[error("the body broke off: {0}")]
    Broken(String),
    /// The platform handed over something that is no body, such as invalid base64.
    #[error("the body cannot be read: {0}")]
    Undecodable(String),
}

/// Time limits of bodies.
#[derive(Debug, Clone, Copy)]
struct BodyTimeouts {
    /// A body in memory must be complete this long after the request's head.
    whole: Duration,
    /// A spooled body has that long, and a second more for each so many bytes that have come.
    bytes_per_second: u64,
    /// In a spooled body, the next byte comes within this.
    idle: Duration,
}

/// Reads bodies, and reads them back.
pub(super) struct BodyReader {
    clock: Arc<dyn Clock>,
    spool: Option<Arc<dyn Spool>>,
    /// Bodies with more bytes are spooled.
    spool_threshold: u64,
    timeouts: BodyTimeouts,
    memory: Memory,
}

impl BodyReader {
    pub(super) fn new(config: &Config, parts: &Parts, memory: Memory) -> Self {
        Self {
            clock: Arc::clone(&parts.clock),
            spool: parts.spool.clone(),
            spool_threshold: match parts.spool {
                Some(_) => config.spool.threshold_bytes(),
                None => u64::MAX,
            },
            timeouts: BodyTimeouts {
                whole: config.serve.body_timeout.unwrap_or(DEFAULT_BODY_TIMEOUT),
                bytes_per_second: config.spool.min_bytes_per_second(),
                idle: config.spool.idle_timeout(),
            },
            memory,
        }
    }

    /// The next piece of a body that has arrived. Gives up after the idle timeout if the disk hangs.
    pub(super) async fn next_piece(
        &self,
        stream: &mut BoxStream<'_, std::io::Result<Bytes>>,
    ) -> std::io::Result<Option<Bytes>> {
        let next = within(&*self.clock, self.timeouts.idle, stream.next()).await;
        let late = |_| Some(Err(ErrorKind::TimedOut.into()));
        next.unwrap_or_else(late).transpose()
    }
}

/// A body that arrives.
pub(super) struct ArrivingBody<'a> {
    pub(super) reader: &'a BodyReader,
    /// Largest body in bytes.
    pub(super) limit: u64,
    /// Sees the bytes; nothing does of a body that is read and dropped, because it may carry a live
    /// API token (an ML back end's call).
    pub(super) check: Option<&'a mut BodyCheck>,
    /// Bytes that have arrived, for the log, whatever comes of them.
    pub(super) read: &'a mut u64,
    /// Part of the memory that all bodies share.
    pub(super) in_flight: &'a mut InFlight,
}

/// Destination of the bytes.
enum Destination {
    Memory(Gathered),
    Spool(Box<dyn SpoolWriter>),
}

impl ArrivingBody<'_> {
    pub(super) async fn read<S>(mut self, body: S) -> Result<Payload, Refusal>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        let mut body = std::pin::pin!(body);
        let clock = &*self.reader.clock;
        let begun = clock.monotonic();
        let mut destination = Destination::Memory(Gathered::default());
        loop {
            let left = self.patience(&destination, clock.monotonic().saturating_sub(begun));
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
            destination = self.take(destination, chunk).await?;
        }
        Ok(match destination {
            Destination::Memory(gathered) => gathered.into(),
            Destination::Spool(writer) => self.on_disk(writer.finish()).await?.into(),
        })
    }

    /// Time that the next bytes may take.
    fn patience(&self, destination: &Destination, elapsed: Duration) -> Duration {
        let timeouts = self.reader.timeouts;
        match destination {
            Destination::Memory(_) => timeouts.whole.saturating_sub(elapsed),
            Destination::Spool(_) => {
                let more = Duration::from_secs(*self.read / timeouts.bytes_per_second);
                (timeouts.whole + more)
                    .saturating_sub(elapsed)
                    .min(timeouts.idle)
            }
        }
    }

    async fn take(
        &mut self,
        destination: Destination,
        chunk: Bytes,
    ) -> Result<Destination, Refusal> {
        let Some(check) = &mut self.check else {
            return Ok(destination);
        };
        let mut writer = match destination {
            Destination::Memory(mut gathered) => {
                if *self.read <= self.reader.spool_threshold {
                    let cost = self.reader.memory.cost(*self.read);
                    if !self.in_flight.hold(cost) {
                        return Err(self.no_memory_left());
                    }
                    check.update(&chunk);
                    gathered.push(chunk);
                    return Ok(Destination::Memory(gathered));
                }
                Box::pin(self.begin(&gathered)).await?
            }
            Destination::Spool(writer) => writer,
        };
        self.on_disk(writer.write(chunk.clone())).await?;
        // While the disk writes.
        if let Some(check) = &mut self.check {
            check.update(&chunk);
        }
        Ok(Destination::Spool(writer))
    }

    /// Moves what has come so far into the spool.
    async fn begin(&mut self, gathered: &Gathered) -> Result<Box<dyn SpoolWriter>, Refusal> {
        let Some(spool) = self.reader.spool.as_deref() else {
            return Err(SpoolError::new("there is none").into());
        };
        let mut writer = self.on_disk(spool.begin()).await?;
        for chunk in gathered.chunks() {
            self.on_disk(writer.write(chunk)).await?;
        }
        if !self.in_flight.hold(PIPE_BYTES) {
            return Err(self.no_memory_left());
        }
        Ok(writer)
    }

    fn no_memory_left(&self) -> Refusal {
        Refusal::no_memory_left(self.reader.memory.limit())
    }

    /// Runs `work`. Gives up after the idle timeout if the disk hangs.
    async fn on_disk<T>(
        &self,
        work: impl Future<Output = Result<T, SpoolError>>,
    ) -> Result<T, Refusal> {
        let limit = self.reader.timeouts.idle;
        let done = within(&*self.reader.clock, limit, work).await;
        let done = done.unwrap_or_else(|_| {
            let message = format!("the disk did not answer within {} ms", limit.as_millis());
            Err(SpoolError::new(message))
        });
        Ok(done?)
    }
}

fn too_slow() -> Refusal {
    Refusal::new(Outcome::Timeout, "the body was not complete in time")
}
