//! `labelrelay dataset sync`.

use super::claims::Claims;
use super::export_options::ExportOptions;
use crate::durations::{parse_duration, parse_hold};
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::locations::QueueLocation;
use crate::output::{print, print_json, say};
use crate::queue_file::QueueArgs;
use crate::serve::Signals;
use labelrelay_core::{Clock, EventSource, ReceivedEvent};
use labelrelay_dataset::{Snapshot, Store};
use labelrelay_event::{Event, EventError};
use labelrelay_local::FileSource;
use labelrelay_startup::SystemClock;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Events of one transaction.
const BATCH: usize = 500;

/// Bytes of one transaction, about.
const BYTES: usize = 16 * 1024 * 1024;

/// A signal is heeded after a receive, so one waits no longer.
const WAIT: Duration = Duration::from_millis(500);

/// An event that cannot be read comes again after this, until the queue makes a dead letter of it.
const AGAIN: Duration = Duration::from_secs(60);

const EXAMPLES: &str = "\
Examples:
  labelrelay dataset sync ./cars
  labelrelay dataset sync ./cars --format coco,yolo --split 70/20/10
  labelrelay dataset sync ./cars --follow --every 10s";

const NOTES: &str = "\
Takes all events out of the queue, and writes a snapshot if something changed: snapshots/000001 and so on; latest.json \
names the newest. What a format cannot express is in rejects.jsonl, with the reason. An event that cannot be read is \
named, stays on the queue, and becomes a dead letter there.";

/// Takes events in, and writes a snapshot.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// Directory of the dataset; it is made if it is not there
    dir: PathBuf,
    #[command(flatten)]
    export: ExportOptions,
    /// Go on until stopped
    #[arg(long)]
    follow: bool,
    /// With --follow: the least time between two snapshots
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "60s")]
    every: Duration,
    /// Hide events from other consumers for this long; a batch takes a second or less
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = parse_hold)]
    visibility: Duration,
    /// Print each snapshot as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    queue: QueueArgs,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let source = source(args.queue.location(env)?)?;
    let claims = Claims::configured(args.queue.config.as_deref(), env)?;
    let store = Store::open(env.cwd().join(&args.dir))?;
    let mut sync = Sync {
        args,
        source: &*source,
        claims,
        store,
        named: HashSet::new(),
    };
    crate::runtime::small()?.block_on(sync.run())
}

/// The queue's events. The clouds' queues are not read so far.
fn source(location: QueueLocation) -> Result<Arc<dyn EventSource>, CliError> {
    match location {
        QueueLocation::Sqlite(file) => {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
            let source = FileSource::open(file, clock).map_err(CliError::failed)?;
            Ok(Arc::new(source))
        }
        other => Err(CliError::usage(format_args!(
            "the queue is {other}; a dataset is made from the embedded queue so far (--queue sqlite:FILE)"
        ))),
    }
}

struct Sync<'a> {
    args: &'a Args,
    source: &'a dyn EventSource,
    claims: Claims,
    store: Store,
    /// Events that could not be read, and were named.
    named: HashSet<String>,
}

