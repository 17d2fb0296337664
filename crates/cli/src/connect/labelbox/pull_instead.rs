//! Lets `serve` pull from Labelbox, for a relay that Labelbox cannot reach.

use super::Args;
use super::target::{Refusal, Target};
use crate::connect::facts::Facts;
use crate::connect::pulling::{
    ConfiguredPull, KnownToken, Named, PlatformWords, PullSetup, Section,
};
use crate::connect::report::{Problem, Report};
use crate::env::Env;
use labelrelay_core::config::ENVIRONMENT;
use labelrelay_reconcile::labelbox::{ENDPOINT, ProjectName};
use serde_json::Value;
use std::time::Duration;

/// A run is an export of each project, which takes Labelbox some seconds.
const WORDS: PlatformWords = PlatformWords {
    every: "1m",
    every_words: "minute",
    events: "labels that are created or updated; no deletions, no workflow actions",
    one_thing: "label",
    things: "labels",
    submit: "Submit a label in Labelbox",
};

/// Time for the first event, where the command line says nothing else: two runs, with their exports.
const PATIENCE: Duration = Duration::from_secs(3 * 60);

/// Tells whether nothing is written for this `refusal`: somebody has to correct the URL, or wants webhooks alone.
pub(super) fn is_left_to_people(args: &Args, target: &Target, refusal: &Refusal) -> bool {
    let is_new = !target.is_pulled;
    args.push_only || (refusal.may_be_a_slip && is_new && !args.repair)
}

/// Says that `refusal` keeps webhooks from working, and sees to it that the labels come all the same.
pub(super) async fn see_to(
    args: &Args,
    target: &Target,
    projects: &[ProjectName],
    refusal: &Refusal,
    env: &Env<'_>,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<(), Problem> {
    let refused = format!("push refused: {refusal}");
    let names: Vec<_> = projects.iter().map(named).collect();
    if target.is_pulled {
        let there = ConfiguredPull {
            refused,
            origin: &target.origin,
            queue: target.queue.as_deref(),
            source: &target.source,
            platform: "Labelbox",
            server: &target.server,
            from: Some(target.pulled_from.as_str()),
        };
        let is_pulled = |project: &Named| target.pulls(Some(&project.id));
        facts.secret = target.secret.put(args.plan, report).await?;
        return Ok(there.leave_as_it_is(&names, is_pulled, report).await?);
    }
    let to_copy = words(args, target);
    if target.origin == ENVIRONMENT {
        report.failed(refused)?;
        report.failed("no webhook can work, and there is no configuration's file to write to: set the variable that is printed here")?;
        return Ok(report.hint(to_copy)?);
    }
    let setup = PullSetup {
        refused,
        source_secret: &target.secret,
        origin: &target.origin,
        queue: target.queue.as_deref(),
        token: KnownToken {
            source: &target.source,
            reference: &target.key,
            unnamed: target.unnamed_key.as_ref(),
            secret: target.rotatable.reference(),
            option: "--key",
        },
        section: section(args, target),
        projects: &names,
        words: &WORDS,
        patience: args.wait.unwrap_or(PATIENCE),
        to_copy,
    };
    if args.plan {
        setup.plan(env, report, facts).await
    } else {
        setup.write(env, report, facts).await
    }
}

/// Words for a person, with lines to copy. The key itself is not in them.
pub(super) fn words(args: &Args, target: &Target) -> String {
    let Target { source, origin, .. } = target;
    if target.is_pulled {
        return "`serve` pulls besides, as [source.pull] says.".to_owned();
    }
    if origin == ENVIRONMENT {
        return format!(
            "Or use no webhook: set this variable beside the key's, and start `labelrelay serve` again.\n\n\
             LABELBOX_PULL_EVERY={}",
            WORDS.every
        );
    }
    format!(
        "Or use no webhook: write these lines below the section of the source `{source}` in {origin} (`{}{}` does so), and see that `serve` finds the key there. A `serve` that runs takes them up within some seconds.\n\n{}",
        target.again,
        args.project_options(),
        section(args, target).text(&target.key)
    )
}

/// The section in the configuration. It is for the projects that were named, as webhooks would be.
fn section<'a>(args: &Args, target: &'a Target) -> Section<'a> {
    let projects = args.projects(target);
    Section {
        every: WORDS.every,
        url: (target.server != ENDPOINT).then_some(target.server.as_str()),
        projects: (!projects.is_empty()).then(|| Value::from(projects.to_vec()).to_string()),
    }
}

fn named(project: &ProjectName) -> Named {
    Named {
        id: project.id.clone(),
        name: project.name.clone(),
    }
}
