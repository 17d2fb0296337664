//! The words of the command line.

use crate::failure::{EXIT_CODES, Failure};
use crate::output::{print, say};
use crate::world::World;
use crate::{check, completions, queue, reconcile, redrive, replay, send, serve, verify};
use clap::{Parser, Subcommand};

/// Webhooks of Labelbox and Label Studio, verified and byte for byte, into your queue.
#[derive(Debug, Parser)]
#[command(name = "labelrelay", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Serve(serve::Args),
    #[command(alias = "trigger")]
    Send(send::Args),
    Verify(verify::Args),
    Queue(queue::Args),
    Redrive(redrive::Args),
    Reconcile(reconcile::Args),
    Replay(replay::Args),
    Check(check::Args),
    Completions(completions::Args),
}

/// `None` when only help was asked for, and printed.
fn parse() -> Result<Option<Cli>, Failure> {
    let error = match Cli::try_parse() {
        Ok(cli) => return Ok(Some(cli)),
        Err(error) => error,
    };
    let words = error.render().to_string();
    let words = words.trim_end();
    if error.use_stderr() {
        // It quotes what was typed, or what a script put there.
        say(format_args!("{words}"));
        return Err(Failure::UsageSaid);
    }
    print(format_args!("{words}"))?;
    Ok(None)
}

pub(crate) fn run(world: &World<'_>) -> Result<(), Failure> {
    let Some(cli) = parse()? else {
        return Ok(());
    };
    crate::runtime::outlive_the_limit_on_files()?;
    match cli.verb {
        Verb::Serve(args) => serve::run(&args, world),
        Verb::Send(args) => send::run(&args, world),
        Verb::Verify(args) => verify::run(&args, world),
        Verb::Queue(args) => queue::run(&args, world),
        Verb::Redrive(args) => redrive::run(&args, world),
        Verb::Reconcile(args) => reconcile::run(&args, world),
        Verb::Replay(args) => replay::run(&args, world),
        Verb::Check(args) => check::run(&args, world),
        Verb::Completions(args) => completions::run(&args),
    }
}
