//! `labelrelay events retry`: tries again what is stuck, in the fallback or as a dead letter.

mod fallback;

use super::filter::{self, Content};
use crate::durations::parse_duration;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::locations::QueueLocation;
use crate::output::{print, print_json, say};
use crate::queue_file::{self, QueueArgs};
use clap::builder::NonEmptyStringValueParser;
use fallback::Moved;
use labelrelay_local::{Filter, Pattern, QueueFile, State};
use serde::Serialize;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  labelrelay events retry
  labelrelay events retry 17 23
  labelrelay events retry --dead --type com.labelbox.label
  labelrelay events retry --fallback --timeout 10m";

const NOTES: &str = "\
Moves events from the fallback into the queue, and makes dead letters ready again, as if they had never \
been received. A running `serve` moves the fallback by itself. A message becomes a dead letter when it was \
received `embedded_queue.max_receives` times (5 unless configured) and never acknowledged.";

/// Tries stuck events again: those in the fallback, and dead letters.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{}\n\n{EXIT_CODES}", filter::HELP))]
pub(super) struct Args {
    /// Dead letters to try again, and no others: numbers, as `list` prints them, or beginnings of ids
    #[arg(value_name = "SEQ|ID", value_parser = NonEmptyStringValueParser::new())]
    numbers: Vec<String>,
    /// Dead letters alone; so does each filter
    #[arg(long)]
    dead: bool,
    /// Only the events in the fallback
    #[arg(long, conflicts_with_all = [
        "numbers", "dead", "since", "until", "source", "event_type", "subject", "project", "delivery", "id",
    ])]
    fallback: bool,
    /// End after this long, whatever is left in the fallback
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_duration)]
    timeout: Duration,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    content: Content,
}

/// Printed by `--json`.
#[derive(Default, Serialize)]
struct Retried {
    /// Moved out of the fallback, where one is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<u64>,
    /// Dead letters that are ready again, where the queue is a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    requeued: Option<u64>,
}

pub(super) fn run(args: &Args, queue_args: &QueueArgs, env: &Env<'_>) -> Result<(), CliError> {
    let dead_alone = args.dead
        || !args.numbers.is_empty()
        || args.content.is_given()
        || queue_args.queue.is_some();
    if args.fallback && queue_args.queue.is_some() {
        return Err(CliError::usage(
            "the fallback belongs to a configuration and its queue: leave `--queue` out, or give `--config`",
        ));
    }
    let mut retried = Retried::default();
    let mut failure = None;
    if !dead_alone && let Some(moved) = move_fallback(args, queue_args, env)? {
        retried.moved = Some(moved.count);
        failure = moved.failure;
    }
    if !args.fallback {
        let queue = queue_args.location(env)?;
        // A cloud's queue keeps its dead letters itself; that is no mistake once the fallback was tried.
        if retried.moved.is_none() || matches!(queue, QueueLocation::Sqlite(_)) {
            let queue = queue_file::open(queue)?;
            let (requeued, missed) = requeue(args, &queue)?;
            retried.requeued = Some(requeued);
            // Numbers that are no dead letters are most likely mistyped.
            if missed {
                failure = Some(CliError::failed("not all of these are dead letters"));
            }
        }
    }
    if args.json {
        print_json(&retried)?;
    } else {
        if let Some(moved) = retried.moved {
            print(format_args!("{moved} moved to the queue"))?;
        }
        if let Some(requeued) = retried.requeued {
            print(format_args!("made {requeued} ready again"))?;
        }
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// `None` where nothing waits in a fallback of this configuration, or a running `serve` moves it.
fn move_fallback(
    args: &Args,
    queue_args: &QueueArgs,
    env: &Env<'_>,
) -> Result<Option<Moved>, CliError> {
    let Some(config) = fallback::configured(queue_args, args.fallback, env)? else {
        return Ok(None);
    };
    if let Some(address) = fallback::served(&config, env) {
        let words = format!("`serve` listens on {address} and moves its fallback by itself");
        if args.fallback {
            return Err(CliError::failed(words));
        }
        say(format_args!("{words}"));
        return Ok(None);
    }
    fallback::retry(&config, args.timeout, !args.json, env).map(Some)
}

/// Makes dead letters ready again; says how many, and whether some of those that were named are none.
fn requeue(args: &Args, queue: &QueueFile) -> Result<(u64, bool), CliError> {
    if args.numbers.is_empty() && !args.content.is_given() {
        return Ok((queue.requeue_dead(None)?, false));
    }
    queue.bury();
    let dead = |filter: Filter| -> Result<Vec<u64>, CliError> {
        let filter = Filter {
            states: vec![State::Dead],
            ..filter
        };
        let events = queue.list(&filter, usize::MAX)?;
        Ok(events.into_iter().map(|event| event.seq).collect())
    };
    let passes = dead(args.content.filter()?)?;
    if args.numbers.is_empty() {
        return Ok((queue.requeue_dead(Some(&passes))?, false));
    }
    let mut chosen = Vec::new();
    let mut missed = false;
    for word in &args.numbers {
        let found = match word.parse() {
            Ok(number) => vec![number],
            Err(_) => dead(Filter {
                id: Some(Pattern::begins(word)),
                ..Filter::default()
            })?,
        };
        let before = chosen.len();
        chosen.extend(found.into_iter().filter(|seq| passes.contains(seq)));
        missed |= chosen.len() == before;
    }
    Ok((queue.requeue_dead(Some(&chosen))?, missed))
}
