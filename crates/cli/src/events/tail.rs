//! `labelrelay events tail`.

use super::elsewhere::Elsewhere;
use super::filter::{self, Which};
use super::row::{Row, line};
use crate::damaged_event::damaged_event;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::output::{one_line, print, print_json, say};
use crate::queue_file::QueueArgs;
use labelrelay_archive::on_one_line;
use labelrelay_local::{Event, FileError, Filter, QueueFile, envelope_damage};
use serde_json::value::RawValue;
use std::time::Duration;

/// Pause between two looks at a queue that is followed.
const POLL: Duration = Duration::from_millis(200);

/// Events read at once while following.
const PAGE: usize = 500;

const EXAMPLES: &str = "\
Examples:
  labelrelay events tail
  labelrelay events tail --follow --source label-studio
  labelrelay events tail --lines 0 --follow --json | jq -r .envelope.subject";

/// Shows the newest events, and with --follow those that arrive.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{}\n\n{EXIT_CODES}", filter::HELP))]
pub(super) struct Args {
    /// Begin with this many of the newest
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10)]
    lines: usize,
    /// Go on with events that arrive
    #[arg(long, short, conflicts_with_all = ["dead", "pending"])]
    follow: bool,
    /// Print one JSON object a line, the envelope in it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

pub(super) fn run(args: &Args, queue: &QueueArgs, env: &Env<'_>) -> Result<(), CliError> {
    if let Some(queue) = Elsewhere::open(queue, env)? {
        let filter = args.which.elsewhere()?;
        return queue.tail(&filter, args.lines, args.follow, args.json);
    }
    let queue = &queue.open(env)?;
    let filter = args.which.filter(queue)?;
    // Following begins after what is there now.
    let mut last = newest(queue)?;
    let backwards = Filter {
        newest_first: true,
        ..filter.clone()
    };
    let mut events = queue.list(&backwards, args.lines)?;
    if args.follow {
        events.retain(|event| event.seq <= last);
    }
    events.reverse();
    show(&events, args.json, queue)?;
    if !args.follow {
        return Ok(());
    }
    loop {
        // Read first: whatever is older and passes is in the page, unless that is full.
        let newest = newest(queue)?;
        let later = Filter {
            after: Some(last),
            ..filter.clone()
        };
        let events = queue.list(&later, PAGE)?;
        show(&events, args.json, queue)?;
        let shown = events.last().map_or(last, |event| event.seq);
        if events.len() == PAGE {
            last = shown;
        } else {
            last = shown.max(newest);
            std::thread::sleep(POLL);
        }
    }
}

/// The number of the newest event; 0 without any.
fn newest(queue: &QueueFile) -> Result<u64, FileError> {
    let newest = Filter {
        newest_first: true,
        ..Filter::default()
    };
    Ok(queue.list(&newest, 1)?.first().map_or(0, |event| event.seq))
}

fn show(events: &[Event], json: bool, queue: &QueueFile) -> Result<(), CliError> {
    for event in events {
        if !json {
            print(format_args!("{}", line(event)))?;
        } else if let Some(stored) = queue.get(event.seq)? {
            if let Some(reason) = envelope_damage(&stored.envelope) {
                // Those behind it are shown all the same.
                let words = damaged_event(event.seq, &reason);
                say(format_args!("{}", one_line(&words)));
                continue;
            }
            let envelope = on_one_line(&stored.envelope);
            let raw: &RawValue = serde_json::from_slice(&envelope).map_err(CliError::failed)?;
            print_json(&Row::new(event, Some(raw)))?;
        }
    }
    Ok(())
}
