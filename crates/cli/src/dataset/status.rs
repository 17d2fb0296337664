//! `labelrelay dataset status`.

use super::location::DatasetLocation;
use super::words::{age, counted};
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::output::{print, print_json};
use jiff::Timestamp;
use labelrelay_dataset::{Status, Verdict};
use serde_json::json;
use std::path::Path;

const EXAMPLES: &str = "\
Examples:
  labelrelay dataset status ./cars
  labelrelay dataset status ./cars --json | jq .verified.missing";

const NOTES: &str = "\
Looks at the dataset's files alone, also while `sync` works on it. Exits with 1 if the last `verify` found differences: \
`verify` again tells whether they are still there.";

/// Says how old a dataset is, and what the last comparison with the platform found.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    #[command(flatten)]
    place: DatasetLocation,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let status = labelrelay_dataset::status(env.cwd().join(args.place.dir()))?;
    if args.json {
        print_json(&json!({
            "snapshot": status.snapshot, "changed_since": status.has_changed_since,
            "newest_event": status.newest_event.map(|at| at.to_string()), "unreadable": status.unreadable,
            "verified": status.verdict, "changed_since_verified": status.has_changed_since_verdict,
        }))?;
    } else {
        print(format_args!(
            "{}",
            words(&status, &args.place.dir(), Timestamp::now()).join("\n")
        ))?;
    }
    match &status.verdict {
        Some(verdict) if !verdict.is_equal() => Err(CliError::Reported),
        _ => Ok(()),
    }
}

fn words(status: &Status, dir: &Path, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    lines.push(match &status.snapshot {
        None => format!(
            "no snapshot so far: labelrelay dataset sync {}",
            dir.display()
        ),
        Some(snapshot) => format!(
            "{}, written {}: {}, {}{}",
            dir.join(&snapshot.path).display(),
            age(&snapshot.at, now),
            counted(snapshot.counts.annotations, "annotation", "annotations"),
            counted(snapshot.counts.classes, "class", "classes"),
            if status.has_changed_since {
                "; changes came since"
            } else {
                ""
            }
        ),
    });
    if let Some(at) = status.newest_event {
        lines.push(format!(
            "newest event received {}",
            age(&at.to_string(), now)
        ));
    }
    if status.unreadable > 0 {
        lines.push(format!(
            "{} unreadable, dead letters now",
            counted(status.unreadable, "event", "events")
        ));
    }
    lines.push(match &status.verdict {
        None => format!(
            "never compared with the platform: labelrelay dataset verify {}",
            dir.display()
        ),
        Some(verdict) => {
            let since = if status.has_changed_since_verdict {
                "; changes came since"
            } else {
                ""
            };
            format!("{}{since}", of_verdict(verdict, now))
        }
    });
    lines
}

fn of_verdict(verdict: &Verdict, now: Timestamp) -> String {
    let word = if verdict.is_equal() {
        "equal to"
    } else {
        "not equal to"
    };
    let extra = if verdict.deletions_checked {
        format!("{} extra", verdict.extra)
    } else {
        "deletions not checked".to_owned()
    };
    format!(
        "{word} the platform {}: {} equal, {} missing, {extra}, {} different, in {}",
        age(&verdict.at, now),
        verdict.equal,
        verdict.missing,
        verdict.different,
        counted(verdict.projects.len() as u64, "project", "projects")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_in_the_unit_that_says_enough() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        for (at, words) in [
            ("2026-11-21T11:59:59.5Z", "0 s ago"),
            ("2026-11-21T11:59:01Z", "59 s ago"),
            ("2026-11-21T11:57:01Z", "2 min ago"),
            ("2026-11-21T09:30:00Z", "2 h ago"),
            ("2026-11-11T12:00:00Z", "10 d ago"),
            // Another machine's clock.
            ("2026-11-21T12:00:30Z", "0 s ago"),
            ("yesterday", "at yesterday"),
        ] {
            assert_eq!(age(at, now), words);
        }
    }
}