impl Sync<'_> {
    async fn run(&mut self) -> Result<(), CliError> {
        // A receive that is under way is waited for: what it brings is not to be hidden from others for nothing.
        let is_stopped = Arc::new(AtomicBool::new(false));
        let (mut signals, flag) = (Signals::new()?, Arc::clone(&is_stopped));
        tokio::spawn(async move {
            signals.next().await;
            flag.store(true, Ordering::Relaxed);
        });
        let mut written: Option<Instant> = None;
        let mut last = None;
        loop {
            let wait = if self.args.follow {
                WAIT
            } else {
                Duration::ZERO
            };
            let came = self.receive(wait).await?;
            let is_empty = came.is_empty();
            if !is_empty {
                self.take_in(&came).await?;
            }
            let stops = is_stopped.load(Ordering::Relaxed);
            let is_end = stops || (is_empty && !self.args.follow);
            let is_due = written.is_none_or(|written| written.elapsed() >= self.args.every);
            if is_end || (self.args.follow && is_due) {
                let snapshot =
                    labelrelay_dataset::write(&mut self.store, &self.args.export.options())?;
                written = Some(Instant::now());
                if last.as_ref() != Some(&snapshot) {
                    self.tell(&snapshot)?;
                    last = Some(snapshot);
                }
            }
            if is_end {
                return Ok(());
            }
        }
    }

    /// With `--follow`, an error that may pass is waited for.
    async fn receive(&self, wait: Duration) -> Result<Vec<ReceivedEvent>, CliError> {
        match self.source.receive(BATCH, self.args.visibility, wait).await {
            Ok(came) => Ok(came),
            Err(error) if error.may_pass && self.args.follow => {
                say(format_args!("{error}; trying again"));
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(Vec::new())
            }
            Err(error) => Err(CliError::failed(error)),
        }
    }

    /// Takes events in, so many bytes at a time. Those that cannot be read are given back in the end.
    async fn take_in(&mut self, came: &[ReceivedEvent]) -> Result<(), CliError> {
        let (mut batch, mut bytes, mut bad) = (Vec::new(), 0, Vec::new());
        for received in came {
            match self.read(received) {
                Ok(event) => {
                    bytes += event.raw().map_or(0, <[u8]>::len);
                    batch.push((received, event));
                }
                Err(cause) => {
                    self.name(received, &cause);
                    bad.push(received.receipt.as_str());
                }
            }
            if bytes >= BYTES {
                self.fold(std::mem::take(&mut batch), &mut bad).await?;
                bytes = 0;
            }
        }
        self.fold(batch, &mut bad).await?;
        if !bad.is_empty() {
            let given_back = self.source.retry(&bad, AGAIN).await;
            given_back.map_err(CliError::failed)?;
        }
        Ok(())
    }

    /// Folds events, and acknowledges what is on the disk then. Adds the receipts of those that cannot be read to `bad`.
    async fn fold<'e>(
        &mut self,
        batch: Vec<(&'e ReceivedEvent, Event<'_>)>,
        bad: &mut Vec<&'e str>,
    ) -> Result<(), CliError> {
        if batch.is_empty() {
            return Ok(());
        }
        let (came, events): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let verdicts = self.store.fold(&events)?;
        let mut done = Vec::with_capacity(came.len());
        for (received, verdict) in came.into_iter().zip(verdicts) {
            match verdict {
                Ok(()) => done.push(received.receipt.as_str()),
                Err(cause) => {
                    self.name(received, &cause.to_string());
                    bad.push(received.receipt.as_str());
                }
            }
        }
        // A receipt that is stale by now means that the event comes again, and then it changes nothing.
        let acknowledged = self.source.ack(&done).await;
        acknowledged.map(drop).map_err(CliError::failed)
    }

    fn read<'e>(&self, received: &'e ReceivedEvent) -> Result<Event<'e>, String> {
        let words = |error: EventError| error.to_string();
        let event = Event::parse(&received.envelope).map_err(words)?;
        match event.attributes().dataref.as_deref() {
            Some(dataref) if event.is_claimed() => {
                let body = self.claims.fetch(dataref);
                let body =
                    body.map_err(|cause| format!("event {}: {cause}", event.attributes().id))?;
                event.with_body(body).map_err(words)
            }
            _ => Ok(event),
        }
    }

    /// Says once that an event cannot be read.
    fn name(&mut self, received: &ReceivedEvent, cause: &str) {
        if self.named.insert(received.place.clone()) {
            say(format_args!(
                "{}: left on the queue: {cause}",
                received.place
            ));
        }
    }

    fn tell(&self, snapshot: &Snapshot) -> Result<(), CliError> {
        if self.args.json {
            return Ok(print_json(snapshot)?);
        }
        Ok(print(format_args!("{}", words(snapshot, &self.args.dir)))?)
    }
}

/// Counts of a snapshot, in words.
pub(super) fn words(snapshot: &Snapshot, dir: &Path) -> String {
    let counts = &snapshot.counts;
    let path = dir.join(&snapshot.path);
    let mut words = format!(
        "{}, {}",
        counted(counts.annotations, "annotation", "annotations"),
        counted(counts.classes, "class", "classes")
    );
    let mut separator = ';';
    for (count, what) in [
        (counts.skipped, "skipped"),
        (counts.not_chosen, "not chosen"),
        (counts.other_state, "in another state"),
        (counts.without_task, "of no known task"),
        (counts.deletion_unconfirmed, "whose deletion nobody signed"),
        (counts.media_missing, "media without a copy"),
    ] {
        if count > 0 {
            let _ = write!(words, "{separator} {count} {what}");
            separator = ',';
        }
    }
    if counts.rejected > 0 {
        let rejects = path.join("rejects.jsonl");
        let _ = write!(
            words,
            "{separator} {} inexpressible ({})",
            counts.rejected,
            rejects.display()
        );
    }
    format!("{words}\n{}, sha256 {}", path.display(), snapshot.digest)
}

fn counted(count: u64, one: &str, several: &str) -> String {
    let name = if count == 1 { one } else { several };
    format!("{count} {name}")
}
