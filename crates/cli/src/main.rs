//! `labelrelay`: takes webhooks of labelling platforms in, and puts what is verified on a queue.
//!
//! Only this file reads the environment; everything else gets it handed in.

mod check;
mod cli;
mod client;
mod clouds;
mod completions;
mod delivery;
mod discover;
mod failure;
mod home;
mod logging;
mod open;
mod output;
mod places;
mod queue;
mod reconcile;
mod redrive;
mod replay;
mod running;
mod runtime;
mod samples;
mod secrets;
mod send;
mod sender;
mod serve;
mod times;
mod verify;
mod world;

use labelrelay_core::config::Environment;
use std::process::ExitCode;

fn main() -> ExitCode {
    let environment: Environment = std::env::vars_os().collect();
    let world = match std::env::current_dir() {
        Ok(cwd) => world::World::new(&environment, cwd),
        Err(error) => {
            return failure::Failure::failed(format!("no working directory: {error}")).report();
        }
    };
    let code = match cli::run(&world) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    };
    output::finish();
    code
}
