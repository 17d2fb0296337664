//! `labelrelay connect list label-studio`.

use super::target::{Common, Target};
use crate::connect::listing::shown;
use crate::connect::state::no_secret;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::find_configuration;
use crate::output::{one_line, print, print_json, say};
use labelrelay_reconcile::label_studio::Webhook;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  labelrelay connect list label-studio http://HOST:8080
  labelrelay connect list label-studio --relay https://relay.example.org
  labelrelay connect list label-studio --json | jq '.webhooks[] | select(.ours)'";

/// Lists Label Studio's webhooks, and says which of them deliver to the relay.
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
    webhooks: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: u64,
    /// `None` for one of the organization.
    project: Option<u64>,
    ours: bool,
    active: bool,
    /// Without name, password and query, which may be secret.
    url: String,
    /// Flaws that keep one of ours from sending every event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flaws: Vec<&'static str>,
}

impl Row {
    fn new(webhook: &Webhook, target: &Target) -> Self {
        let ours = target.is_ours(webhook);
        let flaws = if ours {
            target.credential.flaws(webhook)
        } else {
            Vec::new()
        };
        Self {
            id: webhook.id,
            project: webhook.project,
            ours,
            active: webhook.is_active,
            url: shown(&webhook.url),
            flaws,
        }
    }

    fn print(&self) -> std::io::Result<()> {
        let project = self
            .project
            .map_or_else(|| "all".to_owned(), |id| id.to_string());
        let state = if self.active { "active" } else { "inactive" };
        let ours = if self.ours { "yes" } else { "no" };
        let flaws = match self.flaws.as_slice() {
            [] => String::new(),
            flaws => format!("  ({})", flaws.join(", ")),
        };
        let url = one_line(&self.url);
        print(format_args!(
            "{:>8}  {project:>8}  {ours:<4}  {state:<8}  {url}{flaws}",
            self.id
        ))
    }
}

pub(in crate::connect) async fn run(args: &Args, env: &Env<'_>) -> Result<(), CliError> {
    let target = args.common.open(env).await?;
    if target.secret.is_missing() {
        say(format_args!("warning: {}", no_secret(&target.rotatable)));
    }
    let webhooks = target.management.webhooks().await;
    let webhooks = webhooks.map_err(CliError::failed)?;
    let rows: Vec<_> = webhooks
        .iter()
        .map(|hook| Row::new(hook, &target))
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
    print(format_args!("      ID   PROJECT  OURS  STATE     URL"))?;
    for row in &rows {
        row.print()?;
    }
    Ok(())
}
