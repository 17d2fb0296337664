//! The relay's webhooks on Labelbox as they are, for `labelrelay status`. Nothing is changed.

use super::named;
use super::target::{Common, Target};
use super::topics::Topics;
use crate::connect::state::{State, no_secret, within_patience};
use crate::env::Env;
use labelrelay_core::config::{Config, SourceConfig};
use labelrelay_reconcile::PlatformError;
use labelrelay_reconcile::labelbox::{Status, Webhook};
use std::path::Path;

/// Asks the Labelbox of `source`; `file` is the configuration's file, where the command line named one.
///
/// # Errors
/// Problem and cure, when it cannot be asked.
pub(in crate::connect) async fn ask(
    config: &Config,
    source: &SourceConfig,
    file: Option<&Path>,
    env: &Env<'_>,
) -> Result<State, String> {
    let target = Common::of(source, file, false)
        .open_in(config, source, env)
        .await;
    let target = target.map_err(|error| error.message().to_owned())?;
    if target.secret.is_missing() {
        return Err(no_secret(&target.rotatable));
    }
    within_patience(&target.server, read(&target)).await
}

async fn read(target: &Target) -> Result<State, PlatformError> {
    let management = &target.management;
    let member = management.member().await?;
    let lists = management.projects_and_webhooks(&target.projects);
    let (projects, webhooks) = lists.await?;
    let ours: Vec<_> = webhooks
        .iter()
        .filter(|hook| target.is_ours(hook))
        .collect();
    let scopes: Vec<_> = if target.projects.is_empty() {
        vec![None]
    } else {
        let ids = projects.iter().map(|project| Some(project.id.as_str()));
        ids.collect()
    };
    let topics = Topics::new(&target.topics);
    // A pull brings labels, but neither deletions nor workflow actions: it takes the place of no webhook that can work.
    let can_work = target.refusal().is_none();
    let (mut warnings, mut with) = (Vec::new(), 0_usize);
    for scope in &scopes {
        let of_scope = |hook: &&&Webhook| hook.project.as_deref() == *scope;
        let of_scope: Vec<_> = ours.iter().filter(of_scope).collect();
        let is_active = |hook: &&&&Webhook| hook.status == Status::Active;
        match of_scope.iter().find(is_active).or(of_scope.first()) {
            None if target.pulls(*scope) && !can_work => {}
            None => warnings.push(missing(target, *scope)),
            Some(webhook) => {
                let (flaws, _) = topics.flaws(webhook);
                if flaws.is_empty() {
                    with += 1;
                } else {
                    warnings.push(flawed(target, webhook, &flaws));
                }
            }
        }
    }
    let relay = &target.relay.url;
    let delivery = match (scopes.as_slice(), with) {
        ([None], 0) => format!("the organization does not deliver to {relay}"),
        ([None], _) => format!("the organization delivers to {relay}"),
        (scopes, _) => format!("{with} of {} projects deliver to {relay}", scopes.len()),
    };
    let besides = match (target.is_pulled, target.refusal()) {
        (false, _) => "",
        (true, None) => "; `serve` pulls besides",
        (true, Some(_)) => ", which Labelbox cannot reach; `serve` pulls instead",
    };
    Ok(State {
        server: format!(
            "Labelbox at {} as {}, organization \"{}\"",
            target.server, member.user, member.organization
        ),
        webhooks: format!("{delivery}{besides}"),
        warnings,
        changes: None,
    })
}

fn missing(target: &Target, project: Option<&str>) -> String {
    let of = project.map_or_else(
        || "the organization".to_owned(),
        |id| format!("project {id}"),
    );
    format!(
        "source `{}`: no webhook delivers the events of {of}; `{}` makes it",
        target.source, target.repair
    )
}

fn flawed(target: &Target, webhook: &Webhook, flaws: &[&str]) -> String {
    format!(
        "source `{}`: {} of Labelbox does not send what it should ({}); `{}` mends it",
        target.source,
        named(webhook),
        flaws.join(", "),
        target.repair
    )
}
