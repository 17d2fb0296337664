//! Label Studio: one webhook for each project, for its API makes none for a whole organization.

mod beside_others;
mod list;
mod probe;
mod project_names;
mod pull_instead;
mod remove;
mod rotate;
mod silence;
mod state;
mod target;
mod walk;

use super::facts::{Action, Facts, Id};
use super::no_platform;
use super::pulling::Way;
use super::report::{Problem, Report};
use super::steps::Step;
use crate::durations::parse_duration;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::find_configuration;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_reconcile::label_studio::Webhook;
use std::time::Duration;
use target::{Common, Target};

pub(super) use list::{Args as ListArgs, run as list};
pub(super) use state::{ask, is_its_own, is_known};

const EXAMPLES: &str = "\
Examples:
  labelrelay connect label-studio http://HOST:8080
  labelrelay connect label-studio --token file:ls.token --plan
  labelrelay connect label-studio --relay https://relay.example.org --project 3
  labelrelay connect label-studio --probe
  labelrelay connect label-studio --rotate
  labelrelay connect label-studio --remove";

const NOTES: &str = "\
Makes one webhook for each project, and mends those that deliver to the relay already: inactive, another header, no \
payload, not all actions. If `[source.webhook]` says less, they send less. Touches no other webhook. Run it again for \
new projects. Where Label Studio refuses the relay's URL, it writes `[source.pull]` into the configuration: a `serve` \
that runs pulls then, and the first event is waited for.";

/// Makes Label Studio deliver to the relay.
#[derive(Debug, Default, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{}\n\n{EXIT_CODES}", find_configuration::HELP))]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub(in crate::connect) struct Args {
    #[command(flatten)]
    common: Common,
    /// Connect this project only; can be given several times [default: those of `[source.webhook]`, else all that the
    /// token sees]
    #[arg(long, value_name = "ID")]
    project: Vec<u64>,
    /// Say what would be done; change nothing
    #[arg(long)]
    plan: bool,
    /// Mend what `labelrelay status` found; pull also where a name is not known
    #[arg(long, conflicts_with_all = ["rotate", "remove"])]
    repair: bool,
    /// Fail where no webhook can work, and leave the configuration as it is
    #[arg(long, conflicts_with_all = ["rotate", "remove"])]
    push_only: bool,
    /// Where `serve` pulls: wait so long for the first event [default: 1m]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    wait: Option<Duration>,
    /// Then send an event through a temporary project, and wait until it is in the queue
    #[arg(long, conflicts_with_all = ["plan", "remove"])]
    probe: bool,
    /// Give the webhooks a new secret; the old one is good until all have it. The secret must be in a file here, or in a
    /// cloud's store
    #[arg(long, conflicts_with_all = ["probe", "remove", "project"])]
    rotate: bool,
    /// Delete the webhooks that deliver to the relay, and no other
    #[arg(long)]
    remove: bool,
}

impl Args {
    /// Projects that are meant; empty: all.
    fn projects<'a>(&'a self, target: &'a Target) -> &'a [u64] {
        if self.project.is_empty() {
            &target.projects
        } else {
            &self.project
        }
    }

    /// Words with which another command is about the same projects; a blank before each.
    fn project_options(&self) -> String {
        let options = self.project.iter().map(|id| format!(" --project {id}"));
        options.collect::<Vec<_>>().concat()
    }
}

pub(super) async fn connect(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let target = args.common.open(env).await?;
    reported(args, &target, env).await
}

/// Walks, and says what it came to.
async fn reported(args: &Args, target: &Target, env: &Env<'_>) -> Result<(), CliError> {
    let mut report = Report::new(args.common.json, env);
    let mut facts = Facts::new(&target.server, &target.relay, &target.source, args.plan);
    let walked = if args.remove {
        remove::walk(args, target, &mut report, &mut facts).await
    } else if args.rotate {
        rotate::walk(args, target, env, &mut report, &mut facts).await
    } else {
        all(args, target, env, &mut report, &mut facts).await
    };
    report.end(walked, &facts)
}

/// Makes the webhooks of `source` what its section says.
pub(super) async fn configured(
    config: &Config,
    source: &SourceConfig,
    args: &no_platform::Args,
    env: &Env<'_>,
) -> Result<(), CliError> {
    let args = Args {
        common: Common::of(source, args.config.as_deref(), args.json),
        plan: args.plan,
        repair: args.repair,
        push_only: args.push_only,
        wait: args.wait,
        ..Args::default()
    };
    let target = args.common.open_in(config, source, env).await?;
    reported(&args, &target, env).await
}

async fn all(
    args: &Args,
    target: &Target,
    env: &Env<'_>,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<(), Problem> {
    let way = walk::walk(args, target, env, report, facts).await?;
    if report.has_failed() {
        return Ok(());
    }
    let changed = facts.conclude(report)?;
    if args.probe && way == Way::Pull {
        report.hint("No probe was sent: it would go through a webhook.")?;
    } else if args.probe {
        let words = probe::run(target).await.map_err(Problem::Step)?;
        report.done(words)?;
    } else if changed && facts.first_event.is_none() {
        report.hint(
            "To see the first event, submit an annotation in Label Studio, then run `labelrelay events tail`.",
        )?;
    }
    // Where `serve` pulls, its first pull brings it.
    if let Some(there) = facts.there_before.filter(|_| !target.is_pulled) {
        let things = match there {
            1 => "1 task".to_owned(),
            count => format!("{count} tasks and annotations"),
        };
        report.hint(format_args!(
            "Webhooks tell of nothing that is there already ({things}): `{}{}` puts it on the queue.",
            target.fetch,
            args.project_options()
        ))?;
    }
    Ok(())
}

/// The server, and our account there.
async fn greet(target: &Target, facts: &mut Facts) -> Result<String, Problem> {
    let user = target.management.user().await?;
    let version = target.management.version().await?;
    let words = format!("Label Studio {version} at {} as {user}", target.server);
    facts.version = Some(version.to_string());
    facts.user = Some(user);
    Ok(words)
}

/// A webhook's number and project.
fn named(id: u64, project: Option<u64>) -> String {
    match project {
        Some(project) => format!("project {project}: webhook {id}"),
        None => format!("the organization's webhook {id}"),
    }
}

/// The change that a webhook needs.
fn step(action: Action, name: String, webhook: &Webhook, flaws: Vec<&'static str>) -> Step {
    Step {
        action,
        name,
        id: Some(Id::Number(webhook.id)),
        project: webhook.project.map(Id::Number),
        flaws,
    }
}
