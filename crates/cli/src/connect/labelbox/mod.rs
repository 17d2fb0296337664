//! Labelbox: one webhook for the organization, or one for each project that is named.

mod list;
mod prove;
mod pull_instead;
mod remove;
mod rotate;
mod state;
mod target;
mod topics;
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
use labelrelay_reconcile::labelbox::{ProjectName, Webhook};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use target::{Common, Target};

pub(super) use list::{Args as ListArgs, run as list};
pub(super) use state::ask;

const EXAMPLES: &str = "\
Examples:
  labelrelay connect labelbox --relay https://relay.example.org
  labelrelay connect labelbox --project ID --topic LABEL_CREATED
  labelrelay connect labelbox --plan
  labelrelay connect labelbox --rotate --v1
  labelrelay connect labelbox --project ID --prove
  labelrelay connect labelbox --remove";

const NOTES: &str = "\
Makes one webhook for the whole organization, or one for each --project, and mends those that deliver to the relay \
already: inactive, revoked, topics missing. Touches no other webhook. Where Labelbox cannot reach the relay, it lets \
`serve` pull. Labelbox's API makes webhooks of version 1 only. Tried with Labelbox's own client against a stand-in only.";

/// Time for a delivery that a person makes, where the command line says nothing else.
const DELIVERY_WITHIN: Duration = Duration::from_secs(10 * 60);

/// Makes Labelbox deliver to the relay.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{}\n\n{EXIT_CODES}", find_configuration::HELP))]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub(in crate::connect) struct Args {
    #[command(flatten)]
    common: Common,
    /// Connect this project only; can be given several times [default: those of `[source.webhook]`, else the
    /// whole organization]
    #[arg(long, value_name = "ID")]
    project: Vec<String>,
    /// Send this topic only; can be given several times [default: those of `[source.webhook]`, else all four]
    #[arg(long, value_name = "NAME", value_parser = topics::parse)]
    topic: Vec<String>,
    /// Say what would be done; change nothing
    #[arg(long)]
    plan: bool,
    /// Mend what `labelrelay status` found; pull also where a public URL does not begin with `https://`
    #[arg(long, conflicts_with_all = ["rotate", "remove"])]
    repair: bool,
    /// Labelbox sends no event on demand; says what to click instead
    #[arg(long, hide = true)]
    probe: bool,
    /// Fail where no webhook can work, and leave the configuration as it is
    #[arg(long, conflicts_with_all = ["rotate", "remove"])]
    push_only: bool,
    /// Try what no document says in the one --project, and write a report of it
    #[arg(long, conflicts_with_all = ["rotate", "remove", "repair", "topic", "json"])]
    prove: bool,
    /// With --prove: listen here for deliveries
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8090",
        requires = "prove"
    )]
    listen: SocketAddr,
    /// With --prove: the report's file
    #[arg(
        long,
        value_name = "FILE",
        default_value = "labelbox-proof.md",
        requires = "prove"
    )]
    report: PathBuf,
    /// Change the secret, which is in a file here: a second webhook is made, and the first one ended as soon as the second
    /// delivers
    #[arg(long, conflicts_with_all = ["remove", "project", "topic"])]
    rotate: bool,
    /// With --rotate: the webhooks that are there send v1 payloads
    #[arg(long, requires = "rotate")]
    v1: bool,
    /// Wait so long for a delivery [default: 10m; where `serve` pulls, 3m]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    wait: Option<Duration>,
    /// End the webhooks that deliver to the relay, and no other
    #[arg(long, conflicts_with = "topic")]
    remove: bool,
}

impl Args {
    /// Projects that are meant; empty: the whole organization.
    fn projects<'a>(&'a self, target: &'a Target) -> &'a [String] {
        if self.project.is_empty() {
            &target.projects
        } else {
            &self.project
        }
    }

    /// Words with which another command is about the same projects; a blank before each.
    fn project_options(&self) -> String {
        let options = self.project.iter();
        let options = options.map(|id| super::state::option("--project", Some(id)));
        options.collect()
    }

    /// Time for a delivery that a person makes.
    fn delivery_within(&self) -> Duration {
        self.wait.unwrap_or(DELIVERY_WITHIN)
    }
}

pub(super) async fn connect(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    if args.probe {
        return Err(CliError::usage(
            "--probe: Labelbox sends no event on demand. Open a project in Labelbox, press Start labeling, and submit a label; then run `labelrelay events tail`",
        ));
    }
    let target = args.common.open(env).await?;
    reported(args, &target, env).await
}

/// Walks, and says what it came to.
async fn reported(args: &Args, target: &Target, env: &Env<'_>) -> Result<(), CliError> {
    let mut report = Report::new(args.common.json, env);
    let mut facts = Facts::new(&target.server, &target.relay, &target.source, args.plan);
    let walked = if args.remove {
        remove::walk(args, target, &mut report, &mut facts).await
    } else if args.prove {
        prove::walk(args, target, env.cwd(), &mut report, &mut facts).await
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
        project: Vec::new(),
        topic: Vec::new(),
        probe: false,
        prove: false,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        report: PathBuf::new(),
        rotate: false,
        v1: false,
        push_only: args.push_only,
        wait: args.wait,
        remove: false,
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
    if way == Way::Pull {
        // Its first pull brings what is there already.
        return Ok(());
    }
    if changed {
        report.hint(
            "To see the first event, submit a label in Labelbox, then run `labelrelay events tail`.",
        )?;
        let is_new = facts.webhooks.iter().any(|row| row.action == Action::Made);
        if is_new {
            report.hint(format_args!(
                "Webhooks tell of nothing that is there already: `{}{}` puts it on the queue.",
                target.fetch,
                args.project_options()
            ))?;
        }
    }
    if target.rotatable.source().allow.is_some() {
        report.hint(
            "The source takes deliveries from the addresses in `allow` alone: see that Labelbox's are among them, which its documents list.",
        )?;
    }
    report.hint(format_args!(
        "These webhooks send v1 payloads. For v2, make one by hand in place of these:\n\
        \x20 1. labelrelay connect labelbox --remove\n\
        \x20 2. in Labelbox: Workspace settings → Webhooks → New webhook, payload version v2\n\
        \x20 3. URL {}, and as secret what is in {}",
        target.relay.url,
        target.rotatable.reference()
    ))?;
    Ok(())
}

/// The server, and our account there.
async fn greet(target: &Target, facts: &mut Facts) -> Result<String, Problem> {
    let member = target.management.member().await?;
    let words = format!(
        "Labelbox at {} as {}, organization \"{}\"",
        target.server, member.user, member.organization
    );
    facts.user = Some(member.user);
    facts.organization = Some(member.organization);
    Ok(words)
}

/// A project's id and name.
fn titled(project: &ProjectName) -> String {
    let ProjectName { id, name } = project;
    if name.is_empty() {
        format!("project {id}")
    } else {
        format!("project {id} \"{name}\"")
    }
}

/// A webhook's id and scope.
fn named(webhook: &Webhook) -> String {
    match &webhook.project {
        Some(project) => format!("project {project}: webhook {}", webhook.id),
        None => format!("the organization's webhook {}", webhook.id),
    }
}

/// The change that a webhook needs.
fn step(action: Action, webhook: &Webhook, flaws: Vec<&'static str>) -> Step {
    Step {
        action,
        name: named(webhook),
        id: Some(Id::Text(webhook.id.clone())),
        project: webhook.project.clone().map(Id::Text),
        flaws,
    }
}
