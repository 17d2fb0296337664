//! `cargo xtask lab`: the fault laboratory, against release builds.

use crate::Outcome;
use crate::paths::built;
use crate::step::{cargo, status};
use std::process::Command;

/// Runs the seeds that `args` name; without arguments, 500 of 2,000 deliveries each.
pub(crate) fn run(args: &[String]) -> Outcome {
    status(&mut cargo(
        "build --release --package labelrelay --package labelrelay-lab --bin labelrelay --bin lab",
    ))?;
    status(Command::new(built("release", "lab")?).args(args))
}
