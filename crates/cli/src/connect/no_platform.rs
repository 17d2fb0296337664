//! The command line of `labelrelay connect` without a platform.

use crate::durations::parse_duration;
use std::path::PathBuf;
use std::time::Duration;

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
    /// Without a platform: where `serve` pulls, wait so long for the first event [default: 1m, for Labelbox 3m]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(super) wait: Option<Duration>,
    /// Without a platform: print one JSON object for each source
    #[arg(long)]
    pub(super) json: bool,
}
