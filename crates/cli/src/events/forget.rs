//! `labelrelay events forget`.

use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::output::{print, say};
use crate::queue_file::QueueArgs;
use crate::record;

const EXAMPLES: &str = "\
Examples:
  labelrelay events forget --author ann@example.org";

const NOTES: &str = "\
Takes the address out of the record of deliveries: heads, reasons, and the bodies of what became no event. Events on \
the queue stay as they were sent: `labelrelay queue prune` removes those that were acknowledged, and `labelrelay \
dataset forget` takes an author out of a dataset.";

/// Takes an author's e-mail address out of the record of deliveries.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// The address, in whatever letters
    #[arg(long, value_name = "E-MAIL", value_parser = address)]
    author: String,
}

pub(super) fn run(args: &Args, queue: &QueueArgs, env: &Env<'_>) -> Result<(), CliError> {
    let Some(record) = record::open_beside(queue, env)? else {
        say(format_args!("there is no record: nothing was kept"));
        return Ok(());
    };
    let forgotten = record.forget(&args.author)?;
    let deliveries = if forgotten == 1 {
        "delivery"
    } else {
        "deliveries"
    };
    Ok(print(format_args!(
        "taken out of {forgotten} {deliveries}"
    ))?)
}

/// Less than an address could stand for many.
fn address(text: &str) -> Result<String, String> {
    match text.split_once('@') {
        Some((user, host)) if !user.is_empty() && !host.is_empty() => Ok(text.to_owned()),
        _ => Err("is no e-mail address; write NAME@HOST".to_owned()),
    }
}
