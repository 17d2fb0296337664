//! Another secret. Labelbox gives a webhook no other one, so a second webhook is made, and the first one is ended at
//! the first delivery with the new secret. In between, events come twice.

use super::target::Target;
use super::{Args, greet, named, step};
use crate::connect::facts::{Action, Facts, Id};
use crate::connect::report::{Problem, Report};
use crate::connect::rotation::Rotation;
use crate::connect::steps::{Step, Steps};
use crate::durations;
use crate::env::Env;
use labelrelay_reconcile::labelbox::{Status, Webhook};
use std::time::{Duration, Instant};

/// Pause between two looks for a delivery.
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
    // Those that send nothing have the old secret as well, or an older one: none may count as a second webhook when
    // somebody wakes it meanwhile.
    let is_there = |hook: &&Webhook| target.is_ours(hook) || hook.url == target.relay.ended();
    let there = webhooks.iter().filter(is_there);
    let ids: Vec<_> = there.map(|hook| hook.id.clone()).collect();
    let rotation = target.rotatable.begin(&ids, env, report).await?;
    rotation.both_are_taken(report).await?;
    let (_, webhooks) = target.management.projects_and_webhooks(&[]).await?;
    let (old, new) = halves(target, &rotation, &webhooks);
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
        first_delivery(
            args.delivery_within(),
            target,
            &rotation,
            &old,
            steps.report,
        )
        .await?;
    }
    // The wait was long: Labelbox, or somebody, may have ended a second one since.
    let (_, webhooks) = target.management.projects_and_webhooks(&[]).await?;
    let (old, new) = halves(target, &rotation, &webhooks);
    for webhook in &old {
        if active_second(webhook, &new)?.is_none() {
            return Err(Problem::Step(format!(
                "{} has no second webhook any more: the old secret stays good, and so does the new one; run this again",
                named(webhook)
            )));
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
    rotation.let_arrive().await;
    rotation.end(report).await
}

/// Webhooks that deliver here with the old secret, which are those that were there when the rotation began, and the
/// others.
fn halves<'a>(
    target: &Target,
    rotation: &Rotation<'_>,
    webhooks: &'a [Webhook],
) -> (Vec<&'a Webhook>, Vec<&'a Webhook>) {
    webhooks
        .iter()
        .filter(|hook| target.is_ours(hook) && hook.status != Status::Inactive)
        .partition(|hook| rotation.remembered.contains(&hook.id))
}

/// The webhook that takes the place of `first`, if there is one; a problem if it delivers nothing.
fn active_second<'a>(first: &Webhook, new: &[&'a Webhook]) -> Result<Option<&'a Webhook>, Problem> {
    let same = || new.iter().filter(|hook| hook.project == first.project);
    match (
        same().find(|hook| hook.status == Status::Active),
        same().next(),
    ) {
        (Some(second), _) => Ok(Some(second)),
        (None, None) => Ok(None),
        (None, Some(second)) => Err(Problem::Step(format!(
            "{} has the new secret and is {}, so it delivers nothing: see in the log of `serve` why, set it to active in Labelbox (Workspace settings, Webhooks), then run this again. Both secrets are good",
            named(second),
            second.status.as_str()
        ))),
    }
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
    if let Some(second) = active_second(first, new)? {
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
    target: &Target,
    rotation: &Rotation<'_>,
    old: &[&Webhook],
    report: &mut Report,
) -> Result<(), Problem> {
    if !rotation.is_shown() {
        report.hint(format_args!(
            "Waiting for the first delivery with the new secret, for {} at most: submit a label in Labelbox.",
            durations::words(wait)
        ))?;
    }
    let begun = Instant::now();
    while !rotation.is_shown() {
        if begun.elapsed() >= wait {
            let ids: Vec<_> = old.iter().map(|hook| hook.id.as_str()).collect();
            return Err(Problem::Step(format!(
                "no delivery with the new secret came within {}. Both secrets are good, both webhooks deliver, and events come twice. If one came all the same, the log of `serve` says why it could not tell. Run this again when a label was submitted; or end it by hand: set the webhook {} to inactive in Labelbox, then {}",
                durations::words(wait),
                ids.join(", "),
                target.rotatable.end_by_hand()
            )));
        }
        tokio::time::sleep(POLL).await;
    }
    report.done("a delivery with the new secret came")?;
    Ok(())
}
