//! `labelrelay dataset rebuild`.

use super::export_options::ExportOptions;
use super::location::DatasetLocation;
use super::platform::PlatformArgs;
use super::words::of_snapshot;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::output::print;
use labelrelay_dataset::compare;

const EXAMPLES: &str = "\
Examples:
  labelrelay dataset rebuild ./cars --url http://HOST:8080
  labelrelay dataset rebuild ./cars --project 3 --format coco,yolo";

const NOTES: &str = "\
For a dataset that was lost: the queue has handed its events out, and cannot give them again. What is there already \
is mended, and its classes keep their numbers.";

/// Makes the dataset from what the platform has.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    #[command(flatten)]
    place: DatasetLocation,
    #[command(flatten)]
    platform: PlatformArgs,
    #[command(flatten)]
    export: ExportOptions,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let mut store = args.place.open(env)?;
    let found = args.platform.read(env)?;
    let mut differences = compare(&store, &found.store, &found.scope)?;
    // Whoever makes a dataset anew wants what is there; `verify --repair` lets go what is not.
    differences.extra.clear();
    store.adopt(&found.store, &differences, found.at)?;
    let snapshot = labelrelay_dataset::write(&mut store, &args.export.options())?;
    Ok(print(format_args!(
        "{}",
        of_snapshot(&snapshot, &args.place.dir())
    ))?)
}
