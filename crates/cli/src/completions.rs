//! `labelrelay completions`.

use crate::cli::Cli;
use crate::failure::{EXIT_CODES, Failure};
use clap::CommandFactory as _;
use clap_complete::Shell;
use std::io::Write as _;

const EXAMPLES: &str = "\
Examples:
  labelrelay completions bash \\
      > ~/.local/share/bash-completion/completions/labelrelay
  labelrelay completions zsh > \"${fpath[1]}/_labelrelay\"
  labelrelay completions fish > ~/.config/fish/completions/labelrelay.fish";

/// Prints what makes a shell complete labelrelay's words.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Args {
    /// The shell
    #[arg(value_parser = clap::value_parser!(Shell))]
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "labelrelay", &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script)?;
    Ok(out.flush()?)
}
