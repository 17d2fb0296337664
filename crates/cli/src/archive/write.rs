//! `labelrelay archive write`: archives what a queue of a cloud gets, which has no file that could be followed.

use super::patience::{Patience, Trouble};
use crate::archive_store;
use crate::durations::parse_duration;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::event_source;
use crate::logging::{self, By, Format};
use crate::output::{finish, print, say};
use crate::serve::Signals;
use jiff::Timestamp;
use labelrelay_archive::Archive;
use labelrelay_core::{EventSource, Extended, ReceivedEvent};
use labelrelay_event::{Digest, S3Pointer};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const EXAMPLES: &str = "\
Examples:
  labelrelay archive write s3://BUCKET/archive --queue sqs://REGION/ACCOUNT/archive
  labelrelay archive write gs://BUCKET/archive --queue pubsub://PROJECT/SUBSCRIPTION --follow";

const NOTES: &str = "\
Takes the events out of the queue: give it a queue or a subscription of its own, which gets each event beside that of your \
consumers. An event is acknowledged once the archive has it. Ended in between, it is received and written again, with the \
same id. With --follow, it tries again where queue or archive cannot be reached, with growing pauses. For the embedded \
queue, `serve` archives by itself: [archive] in its configuration. SIGTERM or Ctrl-C: what was received is written first; a \
second one ends at once (130).";

/// Events of one batch, and their bytes, about. They are in memory.
const BATCH_EVENTS: usize = 5_000;
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// Time for which received events are hidden from others: longer than a batch is gathered and written.
const VISIBILITY: Duration = Duration::from_secs(10 * 60);

/// Longest time for which a batch is gathered.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// While a batch cannot be written, its events are hidden for longer this often. Together with the longest gathering, a pause
/// and a try that fails, it is shorter than the time for which they are hidden at first.
const KEPT_EVERY: Duration = Duration::from_secs(2 * 60);

/// Time that one receive waits for an event.
const WAIT: Duration = Duration::from_secs(5);

/// Takes events out of a queue, and writes them into an archive.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// The archive; made if need be
    #[arg(value_name = "URL")]
    url: String,
    /// The queue, or a Pub/Sub subscription
    #[arg(long, value_name = "URL")]
    queue: String,
    /// Go on until stopped
    #[arg(long)]
    follow: bool,
    /// An event is written at the latest after so long
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = every)]
    every: Duration,
    /// End when nothing came for so long
    #[arg(long, value_name = "TIME", default_value = "5s", conflicts_with = "follow", value_parser = parse_duration)]
    until_idle: Duration,
    /// Queue or topic for what is no event [default: the queue's own]
    #[arg(long, value_name = "URL")]
    dead_letter: Option<String>,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    // What a source leaves out is in the log.
    logging::start(Format::Human, false, By::AThread, env)?;
    let runtime = crate::runtime::full()?;
    let Some(archived) = runtime.block_on(until_stopped(args, env))? else {
        say(format_args!("labelrelay: ended at once"));
        finish();
        // The conventional code for an interrupt. What was not acknowledged comes again.
        std::process::exit(130);
    };
    Ok(print(format_args!("archived {archived} events"))?)
}

/// The number of events; `None` after a second signal.
async fn until_stopped(args: &Args, env: &Env<'_>) -> Result<Option<u64>, CliError> {
    // Before anything is received.
    let mut signals = Signals::new()?;
    let location = event_source::location(Some((args.queue.as_str(), "`--queue`")), None, env)?;
    let archive = archive_store::made(&args.url, "URL", env).await?;
    let source = event_source::open(&location, args.dead_letter.as_deref(), env).await?;
    let writer = writer_of(&location.to_string());
    let (stop, stopping) = watch::channel(false);
    let second_signal = signals.second(|| {
        stop.send_replace(true);
    });
    tokio::select! {
        archived = write_all(args, &*source, &archive, writer, stopping) => archived.map(Some),
        () = second_signal => Ok(None),
    }
}

async fn write_all(
    args: &Args,
    source: &dyn EventSource,
    archive: &Archive,
    writer: u64,
    mut stopping: watch::Receiver<bool>,
) -> Result<u64, CliError> {
    let (mut first, mut archived) = (1_u64, 0_u64);
    let mut patience = Patience::new(args.follow, stopping.clone());
    loop {
        let (batch, is_last) = match gather(args, source, &mut stopping).await {
            Ok(gathered) => gathered,
            Err(trouble) => {
                if patience.after(trouble).await? {
                    continue;
                }
                return Ok(archived);
            }
        };
        patience.begin_anew();
        first = first.max(number_of_now());
        let numbers = (writer, first);
        first += batch.len() as u64;
        archived += write(source, archive, numbers, batch, &mut patience).await?;
        if is_last {
            return Ok(archived);
        }
    }
}

/// Name of whoever writes what this queue has. All runs have the same one, so that their files can be put together.
fn writer_of(queue: &str) -> u64 {
    let digest = Digest::of(queue.as_bytes()).to_hex();
    let beginning = digest.get(..16).unwrap_or_default();
    u64::from_str_radix(beginning, 16).unwrap_or_default()
}

