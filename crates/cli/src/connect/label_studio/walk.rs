//! From the token to a webhook for each project.

use super::beside_others;
use super::project_names::titled;
use super::pull_instead;
use super::target::Target;
use super::{Args, greet, named, step};
use crate::connect::allowlist;
use crate::connect::facts::{Action, Facts, Id};
use crate::connect::pulling::Way;
use crate::connect::relay_ready;
use crate::connect::relay_url::is_loopback;
use crate::connect::report::{Problem, Report};
use crate::connect::steps::{Step, Steps};
use crate::env::Env;
use crate::error::CliError;
use labelrelay_reconcile::label_studio::{ProjectTitle, Version, Webhook};

pub(super) async fn walk(
    args: &Args,
    target: &Target,
    env: &Env<'_>,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<Way, Problem> {
    target.rotatable.refuse_while_under_way()?;
    let words = greet(target, facts).await?;
    let projects = target.management.projects(args.projects(target)).await?;
    let count = match projects.len() {
        1 => "1 project".to_owned(),
        count => format!("{count} projects"),
    };
    report.done(format_args!("{words}, {count}"))?;
    warn(target, facts, report);
    if let Some(doubt) = allowlist::doubt(target.rotatable.source(), &target.server).await {
        report.warn(doubt);
    }
    if projects.is_empty() {
        return Err(Problem::Step(
            "no project to connect: each webhook is one of a project. Make a project, and run this again".to_owned(),
        ));
    }
    // A relay without a secret is not ready.
    if !target.secret.is_missing() {
        let _takes = ask_relay(target, report).await?;
    }
    if let Err(error) = target.management.check_url(&target.relay.url).await {
        if !error.refuses_address {
            return Err(error.into());
        }
        if target.secret.is_missing() {
            let webhooks = target.management.webhooks().await?;
            refuse_those_there(target, &ours_of(target, &webhooks))?;
        }
        beside_others::refuse_pull(args, target).await?;
        pull_instead::see_to(args, target, &projects, &error, env, report, facts).await?;
        return Ok(Way::Pull);
    }
    report.done(format_args!(
        "Label Studio takes webhooks to {}",
        target.relay.url
    ))?;
    let webhooks = target.management.webhooks().await?;
    beside_others::refuse_second(args, target, &webhooks)?;
    let ours = ours_of(target, &webhooks);
    facts.secret = new_secret(args, target, &ours, report).await?;
    let mut walk = Walk {
        target,
        steps: Steps {
            plan: args.plan,
            report,
            rows: &mut facts.webhooks,
        },
        there_before: 0,
    };
    let of = |project: Option<u64>| ours.iter().filter(move |hook| hook.project == project);
    for webhook in of(None) {
        walk.keep_or_mend(webhook, named(webhook.id, None)).await?;
    }
    for project in &projects {
        let name = titled(project);
        let mut has_one = false;
        for webhook in of(Some(project.id)) {
            has_one = true;
            let name = format!("{name}: webhook {}", webhook.id);
            walk.keep_or_mend(webhook, name).await?;
        }
        if has_one {
            continue;
        }
        match of(None).next() {
            Some(webhook) => walk.steps.report.done(format_args!(
                "{name}: the organization's webhook {} sends its events",
                webhook.id
            ))?,
            None => walk.make(project, name).await?,
        }
    }
    facts.there_before = (walk.there_before > 0 && !args.plan).then_some(walk.there_before);
    Ok(Way::Webhooks)
}

/// The webhooks that deliver to the relay.
fn ours_of<'a>(target: &Target, webhooks: &'a [Webhook]) -> Vec<&'a Webhook> {
    let ours = webhooks.iter().filter(|hook| target.is_ours(hook));
    ours.collect()
}

/// Makes no secret where a webhook delivers here already: then the reference here may be wrong, and the relay may read
/// that webhook's secret from somewhere else. With a new secret, the relay would refuse the webhook's deliveries.
fn refuse_those_there(target: &Target, ours: &[&Webhook]) -> Result<(), Problem> {
    let Some(webhook) = ours.first() else {
        return Ok(());
    };
    Err(Problem::Step(format!(
        "there is no secret in {}, and {} delivers here already: see that the name is right, and in a cloud's store also its region and account; or put the secret of that webhook there; or run this with --remove, then again without it, which makes a new one",
        target.rotatable.reference(),
        named(webhook.id, webhook.project)
    )))
}

/// Puts a secret where there is none yet.
async fn new_secret(
    args: &Args,
    target: &Target,
    ours: &[&Webhook],
    report: &mut Report,
) -> Result<Option<Action>, Problem> {
    if target.secret.is_missing() {
        refuse_those_there(target, ours)?;
    }
    let reference = target.rotatable.reference();
    let action = target.secret.put(args.plan, report).await?;
    if action.is_some() && !args.plan && !ask_relay(target, report).await? {
        return Err(Problem::Step(format!(
            "no webhook was made: the relay would refuse its deliveries. The new secret is in {reference}; when the relay takes it, run this again"
        )));
    }
    Ok(action)
}

/// Asks the relay whether it is ready and whether it takes the header. `false` only if it refuses the header: of a
/// relay that is not ready, or not reached, nothing is known.
async fn ask_relay(target: &Target, report: &mut Report) -> Result<bool, CliError> {
    if !relay_ready::ask(&target.relay, "Label Studio", report).await? {
        return Ok(true);
    }
    relay_ready::ask_for_header(&target.relay, target.credential.header(), report).await
}

fn warn(target: &Target, facts: &Facts, report: &mut Report) {
    if let Some(version) = &facts.version
        && !Version::new(version.clone()).is_known()
    {
        report.warn(format!(
            "Label Studio {version} is not a version that this was tried with (1.20 to 1.23): look at its webhooks afterwards, with `labelrelay connect list label-studio`"
        ));
    }
    if target.relay.is_loopback() && !is_loopback(&target.server) {
        report.warn(format!(
            "{} leads every machine to itself. If Label Studio runs on another machine or in a container, give --relay with an address that it reaches",
            target.relay.url
        ));
    }
}

struct Walk<'a> {
    target: &'a Target,
    steps: Steps<'a>,
    /// Tasks and annotations of the projects that got a webhook.
    there_before: u64,
}

impl Walk<'_> {
    async fn keep_or_mend(&mut self, webhook: &Webhook, name: String) -> Result<(), Problem> {
        let credential = &self.target.credential;
        let step = step(Action::Mended, name, webhook, credential.flaws(webhook));
        if step.flaws.is_empty() {
            let action = Action::Unchanged;
            return self.steps.keep(&Step { action, ..step });
        }
        let doing = self.target.mend(webhook, credential);
        self.steps.take(step, doing).await.map(drop)
    }

    async fn make(&mut self, project: &ProjectTitle, name: String) -> Result<(), Problem> {
        let step = Step {
            action: Action::Made,
            name,
            id: None,
            project: Some(Id::Number(project.id)),
            flaws: Vec::new(),
        };
        let doing = self.target.make(project.id);
        if self.steps.take(step, doing).await? {
            let counts = [project.tasks, project.annotations];
            self.there_before += counts.into_iter().flatten().sum::<u64>();
        }
        Ok(())
    }
}
