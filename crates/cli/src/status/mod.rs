//! `labelrelay status`: walks the way that a delivery takes, without starting or making anything.

mod archive;
mod page_url;
mod public_url;
mod queue;
mod record;
mod report;
mod running;
mod stores;

use crate::archive_store;
use crate::connect::platform_state;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::evidence::{Evidence, KnownThings};
use crate::find_configuration::{self, Missing};
use crate::health_check;
use crate::locations::QueueLocation;
use crate::logging;
use crate::open;
use crate::output::{print_json, say};
use crate::recent_deliveries::RecentDeliveries;
use crate::serve::{Flags, Settings};
use crate::serve_address;
use labelrelay_core::config::Config;
use labelrelay_core::provider::Provider;
use labelrelay_startup::{BLOB_STORE, FALLBACK};
use record::Running;
use report::{NotAsked, Platform, Report};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  labelrelay status
  labelrelay status --config /etc/labelrelay.toml --json | jq .events
  labelrelay status --ready        a container's health check
  labelrelay status --page-url     the page of deliveries, to open in a browser
  labelrelay status && systemctl restart labelrelay";

const NOTES: &str = "\
Reads the configuration and every secret that it names, and looks at the addresses, the queue, the record, the \
archive and the stores. It asks the `serve` that runs here whether it takes deliveries. Starts and makes nothing, and works beside a \
running `serve`. It writes an event into the queue file and reads it back, in a transaction that it takes back: \
nobody sees it, and nothing is left. It writes nothing into a queue elsewhere, and says how to try that. It looks for \
damage in the queue file for two seconds, so in a large one not everywhere. Warnings go to stderr and leave the exit \
code 0.

Where LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY are set, or `[source.webhook]` or `[source.pull]` has both, it asks \
Label Studio too: whether each project has a webhook that delivers here, whether that sends every event, and whether \
changes of the last day came. Changes of which nothing came are a fault: the exit code is 1. Labelbox is asked where \
`[source.webhook]` says what it shall send. Each fault names the command that mends it: `labelrelay connect … --repair`.";

/// Says whether all is well on a delivery's way, and if not, what to do.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{}\n\n{EXIT_CODES}", find_configuration::HELP))]
pub(crate) struct Args {
    /// Configuration file, or the outputs of a stack in a cloud, as JSON in a file whose name ends in .json
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Ask the running `serve` whether a delivery would be durable now, and nothing else; 1 if not. For health checks
    #[arg(long, conflicts_with = "json")]
    ready: bool,
    /// Print the URL of the page that the running `serve` shows, with its token, and nothing else
    #[arg(long, conflicts_with_all = ["json", "ready"])]
    page_url: bool,
}

pub(crate) fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    if args.ready {
        let config = find_configuration::find(env, args.config.as_deref(), Missing::Refuse)?.config;
        return health_check::run(&config, env);
    }
    if args.page_url {
        let config = find_configuration::find(env, args.config.as_deref(), Missing::Refuse)?.config;
        return page_url::run(&config, env);
    }
    let mut report = Report::default();
    let outcome = walk(args, env, &mut report);
    if !args.json {
        outcome?;
        for warning in &report.warnings {
            say(format_args!("warning: {warning}"));
        }
        report.print()?;
        for fault in &report.faults {
            say(format_args!("fault: {fault}"));
        }
        if report.faults.is_empty() {
            return Ok(());
        }
        return Err(CliError::Reported);
    }
    let said = match outcome {
        Ok(()) if report.faults.is_empty() => {
            report.ok = true;
            Ok(())
        }
        Ok(()) => {
            report.error = Some(report.faults.join("; "));
            Err(CliError::Reported)
        }
        Err(CliError::Config(message)) => {
            report.error = Some(message);
            Err(CliError::ConfigReported)
        }
        Err(CliError::Failed(message)) => {
            report.error = Some(message);
            Err(CliError::Reported)
        }
        Err(other) => return Err(other),
    };
    print_json(&report)?;
    said
}

