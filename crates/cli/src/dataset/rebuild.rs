//! `labelrelay dataset rebuild`.

use super::archived;
use super::export_options::ExportOptions;
use super::location::DatasetLocation;
use super::platform_annotations::PlatformArgs;
use super::words::of_snapshot;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::output::print;
use labelrelay_dataset::compare;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  labelrelay dataset rebuild ./cars --url http://HOST:8080
  labelrelay dataset rebuild ./cars --project 3 --format coco,yolo
  labelrelay dataset rebuild ./cars --from s3://BUCKET/archive";

const NOTES: &str = "\
For a dataset that was lost: the queue has handed its events out, and cannot give them again. What is there already \
is mended, and its classes keep their numbers. In a new directory they get numbers as they are found, or with `--classes` \
those of before. With `--from`, no platform is asked: the dataset has what the archive has.";

/// Makes the dataset from what the platform has, or an archive.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    #[command(flatten)]
    place: DatasetLocation,
    /// Take in the events of the archive at this URL, and ask no platform
    #[arg(long, value_name = "URL", conflicts_with_all = ["url", "token", "endpoint", "key", "project", "source"])]
    from: Option<String>,
    /// A snapshot's `data.yaml` or `instances_train.json`: its classes keep their numbers
    #[arg(long, value_name = "FILE")]
    classes: Option<PathBuf>,
    #[command(flatten)]
    platform: PlatformArgs,
    #[command(flatten)]
    export: ExportOptions,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let mut store = args.place.open(env)?;
    if let Some(file) = &args.classes {
        store.take_class_numbers(env.cwd().join(file))?;
    }
    let is_whole = if let Some(url) = &args.from {
        archived::take_in(url, &mut store, env)?
    } else {
        let found = args.platform.read(env)?;
        let mut differences = compare(&store, &found.store, &found.scope)?;
        // Whoever makes a dataset anew wants what is there; `verify --repair` lets go what is not.
        differences.extra.clear();
        store.adopt(&found.store, &differences, found.at)?;
        true
    };
    let snapshot = labelrelay_dataset::write(&mut store, &args.export.options())?;
    print(format_args!(
        "{}",
        of_snapshot(&snapshot, &args.place.dir())
    ))?;
    if is_whole {
        Ok(())
    } else {
        Err(CliError::Reported)
    }
}
