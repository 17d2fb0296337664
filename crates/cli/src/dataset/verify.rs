//! `labelrelay dataset verify`.

use super::location::DatasetLocation;
use super::platform_annotations::{PlatformAnnotations, PlatformArgs};
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::output::{print, print_json};
use labelrelay_dataset::{AnnotationId, Differences, Store, compare};
use serde_json::{Value, json};

/// Ids that are printed of each kind.
const SHOWN: usize = 20;

const EXAMPLES: &str = "\
Examples:
  labelrelay dataset verify ./cars --url http://HOST:8080
  labelrelay dataset verify ./cars --project 3 --repair
  labelrelay dataset verify ./cars --key env:LABELBOX_API_KEY";

const NOTES: &str = "\
Asks Label Studio for all annotations, and compares them with those that were taken in: regions, answers, versions, \
ground truths, whether they were skipped, tasks and their data. Says what differs, and exits with 1 then. What it found is kept: `latest.json` and `dataset status` say it. With --repair, takes over what Label Studio has; `sync` then writes it. While \
people work, an event that is on its way is a difference: run `sync` first, and look again. Works beside `sync --follow`, \
but for --repair. Of Labelbox, an export tells \
which labels changed or are missing here. It has no list of what is gone, so deletions cannot be checked.";

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
    let mut store = if args.repair {
        args.place.existing(env)?
    } else {
        args.place.beside(env)?
    };
    let found = args.platform.read(env)?;
    let differences = compared(&store, &found)?;
    if args.json {
        print_json(&json!({
            "at": found.at.to_string(), "equal": differences.equal, "missing": ids(&differences.missing),
            "extra": ids(&differences.extra), "different": ids(&differences.different),
            "differs": differs(&differences), "deletions_checked": differences.deletions_checked(),
        }))?;
    } else {
        tell(&differences, &found)?;
    }
    store.keep_verdict(&differences, &found.scope, found.at)?;
    if differences.are_none() {
        return Ok(());
    }
    if !args.repair {
        return Err(CliError::Reported);
    }
    store.adopt(&found.store, &differences, found.at)?;
    let left = compared(&store, &found)?;
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

fn compared(store: &Store, found: &PlatformAnnotations) -> Result<Differences, CliError> {
    let mut differences = compare(store, &found.store, &found.scope)?;
    if !found.lists_all {
        differences.forget_extra();
    }
    Ok(differences)
}

fn ids(of: &[AnnotationId]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}

/// What differs, by the ids of those that are different.
fn differs(differences: &Differences) -> Value {
    let each = differences.different.iter();
    let each = each.map(|id| (id.to_string(), json!(differences.parts_of(id))));
    Value::Object(each.collect())
}

fn tell(differences: &Differences, found: &PlatformAnnotations) -> Result<(), CliError> {
    let word = if differences.are_none() {
        "equal to"
    } else {
        "not equal to"
    };
    let extra = if differences.deletions_checked() {
        format!("{} extra, ", differences.extra.len())
    } else {
        String::new()
    };
    print(format_args!(
        "{word} {} at {}: {} equal, {} missing, {extra}{} different",
        found.platform,
        found.at,
        differences.equal,
        differences.missing.len(),
        differences.different.len()
    ))?;
    if !differences.deletions_checked() {
        print(format_args!(
            "deletions cannot be checked: {} does not say what is gone",
            found.platform
        ))?;
    }
    for (word, ids) in [
        ("missing", &differences.missing),
        ("extra", &differences.extra),
        ("different", &differences.different),
    ] {
        for id in ids.iter().take(SHOWN) {
            let parts = differences.parts_of(id).join(", ");
            let parts = if parts.is_empty() {
                parts
            } else {
                format!(": {parts}")
            };
            print(format_args!("  {word:9} {id}{parts}"))?;
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
