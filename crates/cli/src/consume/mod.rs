//! `labelrelay consume`: hands the events of a queue to a program, a URL or other queues, for those who write no code.

mod exec;
mod into;
mod json;
mod mode;
mod run;
mod to;

use crate::durations::{parse_duration, parse_visibility};
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::logging::{self, By, Format};
use labelrelay_core::config::SecretRef;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  labelrelay consume --json | jq .subject
  labelrelay consume --exec 'python handle.py' --concurrency 4
  labelrelay consume --to https://x.example/hook --secret file:hook.key
  labelrelay consume sqs://REGION/ACCOUNT/NAME --json --until-idle 30s
  labelrelay consume sqs://REGION/ACCOUNT/IN --into sqs://REGION/ACCOUNT/OUT";

const NOTES: &str = "\
--json acknowledges an event once its line is written. --exec gives the envelope on stdin, and CE_ID, CE_TYPE, \
CE_SOURCE and CE_SUBJECT as variables; exit code 0 is done, 65 a dead letter with the last line of stderr as the reason, \
any other comes again. --to posts it as application/cloudevents+json: 2xx is done, a status of --reject a dead letter, any \
other comes again. --into acknowledges an event once all of these queues have it. What fails comes again after 10 s, then \
40 s, up to 15 min. SIGTERM or Ctrl-C: what was begun is finished, the rest given back; a second one ends at once (130).";

/// Hands the events of a queue to a program, a URL or other queues, each until it is done.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
#[command(override_usage = "labelrelay consume [OPTIONS] <--json|--exec|--to|--into> [QUEUE]")]
#[command(group = clap::ArgGroup::new("mode").required(true).args(["json", "exec", "to", "into"]))]
pub(crate) struct Args {
    /// URL of the queue, or of a Pub/Sub subscription [default: the configured one]
    queue: Option<String>,
    /// Print one envelope a line
    #[arg(long)]
    json: bool,
    /// Run this command for each event, by the shell
    #[arg(long, value_name = "CMD")]
    exec: Option<String>,
    /// Post each event to this URL: https, or http on this machine and its own network
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Send each event into this queue, as it is; may be given several times
    #[arg(long, value_name = "URL")]
    into: Vec<String>,
    /// Reference to the key that signs posts, as Standard Webhooks does: `env:NAME` or `file:/path`
    #[arg(long, value_name = "REF", requires = "to", conflicts_with_all = ["json", "exec", "into"], value_parser = SecretRef::of_command_line)]
    secret: Option<SecretRef>,
    /// Answers that make a dead letter of an event
    #[arg(long, value_name = "STATUS", requires = "to", conflicts_with_all = ["json", "exec", "into"], value_delimiter = ',', default_value = "422",
          value_parser = clap::value_parser!(u16).range(400..500))]
    reject: Vec<u16>,
    /// Longest time for one command or post [default: 30s with --to, none with --exec]
    #[arg(long, value_name = "TIME", conflicts_with_all = ["json", "into"], value_parser = parse_duration)]
    timeout: Option<Duration>,
    /// Events at the same time [default: 8 with --to, 16 with --into, 1 with --exec]
    #[arg(long, value_name = "N", conflicts_with = "json", value_parser = clap::value_parser!(u16).range(1..=1000))]
    concurrency: Option<u16>,
    /// Hide an event from other consumers for this long; it is extended. Another gets it so long after a crash
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_visibility)]
    visibility: Duration,
    /// Make a dead letter of an event that fails and was received this often [default: 5 where the queue has no limit of its own]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_receives: Option<u32>,
    /// Queue or topic for dead letters [default: the queue's own]
    #[arg(long, value_name = "URL")]
    dead_letter: Option<String>,
    /// End when nothing came for this long
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    until_idle: Option<Duration>,
    /// Configuration file that names the queue
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    // A reader of the log that stops must not stop the extensions of what is held: they run on the same threads.
    logging::start(Format::Human, false, By::AThread, env)?;
    run::run(args, env)
}
