//! Another secret. Labelbox gives a webhook no other one, so a second webhook is made, and the first one is ended at
//! the first delivery with the new secret. In between, events come twice.

use super::target::Target;
use super::{Args, greet, step};
use crate::connect::facts::{Action, Facts, Id};
use crate::connect::report::{Problem, Report};
use crate::connect::rotation::Rotation;
use crate::connect::steps::{Step, Steps};
use crate::durations;
use crate::env::Env;
use crate::error::CliError;
use labelrelay_reconcile::labelbox::{Status, Webhook};
use std::time::{Duration, Instant};

/// How often it is looked whether a delivery came.
const POLL: Duration = Duration::from_millis(250);

pub(super) async fn walk(
    args: &Args,
    target: &Target,
    env: &Env<'_>,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<(), Problem> {
    target.rotatable.check()?;
    target.is_deliverable()?;
    let words = greet(target, facts).await?;
    report.done(words)?;
    let (_, webhooks) = target.management.projects_and_webhooks(&[]).await?;
    let ours: Vec<_> = webhooks
        .iter()
        .filter(|hook| target.is_ours(hook) && hook.status != Status::Inactive)
        .collect();
    if ours.is_empty() {
        let (relay, otherwise) = (&target.relay.url, "one is made");
        return target
            .rotatable
            .without_webhooks(args.plan, relay, otherwise, env, report)
            .await;
    }
    // Those that an earlier run ended count as well: that run may have broken off before its end.
    let was_ended = |hook: &&Webhook| hook.url == target.relay.ended();
    let is_known = |id: &&String| {
        let mut known = ours
            .iter()
            .copied()
            .chain(webhooks.iter().filter(was_ended));
        known.any(|hook| hook.id == **id)
    };
    let unknown = args.end.iter().find(|id| !is_known(id));
    if let Some(unknown) = unknown {
        return Err(Problem::Step(format!(
            "--end {unknown}: no webhook of this id delivers here; `labelrelay connect list labelbox` shows them"
        )));
    }
    if !args.v1 && !target.rotatable.is_under_way() {
        return Err(Problem::Step(format!(
            "Labelbox's API makes webhooks that send v1 payloads, and does not tell what those send that are there ({}). If all of them send v1, give --v1 as well. If one sends v2, its events would change: set `previous_secret` of source `{}`, put a new secret into the file, restart `serve`, and make a webhook with it in Labelbox: Workspace settings, Webhooks. Then end the old one, and take `previous_secret` away",
            ours.iter()
                .map(|hook| hook.id.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            target.source
        )));
    }
    if args.plan {
        let mut steps = Steps {
            plan: true,
            report,
            rows: &mut facts.webhooks,
        };
        for webhook in ours {
            let step = step(Action::Rotated, webhook, Vec::new());
            steps.take(step, std::future::ready(Ok(None))).await?;
        }
        facts.conclude(report)?;
        return Ok(());
    }
    let ids: Vec<_> = ours.iter().map(|hook| hook.id.clone()).collect();
    let rotation = target.rotatable.begin(&ids, env, report).await?;
    rotation.both_are_taken(report).await?;
    let with_old = with_old(args, &rotation, &ours)?;
    let (old, new): (Vec<&Webhook>, Vec<&Webhook>) = ours
        .into_iter()
        .partition(|hook| with_old.contains(&hook.id));
    let is_alone = |hook: &&&Webhook| {
        let mut firsts = old.iter().copied().chain(webhooks.iter().filter(was_ended));
        !firsts.any(|first| first.project == hook.project)
    };
    if let Some(alone) = new.iter().find(is_alone)
        && rotation.is_shown().is_none()
    {
        return Err(Problem::Step(format!(
            "the webhook {} takes nobody's place, so it may have the older secret: name it as well, with --end {}. No webhook was changed",
            alone.id, alone.id
        )));
    }
    let is_second = |first: &&Webhook| new.iter().any(|hook| hook.project == first.project);
    let are_all_there = old.iter().all(is_second);
    let mut steps = Steps {
        plan: false,
        report,
        rows: &mut facts.webhooks,
    };
    let mut is_whole = true;
    for webhook in &old {
        is_whole &= second(target, &rotation, webhook, &new, &webhooks, &mut steps).await?;
    }
    if !is_whole {
        return Err(Problem::Step(
            "not every webhook has a second one: the old secret stays good, and so does the new one; run this again"
                .to_owned(),
        ));
    }
    if !old.is_empty() {
        if rotation.is_shown().is_none() {
            // Whoever names the old ones in a second run has seen events of the new ones.
            let is_first_run = !rotation.remembered.is_empty();
            if is_first_run || args.end.is_empty() || !are_all_there {
                return Err(unseen(target, &old));
            }
        } else {
            first_delivery(args.wait, &rotation, &old, steps.report).await?;
        }
    }
    for webhook in &old {
        let step = step(Action::Removed, webhook, Vec::new());
        is_whole &= steps.take(step, target.end(&webhook.id)).await?;
    }
    if !is_whole {
        return Err(Problem::Step(
            "not every webhook with the old secret was ended: the old secret stays good; run this again"
                .to_owned(),
        ));
    }
    rotation.end(report).await
}

/// Ids of the webhooks with the old secret: those that were there when the rotation began.
fn with_old(
    args: &Args,
    rotation: &Rotation<'_>,
    ours: &[&Webhook],
) -> Result<Vec<String>, Problem> {
    match (rotation.is_shown(), args.end.is_empty()) {
        (Some(_), false) => Err(Problem::Cli(CliError::usage(
            "--end is for a secret in a cloud's store; leave it out: the rotation of a secret in a file remembers its webhooks",
        ))),
        (Some(_), true) => Ok(rotation.remembered.clone()),
        // A rotation that has just begun: all have the old one.
        (None, _) if !rotation.remembered.is_empty() => Ok(rotation.remembered.clone()),
        (None, false) => Ok(args.end.clone()),
        (None, true) => Err(Problem::Step(format!(
            "the store holds two secrets, and Labelbox does not show which webhooks have the older one ({}). Name those, each with --end ID. No webhook was changed",
            ids(ours)
        ))),
    }
}

fn ids(webhooks: &[&Webhook]) -> String {
    let ids: Vec<_> = webhooks.iter().map(|hook| hook.id.as_str()).collect();
    ids.join(", ")
}

/// Nobody here sees the deliveries of a relay that reads a store.
fn unseen(target: &Target, old: &[&Webhook]) -> Problem {
    let ends: String = old
        .iter()
        .map(|hook| format!(" --end {}", hook.id))
        .collect();
    Problem::Step(format!(
        "both webhooks deliver, and events come twice. Submit a label in Labelbox; when its event has come twice, end the old ones: `{} --rotate --v1{ends}`",
        target.connect
    ))
}

/// Makes the webhook that takes the place of `first`, unless an earlier run did.
async fn second(
    target: &Target,
    rotation: &Rotation<'_>,
    first: &Webhook,
    new: &[&Webhook],
    known: &[Webhook],
    steps: &mut Steps<'_>,
) -> Result<bool, Problem> {
    let is_second = |hook: &&&Webhook| hook.project == first.project;
    if let Some(second) = new.iter().find(is_second) {
        let step = step(Action::Unchanged, second, Vec::new());
        steps.keep(&step)?;
        return Ok(true);
    }
    let project = first.project.as_deref();
    let step = Step {
        action: Action::Made,
        name: match project {
            Some(id) => format!("project {id}"),
            None => "the organization".to_owned(),
        },
        id: None,
        project: project.map(|id| Id::Text(id.to_owned())),
        flaws: Vec::new(),
    };
    let doing = target.make(project, &first.topics, Some(&rotation.new), known);
    steps.take(step, doing).await
}

/// Waits until the relay has seen a delivery with the new secret.
async fn first_delivery(
    wait: Duration,
    rotation: &Rotation<'_>,
    old: &[&Webhook],
    report: &mut Report,
) -> Result<(), Problem> {
    let is_shown = || rotation.is_shown().unwrap_or(true);
    if !is_shown() {
        report.hint(format_args!(
            "Waiting for the first delivery with the new secret, for {} at most: submit a label in Labelbox.",
            durations::words(wait)
        ))?;
    }
    let begun = Instant::now();
    while !is_shown() {
        if begun.elapsed() >= wait {
            let ids: Vec<_> = old.iter().map(|hook| hook.id.as_str()).collect();
            return Err(Problem::Step(format!(
                "no delivery with the new secret came within {}. Both secrets are good, both webhooks deliver, and events come twice. If one came all the same, the log of `serve` says why it could not tell. Run this again when a label was submitted; or end it by hand: set the webhook {} to inactive in Labelbox, then {}",
                durations::words(wait),
                ids.join(", "),
                rotation.end_by_hand()
            )));
        }
        tokio::time::sleep(POLL).await;
    }
    report.done("a delivery with the new secret came")?;
    Ok(())
}
