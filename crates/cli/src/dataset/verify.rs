//! `labelrelay dataset verify`.

use super::location::DatasetLocation;
use super::platform::PlatformArgs;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::output::{print, print_json};
use labelrelay_dataset::{AnnotationId, Differences, compare};
use serde_json::json;

/// Ids that are printed of each kind.
const SHOWN: usize = 20;

const EXAMPLES: &str = "\
Examples:
  labelrelay dataset verify ./cars --url http://HOST:8080
  labelrelay dataset verify ./cars --project 3 --repair";

const NOTES: &str = "\
Asks Label Studio for all annotations, and compares them with those that were taken in: regions, answers, versions, \
tasks. Exits with 1 if they differ. What it found is kept: `latest.json` and `dataset status` say it. With --repair, takes over what Label Studio has; `sync` then writes it. While \
people work, an event that is on its way is a difference: run `sync` first, and look again. Labelbox has no list of what \
there is, so it cannot be asked.";

/// Compares the dataset with the platform.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    #[command(flatten)]
    place: DatasetLocation,
    #[command(flatten)]
    platform: PlatformArgs,
    /// Mend what differs
    #[arg(long)]
    repair: bool,
    /// Print the differences as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let mut store = args.place.existing(env)?;
    let found = args.platform.read(env)?;
    let differences = compare(&store, &found.store, &found.scope)?;
    if args.json {
        print_json(&json!({
            "at": found.at.to_string(), "equal": differences.equal, "missing": ids(&differences.missing),
            "extra": ids(&differences.extra), "different": ids(&differences.different),
        }))?;
    } else {
        tell(&differences, &found.at.to_string())?;
    }
    store.keep_verdict(&differences, &found.scope, found.at)?;
    if differences.are_none() {
        return Ok(());
    }
    if !args.repair {
        return Err(CliError::Reported);
    }
    store.adopt(&found.store, &differences, found.at)?;
    let left = compare(&store, &found.store, &found.scope)?;
    store.keep_verdict(&left, &found.scope, found.at)?;
    if !left.are_none() {
        return Err(CliError::failed(
            "some differences are left after the repair; look at the above",
        ));
    }
    Ok(print(format_args!(
        "mended; write it with `labelrelay dataset sync {}`",
        args.place.dir().display()
    ))?)
}

fn ids(of: &[AnnotationId]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}

fn tell(differences: &Differences, at: &str) -> Result<(), CliError> {
    let word = if differences.are_none() {
        "equal to"
    } else {
        "not equal to"
    };
    print(format_args!(
        "{word} Label Studio at {at}: {} equal, {} missing, {} extra, {} different",
        differences.equal,
        differences.missing.len(),
        differences.extra.len(),
        differences.different.len()
    ))?;
    for (word, ids) in [
        ("missing", &differences.missing),
        ("extra", &differences.extra),
        ("different", &differences.different),
    ] {
        for id in ids.iter().take(SHOWN) {
            print(format_args!("  {word:9} {id}"))?;
        }
        if ids.len() > SHOWN {
            print(format_args!(
                "  {word:9} and {} more; --json has all",
                ids.len() - SHOWN
            ))?;
        }
    }
    Ok(())
}
