//! Deletes the webhooks that deliver to the relay.

use super::target::Target;
use super::{Args, greet, named, step};
use crate::connect::facts::{Action, Facts};
use crate::connect::report::{Problem, Report};
use crate::connect::steps::Steps;

pub(super) async fn walk(
    args: &Args,
    target: &Target,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<(), Problem> {
    let words = greet(target, facts).await?;
    report.done(words)?;
    let webhooks = target.management.webhooks().await?;
    let is_asked = |project: Option<u64>| {
        args.project.is_empty() || project.is_some_and(|id| args.project.contains(&id))
    };
    let ours = webhooks
        .iter()
        .filter(|hook| target.is_ours(hook) && is_asked(hook.project));
    let mut steps = Steps {
        plan: args.plan,
        report,
        rows: &mut facts.webhooks,
    };
    for webhook in ours {
        let name = named(webhook.id, webhook.project);
        let step = step(Action::Removed, name, webhook, Vec::new());
        let doing = async {
            let deleted = target.management.delete_webhook(webhook.id).await;
            deleted.map(|()| None)
        };
        steps.take(step, doing).await?;
    }
    Ok(facts.conclude_removal(report)?)
}
