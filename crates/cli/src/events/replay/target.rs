//! Destination of a replay: a queue file, beside its owner, or any other queue.

use crate::clouds::Cloud;
use crate::env::Env;
use crate::error::{CliError, chain};
use crate::locations::QueueLocation;
use crate::open;
use crate::queue_file::named;
use crate::queue_sender::{AT_ONCE, Fault, QueueSender, Unsent};
use futures_util::StreamExt as _;
use labelrelay_core::config::Config;
use labelrelay_core::replay::as_replay;
use labelrelay_core::{Clock, QueueLimits};
use labelrelay_local::{EmbeddedQueue, OpenError, Options, QueueFile};
use labelrelay_startup::{Setting, SystemClock};
use std::path::Path;
use std::sync::Arc;

/// After this number no event is looked at: none that is sent again is held against another.
const END: u64 = i64::MAX.cast_unsigned();

/// So many failures in a row mean that it is the queue and not the events.
const STRIKES: usize = 16;

pub(super) struct Target<'a> {
    kind: Kind<'a>,
    clock: Arc<dyn Clock>,
}

enum Kind<'a> {
    /// The file that they were taken from.
    Same(&'a QueueFile),
    File(QueueFile),
    Queue(QueueSender),
}

/// An event that is to be sent again.
pub(super) struct Outgoing {
    pub(super) id: String,
    pub(super) envelope: Vec<u8>,
}

/// Result of sending some events.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) count: u64,
    pub(super) failures: Vec<String>,
    /// Reason why it makes no sense to go on.
    pub(super) broken: Option<String>,
}

impl<'a> Target<'a> {
    /// The queue at `url`, or the file that holds the events, or else takes them.
    pub(super) async fn open(
        url: Option<&str>,
        from: Option<&'a QueueFile>,
        config: Option<&Config>,
        env: &Env<'_>,
    ) -> Result<Self, CliError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let kind = match url {
            None => Kind::Same(from.ok_or_else(nowhere)?),
            Some(url) => {
                let at = Setting {
                    origin: "command line",
                    key: "--to",
                    base_dir: env.cwd(),
                };
                let location = named(url, "`--to`", env)?;
                // The configured form of claim checks is that of SQS, whose consumers know it.
                let of_sqs =
                    config.filter(|_| matches!(location, QueueLocation::Cloud(Cloud::Aws, _)));
                match (
                    open::sink(&location, at, of_sqs, env, &clock).await?,
                    location,
                ) {
                    (Some(queue), _) => {
                        let blobs = match config {
                            Some(config) => open::blob_store(config, env, &clock, true).await?,
                            None => None,
                        };
                        Kind::Queue(QueueSender::new(queue, blobs, Arc::clone(&clock)))
                    }
                    (None, QueueLocation::Sqlite(file)) => Kind::File(file_at(&file, &clock)?),
                    (None, _) => Kind::Same(from.ok_or_else(nowhere)?),
                }
            }
        };
        Ok(Self { kind, clock })
    }

    pub(super) async fn send(&self, events: Vec<Outgoing>) -> Sent {
        match &self.kind {
            Kind::Same(file) => self.append(file, &events),
            Kind::File(file) => self.append(file, &events),
            Kind::Queue(queue) => self.send_all(queue, &events).await,
        }
    }

    /// All of them in one transaction.
    fn append(&self, file: &QueueFile, events: &[Outgoing]) -> Sent {
        let mut sent = Sent::default();
        let limits = QueueLimits::bytes(Options::default().max_message_bytes);
        let mut messages = Vec::new();
        for event in events {
            match as_replay(&event.envelope, self.clock.now(), limits) {
                Ok(message) => messages.push(message),
                Err(error) => sent.failures.push(format!("{}: {error}", event.id)),
            }
        }
        match file.append(&messages, END) {
            Ok(appended) => sent.count = appended.len() as u64,
            Err(error) => sent.broken = Some(chain(&error)),
        }
        sent
    }

    async fn send_all(&self, queue: &QueueSender, events: &[Outgoing]) -> Sent {
        let mut all = Sent::default();
        let mut strikes = 0;
        let sends = events
            .iter()
            .map(|event| async move { (&event.id, self.one(queue, event).await) });
        let mut under_way = futures_util::stream::iter(sends).buffered(AT_ONCE);
        while let Some((id, outcome)) = under_way.next().await {
            match outcome {
                Ok(()) => {
                    all.count += 1;
                    strikes = 0;
                }
                Err(unsent) => {
                    all.failures.push(format!("{id}: {}", unsent.reason));
                    strikes += usize::from(unsent.fault != Fault::Event);
                    if strikes == STRIKES {
                        all.broken = Some(unsent.reason);
                        break;
                    }
                }
            }
        }
        all
    }

    async fn one(&self, queue: &QueueSender, event: &Outgoing) -> Result<(), Unsent> {
        let message = as_replay(&event.envelope, self.clock.now(), queue.limits());
        queue
            .send(message.map_err(|error| Unsent::own(error.to_string()))?)
            .await
            .map(drop)
    }
}

fn nowhere() -> CliError {
    CliError::usage("say where the events are to be sent: `--to URL`")
}

/// The queue file at `path`; made when there is none.
fn file_at(path: &Path, clock: &Arc<dyn Clock>) -> Result<QueueFile, CliError> {
    match QueueFile::open(path, Arc::clone(clock)) {
        Err(OpenError::Missing { .. }) => {
            let made = EmbeddedQueue::open(path, Options::default(), Arc::clone(clock));
            made.map_err(|error| open::not_opened(&error))?.close();
            QueueFile::open(path, Arc::clone(clock))
        }
        opened => opened,
    }
    .map_err(|error| open::not_opened(&error))
}
