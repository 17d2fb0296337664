//! `labelrelay events replay`: sends events of the embedded queue again, on purpose.

mod archived;
mod progress;
mod selection;
mod target;

use super::filter::{self, Which};
use super::of_delivery;
use super::row::{HEADING, Row, line};
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::event_of_delivery::TO_KEEP_MORE;
use crate::find_configuration::{self, Missing};
use crate::output::{one_line, print, print_json, say};
use crate::queue_file::QueueArgs;
use labelrelay_core::config::Config;
use progress::Progress;
use selection::Selection;
use target::{Outgoing, Target};

const EXAMPLES: &str = "\
Examples:
  labelrelay events replay --since 2026-11-24T08:00:00Z --until 1h
  labelrelay events replay --since 2h --type io.labelstud.annotation --dry-run
  labelrelay events replay --dead --to sqs://eu-central-1/123456789012/events
  labelrelay events replay --claimed --subject task/17
  labelrelay events replay --since 30d --from s3://BUCKET/archive --to sqlite:again.db";

const NOTES: &str = "\
Each event goes again with the same id and the same bytes, and with the attribute `replayedtime`: a \
consumer that drops repeats has to let it pass, and no queue takes it for one. Nothing is removed; `events \
retry` brings dead letters back instead. Pruned events are gone, but for those in an archive (`--from`).";

/// Sends events again on purpose, for a consumer that had a fault, or a new one.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{}\n\n{EXIT_CODES}", filter::HELP))]
pub(super) struct Args {
    /// Events whose data lies in the blob store, because they were too large for the queue
    #[arg(long, help_heading = "Filters")]
    claimed: bool,
    /// Queue to send them to [default: the one that they are taken from]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Take them from the archive at this URL, such as `s3://BUCKET/archive`
    #[arg(long, value_name = "URL", conflicts_with_all = ["dead", "pending"])]
    from: Option<String>,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

impl Args {
    /// Tells whether a person is told how far it is: not in the midst of envelopes that go to stdout.
    fn shows_progress(&self) -> bool {
        let to = self.to.as_deref();
        !self.json && !to.is_some_and(|url| url.starts_with("stdout:"))
    }
}

pub(super) fn run(args: &Args, queue_args: &QueueArgs, env: &Env<'_>) -> Result<(), CliError> {
    if !args.which.is_given() && !args.claimed {
        return Err(CliError::usage(
            "say which events are to be sent again: by time (`--since 2h`), by another filter (`--type`, `--id`, …), `--dead` or `--claimed`",
        ));
    }
    if let Some(url) = &args.from {
        return archived::run(args, url, queue_args, env);
    }
    let queue = queue_args.open(env)?;
    let selection = Selection::new(&queue, args.which.filter(&queue)?, args.claimed)?;
    if args.dry_run {
        if show(selection, args.json)? == 0 {
            say_none(args, queue_args, env);
        }
        return Ok(());
    }
    let config = configured(args, queue_args, env)?;
    let runtime = crate::runtime::small()?;
    let target = Target::open(args.to.as_deref(), Some(&queue), config.as_ref(), env);
    let target = runtime.block_on(target)?;
    let mut progress = Progress::begin(args.shows_progress());
    for page in selection {
        let (events, unreadable) = page?;
        progress.refuse(unreadable);
        let events = events.into_iter().map(|stored| Outgoing {
            id: stored.event.id,
            envelope: stored.envelope,
        });
        if !progress.sent(runtime.block_on(target.send(events.collect()))) {
            break;
        }
    }
    let found_none = progress.is_empty();
    progress.end(args.json)?;
    if found_none {
        say_none(args, queue_args, env);
    }
    Ok(())
}

/// Tells a person that nothing passes the filter, and where what it means may be.
fn say_none(args: &Args, queue_args: &QueueArgs, env: &Env<'_>) {
    if args.json {
        return;
    }
    let none = "the queue has no event that passes the filter";
    if !args.which.is_of_content() {
        return say(format_args!("{none}"));
    }
    let id = args.which.id().map(|id| format!(" --id {}", one_line(id)));
    let id = id.unwrap_or_default();
    let cure = match of_delivery::archive(queue_args, env) {
        Some(url) => format!(
            "the archive has it, if there was one by then: `labelrelay events replay{id} --from {url}`"
        ),
        None => TO_KEEP_MORE.to_owned(),
    };
    say(format_args!(
        "{none}: none came, or it was acknowledged and pruned since (`labelrelay events list --recorded{id}` says what came); {cure}"
    ));
}

/// With a named queue, nothing else of a configuration is needed but a place for large bodies.
fn configured(
    args: &Args,
    queue_args: &QueueArgs,
    env: &Env<'_>,
) -> Result<Option<Config>, CliError> {
    match find_configuration::find(env, queue_args.config.as_deref(), Missing::Refuse) {
        Ok(found) => Ok(Some(found.config)),
        Err(failure)
            if queue_args.config.is_some() || queue_args.queue.is_none() && args.to.is_some() =>
        {
            Err(failure)
        }
        Err(_) => Ok(None),
    }
}

/// How many there are.
fn show(selection: Selection<'_>, json: bool) -> Result<u64, CliError> {
    let mut count = 0_u64;
    for page in selection {
        let (events, unreadable) = page?;
        for reason in unreadable {
            say(format_args!("could not be sent: {}", one_line(&reason)));
        }
        for stored in events {
            if json {
                print_json(&Row::new(&stored.event, None))?;
            } else {
                if count == 0 {
                    print(format_args!("{HEADING}"))?;
                }
                print(format_args!("{}", line(&stored.event)))?;
            }
            count += 1;
        }
    }
    say(format_args!("{count} would be sent again"));
    Ok(count)
}
