//! Lets `serve` pull from a Label Studio to which no webhook can work.

use super::Args;
use super::target::Target;
use crate::connect::facts::Facts;
use crate::connect::pulling::{
    ConfiguredPull, KnownToken, Named, PlatformWords, PullSetup, Section,
};
use crate::connect::report::{Problem, Report};
use crate::env::Env;
use labelrelay_core::config::ENVIRONMENT;
use labelrelay_reconcile::PlatformError;
use labelrelay_reconcile::label_studio::ProjectTitle;
use std::time::Duration;

/// What an annotator does is on the queue before anybody asks for it.
const WORDS: PlatformWords = PlatformWords {
    every: "10s",
    every_words: "10 s",
    events: "same events",
    one_thing: "task or annotation",
    things: "tasks and annotations",
    submit: "Submit an annotation in Label Studio",
};

/// Time for the first event, where the command line says nothing else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Says that `refusal` keeps webhooks from working, and sees to it that the events come all the same.
pub(super) async fn see_to(
    args: &Args,
    target: &Target,
    projects: &[ProjectTitle],
    refusal: &PlatformError,
    env: &Env<'_>,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<(), Problem> {
    let refused = format!("push refused: {refusal}");
    if target.is_pulled && args.push_only {
        report.failed(refused)?;
        return Ok(report.hint("`serve` pulls besides, as [source.pull] says.")?);
    }
    let names: Vec<_> = projects.iter().map(named).collect();
    if target.is_pulled {
        let there = ConfiguredPull {
            refused,
            origin: &target.origin,
            queue: target.queue.as_deref(),
            source: &target.source,
            platform: "Label Studio",
            server: &target.server,
            from: target.pulled_from.as_deref(),
        };
        let is_pulled = |project: &Named| target.pulls(&project.id);
        facts.secret = target.secret.put(args.plan, report).await?;
        return Ok(there.leave_as_it_is(&names, is_pulled, report).await?);
    }
    // A name that is not known may be misspelt, or known again in a moment: nothing is written for that alone.
    if args.push_only || (refusal.is_retryable && !args.repair) {
        report.failed(refused)?;
        let how = format!(" (`{}{}` does so)", target.repair, args.project_options());
        return Ok(report.hint(words(args, target, &how))?);
    }
    if target.origin == ENVIRONMENT {
        report.failed(refused)?;
        report.failed("no webhook can work, and there is no configuration's file to write to: set the variables that are printed here")?;
        return Ok(report.hint(words(args, target, ""))?);
    }
    let setup = PullSetup {
        refused,
        source_secret: &target.secret,
        origin: &target.origin,
        queue: target.queue.as_deref(),
        token: KnownToken {
            source: &target.source,
            reference: &target.token,
            unnamed: target.unnamed_token.as_ref(),
            secret: target.rotatable.reference(),
            option: "--token",
        },
        section: section(args, target),
        projects: &names,
        words: &WORDS,
        patience: args.wait.unwrap_or(PATIENCE),
        to_copy: words(args, target, ""),
    };
    if args.plan {
        setup.plan(env, report, facts).await
    } else {
        setup.write(env, report, facts).await
    }
}

/// Words for a person, with lines to copy; `how` names the command that would write them. The token itself is not in them.
fn words(args: &Args, target: &Target, how: &str) -> String {
    let Target {
        server,
        source,
        origin,
        ..
    } = target;
    if origin == ENVIRONMENT {
        return format!(
            "Or use no webhook: set these variables beside the token's, and start `labelrelay serve` again.\n\n\
             LABEL_STUDIO_PULL_EVERY={}\n\
             LABEL_STUDIO_URL={server}",
            WORDS.every
        );
    }
    format!(
        "Or use no webhook: write these lines below the section of the source `{source}` in {origin}{how}, and see that `serve` finds the token there. A `serve` that runs takes them up within some seconds.\n\n{}",
        section(args, target).text(&target.token)
    )
}

/// The section in the configuration. It is for the projects that were named, as webhooks would be.
fn section<'a>(args: &Args, target: &'a Target) -> Section<'a> {
    let projects = args.projects(target);
    Section {
        every: WORDS.every,
        url: Some(&target.server),
        projects: (!projects.is_empty()).then(|| format!("{projects:?}")),
    }
}

fn named(project: &ProjectTitle) -> Named {
    Named {
        id: project.id.to_string(),
        name: project.title.clone(),
    }
}
