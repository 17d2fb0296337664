//! `labelrelay archive compact`.

use crate::archive_store;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::output::{one_line, print, print_json, say};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  labelrelay archive compact s3://BUCKET/archive
  labelrelay archive compact file:archive --before 2026-11-01 --json";

const NOTES: &str = "\
The files of one source, day and writer become one, and larger ones where they are more than 64 MiB. Works beside a \
running `serve`. Ended at any moment, it loses nothing: run it again. Run it once a day, after midnight in UTC.";

/// Puts the small files of an archive together.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// The archive: `file:DIRECTORY`, `s3://…`, `gs://…` or `az://…`
    #[arg(value_name = "URL")]
    url: String,
    /// Files of days before this one [default: today in UTC]
    #[arg(long, value_name = "DATE", value_parser = date)]
    before: Option<Date>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Printed {
    written: u64,
    removed: u64,
    unreadable: usize,
}

pub(super) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let today = || Timestamp::now().to_zoned(TimeZone::UTC).date();
    let before = args.before.unwrap_or_else(today);
    let runtime = crate::runtime::small()?;
    let archive = runtime.block_on(archive_store::named(&args.url, "URL", env))?;
    let done = runtime.block_on(archive.compact(before))?;
    for name in &done.unreadable {
        let name = one_line(name);
        say(format_args!(
            "{name}: cannot be read to its end, and was left as it is"
        ));
    }
    if args.json {
        print_json(&Printed {
            written: done.written,
            removed: done.removed,
            unreadable: done.unreadable.len(),
        })?;
    } else {
        print(format_args!(
            "{} files removed, {} written in their place",
            done.removed, done.written
        ))?;
    }
    if done.unreadable.is_empty() {
        Ok(())
    } else {
        Err(CliError::Reported)
    }
}

fn date(text: &str) -> Result<Date, String> {
    text.parse()
        .map_err(|_| "is no date; write YYYY-MM-DD".to_owned())
}
