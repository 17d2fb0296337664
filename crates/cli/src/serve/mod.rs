//! `labelrelay serve`: takes deliveries in until it is told to stop.

mod archiving;
mod config_watch;
mod delivery_lines;
mod demo;
mod file_descriptors;
mod first_start;
mod hints;
mod listen_address;
mod observed_queue;
mod page;
mod private_address;
mod pull;
mod pull_state;
mod queue_watch;
mod ready_file;
mod recording;
mod redrive;
mod rotation_watch;
mod run;
mod service_manager;
mod settings;
mod signals;
mod telemetry;

use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::find_configuration;
use crate::logging::{self, By, Format};
use std::path::PathBuf;

pub(crate) use hints::{public_base, public_url, secret_header};
pub(crate) use listen_address::DEFAULT_LISTEN;
pub(crate) use private_address::{Reach, is_refused, reach};
pub(crate) use settings::{Flags, Settings};
pub(crate) use signals::Signals;

const EXAMPLES: &str = "\
Examples:
  labelrelay serve                 makes a configuration if there is none
  labelrelay serve --public-url https://abc.ngrok.app
  labelrelay serve --config labelrelay.toml --log json
  LABELBOX_WEBHOOK_SECRET=… LABELRELAY_QUEUE=stdout: labelrelay serve | jq .id
  labelrelay serve --listen 127.0.0.1:0 --ready-file /run/labelrelay.addr
  labelrelay serve --demo          try it without any platform";

const NOTES: &str = "\
SIGTERM, SIGINT or SIGHUP stops it, once everything that had arrived is finished. A second signal, at least a second \
later, ends it at once (130). \
A port that is taken, and a queue file that another process owns, are failures (1). A queue file that cannot be \
written, or that a newer version wrote, is bad configuration (78).";

/// Takes deliveries in, verifies them and puts them on the queue.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{}\n\n{EXIT_CODES}", find_configuration::HELP))]
pub(crate) struct Args {
    /// Address for deliveries; port 0 picks a free one [default: 127.0.0.1:8090]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Loopback address for /metrics, /ready with reasons, and the page [default: 127.0.0.1:9090; a free port if
    /// that is taken]
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<String>,
    /// URL under which senders reach this relay, when a tunnel or proxy stands in front
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write the bound address here once it answers; removed at the end
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Form of the log, on stderr: human or json; `LABELRELAY_LOG` sets its level
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        default_value = "human",
        hide_possible_values = true
    )]
    log: Format,
    /// Deliver recordings and forgeries to a relay of its own, show the results, and end
    #[arg(long, conflicts_with_all = ["listen", "admin_listen", "public_url", "config", "ready_file"])]
    demo: bool,
    /// Log every delivery
    #[arg(long, short)]
    verbose: bool,
    /// At a terminal, show no line for each delivery
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,
}

pub(crate) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let by = if args.demo {
        By::TheSpeaker
    } else {
        By::AThread
    };
    logging::start(args.log, args.verbose, by, env)?;
    if args.demo {
        demo::run(args.verbose)
    } else {
        first_start::check(args, env)?;
        run::run(args, env)
    }
}
