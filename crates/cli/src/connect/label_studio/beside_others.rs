//! Webhooks that may deliver here already, by a URL that nobody named on this run: that of a proxy in front of the relay.

use super::target::Target;
use super::{Args, named};
use crate::connect::listing::shown;
use crate::connect::relay_url::last_segment;
use crate::connect::report::Problem;
use crate::serve::{Reach, reach};
use labelrelay_reconcile::label_studio::Webhook;

/// Sets up no pull where such a webhook delivers: its events come already.
pub(super) async fn refuse_pull(args: &Args, target: &Target) -> Result<(), Problem> {
    if args.push_only || target.is_pulled || !target.relay.is_assumed {
        return Ok(());
    }
    let webhooks = target.management.webhooks().await?;
    let mut refused: Vec<&str> = Vec::new();
    for webhook in those_of(args, target, &webhooks) {
        if refused.contains(&webhook.url.as_str()) {
            continue;
        }
        match target.management.check_url(&webhook.url).await {
            Ok(()) => {
                let way = "Label Studio refuses to deliver to";
                return Err(problem(target, webhook, way, ", and `serve` pulls besides"));
            }
            // It delivers nowhere.
            Err(error) if error.refuses_address => refused.push(&webhook.url),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Makes no webhook where such a one delivers the events of a project: each would come twice.
pub(super) fn refuse_second(
    args: &Args,
    target: &Target,
    webhooks: &[Webhook],
) -> Result<(), Problem> {
    if !target.relay.is_assumed || target.relay.reach() == Some(Reach::Public) {
        return Ok(());
    }
    // Somebody has made ours beside it, and so has said that the two are not one. Without a project, a webhook is of all.
    let has_ours = |project: Option<u64>| {
        let mut ours = webhooks.iter().filter(|hook| target.is_ours(hook));
        ours.any(|hook| hook.project == project || hook.project.is_none() || project.is_none())
    };
    match those_of(args, target, webhooks).find(|hook| !has_ours(hook.project)) {
        Some(webhook) => {
            let way = "nobody named the URL of the relay, which would be";
            Err(problem(target, webhook, way, ""))
        }
        None => Ok(()),
    }
}

/// Active webhooks of the projects that are meant, to a public URL that ends with the source's path.
fn those_of<'a>(
    args: &'a Args,
    target: &'a Target,
    webhooks: &'a [Webhook],
) -> impl Iterator<Item = &'a Webhook> {
    let chosen = args.projects(target);
    webhooks.iter().filter(move |hook| {
        let is_meant = chosen.is_empty() || hook.project.is_none_or(|id| chosen.contains(&id));
        is_meant
            && hook.is_active
            && !target.is_ours(hook)
            && reach(&hook.url) == Some(Reach::Public)
            && last_segment(&hook.url) == target.source
    })
}

/// Words about `webhook`, and both ways on; `besides` is what the second one brings.
fn problem(target: &Target, webhook: &Webhook, way: &str, besides: &str) -> Problem {
    let here = &target.relay.url;
    let url = shown(&webhook.url);
    Problem::Step(format!(
        "{way} {here}, and {} delivers to {url} already. If that leads to this relay, run this with `--relay {url}`, or set `public_url`; if it leads to another one, run this with `--relay {here}`{besides}",
        named(webhook.id, webhook.project)
    ))
}
