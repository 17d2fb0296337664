//! `labelrelay connect list labelbox`.

use super::target::{Common, Target};
use super::topics::Topics;
use crate::connect::listing::shown;
use crate::connect::state::no_secret;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::find_configuration;
use crate::output::{one_line, print, print_json, say};
use labelrelay_reconcile::labelbox::Webhook;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  labelrelay connect list labelbox --relay https://relay.example.org
  labelrelay connect list labelbox --json | jq '.webhooks[] | select(.ours)'";

/// Lists Labelbox's webhooks, and says which of them deliver to the relay.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{}\n\n{EXIT_CODES}", find_configuration::HELP))]
pub(in crate::connect) struct Args {
    #[command(flatten)]
    common: Common,
}

/// Printed by `--json`.
#[derive(Serialize)]
struct Listed<'a> {
    server: &'a str,
    relay: &'a str,
    source: &'a str,
    webhooks: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    /// `None` for one of the organization.
    project: Option<&'a str>,
    ours: bool,
    status: &'static str,
    topics: &'a [String],
    /// Without name, password and query, which may be secret.
    url: String,
    /// Flaws that keep one of ours from sending every event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flaws: Vec<&'static str>,
}

impl<'a> Row<'a> {
    fn new(webhook: &'a Webhook, target: &Target, topics: &Topics) -> Self {
        let ours = target.is_ours(webhook);
        let flaws = if ours {
            topics.flaws(webhook).0
        } else {
            Vec::new()
        };
        Self {
            id: &webhook.id,
            project: webhook.project.as_deref(),
            ours,
            status: webhook.status.as_str(),
            topics: &webhook.topics,
            url: shown(&webhook.url),
            flaws,
        }
    }

    fn print(&self) -> std::io::Result<()> {
        let id = one_line(self.id);
        let project = one_line(self.project.unwrap_or("all"));
        let ours = if self.ours { "yes" } else { "no" };
        let status = self.status.to_ascii_lowercase();
        let flaws = match self.flaws.as_slice() {
            [] => String::new(),
            flaws => format!("  ({})", flaws.join(", ")),
        };
        let url = one_line(&self.url);
        print(format_args!(
            "{id:<25}  {project:<25}  {ours:<4}  {status:<8}  {url}{flaws}"
        ))
    }
}

pub(in crate::connect) async fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let target = args.common.open(env).await?;
    if target.secret.is_missing() {
        say(format_args!("warning: {}", no_secret(&target.rotatable)));
    }
    let lists = target.management.projects_and_webhooks(&[]).await;
    let (_, webhooks) = lists.map_err(CliError::failed)?;
    let topics = Topics::new(&target.topics);
    let rows: Vec<_> = webhooks
        .iter()
        .map(|hook| Row::new(hook, &target, &topics))
        .collect();
    if args.common.json {
        return Ok(print_json(&Listed {
            server: &target.server,
            relay: &target.relay.url,
            source: &target.source,
            webhooks: rows,
        })?);
    }
    if rows.is_empty() {
        return Ok(print(format_args!("{} has no webhooks", target.server))?);
    }
    print(format_args!(
        "{:<25}  {:<25}  OURS  STATUS    URL",
        "ID", "PROJECT"
    ))?;
    for row in &rows {
        row.print()?;
    }
    Ok(())
}