fn walk(args: &Args, env: &Env<'_>, report: &mut Report) -> Result<(), CliError> {
    logging::level(env)?;
    let config = find_configuration::find(env, args.config.as_deref(), Missing::Refuse)?.config;
    report.configuration = Some(config.origin.clone());
    report.sources = config
        .sources
        .iter()
        .map(|source| source.name.clone())
        .collect();
    report.warnings.clone_from(&config.warnings);
    let settings = Settings::read(Flags::default(), Some(&config))?;
    let location = open::queue_location(&config, env)?;
    report.queue = Some(location.to_string());
    archive_store::check_queue(&config, &location)?;
    if let QueueLocation::Sqlite(file) = &location {
        report
            .warnings
            .extend(open::network_file_system::warning(file));
        queue::can_be_made(file, env)?;
    }
    if let QueueLocation::Cloud(..) = &location {
        let file = args.config.as_deref();
        report.not_tried = Some(queue::not_written(&config, file, settings.public_url()));
    }
    let runtime = crate::runtime::small()?;
    let checked = runtime.block_on(open::check(&config, env))?;
    report.warnings.extend(checked.warnings);
    report.identities = checked.identities;
    report.found_dead_letters(checked.dead_letters);
    report.blob_store = stores::checked(config.blob_store.as_ref(), BLOB_STORE, &config, env)?;
    report.fallback = stores::checked(config.fallback.as_ref(), FALLBACK, &config, env)?;
    let ledger_fault = runtime.block_on(stores::ledger_fault(&config, &location, env))?;
    report.faults.extend(ledger_fault);
    let (mut recent, mut queue_file, mut running) = (None, None, Running::No);
    if let QueueLocation::Sqlite(file) = &location {
        let serve = serve_address::listening(file);
        report.serve = serve.map(|serve| serve.address.to_string());
        if let Some(serve) = serve {
            report
                .faults
                .extend(runtime.block_on(running::fault(serve.address)));
            let asked = serve
                .admin
                .and_then(|admin| runtime.block_on(running::metrics(admin)));
            report.refused = asked
                .as_ref()
                .map(|metrics| running::refused(metrics, &config))
                .unwrap_or_default();
            running = Running::Yes(asked.as_deref().and_then(running::records));
        }
        if file.exists() {
            let opened = queue::open_checked(file, report)?;
            if platform_state::compares(&config, env) {
                recent = Some(queue::recent_deliveries(&opened, file)?);
            }
            queue_file = Some(opened);
        }
    }
    report.record = record::look(&config, &location, running, env, &mut report.warnings)?;
    if let Some(settings) = &config.archive {
        let look = archive::look(&config, settings, queue_file.as_ref(), env, report);
        runtime.block_on(look)?;
    }
    drop(queue_file);
    runtime.block_on(async {
        if let Some(url) = settings.public_url() {
            report.warnings.extend(public_url::warning(url).await);
        }
        let file = args.config.as_deref();
        let queue = match (&location, &recent) {
            (QueueLocation::Sqlite(_), None) => Queue::NotMade,
            (QueueLocation::Sqlite(_), Some(recent)) => Queue::Embedded(recent),
            _ => Queue::Elsewhere,
        };
        platforms(&config, file, &queue, env, report).await;
    });
    Ok(())
}

/// Evidence of the events that came.
enum Queue<'a> {
    /// A file that no `serve` has made yet.
    NotMade,
    Embedded(&'a RecentDeliveries),
    /// Nobody can look into it.
    Elsewhere,
}

/// A queue elsewhere, and no ledger.
const NO_EVIDENCE: &str = "nobody can look into this queue, and no ledger is there: `[source.pull]` keeps one. The metric `labelrelay_last_delivery_age_seconds` of `serve` says when something last came";

/// Asks the platforms. One that does not answer is no fault of the relay's.
async fn platforms(
    config: &Config,
    file: Option<&Path>,
    queue: &Queue<'_>,
    env: &Env<'_>,
    report: &mut Report,
) {
    for source in &config.sources {
        let things = match queue {
            Queue::Elsewhere if platform_state::is_compared(config, source, env) => {
                KnownThings::of(config, source, env).await
            }
            _ => Ok(None),
        };
        let evidence = match (queue, &things) {
            (Queue::NotMade, _) => None,
            (Queue::Embedded(recent), _) => Some(Evidence::Queue(recent)),
            (Queue::Elsewhere, Ok(Some(things))) => Some(Evidence::Ledger(things)),
            (Queue::Elsewhere, Ok(None)) => Some(Evidence::Nothing(NO_EVIDENCE)),
            (Queue::Elsewhere, Err(why)) => Some(Evidence::Nothing(why)),
        };
        match platform_state::ask(config, source, file, evidence, env).await {
            None if source.provider == Provider::LabelStudio => report.not_asked.push(NotAsked {
                source: source.name.clone(),
                cure: "set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY, or `url` and `token` in its [source.webhook], and its changes are compared with what came".to_owned(),
            }),
            None => {}
            Some(Ok(state)) => {
                report.warnings.extend(state.warnings);
                let changes = state.changes.as_ref();
                report
                    .faults
                    .extend(changes.and_then(|changes| changes.fault.clone()));
                report.platforms.push(Platform {
                    source: source.name.clone(),
                    server: state.server,
                    webhooks: state.webhooks,
                    changes: state.changes,
                });
            }
            Some(Err(why)) => report
                .warnings
                .push(format!("source `{}`: {why}", source.name)),
        }
    }
}
