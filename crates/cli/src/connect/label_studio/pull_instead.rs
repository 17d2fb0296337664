//! Lines of configuration that let `serve` pull, for a platform to which no webhook can work: to copy, or written
//! where they belong.

use super::Args;
use super::target::Target;
use crate::connect::config_section;
use crate::connect::facts::{Action, Facts};
use crate::connect::report::Report;
use crate::env::Env;
use crate::error::CliError;
use labelrelay_core::config::ENVIRONMENT;
use labelrelay_reconcile::PlatformError;
use serde_json::Value;

/// Pause between two runs: what an annotator does is on the queue before anybody asks for it.
const EVERY: &str = "10s";

/// Says that `refusal` keeps webhooks from working, and what brings the events all the same.
pub(super) fn see_to(
    args: &Args,
    target: &Target,
    refusal: &PlatformError,
    env: &Env<'_>,
    report: &mut Report,
    facts: &mut Facts,
) -> Result<(), CliError> {
    if target.is_pulled {
        report.doubted(refusal)?;
        return report.done("no webhook can work; `serve` pulls instead, as [source.pull] says");
    }
    if !args.repair {
        report.failed(refusal)?;
        return report.hint(words(args, target));
    }
    let Target { source, origin, .. } = target;
    if origin == ENVIRONMENT {
        report.failed(refusal)?;
        report.failed("no webhook can work, and there is no configuration's file to write to: set the variables that are printed here")?;
        return report.hint(words(args, target));
    }
    let path = env.cwd().join(origin);
    if args.plan {
        if let Err(why) = config_section::could_be_added(&path, source, &section(args, target), env)
        {
            report.failed(refusal)?;
            report.failed(format_args!(
                "no webhook can work, and {origin} could not be changed: {why}; write the lines that are printed here"
            ))?;
            return report.hint(words(args, target));
        }
        report.doubted(refusal)?;
        facts.pull = Some(Action::Made);
        report.done(format_args!(
            "no webhook can work; [source.pull] would be written below the source `{source}` in {origin}, which can be written"
        ))?;
        return report.hint(format_args!("\n{}\n", section(args, target)));
    }
    match config_section::add(&path, source, &section(args, target), env) {
        Ok(()) => {
            report.doubted(refusal)?;
            facts.pull = Some(Action::Made);
            report.done(format_args!(
                "no webhook can work; [source.pull] written below the source `{source}` in {origin}, so that `serve` pulls every {EVERY}"
            ))?;
            let token = target.token.to_string();
            let needed = token.strip_prefix("env:").map_or_else(
                || format!("It needs {token} then."),
                |name| format!("It needs the variable {name} then, and does not start without it."),
            );
            report.hint(format_args!(
                "Start `labelrelay serve` again: it reads its configuration when it starts. {needed} Its first pull brings what is there already."
            ))
        }
        Err(why) => {
            report.failed(refusal)?;
            report.failed(format_args!(
                "no webhook can work, and {origin} was not changed: {why}; write the lines that are printed here"
            ))?;
            report.hint(words(args, target))
        }
    }
}

/// Words for a person, with lines to copy. The token itself is not in them.
fn words(args: &Args, target: &Target) -> String {
    let Target {
        server,
        source,
        origin,
        repair,
        ..
    } = target;
    if origin == ENVIRONMENT {
        return format!(
            "Or use no webhook: set these variables beside the token's, and start `labelrelay serve` again.\n\n\
             LABEL_STUDIO_PULL_EVERY={EVERY}\n\
             LABEL_STUDIO_URL={server}"
        );
    }
    format!(
        "Or use no webhook: write these lines below the section of the source `{source}` in {origin} (`{repair}{}` does so), and start `labelrelay serve` again.\n\n{}",
        args.project_options(),
        section(args, target)
    )
}

/// The section in the configuration. It is for the projects that were named, as webhooks would be.
fn section(args: &Args, target: &Target) -> String {
    // Escapes of JSON are those of TOML.
    let quoted = |text: String| Value::from(text).to_string();
    let projects = match args.projects(target) {
        [] => String::new(),
        projects => format!("\nprojects = {projects:?}"),
    };
    format!(
        "[source.pull]\n\
         every = \"{EVERY}\"\n\
         url = {}\n\
         token = {}{projects}",
        quoted(target.server.clone()),
        quoted(target.token.to_string())
    )
}
