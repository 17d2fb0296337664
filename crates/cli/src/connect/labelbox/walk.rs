//! From the key to a webhook for the organization, or for each project that was named.

use super::pull_instead;
use super::target::Target;
use super::topics::{Topics, mended};
use super::{Args, greet, named, step, titled};
use crate::connect::facts::{Action, Facts, Id};
use crate::connect::listing::shown;
use crate::connect::pulling::Way;
use crate::connect::relay_ready;
use crate::connect::relay_url::last_segment;
use crate::connect::report::{Problem, Report};
use crate::connect::steps::{Step, Steps};
use crate::env::Env;
use labelrelay_reconcile::labelbox::{Status, Webhook};

pub(super) async fn walk(
    args: &Args,
    target: &Target,
    env: &Env<'_>,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<Way, Problem> {
    target.rotatable.refuse_while_under_way()?;
    let refusal = target.refusal();
    if let Some(refusal) = &refusal
        && pull_instead::is_left_to_people(args, target, refusal)
    {
        report.failed(refusal.with_pull())?;
        report.hint(pull_instead::words(args, target))?;
        return Ok(Way::Pull);
    }
    let words = greet(target, facts).await?;
    let chosen = args.projects(target);
    let lists = target.management.projects_and_webhooks(chosen);
    let (projects, webhooks) = lists.await?;
    let count = match projects.len() {
        1 => "1 project".to_owned(),
        count => format!("{count} projects"),
    };
    report.done(format_args!("{words}, {count}"))?;
    if let Some(refusal) = &refusal {
        refuse_beside_others(args, target, &webhooks)?;
        if target.secret.is_missing() {
            refuse_those_awake(target, &webhooks)?;
        }
        pull_instead::see_to(args, target, &projects, refusal, env, report, facts).await?;
        return Ok(Way::Pull);
    }
    let mut webhooks = webhooks;
    if target.secret.is_missing() {
        refuse_those_awake(target, &webhooks)?;
        let mut steps = Steps {
            plan: args.plan,
            report,
            rows: &mut facts.webhooks,
        };
        webhooks = without_sleeping(target, webhooks, &mut steps).await?;
    }
    facts.secret = target.secret.put(args.plan, report).await?;
    if facts.secret.is_none() || !args.plan {
        let _is_ready = relay_ready::ask(&target.relay, "Labelbox", report).await?;
    }
    let mut walk = Walk {
        target,
        topics: Topics::new(if args.topic.is_empty() {
            &target.topics
        } else {
            &args.topic
        }),
        webhooks: &webhooks,
        steps: Steps {
            plan: args.plan,
            report,
            rows: &mut facts.webhooks,
        },
    };
    if chosen.is_empty() {
        walk.scope(None, "the organization".to_owned()).await?;
        return Ok(Way::Webhooks);
    }
    for project in &projects {
        walk.scope(Some(&project.id), titled(project)).await?;
    }
    Ok(Way::Webhooks)
}

/// Sets up no pull where a webhook may deliver here by a URL that nobody named on this run: its labels come already.
fn refuse_beside_others(args: &Args, target: &Target, webhooks: &[Webhook]) -> Result<(), Problem> {
    let relay = &target.relay;
    if target.is_pulled || !relay.is_assumed {
        return Ok(());
    }
    let chosen = args.projects(target);
    let may_be_ours = |hook: &&Webhook| {
        let of_project = hook.project.as_ref();
        let is_meant = chosen.is_empty() || of_project.is_none_or(|id| chosen.contains(id));
        is_meant && hook.status == Status::Active && last_segment(&hook.url) == target.source
    };
    let Some(webhook) = webhooks.iter().find(may_be_ours) else {
        return Ok(());
    };
    let url = shown(&webhook.url);
    Err(Problem::Step(format!(
        "Labelbox cannot reach {}, and {} delivers to {url} already. If that leads to this relay, run this with `--relay {url}`, or set `public_url`; if it leads to another one, run this with `--relay {}`, and `serve` pulls besides",
        relay.url,
        named(webhook),
        relay.url
    )))
}

/// Makes no secret where a webhook delivers here already: Labelbox shows no secret, and that webhook signs with another
/// one.
fn refuse_those_awake(target: &Target, webhooks: &[Webhook]) -> Result<(), Problem> {
    let is_awake = |hook: &&Webhook| target.is_ours(hook) && hook.status != Status::Inactive;
    let Some(webhook) = webhooks.iter().find(is_awake) else {
        return Ok(());
    };
    Err(Problem::Step(format!(
        "there is no secret in {}, and {} delivers here already, with one that Labelbox shows nobody: put that secret there; or run this with --remove, then again without it, which makes a new one",
        target.rotatable.reference(),
        named(webhook)
    )))
}

