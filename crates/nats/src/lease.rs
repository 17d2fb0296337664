//! The right to do a piece of work alone: a message in a key-value bucket, which the server forgets when its time is over.
//!
//! A server takes a message for a key only from whoever knows the one before. So of several who find none, one has the
//! lease. It puts another message there in good time, for as long as it wants the lease, and takes the last one away
//! when it ends. If it ends without that, the server forgets it.
//!
//! A message says whose it is: if the receipt of one did not come back, its holder finds it, and goes on behind it.

use crate::answers::{StoredMessage, StreamInfo, found, published_after, read};
use crate::failure::Failure;
use crate::server::Servers;
use async_nats::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_util::future::{Either, select};
use labelrelay_core::Held;
use labelrelay_core::QueueErrorKind::Misconfigured;
use serde_json::json;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

/// By this, a server takes a message only behind that one; 0 is none.
const EXPECTED_LAST: &str = "Nats-Expected-Last-Subject-Sequence";

/// A lease that somebody has.
pub(crate) struct Turn {
    place: Arc<Place>,
    /// Ends the lease when it is dropped.
    _end: oneshot::Sender<()>,
}

/// Where the messages of a lease are.
struct Place {
    servers: Arc<Servers>,
    stream: String,
    subject: String,
    /// What its messages say, and no others.
    holder: Bytes,
    /// Time for which the server keeps a message.
    age: Duration,
    /// On the monotonic clock, in milliseconds: until then nobody else can have it.
    until_ms: AtomicU64,
}

impl Held for Turn {
    fn is_there(&self) -> bool {
        let now = milliseconds(self.place.servers.clock.monotonic());
        now < self.place.until_ms.load(Ordering::Acquire)
    }
}

/// Takes the right to do `work`; `None` while another has it.
///
/// # Errors
/// [`Failure`] when the bucket cannot be used.
pub(crate) async fn take(
    servers: &Arc<Servers>,
    bucket: &str,
    work: &str,
) -> Result<Option<Turn>, Failure> {
    let place = Arc::new(Place {
        servers: Arc::clone(servers),
        stream: stream(bucket),
        // Whatever stands in the name of the work, this is a key.
        subject: format!("$KV.{bucket}.{}", URL_SAFE_NO_PAD.encode(work)),
        holder: holder(),
        age: age(servers, bucket).await?,
        until_ms: AtomicU64::default(),
    });
    let Some(sequence) = place.put(0).await? else {
        return Ok(None);
    };
    let (end, ended) = oneshot::channel();
    tokio::spawn(Arc::clone(&place).keep(sequence, ended));
    Ok(Some(Turn { place, _end: end }))
}

/// Time for which a bucket keeps its messages.
///
/// # Errors
/// [`Failure`] when there is no such bucket, or it keeps them for ever: nobody would get the lease of one that is gone.
pub(crate) async fn age(servers: &Servers, bucket: &str) -> Result<Duration, Failure> {
    let subject = format!("$JS.API.STREAM.INFO.{}", stream(bucket));
    let answer = servers.ask(&subject, None, Bytes::new()).await?;
    let wrong =
        |problem: String, cure: String| Failure::new(Misconfigured, problem, cure).answered();
    let info = read::<StreamInfo>(&answer.payload).map_err(|failure| {
        if failure.is_absent && failure.fault.kind == Misconfigured {
            let problem = format!("there is no bucket {bucket} for leases");
            wrong(
                problem,
                format!("nats kv add {bucket} --ttl=60s --history=1"),
            )
        } else {
            failure
        }
    })?;
    if info.config.max_age == 0 {
        let problem = format!("the bucket {bucket} for leases keeps them for ever");
        let cure = format!("nats stream edit {} --max-age=60s", stream(bucket));
        return Err(wrong(problem, cure));
    }
    Ok(Duration::from_nanos(info.config.max_age))
}

impl Place {
    /// Puts a message behind the one at `last`; its own place, or `None` if there is another one.
    async fn put(&self, last: u64) -> Result<Option<u64>, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(EXPECTED_LAST, last.to_string().as_str());
        let asked = self.servers.clock.monotonic();
        let answer = self
            .servers
            .ask(&self.subject, Some(headers), self.holder.clone())
            .await?;
        let sequence = published_after(&answer.payload)?;
        if sequence.is_some() {
            // The server keeps it for somewhat longer.
            let until = milliseconds(asked + self.age / 4 * 3);
            self.until_ms.store(until, Ordering::Release);
        }
        Ok(sequence)
    }

    /// Puts a message behind our last one, of which the one at `sequence` was acknowledged; its own place, or `None` if
    /// another has the lease.
    async fn renew(&self, sequence: u64) -> Result<Option<u64>, Failure> {
        let put = self.put(sequence).await?;
        if put.is_some() {
            return Ok(put);
        }
        // The receipt of one may not have come back. Whoever cannot ask for it gives the lease up.
        match self.last_of_ours().await {
            Ok(Some(last)) => self.put(last).await,
            _ => Ok(None),
        }
    }

    /// Place of the last message, if it is ours.
    async fn last_of_ours(&self) -> Result<Option<u64>, Failure> {
        let subject = format!("$JS.API.STREAM.MSG.GET.{}", self.stream);
        let wanted = json!({"last_by_subj": self.subject}).to_string();
        let answer = self.servers.ask(&subject, None, wanted.into()).await?;
        let ours = STANDARD.encode(&self.holder);
        let is_ours = |message: &StoredMessage| message.data == ours;
        let last = found(&answer.payload)?.filter(is_ours);
        Ok(last.map(|message| message.seq))
    }

    /// Keeps the lease until its end, or until another has it.
    async fn keep(self: Arc<Self>, mut sequence: u64, mut ended: oneshot::Receiver<()>) {
        let clock = Arc::clone(&self.servers.clock);
        let mut is_certain = true;
        while let Either::Right(_) = select(&mut ended, clock.sleep(self.age / 4)).await {
            let renewed = self.renew(sequence).await;
            is_certain = renewed.is_ok();
            match renewed {
                Ok(Some(next)) => sequence = next,
                Ok(None) => return self.until_ms.store(0, Ordering::Release),
                // Until its time is over, it is ours.
                Err(_) => {}
            }
        }
        if !is_certain && let Ok(Some(last)) = self.last_of_ours().await {
            sequence = last;
        }
        // A bucket lets nobody delete a message, but purge what a key has.
        let subject = format!("$JS.API.STREAM.PURGE.{}", self.stream);
        let through_last = sequence.saturating_add(1);
        let last = json!({"filter": self.subject, "seq": through_last}).to_string();
        // The server forgets it later, if it does not hear of this.
        let _ = self.servers.ask(&subject, None, last.into()).await;
    }
}

/// What nobody else says, nor this process of another lease.
fn holder() -> Bytes {
    let random = RandomState::new().build_hasher().finish();
    let holder = json!({"holder": format!("{random:016x}")});
    holder.to_string().into()
}

/// The stream behind a bucket.
fn stream(bucket: &str) -> String {
    format!("KV_{bucket}")
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
