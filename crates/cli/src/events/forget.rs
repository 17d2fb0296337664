//! `labelrelay events forget`.

use super::forgotten_envelope;
use crate::archive_store;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::output::{one_line, print, say};
use crate::queue_file::QueueArgs;
use crate::record::{self, Opened};
use labelrelay_record::Address;

const EXAMPLES: &str = "\
Examples:
  labelrelay events forget --author ann@example.org
  labelrelay events forget --author ann@example.org --from s3://BUCKET/archive";

const NOTES: &str = "\
Takes the address out of the record of deliveries: heads, reasons, and the bodies of what became no event. Events on \
the queue stay as they were sent: `labelrelay queue prune` removes those that were acknowledged, and `labelrelay \
dataset forget` takes an author out of a dataset. With `--from`, the events of an archive are written anew: \
`[forgotten]` stands in the address's place, and `datasha256` is that of what is left. Let `serve` archive what waits \
before that. No files are put together meanwhile.";

/// Takes an author's e-mail address out of the record of deliveries.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// The address, in whatever letters
    #[arg(long, value_name = "E-MAIL", value_parser = address)]
    author: String,
    /// Take it out of the archive at this URL instead
    #[arg(long, value_name = "URL")]
    from: Option<String>,
}

pub(super) fn run(args: &Args, queue: &QueueArgs, env: &Env<'_>) -> Result<(), CliError> {
    if let Some(url) = &args.from {
        return in_archive(args, url, env);
    }
    let Some(record) = record::open_beside(queue, env)? else {
        say(format_args!("there is no record: nothing was kept"));
        return Ok(());
    };
    let forgotten = record.forget(&args.author)?;
    if matches!(record, Opened::Shared(_)) {
        say(format_args!(
            "what replicas took in these seconds, or while they did not reach the database, comes later: run this again then"
        ));
    }
    let deliveries = if forgotten == 1 {
        "delivery"
    } else {
        "deliveries"
    };
    Ok(print(format_args!(
        "taken out of {forgotten} {deliveries}"
    ))?)
}

fn in_archive(args: &Args, url: &str, env: &Env<'_>) -> Result<(), CliError> {
    let address = Address::new(&args.author);
    let runtime = crate::runtime::small()?;
    let archive = runtime.block_on(archive_store::named(url, "--from", env))?;
    let rewriting = archive.rewrite(|line| forgotten_envelope::without(line, &address));
    let done = runtime.block_on(rewriting)?;
    let events = if done.events == 1 { "event" } else { "events" };
    print(format_args!("taken out of {} {events}", done.events))?;
    for name in &done.unreadable {
        let name = one_line(name);
        say(format_args!(
            "{name}: cannot be read to its end, and was left as it is: remove it, or what is cut off of it"
        ));
    }
    if done.unreadable.is_empty() {
        Ok(())
    } else {
        Err(CliError::Reported)
    }
}

/// Less than an address could stand for many.
fn address(text: &str) -> Result<String, String> {
    match text.split_once('@') {
        Some((user, host)) if !user.is_empty() && !host.is_empty() => Ok(text.to_owned()),
        _ => Err("is no e-mail address; write NAME@HOST".to_owned()),
    }
}
