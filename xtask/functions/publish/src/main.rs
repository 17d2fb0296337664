//! Cost of publishing by itself: the clients that the functions have, on the same kind of runtime, with the same
//! messages, and no requests that bring them.
//!
//! `labelrelay-publish URL BODY-BYTES SECONDS` sends from 64 tasks, each the next message when the last one was
//! taken, and prints messages a second and the milliseconds of the median and the 99th percentile. A second
//! before that is not counted.

use labelrelay_azure::Azure;
use labelrelay_core::config::Environment;
use labelrelay_core::{Clock, EventQueue, OutboundMessage};
use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};
use labelrelay_google::Google;
use labelrelay_startup::SystemClock;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const TASKS: usize = 64;
const WARM_UP: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, bytes, seconds] = arguments.as_slice() else {
        return Err("usage: labelrelay-publish URL BODY-BYTES SECONDS".into());
    };
    let (queue, messages) = (open(url)?, Arc::new(Messages::new(bytes.parse()?)?));
    let window = Duration::from_secs(seconds.parse()?);
    queue.check().await?;
    let from = Instant::now() + WARM_UP;
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            tokio::spawn(publish(
                Arc::clone(&queue),
                Arc::clone(&messages),
                from,
                from + window,
            ))
        })
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await??);
    }
    took.sort_unstable();
    let at = |percent: usize| {
        let index = (took.len() * percent / 100).min(took.len().saturating_sub(1));
        took.get(index).copied().unwrap_or_default().as_secs_f64() * 1000.0
    };
    let count = u32::try_from(took.len())?;
    println!(
        "{} {} {}",
        f64::from(count) / window.as_secs_f64(),
        at(50),
        at(99)
    );
    Ok(())
}

fn open(url: &str) -> Outcome<Arc<dyn EventQueue>> {
    let lookup: Environment = std::env::vars_os().collect();
    if url.starts_with("pubsub:") {
        return Ok(Arc::new(Google::load(&lookup)?.queue(url)?));
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Ok(Azure::load(&lookup, clock)?.queue(url)?)
}

async fn publish(
    queue: Arc<dyn EventQueue>,
    messages: Arc<Messages>,
    from: Instant,
    end: Instant,
) -> Outcome<Vec<Duration>> {
    let mut took = Vec::new();
    loop {
        let message = messages.next();
        let sent = Instant::now();
        if sent >= end {
            return Ok(took);
        }
        queue.send(&message).await?;
        let now = Instant::now();
        if now >= from && now < end {
            took.push(now - sent);
        }
    }
}

/// Messages as a relay makes them of label deliveries.
struct Messages {
    body: Vec<u8>,
    attributes: Attributes,
    next: AtomicU64,
}

impl Messages {
    fn new(bytes: usize) -> Outcome<Self> {
        let label = "x".repeat(bytes.saturating_sub(40));
        let body = format!(r#"{{"id":"ckfgcfsbi00003h5ziwnd8qt7","l":"{label}"}}"#).into_bytes();
        let received = "2026-11-24T08:00:00.000000Z";
        let kind: EventType = "com.labelbox.label.created".parse()?;
        let mut attributes = Attributes::new("", "/labelbox", &kind, &Digest::of(&body), received);
        attributes.subject = Some("label/ckfgcfsbi00003h5ziwnd8qt7".to_owned());
        attributes.time = Some(received.to_owned());
        attributes.datacontenttype = Some("application/json".to_owned());
        attributes.deliveryid = Some("ckdelivery0000000000000000".to_owned());
        attributes.partitionkey = Some("labelbox/data_row/ckf4fyd7i0itb0bo5gjgjavwf".to_owned());
        attributes.sequence = Some("20260924T045608.000000000Z".to_owned());
        Ok(Self {
            body,
            attributes,
            next: AtomicU64::new(0),
        })
    }

    fn next(&self) -> OutboundMessage {
        let mut attributes = self.attributes.clone();
        attributes.id = format!("{:064x}", self.next.fetch_add(1, Ordering::Relaxed));
        let length = self.body.len();
        let envelope = encode(
            &attributes,
            DataEncoding::Json,
            length,
            [self.body.as_slice()],
        );
        OutboundMessage::new(attributes, envelope)
    }
}
