//! The words of the command line.

use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::output::{print, say};
use crate::{
    archive, completions, connect, consume, dataset, events, help, pull, queue, send, serve,
    status, verify,
};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::env::ArgsOs;

const EXAMPLES: &str = "\
Begin here:
  labelrelay serve --demo   see it work, without any platform
  labelrelay serve          take deliveries in; makes its configuration
  labelrelay send           deliver a sample to it
  labelrelay events list    see what came in
  labelrelay status         see whether all is well, and if not, what to do";

/// Answer to `--version`; `-V` gives the first line alone. The build script finds the rest.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit   ",
    env!("BUILT_FROM_COMMIT"),
    "\nfeatures ",
    env!("BUILT_WITH_FEATURES"),
);

/// Takes webhooks of Labelbox and Label Studio, verifies them, and puts them on your queue, byte for byte.
#[derive(Debug, Parser)]
#[command(name = "labelrelay", version, long_version = LONG_VERSION, max_term_width = 100)]
#[command(before_help = EXAMPLES, after_help = EXIT_CODES, override_usage = "labelrelay <COMMAND> [OPTIONS]")]
pub(crate) struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Serve(serve::Args),
    Connect(connect::Args),
    Status(status::Args),
    Events(events::Args),
    Consume(consume::Args),
    Pull(pull::Args),
    Archive(archive::Args),
    Dataset(dataset::Args),
    Send(send::Args),
    Verify(verify::Args),
    Queue(queue::Args),
    Completions(completions::Args),
}

/// The whole command line, as help and completions show it.
pub(crate) fn command() -> clap::Command {
    help::shaped(Cli::command())
}

/// `None` when only help was asked for, and printed.
fn parse(words: ArgsOs) -> Result<Option<Verb>, CliError> {
    let mut command = command();
    let parsed = command.try_get_matches_from_mut(words);
    let parsed = parsed.and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches);
        cli.map_err(|error| error.format(&mut command))
    });
    let error = match parsed {
        Ok(Cli { verb: Some(verb) }) => return Ok(Some(verb)),
        Ok(Cli { verb: None }) => {
            say(format_args!("{}", help::WELCOME));
            return Err(CliError::UsageReported);
        }
        Err(error) => error,
    };
    let text = error.render().to_string();
    let text = text.trim_end();
    if error.use_stderr() {
        // The message quotes the arguments, which may hold bytes that a terminal obeys: `say` makes them printable.
        say(format_args!("{text}"));
        return Err(CliError::UsageReported);
    }
    print(format_args!("{text}"))?;
    Ok(None)
}

/// Does what `words` say, the program's name first.
pub(crate) fn run(words: ArgsOs, env: &Env<'_>) -> Result<(), CliError> {
    let Some(verb) = parse(words)? else {
        return Ok(());
    };
    crate::runtime::outlive_the_limit_on_files()?;
    match verb {
        Verb::Serve(args) => serve::run(&args, env),
        Verb::Connect(args) => connect::run(&args, env),
        Verb::Status(args) => status::run(&args, env),
        Verb::Events(args) => events::run(&args, env),
        Verb::Consume(args) => consume::run(&args, env),
        Verb::Pull(args) => pull::run(&args, env),
        Verb::Archive(args) => archive::run(&args, env),
        Verb::Dataset(args) => dataset::run(&args, env),
        Verb::Send(args) => send::run(&args, env),
        Verb::Verify(args) => verify::run(&args, env),
        Verb::Queue(args) => queue::run(&args, env),
        Verb::Completions(args) => completions::run(&args),
    }
}