/// The number of the next event, which no run has given before: microseconds since 1970.
fn number_of_now() -> u64 {
    u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(1)
}

/// Receives until there are many events, or the first one has waited for long. `true` if nothing else shall be received.
async fn gather(
    args: &Args,
    source: &dyn EventSource,
    stopping: &mut watch::Receiver<bool>,
) -> Result<(Vec<ReceivedEvent>, bool), Trouble> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    let mut begun: Option<Instant> = None;
    let wait = if args.follow { WAIT } else { args.until_idle };
    while batch.len() < BATCH_EVENTS
        && bytes < BATCH_BYTES
        && begun.is_none_or(|begun| begun.elapsed() < args.every)
    {
        // Nothing that was received waits for others longer than it may.
        let left = begun.map_or(wait, |begun| args.every.saturating_sub(begun.elapsed()));
        let receiving = source.receive(BATCH_EVENTS - batch.len(), VISIBILITY, wait.min(left));
        let received = tokio::select! {
            received = receiving => received,
            _ = stopping.wait_for(|stop| *stop) => return Ok((batch, true)),
        };
        let received = match received {
            Ok(received) => received,
            // What was received before is written first; the next receive tells it again.
            Err(_) if !batch.is_empty() => break,
            Err(error) => return Err(error.into()),
        };
        if received.is_empty() && !args.follow && left >= wait {
            return Ok((batch, true));
        }
        if !received.is_empty() {
            begun.get_or_insert_with(Instant::now);
        }
        bytes += received
            .iter()
            .map(|event| event.envelope.len())
            .sum::<usize>();
        batch.extend(received);
    }
    Ok((batch, false))
}

/// Writes a batch, then acknowledges it; the number of events that the archive has now. What cannot be written for now is
/// kept: given back, it would be received once more each time, and be a dead letter one day.
async fn write(
    source: &dyn EventSource,
    archive: &Archive,
    numbers: (u64, u64),
    mut batch: Vec<ReceivedEvent>,
    patience: &mut Patience,
) -> Result<u64, CliError> {
    if batch.is_empty() {
        return Ok(0);
    }
    let unreadable = append(source, archive, numbers, &mut batch, patience).await?;
    let (mut written, mut others) = (Vec::new(), Vec::new());
    let (_, first) = numbers;
    for (number, event) in (first..).zip(batch) {
        let is_written = !unreadable.contains(&number);
        let place = if is_written {
            &mut written
        } else {
            &mut others
        };
        place.push(event);
    }
    let receipts: Vec<&str> = written.iter().map(|event| event.receipt.as_str()).collect();
    while !receipts.is_empty()
        && let Err(error) = source.ack(&receipts).await
    {
        go_on(patience, error).await?;
    }
    for event in &mut others {
        if S3Pointer::parse(&event.envelope).is_some() {
            return Err(CliError::failed(format_args!(
                "message {}: its event is in S3, and only a pointer is on the queue; let the relay that fills this queue write claim checks of the form `dataref`",
                event.place
            )));
        }
        while let Err(error) = source.reject(event, "it is no envelope").await {
            go_on(patience, error).await?;
        }
    }
    Ok(written.len() as u64)
}

/// Writes a batch, under the same numbers until it is there; the numbers of what is no envelope.
async fn append(
    source: &dyn EventSource,
    archive: &Archive,
    (writer, first): (u64, u64),
    batch: &mut [ReceivedEvent],
    patience: &mut Patience,
) -> Result<Vec<u64>, CliError> {
    let now_ms = Timestamp::now().as_millisecond();
    let mut kept = Instant::now();
    loop {
        let envelopes = batch.iter().map(|event| event.envelope.to_vec());
        match archive.append(writer, first, now_ms, envelopes).await {
            Ok(unreadable) => return Ok(unreadable),
            Err(error) => go_on(patience, error).await?,
        }
        if kept.elapsed() >= KEPT_EVERY {
            kept = Instant::now();
            keep(source, batch).await;
        }
    }
}

/// Waits; whoever is told to stop meanwhile ends here, and what was not acknowledged comes again.
async fn go_on(patience: &mut Patience, trouble: impl Into<Trouble>) -> Result<(), CliError> {
    if patience.after(trouble.into()).await? {
        Ok(())
    } else {
        Err(CliError::Reported)
    }
}

/// Hides what was received from others for longer. What cannot be hidden comes again, and is written twice.
async fn keep(source: &dyn EventSource, batch: &mut [ReceivedEvent]) {
    for event in batch {
        if let Ok(Extended::Until(receipt)) = source.extend(&event.receipt, VISIBILITY).await {
            event.receipt = receipt;
        }
    }
}

/// Events are hidden for longer than this.
fn every(text: &str) -> Result<Duration, String> {
    let every = parse_duration(text)?;
    if every > LONGEST {
        return Err(
            "write 5m or less: received events are hidden from others meanwhile".to_owned(),
        );
    }
    Ok(every)
}
