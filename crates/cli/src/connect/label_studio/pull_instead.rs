//! Lets `serve` pull, for a platform to which no webhook can work: the lines of configuration, written where they belong,
//! or printed to copy.

use super::first_event;
use super::project_names::named_projects;
use super::pull_figures::is_not_pulling;
use super::pull_token::PullToken;
use super::target::Target;
use super::{Args, PULL_EVERY, PULL_EVERY_WORDS};
use crate::connect::config_section;
use crate::connect::facts::{Action, Facts};
use crate::connect::report::Report;
use crate::env::Env;
use crate::error::CliError;
use labelrelay_core::config::{ENVIRONMENT, SecretRef};
use labelrelay_reconcile::PlatformError;
use labelrelay_reconcile::label_studio::ProjectTitle;
use serde_json::Value;
use std::fs;

/// Readers of the token's file: its owner, and the group where that alone may read the secret besides.
const READERS: &str = "which no others may read";

/// Says that `refusal` keeps webhooks from working, and sees to it that the events come all the same.
pub(super) async fn see_to(
    args: &Args,
    target: &Target,
    projects: &[ProjectTitle],
    refusal: &PlatformError,
    env: &Env<'_>,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<(), CliError> {
    let refused = format!("push refused: {refusal}");
    let Target { source, origin, .. } = target;
    if target.is_pulled {
        return leave_as_it_is(args, target, projects, refused, report).await;
    }
    // A name that is not known may be misspelt, or known again in a moment: nothing is written for that alone.
    if args.push_only || (refusal.is_retryable && !args.repair) {
        report.failed(refused)?;
        let how = format!(" (`{}{}` does so)", target.repair, args.project_options());
        return report.hint(words(args, target, &how));
    }
    if origin == ENVIRONMENT {
        report.failed(refused)?;
        report.failed("no webhook can work, and there is no configuration's file to write to: set the variables that are printed here")?;
        return report.hint(words(args, target, ""));
    }
    let path = env.cwd().join(origin);
    let token = PullToken::of(target, &path, env);
    let section = section(args, target, token.reference());
    if args.plan {
        let could_be = config_section::could_be_added(&path, source, &section, env);
        let file = match could_be.and_then(|()| token.could_be_put()) {
            Ok(file) => file,
            Err(why) => {
                report.failed(refused)?;
                report.failed(format_args!(
                    "no webhook can work, and {origin} could not be changed: {why}; write the lines that are printed here"
                ))?;
                return report.hint(words(args, target, ""));
            }
        };
        report.doubted(refused)?;
        facts.pull = Some(Action::Made);
        if let Some(file) = file {
            report.done(format_args!(
                "the token would be put into {}, {READERS}",
                file.display()
            ))?;
        }
        report.done(format_args!(
            "no webhook can work; [source.pull] would be written below the source `{source}` in {origin}, which can be written; `serve` would pull every {PULL_EVERY_WORDS} instead (same events)"
        ))?;
        return report.hint(format_args!("\n{section}\n"));
    }
    let before = first_event::last_number(target);
    let could_be = config_section::could_be_added(&path, source, &section, env);
    let written = could_be.and_then(|()| token.put()).and_then(|made| {
        config_section::add(&path, source, &section, env).inspect_err(|_| {
            // Nothing is left half-way.
            if let Some(file) = made {
                let _ = fs::remove_file(file);
            }
        })?;
        Ok(made)
    });
    let made = match written {
        Ok(made) => made,
        Err(why) => {
            report.failed(refused)?;
            report.failed(format_args!(
                "no webhook can work, and {origin} was not changed: {why}; write the lines that are printed here"
            ))?;
            return report.hint(words(args, target, ""));
        }
    };
    report.doubted(refused)?;
    facts.pull = Some(Action::Made);
    if let Some(file) = made {
        report.done(format_args!(
            "the token put into {}, {READERS}",
            file.display()
        ))?;
    }
    report.done(format_args!(
        "no webhook can work; [source.pull] written below the source `{source}` in {origin}, so that `serve` pulls every {PULL_EVERY}"
    ))?;
    let token = token.reference();
    first_event::wait(args, target, projects, before, token, report, facts).await
}

/// The configuration has the section already: says what it does.
async fn leave_as_it_is(
    args: &Args,
    target: &Target,
    projects: &[ProjectTitle],
    refused: String,
    report: &mut Report,
) -> Result<(), CliError> {
    if args.push_only {
        report.failed(refused)?;
        return report.hint("`serve` pulls besides, as [source.pull] says.");
    }
    let is_without = |project: &&ProjectTitle| !target.pulls(project.id);
    let without: Vec<_> = projects.iter().filter(is_without).collect();
    if without.is_empty() {
        report.doubted(refused)?;
        let server = &target.server;
        if let Some(url) = target.pulled_from.as_ref().filter(|url| *url != server) {
            report.warn(format!(
                "`serve` pulls from {url}, as [source.pull] says: see that this is the same Label Studio as {server}"
            ));
        }
        if is_not_pulling(target).await {
            report.warn(format!(
                "the `serve` that runs here does not pull from `{}` yet: if that stays so, its log says why; or start it again",
                target.source
            ));
        }
        return report.done("no webhook can work; `serve` pulls instead, as [source.pull] says");
    }
    report.failed(refused)?;
    report.failed(format_args!(
        "no webhook can work, and `serve` does not pull from {}: add to `projects` of [source.pull] in {}, and start `labelrelay serve` again",
        named_projects(&without),
        target.origin
    ))
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
             LABEL_STUDIO_PULL_EVERY={PULL_EVERY}\n\
             LABEL_STUDIO_URL={server}"
        );
    }
    format!(
        "Or use no webhook: write these lines below the section of the source `{source}` in {origin}{how}, and see that `serve` finds the token there. A `serve` that runs takes them up within some seconds.\n\n{}",
        section(args, target, &target.token)
    )
}

/// The section in the configuration. It is for the projects that were named, as webhooks would be.
fn section(args: &Args, target: &Target, token: &SecretRef) -> String {
    // Escapes of JSON are those of TOML.
    let quoted = |text: String| Value::from(text).to_string();
    let projects = match args.projects(target) {
        [] => String::new(),
        projects => format!("\nprojects = {projects:?}"),
    };
    format!(
        "[source.pull]\n\
         every = \"{PULL_EVERY}\"\n\
         url = {}\n\
         token = {}{projects}",
        quoted(target.server.clone()),
        quoted(token.to_string())
    )
}
