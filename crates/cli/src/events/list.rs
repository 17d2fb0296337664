//! `labelrelay events list`.

use super::archived;
use super::elsewhere::Elsewhere;
use super::filter::{self, Which};
use super::recorded;
use super::row::{one_more, print_list};
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::from_archive::FromArchive;
use crate::output::say;
use crate::queue_file::QueueArgs;
use crate::record;
use clap::builder::NonEmptyStringValueParser;
use labelrelay_record::{Pattern, Record};

const EXAMPLES: &str = "\
Examples:
  labelrelay events list
  labelrelay events list --since 1h --type io.labelstud.annotation --newest
  labelrelay events list --dead --json
  labelrelay events list --refused --since 1h      from the record of deliveries
  labelrelay events list --since 30d --subject label/7 --from s3://BUCKET/archive";

const RECORD: &str = "\
The record of deliveries is looked into by --recorded, --refused and --client, and by a filter that nothing on the queue \
passes, since the queue forgets what was acknowledged.";

/// Lists events, in order of arrival.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{}\n\n{RECORD}\n\n{EXIT_CODES}", filter::HELP))]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub(super) struct Args {
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// The newest first
    #[arg(long)]
    newest: bool,
    /// Deliveries of the record instead of events: repeats, filtered and refused ones too, each with its answer
    #[arg(long, conflicts_with_all = ["dead", "pending"])]
    recorded: bool,
    /// Deliveries of the record that were refused or failed
    #[arg(long, conflicts_with_all = ["dead", "pending"])]
    refused: bool,
    /// Deliveries of the record that came from this address; a final * matches any ending
    #[arg(long, value_name = "ADDRESS", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["dead", "pending", "from"])]
    client: Option<String>,
    /// Search the archive at this URL, such as `s3://BUCKET/archive`
    #[arg(long, value_name = "URL", conflicts_with_all = ["dead", "pending", "recorded", "refused"])]
    from: Option<String>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

impl Args {
    /// Tells a person that the list is empty, so that it does not look like a command that did nothing.
    fn say_none(&self, words: &str) {
        // With `--limit 0` nothing was looked for.
        if self.json || self.limit == 0 {
            return;
        }
        let is_filtered = self.which.is_given() || self.refused || self.client.is_some();
        let which = if is_filtered {
            " that passes the filter"
        } else {
            ""
        };
        say(format_args!("{words}{which}"));
    }
}

pub(super) fn run(args: &Args, queue: &QueueArgs, env: &Env<'_>) -> Result<(), CliError> {
    if let Some(url) = &args.from {
        let mut filter = args.which.archived()?;
        filter.newest_first = args.newest;
        let from = FromArchive::open(url, filter, env)?;
        return archived::list(&from, args.newest, args.limit, args.json);
    }
    if args.refused || args.recorded || args.client.is_some() {
        let record = record::open_existing(queue, env)?;
        if list_recorded(args, &*record)? == 0 {
            args.say_none("the record has no delivery");
        }
        return Ok(());
    }
    if let Some(elsewhere) = Elsewhere::open(queue, env)? {
        let mut filter = args.which.elsewhere()?;
        filter.newest_first = args.newest;
        if elsewhere.list(&filter, args.limit, args.json)? == 0
            && !list_forgotten(args, queue, env)?
        {
            args.say_none("the queue has no event");
        }
        return Ok(());
    }
    let file = queue.open(env)?;
    let mut filter = args.which.filter(&file)?;
    filter.newest_first = args.newest;
    let events = file.list(&filter, one_more(args.limit))?;
    if events.is_empty() {
        if !list_forgotten(args, queue, env)? {
            args.say_none("the queue has no event");
        }
        return Ok(());
    }
    Ok(print_list(&events, args.limit, args.json)?)
}

/// Lists from the record what the queue has forgotten, since it was acknowledged. Tells whether there was any of it.
fn list_forgotten(args: &Args, queue: &QueueArgs, env: &Env<'_>) -> Result<bool, CliError> {
    if args.which.is_of_content()
        && let Some(record) = record::open_after_queue(queue, env)?
        && list_recorded(args, &*record)? > 0
    {
        say(format_args!(
            "these are of the record of deliveries: nothing on the queue passes the filter"
        ));
        return Ok(true);
    }
    Ok(false)
}

fn list_recorded(args: &Args, record: &dyn Record) -> Result<usize, CliError> {
    let mut filter = args.which.recorded()?;
    filter.refused = args.refused;
    filter.client = args.client.as_deref().map(Pattern::is);
    filter.newest_first = args.newest;
    recorded::print_list(record, &filter, args.limit, args.json)
}
