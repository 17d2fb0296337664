//! Gives the webhooks that deliver to the relay another secret.

use super::target::Target;
use super::{Args, greet, named, step};
use crate::connect::credential::Credential;
use crate::connect::facts::{Action, Facts};
use crate::connect::report::{Problem, Report};
use crate::connect::steps::{Step, Steps};
use crate::env::Env;
use std::collections::HashSet;

/// Lists of the webhooks at most, until one shows that all have the new secret.
const ROUNDS: u32 = 4;

pub(super) async fn walk(
    args: &Args,
    target: &Target,
    env: &Env<'_>,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<(), Problem> {
    target.rotatable.check()?;
    let words = greet(target, facts).await?;
    report.done(words)?;
    let webhooks = target.management.webhooks().await?;
    let ours: Vec<_> = webhooks
        .iter()
        .filter(|hook| target.is_ours(hook))
        .collect();
    if ours.is_empty() {
        let (relay, otherwise) = (&target.relay.url, "one is made for each project");
        return target
            .rotatable
            .without_webhooks(args.plan, relay, otherwise, env, report)
            .await;
    }
    target.management.check_url(&target.relay.url).await?;
    if args.plan {
        let mut steps = Steps {
            plan: true,
            report,
            rows: &mut facts.webhooks,
        };
        for webhook in ours {
            let name = named(webhook.id, webhook.project);
            let step = step(Action::Rotated, name, webhook, Vec::new());
            steps.take(step, std::future::ready(Ok(None))).await?;
        }
        facts.conclude(report)?;
        return Ok(());
    }
    let rotation = target.rotatable.begin(&[], env, report).await?;
    rotation.both_are_taken(report).await?;
    let credential = Credential::new(target.rotatable.source(), &rotation.new)?;
    let mut told = HashSet::new();
    for round in 0..ROUNDS {
        let had_old = give(target, &credential, &mut told, report, facts).await?;
        if round > 0 && !had_old {
            return rotation.end(report).await;
        }
        rotation.let_arrive().await;
    }
    Err(Problem::Step(
        "again and again webhooks come up that have not the new secret: see who else changes them; both are good until all have it, so run this again"
            .to_owned(),
    ))
}

/// Gives the new secret to each webhook of ours that has another one. They are listed anew: somebody may have changed
/// them, or made one, since. `true` if one had another secret.
async fn give(
    target: &Target,
    credential: &Credential,
    told: &mut HashSet<u64>,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<bool, Problem> {
    let webhooks = target.management.webhooks().await?;
    let mut steps = Steps {
        plan: false,
        report,
        rows: &mut facts.webhooks,
    };
    let (mut is_whole, mut had_old) = (true, false);
    for webhook in webhooks.iter().filter(|hook| target.is_ours(hook)) {
        let is_old = !credential.is_shown_of(webhook);
        let is_first = told.insert(webhook.id);
        if !is_old && !is_first {
            continue;
        }
        had_old |= is_old;
        let name = named(webhook.id, webhook.project);
        let step = step(Action::Rotated, name, webhook, Vec::new());
        if credential.flaws(webhook).is_empty() {
            let action = Action::Unchanged;
            steps.keep(&Step { action, ..step })?;
            continue;
        }
        is_whole &= steps.take(step, target.mend(webhook, credential)).await?;
    }
    if is_whole {
        return Ok(had_old);
    }
    Err(Problem::Step(
        "not every webhook has the new secret: both are good until all have it; run this again"
            .to_owned(),
    ))
}
