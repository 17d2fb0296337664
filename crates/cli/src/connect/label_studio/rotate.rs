//! Gives the webhooks that deliver to the relay another secret.

use super::target::Target;
use super::{Args, greet, named, step};
use crate::connect::credential::Credential;
use crate::connect::facts::{Action, Facts};
use crate::connect::report::{Problem, Report};
use crate::connect::steps::{Step, Steps};
use crate::env::Env;

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
    let mut steps = Steps {
        plan: false,
        report,
        rows: &mut facts.webhooks,
    };
    let mut is_whole = true;
    for webhook in ours {
        let name = named(webhook.id, webhook.project);
        let step = step(Action::Rotated, name, webhook, Vec::new());
        if credential.flaws(webhook).is_empty() {
            let action = Action::Unchanged;
            steps.keep(&Step { action, ..step })?;
            continue;
        }
        is_whole &= steps.take(step, target.mend(webhook, &credential)).await?;
    }
    if !is_whole {
        return Err(Problem::Step(
            "not every webhook has the new secret: both are good until all have it; run this again"
                .to_owned(),
        ));
    }
    rotation.end(report).await
}
