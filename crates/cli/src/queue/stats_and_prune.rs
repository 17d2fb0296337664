//! `labelrelay queue stats` and `labelrelay queue prune`.

use crate::durations::{parse_duration, words};
use crate::error::{CliError, EXIT_CODES};
use crate::output::{print, print_json};
use labelrelay_local::{FileError, QueueFile};
use serde::Serialize;
use std::time::Duration;

const STATS_EXAMPLES: &str = "\
Examples:
  labelrelay queue stats
  labelrelay queue stats --json | jq .ready";

/// Counts the queue's events by state.
#[derive(Debug, clap::Args)]
#[command(before_help = STATS_EXAMPLES, after_help = EXIT_CODES)]
pub(super) struct StatsArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Counts, as programs get them.
#[derive(Serialize)]
pub(super) struct Stats {
    ready: u64,
    in_flight: u64,
    acknowledged: u64,
    dead: u64,
    dead_letters: u64,
    oldest_ready_age_s: Option<f64>,
    file_bytes: u64,
}

pub(super) fn stats(args: &StatsArgs, queue: &QueueFile) -> Result<(), CliError> {
    let stats = counted(queue)?;
    if args.json {
        return Ok(print_json(&stats)?);
    }
    let age = stats
        .oldest_ready_age_s
        .map_or_else(String::new, |seconds| {
            format!(", the oldest for {seconds:.1} s")
        });
    print(format_args!("ready          {}{age}", stats.ready))?;
    print(format_args!("in flight      {}", stats.in_flight))?;
    print(format_args!("acknowledged   {}", stats.acknowledged))?;
    print(format_args!("dead           {}", stats.dead))?;
    Ok(print(format_args!(
        "file           {} bytes",
        stats.file_bytes
    ))?)
}

pub(super) fn counted(queue: &QueueFile) -> Result<Stats, FileError> {
    let stats = queue.stats()?;
    Ok(Stats {
        ready: stats.ready,
        in_flight: stats.in_flight,
        acknowledged: stats.acknowledged,
        dead: stats.dead,
        dead_letters: stats.dead_letters,
        oldest_ready_age_s: stats.oldest_ready_age.map(|age| age.as_secs_f64()),
        file_bytes: stats.file_bytes,
    })
}

const PRUNE_EXAMPLES: &str = "\
Examples:
  labelrelay queue prune
  labelrelay queue prune --older-than 7d
  labelrelay queue prune --unarchived      where the disk is full, and the archive out of reach";

const PRUNE_NOTES: &str = "\
An event stays until the repeat window since its arrival has passed (5 minutes unless configured), \
because repeats are recognised by the file. A running `serve` prunes by itself, after \
`embedded_queue.retain_acknowledged_s`, but for the newest events, which the record of deliveries refers to \
(`serve.record.keep_events_bytes`): this removes those, too. With an archive, an event that is not in it stays for longer \
(`archive.hold`).";

/// Removes acknowledged events from the file.
#[derive(Debug, clap::Args)]
#[command(before_help = PRUNE_EXAMPLES, after_help = format!("{PRUNE_NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct PruneArgs {
    /// Only those acknowledged longer ago than this
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration)]
    older_than: Duration,
    /// Those, too, that wait to be archived: they will never be in the archive, which gets a note of it
    #[arg(long)]
    unarchived: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Pruned {
    pruned: u64,
    /// Acknowledged events that are still in the file.
    kept: u64,
}

pub(super) fn prune(args: &PruneArgs, queue: &QueueFile) -> Result<(), CliError> {
    let pruned = if args.unarchived {
        queue.prune_unarchived(args.older_than)?
    } else {
        queue.prune(args.older_than)?
    };
    let kept = queue.stats()?.acknowledged;
    if args.json {
        return Ok(print_json(&Pruned { pruned, kept })?);
    }
    let window = queue.settings()?.window;
    let waiting = match queue.held_for_archive()? {
        0 => String::new(),
        held => format!("; {held} wait to be archived"),
    };
    Ok(print(format_args!(
        "removed {pruned}{}{waiting}",
        staying(kept, args.older_than, window)
    ))?)
}

/// Tells how many stay and until when. Nothing was acknowledged before it arrived, so an event older than the
/// window stays for its age alone.
fn staying(kept: u64, older_than: Duration, window: Duration) -> String {
    let stay = if kept == 1 { "stays" } else { "stay" };
    let (older, window_text) = (words(older_than), words(window));
    if kept == 0 {
        String::new()
    } else if older_than.is_zero() {
        format!("; {kept} {stay} until the repeat window ({window_text}) has passed")
    } else if older_than >= window {
        format!("; {kept} {stay}, acknowledged less than {older} ago")
    } else {
        format!(
            "; {kept} {stay}, acknowledged less than {older} ago or within the repeat window ({window_text})"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_stays_is_explained() {
        let staying = |kept, older_than, window| {
            staying(
                kept,
                Duration::from_secs(older_than),
                Duration::from_secs(window),
            )
        };
        assert_eq!(staying(0, 0, 300), "");
        assert_eq!(
            staying(2, 0, 300),
            "; 2 stay until the repeat window (5 min) has passed"
        );
        assert_eq!(
            staying(1, 86_400, 300),
            "; 1 stays, acknowledged less than 1 d ago"
        );
        assert_eq!(
            staying(3, 90, 300),
            "; 3 stay, acknowledged less than 90 s ago or within the repeat window (5 min)"
        );
    }
}
