//! `labelrelay replay`: sends events of the embedded queue again, on purpose.

mod found;
mod target;
mod when;

use crate::discover::{self, Missing};
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{one_line, print, print_json, say};
use crate::queue;
use crate::queue::row::{HEADING, Row, line};
use crate::world::World;
use found::Found;
use jiff::Timestamp;
use labelrelay_core::config::Config;
use labelrelay_local::{Filter, QueueFile, State};
use serde::Serialize;
use std::path::PathBuf;
use target::Target;

const EXAMPLES: &str = "\
Examples:
  labelrelay replay --from 2026-11-24T08:00:00Z --to 2026-11-24T09:30:00Z
  labelrelay replay --from 2h --type 'io.labelstud.annotation.*'
  labelrelay replay --dead --to-queue sqs://eu-central-1/123456789012/events
  labelrelay replay --claimed --subject task/17

Each event goes again with the same id and the same bytes, and with the attribute `replayedtime`: a \
consumer that drops what it has seen should let that pass, and no queue takes it for a repeat. Nothing \
is removed: a dead letter stays one (`queue dead --requeue` brings it back instead). What was pruned is \
gone. Works beside a running `serve`. `redrive` is for what is stuck in the fallback, `replay` for what \
is to be seen again.";

/// Sends events of the embedded queue again, to be seen again: dead letters, a range of time, what was
/// claim-checked.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}\n\n{EXIT_CODES}", discover::HELP))]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true).args(["dead", "from", "to", "claimed"]))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags of a command line, not states"
)]
pub(crate) struct Args {
    /// Dead letters
    #[arg(long)]
    dead: bool,
    /// What was received at this time or later: RFC 3339, or so long ago (2h)
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// What was received before this time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// What was too large for the queue, so that its data lies in the blob store
    #[arg(long)]
    claimed: bool,
    /// Only this type; a final * stands for any ending
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only this subject, such as task/17
    #[arg(long)]
    subject: Option<String>,
    /// Only the event with this id
    #[arg(long)]
    id: Option<String>,
    /// Queue to take events from [default: the configured one]
    #[arg(long, value_name = "URL")]
    queue: Option<String>,
    /// Queue to send them to [default: the one that they are taken from]
    #[arg(long, value_name = "URL")]
    to_queue: Option<String>,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What `--json` prints at the end.
#[derive(Default, Serialize)]
struct Replayed {
    sent: u64,
    failed: u64,
}

/// Reasons that are told; the rest is only counted.
const MAX_REASONS: u64 = 10;

pub(crate) fn run(args: &Args, world: &World<'_>) -> Result<(), Failure> {
    let filter = filter(args)?;
    let queue = queue::open(args.queue.as_deref(), args.config.as_deref(), world)?;
    let found = Found::new(&queue, filter, args.claimed)?;
    if args.dry_run {
        return show(found, args.json);
    }
    // Where the queue is named, nothing else of a configuration is needed but a place for large bodies.
    let config = match discover::find(world, args.config.as_deref(), Missing::Refuse) {
        Ok(found) => Some(found.config),
        Err(failure)
            if args.config.is_some() || args.queue.is_none() && args.to_queue.is_some() =>
        {
            return Err(failure);
        }
        Err(_) => None,
    };
    send(args, world, &queue, found, config.as_ref())
}

fn send(
    args: &Args,
    world: &World<'_>,
    queue: &QueueFile,
    found: Found<'_>,
    config: Option<&Config>,
) -> Result<(), Failure> {
    let runtime = crate::runtime::small()?;
    let entered = runtime.enter();
    let target = Target::open(args.to_queue.as_deref(), queue, config, world)?;
    drop(entered);
    let mut done = Replayed::default();
    let mut refuse = |failures: Vec<String>| {
        for reason in failures {
            if done.failed < MAX_REASONS {
                say(format_args!("not sent: {}", one_line(&reason)));
            }
            done.failed += 1;
        }
    };
    let mut sent = 0;
    let mut broken = None;
    for page in found {
        let (events, unreadable) = page?;
        refuse(unreadable);
        let page = runtime.block_on(target.send(events));
        sent += page.count;
        refuse(page.failures);
        if page.broken.is_some() {
            broken = page.broken;
            break;
        }
    }
    done.sent = sent;
    if args.json {
        print_json(&done)?;
    } else {
        print(format_args!("{sent} sent again"))?;
    }
    match (broken, done.failed) {
        (Some(reason), _) => Err(Failure::failed(format_args!(
            "the queue keeps failing, so the rest was not tried: {reason}"
        ))),
        (None, 0) => Ok(()),
        (None, failed) => Err(Failure::failed(format_args!("{failed} were not sent"))),
    }
}

fn show(found: Found<'_>, json: bool) -> Result<(), Failure> {
    let mut count = 0_u64;
    for page in found {
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
    Ok(())
}

fn filter(args: &Args) -> Result<Filter, Failure> {
    let now = Timestamp::now();
    let time = |flag: &str, text: &Option<String>| {
        let parsed = text.as_deref().map(|text| when::parse(text, now));
        parsed
            .transpose()
            .map_err(|problem| Failure::usage(format_args!("`{flag}`: {problem}")))
    };
    let (from_ms, before_ms) = (time("--from", &args.from)?, time("--to", &args.to)?);
    if let (Some(from), Some(before)) = (from_ms, before_ms)
        && from >= before
    {
        return Err(Failure::usage("`--from` is not before `--to`"));
    }
    let source = args.source.as_deref();
    Ok(Filter {
        id: args.id.clone(),
        event_type: args.event_type.clone(),
        source: source.map(|name| format!("/{}", name.trim_start_matches('/'))),
        subject: args.subject.clone(),
        state: args.dead.then_some(State::Dead),
        from_ms,
        before_ms,
        ..Filter::default()
    })
}
