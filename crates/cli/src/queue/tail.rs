//! `labelrelay queue tail`.

use super::receive::on_one_line;
use super::row::{Row, line};
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{print, print_json};
use labelrelay_local::{Event, Filter, QueueFile};
use serde_json::value::RawValue;
use std::time::Duration;

/// How often a queue that is followed is looked at.
const POLL: Duration = Duration::from_millis(200);

/// Events read at once while following.
const PAGE: usize = 500;

const EXAMPLES: &str = "\
Examples:
  labelrelay queue tail
  labelrelay queue tail --follow
  labelrelay queue tail --lines 0 --follow --json | jq -r .envelope.subject";

/// Shows the newest events, and with --follow those that arrive, without taking them.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// Begin with this many of the newest
    #[arg(long, short = 'n', default_value_t = 10)]
    lines: usize,
    /// Go on with what arrives
    #[arg(long, short)]
    follow: bool,
    /// Print one JSON object a line, the envelope in it
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, queue: &QueueFile) -> Result<(), Failure> {
    let newest = Filter {
        newest_first: true,
        ..Filter::default()
    };
    // One is read even if none is to be shown: following begins after it.
    let mut events = queue.list(&newest, args.lines.max(1))?;
    let mut last = events.first().map_or(0, |event| event.seq);
    events.truncate(args.lines);
    events.reverse();
    show(&events, args.json, queue)?;
    if !args.follow {
        return Ok(());
    }
    loop {
        let later = Filter {
            after: Some(last),
            ..Filter::default()
        };
        let events = queue.list(&later, PAGE)?;
        show(&events, args.json, queue)?;
        match events.last() {
            Some(event) => last = event.seq,
            None => std::thread::sleep(POLL),
        }
    }
}

fn show(events: &[Event], json: bool, queue: &QueueFile) -> Result<(), Failure> {
    for event in events {
        if !json {
            print(format_args!("{}", line(event)))?;
        } else if let Some(stored) = queue.get(event.seq)? {
            let envelope = on_one_line(&stored.envelope);
            let raw: &RawValue = serde_json::from_slice(&envelope).map_err(Failure::failed)?;
            print_json(&Row::new(event, Some(raw)))?;
        }
    }
    Ok(())
}
