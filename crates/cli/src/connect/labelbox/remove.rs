//! Ends the webhooks that deliver to the relay.

use super::target::Target;
use super::{Args, greet, step};
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
    let lists = target.management.projects_and_webhooks(&args.project);
    let (_, webhooks) = lists.await?;
    let is_asked = |project: Option<&str>| {
        args.project.is_empty() || project.is_some_and(|id| args.project.iter().any(|p| p == id))
    };
    let ours = webhooks
        .iter()
        .filter(|hook| target.is_ours(hook) && is_asked(hook.project.as_deref()));
    let mut steps = Steps {
        plan: args.plan,
        report,
        rows: &mut facts.webhooks,
    };
    for webhook in ours {
        let step = step(Action::Removed, webhook, Vec::new());
        steps.take(step, target.end(&webhook.id)).await?;
    }
    Ok(facts.conclude_removal(report)?)
}
