//! `labelrelay dataset forget`.

use super::location::{DatasetLocation, publish};
use super::words::of_snapshot;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::output::print;
use clap::builder::NonEmptyStringValueParser;
use labelrelay_dataset::{Format, Options};

const EXAMPLES: &str = "\
Examples:
  labelrelay dataset forget ./cars --author 17
  labelrelay dataset forget ./cars --author you@example.org";

const NOTES: &str = "\
Label Studio names people by the id of their account, Labelbox by id or address. The annotations stay. Writes a \
snapshot without the author, and removes the older ones; with the URL of a store, there as well. If no annotation is \
by the author now, the first run leaves the snapshots. A second one removes all but the last: an annotation may have \
had another author when they were written. What comes of the author later is forgotten as it comes. Queues, fallbacks \
and ledgers have their own copies of events.";

/// Forgets who made annotations.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    #[command(flatten)]
    place: DatasetLocation,
    /// The author, as the platform names them
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    author: String,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let mut store = args.place.existing(env)?;
    // A run that was killed may have left snapshots that say it.
    let may_be_left = store.has_forgotten(&args.author)?;
    let forgotten = store.forget_author(&args.author)?;
    if forgotten == 0 && !may_be_left {
        return Ok(print(format_args!(
            "no annotation here is by that author now: the name is noted for what comes later, and the snapshots stay. An older one may name the author: run this again to remove all but the last"
        ))?);
    }
    // The same files as before, without the author.
    let mut options = Options::of_last(&store)?.unwrap_or_else(|| Options::of(Format::Coco));
    options.keep = 1;
    let snapshot = labelrelay_dataset::write(&mut store, &options)?;
    crate::runtime::small()?.block_on(publish(&args.place, &store, &snapshot, env))?;
    print(format_args!("forgotten in {forgotten} annotations"))?;
    let dir = args.place.dir();
    print(format_args!("{}", of_snapshot(&snapshot, &dir)))?;
    match store.published_to()? {
        Some(url) if args.place.url().is_none() => Err(CliError::failed(format_args!(
            "the snapshots at {url} still say it: run `labelrelay dataset forget {url} --work {} --author {}`",
            dir.display(),
            args.author
        ))),
        _ => Ok(()),
    }
}
