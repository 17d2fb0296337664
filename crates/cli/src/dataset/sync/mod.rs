//! `labelrelay dataset sync`.

mod folder;
mod job;
mod keeper;
mod work;

use super::claims;
use super::export_options::ExportOptions;
use super::location::DatasetLocation;
use crate::durations::{parse_duration, parse_visibility};
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::event_source;
use crate::locations::QueueLocation;
use crate::logging::{self, By, Format};
use crate::output::{finish, say};
use crate::serve::Signals;
use folder::Folder;
use keeper::Keeper;
use labelrelay_consumer::{RunError, Settings, Stats, Worker};
use labelrelay_dataset::Options;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use work::Folding;

/// Events that are taken in together, and as many again that wait for it.
const TOGETHER: usize = 500;

/// A queue of a cloud may say that it has nothing although it has: one that says so for this long has none.
const IDLE: Duration = Duration::from_secs(5);

/// Time for what is under way to end after a second signal.
const LAST: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "\
Examples:
  labelrelay dataset sync ./cars
  labelrelay dataset sync ./cars --format coco,yolo --split 70/20/10
  labelrelay dataset sync ./cars --follow --every 10s
  labelrelay dataset sync ./cars --queue sqs://REGION/ACCOUNT/NAME
  labelrelay dataset sync s3://BUCKET/cars --follow";

const NOTES: &str = "\
Takes all events out of the queue, and writes a snapshot if something changed: snapshots/000001 and so on; latest.json \
names the newest. An event is acknowledged once the dataset has it on the disk. What a format cannot express is in \
rejects.jsonl, with the reason. An event that cannot be read becomes a dead letter, with the reason, and is counted. \
SIGTERM or Ctrl-C: what was begun is taken in, a snapshot written, the rest given back; a second one ends at once (130).";

/// Takes events in, and writes a snapshot.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    #[command(flatten)]
    place: DatasetLocation,
    #[command(flatten)]
    export: ExportOptions,
    /// Go on until stopped
    #[arg(long)]
    follow: bool,
    /// With --follow: the least time between two snapshots
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "60s")]
    every: Duration,
    /// End when nothing came for so long [default: 5s; embedded queue: 0s]
    #[arg(long, value_name = "TIME", conflicts_with = "follow", value_parser = parse_duration)]
    until_idle: Option<Duration>,
    /// The queue, or a Pub/Sub subscription [default: the configured one]
    #[arg(long, value_name = "URL")]
    queue: Option<String>,
    /// Hide an event from others for this long; it is extended
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = parse_visibility)]
    visibility: Duration,
    /// Receives until an event without its body is a dead letter [default: 5 where the queue has no limit of its own]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_receives: Option<u32>,
    /// Queue or topic for dead letters [default: the queue's own]
    #[arg(long, value_name = "URL")]
    dead_letter: Option<String>,
    /// Publish to a URL that another working directory had, which is lost
    #[arg(long)]
    take_over: bool,
    /// Print each snapshot as JSON
    #[arg(long)]
    json: bool,
    /// Configuration file that names the queue and the blob store
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    // A reader of the log that stops must not stop the extensions of what is held: they run on the same threads.
    logging::start(Format::Human, false, By::AThread, env)?;
    let runtime = crate::runtime::full()?;
    let ended = runtime.block_on(sync(args, env));
    runtime.shutdown_timeout(LAST);
    let Some(stats) = ended? else {
        say(format_args!("labelrelay: ended at once"));
        finish();
        // The conventional code for an interrupt. What was not acknowledged comes again, and changes nothing then.
        std::process::exit(130);
    };
    tracing::info!(
        name: "synced",
        done = stats.acknowledged - stats.rejected,
        dead_letters = stats.rejected,
        come_again = stats.retried,
        "ended"
    );
    Ok(())
}

/// `None` after a second signal.
async fn sync(args: &Args, env: &Env<'_>) -> Result<Option<Stats>, CliError> {
    // Before anything is received.
    let mut signals = Signals::new()?;
    let named = args.queue.as_deref().map(|url| (url, "`--queue`"));
    let config = args.config.as_deref();
    let location = event_source::location(named, config, env)?;
    let opening = async {
        let source = event_source::open(&location, args.dead_letter.as_deref(), env).await?;
        Ok::<_, CliError>((source, claims::store(config, env).await?))
    };
    let (source, blobs) = tokio::select! {
        opened = opening => opened?,
        // A queue may not answer for long. Nothing was received yet.
        () = signals.next() => return Ok(Some(Stats::default())),
    };
    let mut store = args.place.open(env)?;
    store.set_queue(&location.to_string());
    let last = Options::of_last(&store)?;
    if let Some(last) = &last {
        say_other_options(&args.export.options().differing(last));
    }
    // Before an event is taken: what cannot be published is refused at the start.
    let publisher = args.place.publisher(&store, args.take_over, env).await?;
    let folder = Folder::start(Keeper::new(store, publisher, args))?;
    let work = Arc::new(Folding::new(folder.door(), blobs));
    let worker = Worker::new(source, work, settings(args, &location));
    tracing::info!(name: "syncing", queue = %location, "taking events in");

    let (stop, stopping) = watch::channel(false);
    let second_signal = signals.second(|| {
        tracing::info!(name: "stopping", "stopping: what was begun is taken in and written first; a signal after a second or more ends at once");
        stop.send_replace(true);
    });
    let ended = folder.ended();
    let whole = async {
        let ran = worker.run(stopped(stopping, ended)).await;
        // What was acknowledged is in the state, and now in a snapshot too, whatever ended the run.
        folder.end().await?;
        ran.map_err(of_run)
    };
    let stats = tokio::select! {
        stats = whole => stats?,
        () = second_signal => return Ok(None),
    };
    if last.is_none() && !args.follow && stats.acknowledged == 0 {
        say(format_args!(
            "this dataset is new, and nothing waited on the queue: events that another dataset or consumer took do not come again. One directory can have several formats (--format coco,yolo), and `labelrelay dataset rebuild` makes a dataset of what the platform has"
        ));
    }
    Ok(Some(stats))
}

/// Tells whoever left an option out that it is not remembered: a snapshot may say more than the last one because of that.
fn say_other_options(names: &[&str]) {
    if !names.is_empty() {
        say(format_args!(
            "the last snapshot was written with other options ({}), and the next one is written with those of this command: give all of them each time",
            names.join(", ")
        ));
    }
}

/// Completes at the first signal, or once nothing more can be taken in.
async fn stopped(mut stopping: watch::Receiver<bool>, folder_ended: impl Future<Output = ()>) {
    tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => {}
        () = folder_ended => {}
    }
}

fn settings(args: &Args, location: &QueueLocation) -> Settings {
    let mut settings = Settings::default();
    settings.concurrency = TOGETHER;
    settings.prefetch = TOGETHER;
    settings.drain = Duration::ZERO;
    settings.visibility = args.visibility;
    settings.max_receives = args.max_receives;
    if args.follow {
        return settings;
    }
    let mut idle = IDLE;
    if let QueueLocation::Sqlite(_) = location {
        // A file knows what it has.
        (idle, settings.wait) = (Duration::ZERO, Duration::ZERO);
    }
    settings.until_idle = Some(args.until_idle.unwrap_or(idle));
    settings
}

fn of_run(error: RunError) -> CliError {
    match error {
        RunError::Setting { .. } => CliError::usage(error),
        error => CliError::failed(error),
    }
}
