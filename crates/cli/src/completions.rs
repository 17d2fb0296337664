//! `labelrelay completions`.

use crate::cli;
use crate::error::{CliError, EXIT_CODES};
use clap_complete::Shell;
use std::io::Write as _;

const EXAMPLES: &str = "\
Examples:
  labelrelay completions bash \\
      > ~/.local/share/bash-completion/completions/labelrelay
  labelrelay completions zsh > \"${fpath[1]}/_labelrelay\"
  labelrelay completions fish > ~/.config/fish/completions/labelrelay.fish";

/// Prints a script that makes a shell complete labelrelay's commands.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_parser = clap::value_parser!(Shell))]
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "labelrelay", &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script)?;
    Ok(out.flush()?)
}
