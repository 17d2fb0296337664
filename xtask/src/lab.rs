//! `cargo xtask lab`: the fault laboratory, against release builds.

use crate::paths::built;
use crate::step::{cargo, status};
use crate::{Outcome, tools};
use std::process::Command;

/// The option for replicas over Postgres.
const REPLICAS: &str = "--replicas";

/// Minutes after which a campaign begins no other seed, unless it was said how many there are.
const MINUTES: &str = "45";

/// Runs the seeds that `args` name; without arguments, 500 of 2,000 deliveries each.
pub(crate) fn run(args: &[String]) -> Outcome {
    let are_replicas = args.iter().any(|arg| arg == REPLICAS);
    let mut build = cargo(
        "build --release --package labelrelay --package labelrelay-lab --bin labelrelay --bin lab",
    );
    if are_replicas {
        build.args(["--features", "labelrelay/postgres"]);
    }
    status(&mut build)?;
    let mut lab = Command::new(built("release", "lab")?);
    if are_replicas {
        lab.envs(tools::postgres()?);
    }
    status(lab.args(args))
}

/// The same with replicas over Postgres, and as many seeds as `args` say.
pub(crate) fn over_postgres(args: &[String]) -> Outcome {
    let mut options = vec![REPLICAS, "--seeds"];
    let seeds = match args.first() {
        Some(seeds) => format!("0..{seeds}"),
        None => "0..500".to_owned(),
    };
    options.push(&seeds);
    if args.is_empty() {
        options.extend(["--within", MINUTES]);
    }
    let options: Vec<_> = options.into_iter().map(str::to_owned).collect();
    run(&options)
}
