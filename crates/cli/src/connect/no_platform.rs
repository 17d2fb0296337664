//! The command line of `labelrelay connect` without a platform.

use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[group(skip)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub(super) struct Args {
    /// Without a platform: the configuration file
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Without a platform: say what would be done; change nothing
    #[arg(long)]
    pub(super) plan: bool,
    /// Without a platform: mend what `labelrelay status` found
    #[arg(long)]
    pub(super) repair: bool,
    /// Without a platform: fail where no webhook can work
    #[arg(long)]
    pub(super) push_only: bool,
    /// Without a platform: print one JSON object for each source
    #[arg(long)]
    pub(super) json: bool,
}
