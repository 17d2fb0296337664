//! Deletes the webhooks that deliver to the relay.

use super::target::Target;
use super::{Args, Facts, Row, greet, named};
use crate::connect::report::{Problem, Report};

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
    for webhook in ours {
        let name = named(webhook.id, webhook.project);
        let mut row = Row {
            id: Some(webhook.id),
            project: webhook.project,
            action: "removed",
            flaws: Vec::new(),
        };
        if args.plan {
            report.done(format_args!("{name} would be removed"))?;
        } else {
            match target.management.delete_webhook(webhook.id).await {
                Ok(()) => report.done(format_args!("{name} removed"))?,
                Err(error) if error.is_retryable => return Err(error.into()),
                Err(error) => {
                    row.action = "failed";
                    report.failed(format_args!("{name}: {error}"))?;
                }
            }
        }
        facts.webhooks.push(row);
    }
    if facts.webhooks.is_empty() {
        report.hint(format_args!(
            "nothing to remove: no webhook delivers to {}",
            target.relay.url
        ))?;
    } else if args.plan {
        report.hint("nothing was changed; leave out --plan to do it")?;
    }
    Ok(())
}
