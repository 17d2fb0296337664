//! `labelrelay queue list`.

use super::row::{one_more, print_list};
use crate::failure::{EXIT_CODES, Failure};
use labelrelay_local::{Filter, QueueFile, State};

const EXAMPLES: &str = "\
Examples:
  labelrelay queue list
  labelrelay queue list --type 'io.labelstud.annotation.*' --limit 20 --newest
  labelrelay queue list --state dead --json";

/// Lists events without taking them.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// Only this type; a final * stands for any ending
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only this subject, such as task/17
    #[arg(long)]
    subject: Option<String>,
    /// Only in this state
    #[arg(long, value_enum)]
    state: Option<StateName>,
    /// At most this many
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// The newest first
    #[arg(long)]
    newest: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum StateName {
    Ready,
    InFlight,
    Acknowledged,
    Dead,
}

impl From<StateName> for State {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Ready => Self::Ready,
            StateName::InFlight => Self::InFlight,
            StateName::Acknowledged => Self::Acknowledged,
            StateName::Dead => Self::Dead,
        }
    }
}

pub(super) fn run(args: &Args, queue: &QueueFile) -> Result<(), Failure> {
    let filter = Filter {
        event_type: args.event_type.clone(),
        source: args
            .source
            .as_ref()
            .map(|name| format!("/{}", name.trim_start_matches('/'))),
        subject: args.subject.clone(),
        state: args.state.map(State::from),
        newest_first: args.newest,
        ..Filter::default()
    };
    let events = queue.list(&filter, one_more(args.limit))?;
    Ok(print_list(&events, args.limit, args.json)?)
}