/// Ends the webhooks to the relay that send nothing, before a secret is made: each of them has another one, and if it was
/// woken, all its deliveries would be refused. The webhooks that are left.
async fn without_sleeping(
    target: &Target,
    webhooks: Vec<Webhook>,
    steps: &mut Steps<'_>,
) -> Result<Vec<Webhook>, Problem> {
    let (ours, others): (Vec<_>, Vec<_>) = webhooks
        .into_iter()
        .partition(|webhook| target.is_ours(webhook));
    for webhook in &ours {
        let step = step(Action::Removed, webhook, vec!["it has another secret"]);
        if !steps.take(step, target.end(&webhook.id)).await? {
            return Err(Problem::Step(format!(
                "no secret was made: in Labelbox, Workspace settings, Webhooks, give {} another URL, then run this again",
                named(webhook)
            )));
        }
    }
    Ok(others)
}

struct Walk<'a> {
    target: &'a Target,
    topics: Topics,
    webhooks: &'a [Webhook],
    steps: Steps<'a>,
}

impl Walk<'_> {
    /// Sees to the events of a project, or of the organization.
    async fn scope(&mut self, project: Option<&str>, name: String) -> Result<(), Problem> {
        let ours = self
            .webhooks
            .iter()
            .filter(|hook| self.target.is_ours(hook));
        let (same, others): (Vec<_>, Vec<_>) =
            ours.partition(|hook| hook.project.as_deref() == project);
        let of_status = |status| same.iter().copied().find(|hook| hook.status == status);
        let active: Vec<_> = same
            .iter()
            .copied()
            .filter(|hook| hook.status == Status::Active)
            .collect();
        // Of those that send nothing one is enough, and one that Labelbox revoked rather than one that somebody ended.
        let asleep = of_status(Status::Revoked).or_else(|| same.first().copied());
        // Of another scope, and about the same events.
        let other = others.into_iter().find(|hook| {
            let overlaps = project.is_none() || hook.project.is_none();
            hook.status != Status::Inactive && overlaps
        });
        if active.len() > 1 {
            self.steps.report.warn(format!(
                "{name}: {} webhooks deliver here, so each event comes as often; end all but one in Labelbox: Workspace settings, Webhooks",
                active.len()
            ));
        }
        match (active.as_slice(), other) {
            ([], Some(other)) => self.other_scope(project, other),
            ([], None) => match asleep {
                Some(webhook) => self.wake(webhook).await,
                None => self.make(project, name).await,
            },
            (active, other) => {
                if let Some(other) = other {
                    self.steps.report.warn(format!(
                        "{} delivers here as well, so its events come twice; end one of the two in Labelbox: Workspace settings, Webhooks",
                        named(other)
                    ));
                }
                for webhook in active {
                    self.keep_or_mend(webhook).await?;
                }
                Ok(())
            }
        }
    }

    /// A webhook delivers here already, whose scope nobody can change.
    fn other_scope(&mut self, project: Option<&str>, other: &Webhook) -> Result<(), Problem> {
        let (has, instead, keep) = match (project, &other.project) {
            (None, Some(has)) => (
                format!("project {has} alone"),
                "the whole organization",
                format!("keep it: --project {has}"),
            ),
            _ => (
                "the whole organization".to_owned(),
                "the project",
                "keep it: leave out --project".to_owned(),
            ),
        };
        let why = format!(
            "delivers here already, for {has}, and Labelbox lets nobody change that. To have one for {instead}, run this with --remove, then again without it; or {keep}"
        );
        let step = step(Action::Failed, other, Vec::new());
        self.steps.give_up(step, &why)
    }

    /// Mends one that sends nothing.
    async fn wake(&mut self, webhook: &Webhook) -> Result<(), Problem> {
        self.steps.report.warn(format!(
            "{} sent nothing so far, and Labelbox shows no secret. If its deliveries get 401, it has another one: run this with --remove, then again without it",
            named(webhook)
        ));
        self.keep_or_mend(webhook).await
    }

    async fn keep_or_mend(&mut self, webhook: &Webhook) -> Result<(), Problem> {
        let (flaws, others) = self.topics.flaws(webhook);
        let step = step(Action::Mended, webhook, flaws);
        if step.flaws.is_empty() {
            let action = Action::Unchanged;
            return self.steps.keep(&Step { action, ..step });
        }
        let change = mended(others.as_deref(), webhook.status);
        let doing = self.target.change(&webhook.id, change);
        self.steps.take(step, doing).await.map(drop)
    }

    async fn make(&mut self, project: Option<&str>, name: String) -> Result<(), Problem> {
        let step = Step {
            action: Action::Made,
            name,
            id: None,
            project: project.map(|id| Id::Text(id.to_owned())),
            flaws: Vec::new(),
        };
        let topics = self.topics.of_new();
        let doing = self.target.make(project, topics, None, self.webhooks);
        self.steps.take(step, doing).await.map(drop)
    }
}
